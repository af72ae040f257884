import type { Id } from "../../protocol/index.js";
import type { UntimedEvent } from "../outbox.js";

/** Milliseconds watched before the first heartbeat: from then on a tab that is killed leaves a watch. */
const FIRST_BEAT_MS = 5000;
/** Milliseconds between two looks at the time. */
const LOOK_MS = 1000;
/** A longer time between two looks was a sleep of the machine: hidden pages are woken each minute. */
const SLEEP_MS = 150_000;

/** Who watches what. */
export interface Subject {
  readonly user: Id;
  readonly stream: Id;
  readonly decision?: Id | undefined;
}

export interface VisitOptions {
  /** Milliseconds watched between two heartbeats. */
  heartbeatMs: number;
  /** Milliseconds of rest after which a visit has ended. */
  idleMs: number;
}

/** What takes the events of a visit. */
export type VisitSink = (event: UntimedEvent, agoMs: number) => void;

/**
 * The watch time of a stream: each rest of some length, and each request for other streams, ends a visit with a `watch`,
 * and the next moment of playing begins another. Heartbeats report one that runs.
 */
export class Visit {
  readonly #subject: Subject;
  readonly #options: VisitOptions;
  readonly #sink: VisitSink;
  #watchedMs = 0;
  /** What the latest heartbeat reported; undefined before the first. */
  #reportedMs: number | undefined;
  /** The latest look, while it plays, and the last moment that counted; by the clock that is never set. */
  #lookedAt = 0;
  #lastAt = 0;
  #looks: ReturnType<typeof setInterval> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(subject: Subject, options: VisitOptions, sink: VisitSink) {
    this.#subject = subject;
    this.#options = options;
    this.#sink = sink;
  }

  get isPlaying(): boolean {
    return this.#looks !== undefined;
  }

  /** The stream plays, and somebody watches. */
  play(): void {
    if (this.isPlaying) return;
    // The timer of the rest may sleep with the page.
    if (this.#watchedMs > 0 && performance.now() - this.#lastAt > this.#options.idleMs) this.end();
    clearTimeout(this.#rest);
    this.#lookedAt = performance.now();
    this.#lastAt = this.#lookedAt;
    this.#looks = setInterval(() => this.#look(), LOOK_MS);
  }

  /** It does not, or nobody watches. */
  pause(): void {
    if (!this.isPlaying) return;
    this.#look();
    clearInterval(this.#looks);
    this.#looks = undefined;
    this.#beat();
    this.#rest = setTimeout(() => this.end(), this.#options.idleMs);
  }

  /** Reports the watch, if there was one. Another may begin, at once if it plays. */
  end(): void {
    if (this.isPlaying) this.#look();
    this.#close();
  }

  #close(): void {
    clearTimeout(this.#rest);
    const watchMs = Math.round(this.#watchedMs);
    this.#watchedMs = 0;
    this.#reportedMs = undefined;
    if (watchMs === 0) return;
    this.#sink({ kind: "watch", ...this.#about(), watchMs }, performance.now() - this.#lastAt);
  }

  /** Counts the time since the last look. */
  #look(): void {
    const now = performance.now();
    const passed = now - this.#lookedAt;
    this.#lookedAt = now;
    if (passed > SLEEP_MS) {
      // Whoever wakes a machine begins another visit.
      this.#close();
      this.#lastAt = now;
      return;
    }
    this.#watchedMs += passed;
    this.#lastAt = now;
    const { heartbeatMs } = this.#options;
    const due = this.#reportedMs === undefined ? Math.min(FIRST_BEAT_MS, heartbeatMs) : this.#reportedMs + heartbeatMs;
    if (this.#watchedMs >= due) this.#beat();
  }

  #beat(): void {
    const watchMs = Math.round(this.#watchedMs);
    if (watchMs === 0 || watchMs === this.#reportedMs) return;
    this.#reportedMs = watchMs;
    this.#sink({ kind: "heartbeat", ...this.#about(), watchMs }, 0);
  }

  #about() {
    const { user, stream, decision } = this.#subject;
    return { user, stream, ...(decision !== undefined && { decision }) };
  }
}
