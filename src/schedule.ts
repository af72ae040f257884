import { cos, pow } from "./math.js";

/**
 * A number that changes with the count of steps, as plain data so that it can be validated, saved and written in JSON.
 *
 * - `linear`: from `from` to `to` within `steps`, then constant.
 * - `cosine`: the same along half a cosine (Loshchilov & Hutter 2017, arXiv:1608.03983).
 * - `exponential`: approaches `to`, halving the distance every `halfLife` steps.
 * - `piecewise`: straight lines through `points`, [step, value] with rising steps; constant before and after them.
 */
export type Schedule =
  | number
  | { type: "linear"; from: number; to: number; steps: number }
  | { type: "cosine"; from: number; to: number; steps: number }
  | { type: "exponential"; from: number; to: number; halfLife: number }
  | { type: "piecewise"; points: readonly (readonly [step: number, value: number])[] };

/** The value of a schedule after `step` steps (>= 0). */
export function valueAt(schedule: Schedule, step: number): number {
  if (typeof schedule === "number") return schedule;
  if (schedule.type === "piecewise") return along(schedule.points, step);
  const { from, to } = schedule;
  if (schedule.type === "exponential") return to + (from - to) * pow(0.5, step / schedule.halfLife);
  if (step >= schedule.steps) return to;
  const done = step / schedule.steps;
  if (schedule.type === "linear") return from + (to - from) * done;
  return to + (from - to) * 0.5 * (1 + cos(Math.PI * done));
}

function along(points: readonly (readonly [number, number])[], step: number): number {
  const next = points.findIndex(([at]) => at > step);
  if (next === 0) return points[0]![1];
  if (next < 0) return points.at(-1)![1];
  const [start, from] = points[next - 1]!;
  const [end, to] = points[next]!;
  return from + (to - from) * ((step - start) / (end - start));
}
