/**
 * Writes the candidates of a state with the highest scores into `pool`, best first, ties by the lower index; returns
 * their number. A heap of the best so far with the worst at its root: O(n log limit), without memory of its own.
 */
export function selectBest(
  scores: Float64Array,
  n: number,
  { states, state }: { readonly states: Uint8Array; readonly state: number },
  pool: Int32Array,
  limit: number,
): number {
  let size = 0;
  for (let i = 0; i < n; i++) {
    if (states[i] !== state) continue;
    if (size < limit) {
      pool[size++] = i;
      if (size === limit) heapify(scores, pool, size);
    } else if (scores[i]! > scores[pool[0]!]!) sink(scores, pool, size, 0, i);
  }
  if (size < limit) heapify(scores, pool, size);
  for (let last = size - 1; last > 0; last--) {
    const worst = pool[0]!;
    sink(scores, pool, last, 0, pool[last]!);
    pool[last] = worst;
  }
  return size;
}

function heapify(scores: Float64Array, pool: Int32Array, size: number): void {
  for (let at = (size >> 1) - 1; at >= 0; at--) sink(scores, pool, size, at, pool[at]!);
}

/** Puts a candidate at place `start` of the heap, or below it. */
function sink(scores: Float64Array, pool: Int32Array, size: number, start: number, candidate: number): void {
  let at = start;
  for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && isWorse(scores, pool[child + 1]!, pool[child]!)) child++;
    if (!isWorse(scores, pool[child]!, candidate)) break;
    pool[at] = pool[child]!;
    at = child;
  }
  pool[at] = candidate;
}

function isWorse(scores: Float64Array, a: number, b: number): boolean {
  return scores[a] === scores[b] ? a > b : scores[a]! < scores[b]!;
}
