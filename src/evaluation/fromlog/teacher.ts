import { EventError, type LoggedDecision, MINUTE } from "../../protocol/index.js";
import type { Recommender } from "../../recommender/index.js";
import { isEvent, type LogEntry, type TimedEntry } from "../decisions/entries.js";

/** Teaches a recommender the entries of a log, each at its place, and counts those that it does not take. */
export class LogTeacher {
  readonly recommender: Recommender;
  readonly #times: ((decision: LoggedDecision) => number) | undefined;
  events = 0;
  decisions = 0;
  /** Entries that are more than a minute earlier than the one before. */
  unordered = 0;
  #last = 0;
  /** Entries that were not learned from: their times are wrong, or another event came under their id. */
  refused = 0;
  /** Of the first of these, what and why. */
  example = "";

  /** @param times - Number of times to learn from a decision, as of `recordDecision`. Default: once. */
  constructor(recommender: Recommender, times?: (decision: LoggedDecision) => number) {
    this.recommender = recommender;
    this.#times = times;
  }

  teach({ entry, now }: TimedEntry<LogEntry>): void {
    const { recommender } = this;
    if (entry.time < this.#last - MINUTE) this.unordered++;
    this.#last = entry.time;
    if (isEvent(entry)) {
      this.events++;
      const receipt = recommender.feedback(entry, now);
      if (receipt === "late")
        this.#refuse(`${entry.kind} at ${entry.time}: "time" is more than a day before the entries around it`);
      else if (receipt instanceof EventError) this.#refuse(`${entry.kind} at ${entry.time}: ${receipt.message}`);
      return;
    }
    this.decisions++;
    const { maxAheadMs, maxLateMs } = recommender.options;
    const isNear = entry.time <= now + maxAheadMs && now - entry.time <= maxLateMs;
    if (isNear) recommender.recordDecision(entry, this.#times?.(entry));
    else this.#refuse(`decision ${JSON.stringify(entry.id)} at ${entry.time}: far from the entries around it`);
  }

  #refuse(example: string): void {
    this.refused++;
    this.example ||= example;
  }
}
