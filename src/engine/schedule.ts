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
  writeValue(schedule, step, VALUE, 0);
  return VALUE[0]!;
}

const VALUE = new Float64Array(1);

/** Writes it to `target[at]`; allocates nothing, where a number that a call returns may be boxed. */
export function writeValue(schedule: Schedule, step: number, target: Float64Array, at: number): void {
  if (typeof schedule === "number") target[at] = schedule;
  else if (schedule.type === "piecewise") writeAlong(schedule.points, step, target, at);
  else if (schedule.type === "exponential") {
    const { from, to } = schedule;
    target[at] = to + (from - to) * powerOfHalf(step / schedule.halfLife);
  } else if (step >= schedule.steps) target[at] = schedule.to;
  else {
    const { from, to } = schedule;
    const done = step / schedule.steps;
    const isLinear = schedule.type === "linear";
    target[at] = isLinear ? from + (to - from) * done : to + (from - to) * halfCosine(done);
  }
}

function writeAlong(
  points: readonly (readonly [number, number])[],
  step: number,
  target: Float64Array,
  at: number,
): void {
  let next = 0;
  while (next < points.length && points[next]![0] <= step) next++;
  if (next === 0) target[at] = points[0]![1];
  else if (next === points.length) target[at] = points[next - 1]![1];
  else {
    const before = points[next - 1]!;
    const after = points[next]!;
    target[at] = before[1] + (after[1] - before[1]) * ((step - before[0]) / (after[0] - before[0]));
  }
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
