import { exp, log, pow } from "./math.js";
import type { Random } from "./random.js";

/** e^(ln median + sigma * normal). */
export function lognormal(random: Random, median: number, sigma: number): number {
  return median * exp(sigma * random.normal());
}

/** The exponential with this mean. */
export function exponential(random: Random, mean: number): number {
  return -mean * log(1 - random.uniform());
}

/** The Weibull with shape k > 0 and scale lambda > 0. */
export function weibull(random: Random, k: number, lambda: number): number {
  return lambda * pow(-log(1 - random.uniform()), 1 / k);
}

/**
 * The Poisson with this mean; takes time in proportion to it.
 *
 * @param mean - Finite, at least 0.
 */
export function poisson(random: Random, mean: number): number {
  if (!(mean >= 0 && mean < Infinity)) throw new RangeError(`"mean" must be finite and at least 0, got ${mean}`);
  let count = 0;
  // A sum of Poisson numbers is a Poisson number: pieces of 32 keep e^-mean far from underflow.
  for (let rest = mean; rest > 0; rest -= 32) {
    const floor = exp(-Math.min(rest, 32));
    let product = random.uniform();
    while (product > floor) {
      count++;
      product *= random.uniform();
    }
  }
  return count;
}

/**
 * An index, with probability in proportion to its weight.
 *
 * @param weights - At least 0, finite, not all 0.
 */
export function weightedIndex(random: Random, weights: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  if (!(total > 0 && total < Infinity)) throw new RangeError(`"weights" must have a positive sum, got ${total}`);
  let rest = random.uniform() * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i]! === 0) continue;
    last = i;
    rest -= weights[i]!;
    if (rest < 0) break;
  }
  return last;
}
