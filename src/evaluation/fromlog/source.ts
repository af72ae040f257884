import type { LiveEvent, LoggedDecision } from "../../protocol/index.js";
import { type CompleteLogOptions, LogCompleter, type LogContents } from "../decisions/complete.js";
import { type LogEntry, pushed } from "../decisions/entries.js";
import { mergeDecisions } from "../decisions/merged.js";

/** Items of a log: an iterable, or a function that opens one, so that they can be read again. */
export type LogSource<T> = AsyncIterable<T> | Iterable<T> | (() => AsyncIterable<T> | Iterable<T>);

/** Whether a source can be read again: a function, or an array. */
export function isRepeatable<T>(source: LogSource<T>): boolean {
  return typeof source === "function" || Array.isArray(source);
}

export function opened<T>(source: LogSource<T>): AsyncIterable<T> | Iterable<T> {
  return typeof source === "function" ? source() : source;
}

const UNKNOWN: LogContents = { onAir: "events", slates: "none", gapMs: undefined, isWatchAtBegin: false, kinds: {} };

/** A log that is read once, completed: with its decisions, given or made, and with what is on air. */
export class OpenedLog {
  readonly #events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>;
  readonly #decisions: AsyncIterable<LoggedDecision> | Iterable<LoggedDecision> | undefined;
  readonly #completer: LogCompleter;
  #emit: (entry: LogEntry) => void = () => {};
  #given = 0;

  /**
   * @param events - In order of time.
   * @param decisions - Of the logging policy, in order of time. Default: made from the log.
   * @param options - How the log is completed.
   * @throws TypeError or RangeError for an option that is unknown or out of its range.
   */
  constructor(
    events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
    decisions?: AsyncIterable<LoggedDecision> | Iterable<LoggedDecision>,
    options: Partial<CompleteLogOptions> = {},
  ) {
    this.#events = events;
    this.#decisions = decisions;
    const slates = decisions === undefined ? {} : ({ slates: "none" } as const);
    this.#completer = new LogCompleter((entry) => this.#emit(entry), { ...options, ...slates });
  }

  /** What the log has, by its first events; known once there is a first entry. */
  get contents(): LogContents {
    return this.#completer.contents ?? UNKNOWN;
  }

  /** What came by so far. */
  get counts(): LogCompleter["counts"] {
    return this.#completer.counts;
  }

  /** Decisions given beside the events, so far; undefined: they are made from the log. */
  get given(): number | undefined {
    return this.#decisions && this.#given;
  }

  /** Decisions so far, given or made. */
  get decisions(): number {
    return this.given ?? this.counts.shown + this.counts.drawn;
  }

  /** Events and decisions, in order. To be read once. */
  entries(): AsyncGenerator<LogEntry, void, undefined> {
    const events = pushed<LiveEvent, LogEntry>(this.#events, (emit) => {
      this.#emit = emit;
      return this.#completer;
    });
    if (this.#decisions === undefined) return events;
    // Without decisions of its own, a completed log has events alone.
    return mergeDecisions(events as AsyncGenerator<LiveEvent>, this.#counted(this.#decisions));
  }

  async *#counted(decisions: AsyncIterable<LoggedDecision> | Iterable<LoggedDecision>) {
    for await (const decision of decisions) {
      this.#given++;
      yield decision;
    }
  }
}
