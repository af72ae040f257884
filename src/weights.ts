import type { ResolvedOptions } from "./options.js";

/** A fully connected layer, y = weight x + bias, as PyTorch's Linear has it. */
export interface LayerWeights {
  /** `hidden.0`, `hidden.1`, ..., `head`; those of a dueling value stream begin with `value.`. */
  name: string;
  inputs: number;
  outputs: number;
  /** (outputs, inputs) row-major. */
  weight: Float32Array;
  /** (outputs) */
  bias: Float32Array;
  /** (outputs): layer normalisation, epsilon 1e-5, between the product and its ReLU; where the agent has it. */
  gain?: Float32Array;
  shift?: Float32Array;
}

/** Names and sizes of an agent's layers, in the order of its parameter block. */
function shapesOf(options: ResolvedOptions): { name: string; inputs: number; outputs: number }[] {
  const { hidden, actions, quantiles, sparse, candidates } = options;
  const seen = options.observation + (sparse?.size ?? 0);
  const offered = (candidates?.features ?? 0) + (candidates?.sparse?.size ?? 0);
  const main = chain("", [seen + offered, ...hidden], (actions || 1) * quantiles);
  if (!options.dueling) return main;
  const isShared = !candidates && hidden.length > 1;
  return [...main, ...chain("value.", isShared ? hidden.slice(-2) : [seen, ...hidden], quantiles)];
}

function chain(prefix: string, widths: readonly number[], outputs: number) {
  const layers = widths
    .slice(1)
    .map((next, l) => ({ name: `${prefix}hidden.${l}`, inputs: widths[l]!, outputs: next }));
  return [...layers, { name: `${prefix}head`, inputs: widths.at(-1)!, outputs }];
}

/** Layers from plain numbers: weight, bias and, of a hidden layer that is normalised, gain and shift, layer by layer. */
export function readLayers(options: ResolvedOptions, numbers: Float32Array): LayerWeights[] {
  let at = 0;
  const take = (n: number) => {
    at += n;
    return numbers.slice(at - n, at);
  };
  return shapesOf(options).map(({ name, inputs, outputs }) => {
    const layer = { name, inputs, outputs, weight: take(inputs * outputs), bias: take(outputs) };
    const isNormalised = options.normalization === "layer" && !name.endsWith("head");
    return isNormalised ? { ...layer, gain: take(outputs), shift: take(outputs) } : layer;
  });
}
