import { Vector } from "../../../../assembly/int8/abi.js";
import type { Int8Engine, LayerWeights, ResolvedOptions } from "../../index.js";
import type { PlainNetwork } from "../plainnetwork.js";
import type { Ranges } from "../ranges.js";

/** Largest rounded weight. */
const WEIGHT = 127;
/** Of a first and a third input of four, see assembly/int8/dots.ts. */
const OFFSET = 128;
/** Room above the largest input that was seen: one bit of the 16 that inputs have, none where they have 8. */
const HEADROOM = 2;

/** Columns of a layer's weights by what they read, and the vectors that hold them. */
interface Block {
  /** Whether each input has a step of its own. */
  readonly isFirst: boolean;
  readonly from: number;
  readonly dense: number;
  /** Columns of index inputs behind the dense ones. */
  readonly size: number;
  readonly inverse: Vector;
  readonly weights: Vector;
  readonly indexScale: Vector;
  readonly indexRows: Vector;
}

/** A layer in small integers. */
export interface RoundedLayer {
  readonly layer: LayerWeights;
  readonly blocks: readonly Block[];
  /** By block 1 / step of its dense inputs: one each, or four times the one of all. */
  readonly inverses: readonly Float32Array[];
  /** (outputs) value of one unit of a sum. */
  readonly scale: Float32Array;
  /** By block (outputs) value of one unit of an index row's weight. */
  readonly indexScales: readonly Float32Array[];
  /** (outputs, inputs) in [-127, 127]. */
  readonly weights: Int8Array;
  /** (outputs): less what rounding adds in the mean. */
  readonly bias: Float32Array;
}

const SEEN = {
  inverse: Vector.Inverse,
  weights: Vector.Weights,
  indexScale: Vector.IndexScale,
  indexRows: Vector.IndexRows,
};
const OFFERED = {
  inverse: Vector.CandidateInverse,
  weights: Vector.CandidateWeights,
  indexScale: Vector.CandidateIndexScale,
  indexRows: Vector.CandidateIndexRows,
};

/** The blocks of layer l: those of an observation and of a candidate, or all outputs of the layer below. */
function blocksOf({ options, layers, valueAt, isShared }: PlainNetwork, l: number): Block[] {
  const isFirst = l === 0 || (l === valueAt && !isShared);
  if (!isFirst) return [{ isFirst, from: 0, dense: layers[l]!.inputs, size: 0, ...SEEN }];
  const { observation, sparse, candidates } = options as ResolvedOptions;
  const seen = { isFirst, from: 0, dense: observation, size: sparse?.size ?? 0, ...SEEN };
  if (l > 0 || !candidates) return [seen];
  const from = seen.dense + seen.size;
  return [seen, { isFirst, from, dense: candidates.features, size: candidates.sparse?.size ?? 0, ...OFFERED }];
}

/** 1 / step of the dense inputs of a block. */
function inversesOf(ranges: Ranges, { isFirst, from, dense }: Block, most: number): Float32Array {
  const seen = ranges.largest.subarray(from, from + dense);
  const largest = seen.reduce((all, x) => Math.max(all, x), 0);
  // What was 0 in all of the calibration may not stay so.
  const unseen = Math.min(1, largest) || 1;
  const room = most > WEIGHT ? HEADROOM : 1;
  const inverse = (x: number) => most / (room * (x || unseen));
  return isFirst ? Float32Array.from(seen, inverse) : new Float32Array(4).fill(inverse(largest));
}

/** Layer l of a network in small integers. @param most - The largest quantised input. */
export function roundLayer(network: PlainNetwork, l: number, ranges: Ranges, most: number): RoundedLayer {
  const layer = network.layers[l]!;
  const { inputs, outputs } = layer;
  const blocks = blocksOf(network, l);
  const inverses = blocks.map((block) => inversesOf(ranges, block, most));
  const rounded: RoundedLayer = {
    layer,
    blocks,
    inverses,
    scale: new Float32Array(outputs),
    indexScales: blocks.map(() => new Float32Array(outputs)),
    weights: new Int8Array(inputs * outputs),
    bias: new Float32Array(outputs),
  };
  for (let o = 0; o < outputs; o++) roundOutput(rounded, o, ranges);
  return rounded;
}

/** Rounds the weights of one output. */
function roundOutput(
  { layer, blocks, inverses, scale, indexScales, weights, bias }: RoundedLayer,
  o: number,
  ranges: Ranges,
) {
  const row = layer.weight.subarray(o * layer.inputs, (o + 1) * layer.inputs);
  const into = weights.subarray(o * layer.inputs, (o + 1) * layer.inputs);
  // Of all blocks: their sums are added before they are scaled.
  let largest = 0;
  for (const [b, { isFirst, from, dense }] of blocks.entries()) {
    for (let i = 0; i < dense; i++)
      largest = Math.max(largest, Math.abs(row[from + i]!) / inverses[b]![isFirst ? i : 0]!);
  }
  scale[o] = largest / WEIGHT || 1;
  let error = 0;
  for (const [b, { isFirst, from, dense, size }] of blocks.entries()) {
    let most = 0;
    for (let i = from + dense; i < from + dense + size; i++) most = Math.max(most, Math.abs(row[i]!));
    indexScales[b]![o] = most / WEIGHT || 1;
    for (let i = 0; i < dense + size; i++) {
      const unit = i < dense ? scale[o]! * inverses[b]![isFirst ? i : 0]! : indexScales[b]![o]!;
      const whole = Math.max(-WEIGHT, Math.min(WEIGHT, Math.round(row[from + i]! / unit)));
      into[from + i] = whole;
      error += (whole * unit - row[from + i]!) * ranges.mean(from + i);
    }
  }
  bias[o] = layer.bias[o]! - error;
}

/** The layer in plain numbers, rounded: what the integers stand for. */
export function plainOf({ layer, blocks, inverses, scale, indexScales, weights, bias }: RoundedLayer): LayerWeights {
  const { inputs, outputs } = layer;
  const weight = new Float32Array(weights.length);
  for (const [b, { isFirst, from, dense, size }] of blocks.entries()) {
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < dense + size; i++) {
        const unit = i < dense ? scale[o]! * inverses[b]![isFirst ? i : 0]! : indexScales[b]![o]!;
        weight[o * inputs + from + i] = weights[o * inputs + from + i]! * unit;
      }
    }
  }
  return { ...layer, weight, bias: bias.slice() };
}

/** Writes layer l into an engine. */
export function writeLayer(engine: Int8Engine, l: number, rounded: RoundedLayer): void {
  const { layer, blocks, inverses, scale, indexScales, weights, bias } = rounded;
  const { inputs, outputs } = layer;
  engine.floats(l, Vector.Scale).set(scale);
  engine.floats(l, Vector.Bias).set(bias);
  if (layer.gain && layer.shift) {
    engine.floats(l, Vector.Gain).set(layer.gain);
    engine.floats(l, Vector.Shift).set(layer.shift);
  }
  const n = engine.floats(l, Vector.Scale).length;
  for (const [b, block] of blocks.entries()) {
    const { from, dense, size } = block;
    engine.floats(l, block.inverse).set(inverses[b]!);
    if (size > 0) engine.floats(l, block.indexScale).set(indexScales[b]!);
    const panels = engine.bytes(l, block.weights);
    for (let i = 0; i < panels.length; i += 2) panels[i] = OFFSET;
    const rows = engine.bytes(l, block.indexRows);
    for (let o = 0; o < outputs; o++) {
      const row = weights.subarray(o * inputs + from, (o + 1) * inputs);
      writeToPanel(panels, n, o, row.subarray(0, dense));
      for (let i = 0; i < size; i++) rows[i * n + o] = row[dense + i]!;
    }
  }
}

/** Writes the weights of output o of n to its panel: see assembly/int8/dots.ts. */
function writeToPanel(panels: Int8Array, n: number, o: number, row: Int8Array): void {
  const width = o < n - (n % 16) ? 16 : 4;
  const at = ((o - (o % width)) * panels.length) / n + 4 * (o % width);
  for (let i = 0; i < row.length; i++) panels[at + 4 * width * (i >> 2) + (i & 3)] = row[i]! + (i & 1 ? 0 : OFFSET);
}
