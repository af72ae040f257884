import { isEvent, type LogEntry, ReturnLog } from "../../evaluation/index.js";
import type { Decision, LoggedDecision } from "../../protocol/index.js";
import type { Calibration } from "../reports/index.js";
import { calibrationOf, type Discount } from "./returns.js";

/** One that predicts: its values of the streams of a decision. */
export interface Predictor {
  readonly name: string;
  readonly discount: Discount;
  valued(decision: LoggedDecision): Decision | undefined;
}

/** How the logging policy discounts is not in its log: as the first model does, or by default. */
const DISCOUNT: Discount = { gamma: 0.9, gapScaleMs: undefined };

/** The decision with the values that the logging policy wrote down. */
function written(decision: LoggedDecision): Decision | undefined {
  const { scores } = decision;
  return scores?.every(Number.isFinite) ? (decision as Decision) : undefined;
}

/** What models, and the logging policy itself, took the shown streams for, beside the returns that followed. */
export class LoggedReturns {
  readonly #predictors: readonly { of: Predictor; log: ReturnLog }[];
  readonly #from: number;
  #until = 0;

  /** @param from - Milliseconds: earlier decisions do not count. */
  constructor(models: readonly Predictor[], from: number) {
    this.#from = from;
    const logging = { name: "the logging policy", discount: models[0]?.discount ?? DISCOUNT, valued: written };
    this.#predictors = [...models, logging].map((of) => ({ of, log: new ReturnLog() }));
  }

  /** Takes an entry of the log, before the models do. */
  take(entry: LogEntry): void {
    this.#until = Math.max(this.#until, entry.time);
    for (const { of, log } of this.#predictors) {
      if (isEvent(entry)) log.feedback(entry);
      else if (entry.time >= this.#from) {
        const decision = of.valued(entry);
        if (decision !== undefined) log.decision(decision);
      }
    }
  }

  /** All that is known. */
  calibrations(): Calibration[] {
    return this.#predictors.flatMap(({ of: { name, discount }, log }) => {
      // A log begins at any time: half of it is a return's only where it is known when.
      const begun = this.#from > 0 ? this.#from : (log.steps()[0]?.time ?? this.#until);
      const shown = "slates of the logging policy";
      const found = calibrationOf(log, { name, shown, ...discount, from: begun, until: this.#until });
      return typeof found === "string" ? [] : [found];
    });
  }
}
