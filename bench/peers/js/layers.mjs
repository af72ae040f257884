/** Parameters in the forms that peers take, and greedy actions. */

/** [weight (out, in), bias (out)] of each layer, as views of plain parameters. */
export function layersOf({ widths }, parameters) {
  let at = 0;
  const take = (n) => parameters.subarray(at, (at += n));
  return widths.slice(1).map((outputs, l) => ({
    inputs: widths[l],
    outputs,
    weight: take(outputs * widths[l]),
    bias: take(outputs),
  }));
}

/** Plain parameters of layers. */
export function joined(layers) {
  const parts = layers.flatMap(({ weight, bias }) => [weight, bias]);
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The first of the largest of n values from `at`. */
export function argmax(values, at = 0, n = values.length) {
  let best = at;
  for (let i = at + 1; i < at + n; i++) if (values[i] > values[best]) best = i;
  return best - at;
}
