import { LiveMetrics } from "../../evaluation/index.js";
import { hashText64 } from "../../numeric/index.js";
import type { Decision, LiveEvent, LoggedDecision } from "../../protocol/index.js";
import type { Figure } from "../../statistics/index.js";

/** Of intervals: fewer than for a table that is printed. */
const RESAMPLES = 200;

/** Measures a server's policy while it serves. It knows users by hashes, so there is nobody to forget. */
export class Pulse {
  readonly #metrics = new LiveMetrics();

  decision(decision: LoggedDecision): void {
    this.#metrics.decision({ ...decision, user: hidden(decision.user) } as Decision);
  }

  feedback(event: LiveEvent): void {
    if ("friend" in event) return;
    this.#metrics.feedback("user" in event ? { ...event, user: hidden(event.user) } : event);
  }

  /** All figures so far over all cases, with 95 % intervals. Takes time in proportion to users. */
  figures(): Figure[] {
    return this.#metrics.result({ resamples: RESAMPLES }).filter(({ slice }) => slice === "all");
  }
}

function hidden(user: string): string {
  return hashText64(user)
    .map((part) => (part >>> 0).toString(36))
    .join("-");
}
