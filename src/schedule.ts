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
  if (schedule.type === "exponential") return to + (from - to) * powerOfHalf(step / schedule.halfLife);
  if (step >= schedule.steps) return to;
  const done = step / schedule.steps;
  if (schedule.type === "linear") return from + (to - from) * done;
  return to + (from - to) * halfCosine(done);
}

function along(points: readonly (readonly [number, number])[], step: number): number {
  const next = points.findIndex(([at]) => at > step);
  if (next === 0) return points[0]![1];
  if (next < 0) return points.at(-1)![1];
  const [start, from] = points[next - 1]!;
  const [end, to] = points[next]!;
  return from + (to - from) * ((step - start) / (end - start));
}

const HALF_PI = Math.PI / 2;

/** 2^-x of x >= 0: to 2e-16, from the series of e^-t. Host functions differ from engine to engine. */
function powerOfHalf(x: number): number {
  const whole = Math.floor(x);
  const t = (x - whole) * Math.LN2;
  let sum = 1;
  for (let n = 18; n > 0; n--) sum = 1 - (t / n) * sum;
  return sum * scaleOf(whole);
}

/** 2^-n of an integer n >= 0. */
function scaleOf(n: number): number {
  let scale = 1;
  for (let base = 0.5, left = Math.min(n, 1100); left > 0; left = Math.floor(left / 2), base *= base) {
    if (left % 2) scale *= base;
  }
  return scale;
}

/** (1 + cos(pi x)) / 2 = cos^2(pi x / 2) of x in [0, 1]: to 4e-16, from the series of the cosine. */
function halfCosine(x: number): number {
  const square = HALF_PI * x * (HALF_PI * x);
  let sum = 1;
  for (let n = 22; n > 0; n -= 2) sum = 1 - (square / (n * (n - 1))) * sum;
  return sum * sum;
}
