import { isEvent, type LogEntry, LogTeacher, ReturnLog, type TimedEntry } from "../../evaluation/index.js";
import type { LoggedDecision } from "../../protocol/index.js";
import type { Recommender } from "../../recommender/index.js";
import type { Calibration } from "../reports/index.js";
import { calibrationOf, valuedBy } from "./returns.js";

/** Teaches a recommender, and notes what it takes the streams of a decision for before it learns from it. */
export class ValuingTeacher extends LogTeacher {
  readonly #from: number;
  readonly #log = new ReturnLog();
  #until = 0;

  /** @param from - Milliseconds: earlier decisions do not count. */
  constructor(recommender: Recommender, from: number, times?: (decision: LoggedDecision) => number) {
    super(recommender, times);
    this.#from = from;
  }

  override teach(one: TimedEntry<LogEntry>): void {
    this.#note(one);
    super.teach(one);
  }

  /** What came of its values, to the end of the log. Why there is nothing, where there is nothing. */
  calibration(): Calibration | string {
    const { gamma, returns } = this.recommender.options;
    const span = { from: this.#from, until: this.#until };
    const whose = { name: "the model", shown: "slates of the log, before it learned from them" };
    return calibrationOf(this.#log, { ...whose, gamma, gapScaleMs: returns.gapScaleMs, ...span });
  }

  #note({ entry, now }: TimedEntry<LogEntry>): void {
    this.#until = Math.max(this.#until, now);
    // Entries of a wrong time count at their place.
    const placed = entry.time === now ? entry : { ...entry, time: now };
    if (isEvent(placed)) this.#log.feedback(placed);
    else if (now >= this.#from && this.#isTaught()) {
      const valued = valuedBy(this.recommender, placed);
      if (valued !== undefined) this.#log.decision(valued);
    }
  }

  /** Before, it ranks by what is watched most. */
  #isTaught(): boolean {
    return this.recommender.stats().updates >= this.recommender.options.warmupUpdates;
  }
}
