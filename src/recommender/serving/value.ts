import { deviation } from "./explorer.js";

/** Steps of the search, which ends by itself after two to four. */
const STEPS = 20;

/** What an agent knows about the candidates of a request. */
export interface CandidateValues {
  /** (n) the value of each, given that the user enters it. */
  readonly values: Float32Array;
  /** (n) the weight of each in the user's choice, > 0, where entering nothing weighs 1; undefined: unknown. */
  readonly choices?: Float32Array | undefined;
  /** The value of entering nothing. */
  readonly nothing?: number | undefined;
}

/**
 * (n) scores whose k largest form the slate of the highest expected value
 *
 *   (q0 + sum of v q) / (1 + sum of v),  v the weights of the choice, q the values, q0 that of nothing
 *
 * They are v (q - lambda), lambda the value of that slate, found by Dinkelbach's method (1967) for ratios: the exact
 * optimum that a linear program gives (Ie et al. 2019, arXiv:1905.12767, section 5). Without weights, the values.
 *
 * @param k - Size of the slate; all candidates where there are fewer.
 * @param isProduct - Whether they are v q, which no weight of nothing changes. Default false.
 */
export function slateScores(
  { values, choices, nothing = 0 }: CandidateValues,
  k: number,
  isProduct: boolean = false,
): Float32Array {
  if (choices === undefined) return values.slice();
  if (isProduct) return values.map((value, i) => choices[i]! * value);
  const n = values.length;
  const scores = new Float32Array(n);
  let lambda = nothing;
  for (let step = 0; step < STEPS; step++) {
    for (let i = 0; i < n; i++) scores[i] = choices[i]! * (values[i]! - lambda);
    const found = slateValue(values, choices, nothing, largest(scores, k));
    if (!(found > lambda + 1e-6 * Math.abs(lambda)) && step > 0) break;
    lambda = found;
  }
  return scores;
}

/** What is known with each value raised by some standard deviations of those of an ensemble's members. */
export function optimistic(
  { values: means, choices, nothing }: CandidateValues,
  members: readonly Pick<CandidateValues, "values">[],
  deviations: number,
): CandidateValues {
  const values = means.map((mean, i) => mean + deviations * deviation(Float32Array.from(members, (m) => m.values[i]!)));
  return { values, choices, nothing };
}

/** The expected value of a slate. */
export function slateValue(
  values: Float32Array,
  choices: Float32Array,
  nothing: number,
  slate: ArrayLike<number>,
): number {
  let weight = 1;
  let sum = nothing;
  for (let i = 0; i < slate.length; i++) {
    const choice = choices[slate[i]!]!;
    weight += choice;
    sum += choice * values[slate[i]!]!;
  }
  return sum / weight;
}

/** Indices of the k largest scores, in no order; k insertions into a short list are faster than a sort. */
function largest(scores: Float32Array, k: number): Int32Array {
  const n = scores.length;
  const found = new Int32Array(Math.min(k, n));
  let size = 0;
  for (let i = 0; i < n; i++) {
    let place = size;
    while (place > 0 && scores[i]! > scores[found[place - 1]!]!) place--;
    if (place >= found.length) continue;
    if (size < found.length) size++;
    found.copyWithin(place + 1, place, size - 1);
    found[place] = i;
  }
  return found;
}
