import type { LayerWeights } from "../index.js";
import type { PlainNetwork } from "./plainnetwork.js";
import type { Ranges } from "./ranges.js";

/** A hidden layer, and the layers that read its outputs. */
interface Link {
  readonly layer: number;
  readonly readers: readonly number[];
  /** Which of the agent's `hidden` it is. */
  readonly width: number;
}

/** The hidden layers of both streams. */
function linksOf({ layers, valueAt, isShared, options }: PlainNetwork): Link[] {
  const { hidden } = options;
  const links: Link[] = hidden.map((_, l) => ({ layer: l, readers: [l + 1], width: l }));
  if (valueAt === layers.length) return links;
  if (isShared) {
    const trunk = hidden.length - 2;
    links[trunk] = { ...links[trunk]!, readers: [trunk + 1, valueAt] };
    return [...links, { layer: valueAt, readers: [valueAt + 1], width: hidden.length - 1 }];
  }
  return [...links, ...hidden.map((_, l) => ({ layer: valueAt + l, readers: [valueAt + l + 1], width: l }))];
}

/**
 * How much each neuron of a hidden layer matters: the norm of the weights that read it, times the deviation of its
 * activation, or (`weight`) the norm of its own weights.
 */
function importanceOf(
  layers: readonly LayerWeights[],
  ranges: readonly Ranges[],
  { layer, readers }: Link,
  by: "activation" | "weight",
): Float64Array {
  const { inputs, outputs, weight, gain } = layers[layer]!;
  return Float64Array.from({ length: outputs }, (_, j) => {
    let read = 0;
    for (const reader of readers) {
      const next = layers[reader]!;
      for (let o = 0; o < next.outputs; o++) read += squared(next.weight[o * next.inputs + j]!);
    }
    if (by === "activation") return Math.sqrt(read) * ranges[readers[0]!]!.deviation(j);
    // Normalisation takes the size of a row out; the gain puts its own in.
    if (gain) return Math.sqrt(read) * Math.abs(gain[j]!);
    let own = 0;
    for (let i = j * inputs; i < (j + 1) * inputs; i++) own += squared(weight[i]!);
    return Math.sqrt(read * own);
  });
}

/** The indices of the `count` largest, in rising order; of equals the first. */
function largest(values: Float64Array, count: number): number[] {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
  return order.slice(0, count).sort((a, b) => a - b);
}

/**
 * The layers with so many neurons in each hidden layer, those that matter most. What the others gave in the mean goes into
 * the biases of their readers.
 *
 * @param ranges - Of what the layers read.
 * @param hidden - Widths, none above the present one.
 */
export function cut(
  network: PlainNetwork,
  ranges: readonly Ranges[],
  hidden: readonly number[],
  by: "activation" | "weight",
): LayerWeights[] {
  const layers = [...network.layers];
  for (const link of linksOf(network)) {
    const kept = largest(importanceOf(network.layers, ranges, link, by), hidden[link.width]!);
    layers[link.layer] = withRows(layers[link.layer]!, kept);
    for (const reader of link.readers) layers[reader] = withColumns(layers[reader]!, kept, ranges[reader]!);
  }
  return layers;
}

function withRows(layer: LayerWeights, kept: readonly number[]): LayerWeights {
  const { inputs, weight, bias, gain, shift } = layer;
  const some = (vector: Float32Array) => Float32Array.from(kept, (j) => vector[j]!);
  const rows = new Float32Array(kept.length * inputs);
  for (const [to, from] of kept.entries()) rows.set(weight.subarray(from * inputs, (from + 1) * inputs), to * inputs);
  const plain = { ...layer, outputs: kept.length, weight: rows, bias: some(bias) };
  return gain && shift ? { ...plain, gain: some(gain), shift: some(shift) } : plain;
}

function withColumns(layer: LayerWeights, kept: readonly number[], ranges: Ranges): LayerWeights {
  const { inputs, outputs, weight } = layer;
  const stays = new Set(kept);
  const columns = new Float32Array(outputs * kept.length);
  const bias = layer.bias.slice();
  for (let o = 0; o < outputs; o++) {
    for (const [to, from] of kept.entries()) columns[o * kept.length + to] = weight[o * inputs + from]!;
    for (let j = 0; j < inputs; j++) if (!stays.has(j)) bias[o]! += weight[o * inputs + j]! * ranges.mean(j);
  }
  return { ...layer, inputs: kept.length, weight: columns, bias };
}

function squared(x: number): number {
  return x * x;
}
