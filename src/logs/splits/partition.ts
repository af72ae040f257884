import { Random } from "../../numeric/index.js";

/**
 * The instants that cut a log into parts of about the given shares. Simultaneous entries stay together, in the later
 * part.
 *
 * @param time Milliseconds, never falling.
 * @param shares At least two, each > 0, of a sum of 1 (to 1e-9): `[0.8, 0.1, 0.1]`.
 * @throws RangeError for other shares, or an empty `time`.
 */
export function splitInstants(time: ArrayLike<number>, shares: readonly number[]): number[] {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (!(shares.length > 1 && shares.every((share) => share > 0) && Math.abs(sum - 1) <= 1e-9)) {
    throw new RangeError(`"shares" must be two or more, each > 0, of a sum of 1, got [${shares.join(", ")}]`);
  }
  if (time.length === 0) throw new RangeError('"time" must not be empty');
  let before = 0;
  return shares.slice(0, -1).map((share) => {
    before += share;
    return time[Math.min(time.length - 1, Math.round(before * time.length))]!;
  });
}

/**
 * Ranges [from, to) of the positions between instants, one more than there are instants.
 * @throws RangeError for instants that fall.
 */
export function cutRanges(time: ArrayLike<number>, instants: readonly number[]): [from: number, to: number][] {
  const bounds = [0];
  for (const [i, instant] of instants.entries()) {
    if (!(i === 0 || instant >= instants[i - 1]!) || Number.isNaN(instant)) {
      throw new RangeError(`"instants" must be numbers that never fall, got ${instant} at ${i}`);
    }
    let at = bounds[i]!;
    for (let end = time.length; at < end; ) {
      const middle = (at + end) >> 1;
      if (time[middle]! < instant) at = middle + 1;
      else end = middle;
    }
    bounds.push(at);
  }
  bounds.push(time.length);
  return bounds.slice(1).map((to, part) => [bounds[part]!, to]);
}

/**
 * Deals n things at random into folds whose sizes differ by at most one.
 *
 * @param folds At least 2, at most n.
 * @param seed A safe integer.
 * @returns The fold of each thing, in [0, folds).
 * @throws RangeError for a number of folds out of range.
 */
export function dealFolds(n: number, folds: number, seed: number): Int32Array {
  if (!(Number.isInteger(folds) && folds >= 2 && folds <= n)) {
    throw new RangeError(`"folds" must be an integer in [2, ${n}], got ${folds}`);
  }
  const fold = new Int32Array(n);
  const order = Random.named(seed, "folds").shuffle(Array.from({ length: n }, (_, i) => i));
  for (const [place, i] of order.entries()) fold[i] = place % folds;
  return fold;
}

/**
 * Draws a share of n things at random.
 *
 * @param share In (0, 1); rounded to whole things, at least one.
 * @param seed A safe integer.
 * @returns For each thing 1 if it was drawn, else 0.
 * @throws RangeError for a share out of range.
 */
export function sampleMask(n: number, share: number, seed: number): Uint8Array {
  if (!(share > 0 && share < 1)) throw new RangeError(`"share" must be in (0, 1), got ${share}`);
  const drawn = new Uint8Array(n);
  const order = Random.named(seed, "held out").shuffle(Array.from({ length: n }, (_, i) => i));
  for (const i of order.slice(0, Math.max(1, Math.round(share * n)))) drawn[i] = 1;
  return drawn;
}
