import { pow } from "./math.js";

/**
 * A number that changes with the count of steps, as plain data so that it can be validated, saved and written in JSON.
 * `linear` goes from `from` to `to` within `steps` and stays there; `exponential` approaches `to`, halving the distance
 * every `halfLife` steps.
 */
export type Schedule =
  | number
  | { type: "linear"; from: number; to: number; steps: number }
  | { type: "exponential"; from: number; to: number; halfLife: number };

/** The value of a schedule after `step` steps (>= 0). */
export function valueAt(schedule: Schedule, step: number): number {
  if (typeof schedule === "number") return schedule;
  const { from, to } = schedule;
  if (schedule.type === "linear") return step >= schedule.steps ? to : from + (to - from) * (step / schedule.steps);
  return to + (from - to) * pow(0.5, step / schedule.halfLife);
}
