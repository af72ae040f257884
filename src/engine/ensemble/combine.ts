/** What the values of several members of an ensemble say together. Sets of values are (members, n), row by row. */

/** (n) the weighted mean over members. */
export function weightedMean(sets: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return sets[0]!.map((_, i) => {
    let sum = 0;
    for (const [m, set] of sets.entries()) sum += weights[m]! * set[i]!;
    return sum / total;
  });
}

/** (n) the weighted standard deviation over members. */
export function weightedDeviation(
  sets: readonly Float32Array[],
  weights: readonly number[],
  mean: Float32Array,
): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return mean.map((center, i) => {
    let sum = 0;
    for (const [m, set] of sets.entries()) sum += weights[m]! * (set[i]! - center) * (set[i]! - center);
    return Math.sqrt(sum / total);
  });
}

/** (n) of each action the least value at or below which the members' values hold a share of the weights. */
export function weightedQuantile(
  sets: readonly Float32Array[],
  weights: readonly number[],
  share: number,
): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return sets[0]!.map((_, i) => {
    const order = Array.from(sets.keys())
      .filter((m) => weights[m]! > 0)
      .sort((a, b) => sets[a]![i]! - sets[b]![i]!);
    let below = 0;
    for (const m of order) {
      below += weights[m]!;
      // But for rounding of the sum.
      if (below >= share * total * (1 - 1e-12)) return sets[m]![i]!;
    }
    return sets[order.at(-1)!]![i]!;
  });
}

/**
 * (n) the points of Borda's count, by weights: each member gives an available action a point for each that it values
 * less, half a point for each other of the same value. What is not available has none.
 *
 * @param mask - (n), 0 = not available. Default: all are.
 */
export function bordaPoints(
  sets: readonly Float32Array[],
  weights: readonly number[],
  mask?: ArrayLike<number>,
): Float32Array {
  const n = sets[0]!.length;
  const points = new Float64Array(n);
  for (const [m, set] of sets.entries()) {
    const order = Array.from(set.keys())
      .filter((i) => mask === undefined || mask[i])
      .sort((a, b) => set[a]! - set[b]!);
    for (let from = 0, to = 0; from < order.length; from = to) {
      while (to < order.length && set[order[to]!] === set[order[from]!]) to++;
      for (let i = from; i < to; i++) points[order[i]!]! += weights[m]! * (from + (to - from - 1) / 2);
    }
  }
  return Float32Array.from(points);
}

/** The available action of the largest value, the first of equal ones; -1 where none is. */
export function bestOf(values: Float32Array, mask?: ArrayLike<number>): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    if (mask !== undefined && !mask[i]) continue;
    if (best < 0 || values[i]! > values[best]!) best = i;
  }
  return best;
}
