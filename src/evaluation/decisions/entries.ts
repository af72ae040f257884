import { type LiveEvent, type LoggedDecision, MAX_AHEAD_MS } from "../../protocol/index.js";

/** An entry of a log: an event or a decision. */
export type LogEntry = LiveEvent | LoggedDecision;

export function isEvent(entry: LogEntry): entry is LiveEvent {
  return "kind" in entry;
}

/** Entries after one that tell whether its time is right. Set by hand. */
const AHEAD = 4;

/** An entry of a log, and the time at its place. */
export interface TimedEntry<E extends LogEntry = LogEntry> {
  readonly entry: E;
  /** What a host would have said, milliseconds: no entry with a wrong time moves it. */
  readonly now: number;
}

/**
 * The time at the place of each entry of a log: its own, where the median of the next ones is no earlier; it never goes
 * back. So single entries dated ahead, and single stale ones, are seen as such. Holds four entries: `push` each, then
 * `end`.
 */
export class Timekeeper<E extends LogEntry> {
  readonly #emit: (timed: TimedEntry<E>) => void;
  readonly #limit: () => number;
  readonly #held: E[] = [];
  #latest: number;

  /**
   * @param emit - Called with each entry, in their order.
   * @param since - The time before the log. Default 0.
   * @param limit - The present, if the log is written now: no time is later. Default: none.
   */
  constructor(emit: (timed: TimedEntry<E>) => void, since = 0, limit: () => number = () => Infinity) {
    this.#emit = emit;
    this.#latest = since;
    this.#limit = limit;
  }

  push(entry: E): void {
    this.#held.push(entry);
    if (this.#held.length > AHEAD) this.#next();
  }

  end(): void {
    while (this.#held.length > 0) this.#next();
  }

  #next(): void {
    const entry = this.#held.shift()!;
    const later = this.#held.map(({ time }) => time).sort((a, b) => a - b);
    const median = later[later.length >> 1] ?? entry.time;
    const isWrong = entry.time > median + MAX_AHEAD_MS;
    if (!isWrong) this.#latest = Math.max(this.#latest, Math.min(entry.time, median, this.#limit()));
    this.#emit({ entry, now: this.#latest });
  }
}

/** What `push` and `end` give to `emit`, as a generator. */
export async function* pushed<I, O>(
  source: AsyncIterable<I> | Iterable<I>,
  make: (emit: (item: O) => void) => { push(item: I): void; end(): void },
): AsyncGenerator<O, void, undefined> {
  let ready: O[] = [];
  const stage = make((item) => ready.push(item));
  for await (const item of source) {
    stage.push(item);
    if (ready.length === 0) continue;
    const batch = ready;
    ready = [];
    yield* batch;
  }
  stage.end();
  yield* ready;
}

/** The entries of a log with the time at the place of each: see {@link Timekeeper}. */
export function timed<E extends LogEntry>(
  entries: AsyncIterable<E> | Iterable<E>,
  since?: number,
  limit?: () => number,
): AsyncGenerator<TimedEntry<E>, void, undefined> {
  return pushed<E, TimedEntry<E>>(entries, (emit) => new Timekeeper(emit, since, limit));
}
