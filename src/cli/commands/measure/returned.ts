import { isEvent, type LogEntry, ReturnLog } from "../../../evaluation/index.js";
import type { Decision, LoggedDecision } from "../../../protocol/index.js";
import { calibrationOf } from "../../verdicts/index.js";
import { noteCalibration } from "../../writing/results.js";
import type { Trained } from "./replay.js";

/** One that predicted: its values of the streams of a decision, and what came of them. */
interface Predictor {
  readonly name: string;
  readonly log: ReturnLog;
  readonly discount: { gamma: number; gapScaleMs: number | undefined };
  valued(decision: LoggedDecision): Decision | undefined;
}

/** How the logging policy discounts is not in its log: as the first model does, or by default. */
const DISCOUNT = { gamma: 0.9, gapScaleMs: undefined };

/** The decision with the values that the logging policy wrote down. */
function written(decision: LoggedDecision): Decision | undefined {
  const { scores } = decision;
  return scores?.every(Number.isFinite) ? (decision as Decision) : undefined;
}

/** What models, and the logging policy itself, took the shown streams for, beside the returns that followed. */
export class LoggedReturns {
  readonly #predictors: readonly Predictor[];
  readonly #from: number;
  #until = 0;

  /** @param from - Milliseconds: earlier decisions do not count. */
  constructor(models: readonly Trained[], from: number) {
    this.#from = from;
    const logging = { name: "the logging policy", discount: models[0]?.discount ?? DISCOUNT, valued: written };
    const own = models.map((model) => {
      return {
        name: model.name,
        discount: model.discount,
        valued: (decision: LoggedDecision) => model.valued(decision),
      };
    });
    this.#predictors = [...own, logging].map((one) => ({ ...one, log: new ReturnLog() }));
  }

  /** Takes an entry of the log, before the models do. */
  take(entry: LogEntry): void {
    this.#until = Math.max(this.#until, entry.time);
    for (const { log, valued } of this.#predictors) {
      if (isEvent(entry)) log.feedback(entry);
      else if (entry.time >= this.#from) {
        const decision = valued(entry);
        if (decision !== undefined) log.decision(decision);
      }
    }
  }

  /** Puts all that is known into the report. */
  note(): void {
    for (const { name, log, discount } of this.#predictors) {
      // A log begins at any time: half of it is a return's only where it is known when.
      const begun = this.#from > 0 ? this.#from : (log.steps()[0]?.time ?? this.#until);
      const shown = "slates of the logging policy";
      const found = calibrationOf(log, { name, shown, ...discount, from: begun, until: this.#until });
      if (typeof found !== "string") noteCalibration(found);
    }
  }
}
