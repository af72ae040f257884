/** Positions of the k highest scores, highest first; of equal scores the lowest position first. */
export function topK(scores: Float64Array, k: number): Int32Array {
  const top = new Int32Array(Math.min(k, scores.length));
  let count = 0;
  for (let j = 0; j < scores.length; j++) {
    const score = scores[j]!;
    if (count === top.length && !(score > scores[top[count - 1]!]!)) continue;
    let at = count < top.length ? count++ : count - 1;
    for (; at > 0 && score > scores[top[at - 1]!]!; at--) top[at] = top[at - 1]!;
    top[at] = j;
  }
  return top;
}
