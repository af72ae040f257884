import { FEW, FINE, Vector } from "../../../../assembly/int8/abi.js";
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
  /** (outputs, inputs) in [-127, 127]; where there are few inputs with a second digit, FINE of which are one of the first. */
  readonly weights: Int8Array;
  readonly fine: Int8Array | undefined;
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

/** Whether weights have two digits, as in assembly/int8/plan.ts. */
function hasFew(blocks: readonly Block[]): boolean {
  return blocks[0]!.isFirst && blocks.reduce((sum, { dense }) => sum + dense, 0) <= FEW;
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
    fine: hasFew(blocks) ? new Int8Array(inputs * outputs) : undefined,
    bias: new Float32Array(outputs),
  };
  const covariance = rounded.fine ? undefined : scaledCovariance(rounded, ranges);
  const spread = covariance && { covariance, factor: cholesky(covariance, inputs) };
  for (let o = 0; o < outputs; o++) roundOutput(rounded, o, ranges, spread);
  return rounded;
}

/** Covariance of the dense inputs in units of their steps; of index inputs 0. */
function scaledCovariance({ layer, blocks, inverses }: RoundedLayer, ranges: Ranges): Float64Array | undefined {
  const covariance = ranges.covariance();
  if (!covariance) return undefined;
  const n = layer.inputs;
  const factors = new Float64Array(n);
  for (const [b, { isFirst, from, dense }] of blocks.entries()) {
    for (let i = 0; i < dense; i++) factors[from + i] = inverses[b]![isFirst ? i : 0]!;
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) covariance[i * n + j]! *= factors[i]! * factors[j]!;
  return covariance;
}

/** How the inputs of a layer go together, in steps: their covariance C, and its upper factor R, C = R^T R. */
interface Spread {
  readonly covariance: Float64Array;
  readonly factor: Float64Array;
}

/** R of a positive definite matrix, 0 in rows that have no pivot. */
function cholesky(matrix: Float64Array, n: number): Float64Array {
  const factor = matrix.slice();
  for (let i = 0; i < n; i++) {
    const pivot = factor[i * n + i]! > 0 ? Math.sqrt(factor[i * n + i]!) : 0;
    for (let j = i; j < n; j++) factor[i * n + j] = pivot === 0 ? 0 : factor[i * n + j]! / pivot;
    for (let k = i + 1; k < n; k++) {
      const f = factor[i * n + k]!;
      if (f !== 0) for (let j = k; j < n; j++) factor[k * n + j]! -= f * factor[i * n + j]!;
    }
  }
  return factor;
}

/**
 * Rounds weights one after the other, each by what the errors of those before leave to make good: the nearest plane of Babai
 * 1986, which GPTQ (Frantar et al. 2023, arXiv:2210.17323) comes to. Returns the errors.
 */
function roundTogether(exact: Float64Array, weights: Int8Array, factor: Float64Array | undefined): Float64Array {
  const n = exact.length;
  const errors = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    const pivot = factor?.[i * n + i] ?? 0;
    let owed = 0;
    if (factor && pivot > 0) for (let j = i + 1; j < n; j++) owed += factor[i * n + j]! * errors[j]!;
    const aim = pivot > 0 ? exact[i]! - owed / pivot : exact[i]!;
    weights[i] = Math.max(-WEIGHT, Math.min(WEIGHT, Math.round(aim)));
    errors[i] = weights[i]! - exact[i]!;
  }
  return errors;
}

/** Passes over the weights of an output, at most. */
const PASSES = 8;

/**
 * Moves rounded weights by one where that makes the error of the sum smaller, over the states of the calibration: errors of
 * inputs that go together cancel. Coordinate descent on e^T C e, as in Nagel et al. 2020 (arXiv:2004.10568), eq. 13.
 *
 * @param errors - (inputs): rounded weight less exact one, in units; changed with the weights.
 */
function settle(weights: Int8Array, errors: Float64Array, covariance: Float64Array): void {
  const n = errors.length;
  const slope = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const e = errors[i]!;
    if (e !== 0) for (let j = 0; j < n; j++) slope[j]! += e * covariance[i * n + j]!;
  }
  for (let pass = 0, moved = 1; pass < PASSES && moved > 0; pass++) {
    moved = 0;
    for (let i = 0; i < n; i++) {
      const own = covariance[i * n + i]!;
      if (own === 0) continue;
      const step = Math.round(-slope[i]! / own);
      const to = Math.max(-WEIGHT, Math.min(WEIGHT, weights[i]! + step));
      const change = to - weights[i]!;
      if (change === 0) continue;
      weights[i] = to;
      errors[i]! += change;
      for (let j = 0; j < n; j++) slope[j]! += change * covariance[i * n + j]!;
      moved++;
    }
  }
}

/** Rounds the weights of one output. */
function roundOutput(
  { layer, blocks, inverses, scale, indexScales, weights, fine, bias }: RoundedLayer,
  o: number,
  ranges: Ranges,
  spread: Spread | undefined,
): void {
  const { inputs } = layer;
  const row = layer.weight.subarray(o * inputs, (o + 1) * inputs);
  // Of all blocks: their sums are added before they are scaled.
  let largest = 0;
  for (const [b, { isFirst, from, dense, size }] of blocks.entries()) {
    for (let i = 0; i < dense; i++) {
      largest = Math.max(largest, Math.abs(row[from + i]!) / inverses[b]![isFirst ? i : 0]!);
    }
    indexScales[b]![o] = largestOf(row.subarray(from + dense, from + dense + size)) / WEIGHT || 1;
  }
  scale[o] = largest / WEIGHT || 1;
  const units = unitsOf({ layer, blocks, inverses, scale, indexScales }, o);
  const exact = Float64Array.from(row, (w, i) => w / units[i]!);
  const rounded = weights.subarray(o * inputs, (o + 1) * inputs);
  const errors = roundTogether(exact, rounded, spread?.factor);
  if (spread) settle(rounded, errors, spread.covariance);
  if (fine) {
    const digits = fine.subarray(o * inputs, (o + 1) * inputs);
    for (const { from, dense } of blocks) {
      for (let i = from; i < from + dense; i++) {
        digits[i] = Math.round(-errors[i]! * FINE);
        errors[i]! += digits[i]! / FINE;
      }
    }
  }
  // What rounding adds in the mean is known.
  bias[o] = layer.bias[o]! - errors.reduce((sum, error, i) => sum + error * units[i]! * ranges.mean(i), 0);
}

/** (inputs): what a unit of each rounded weight of an output is worth. */
function unitsOf(
  { layer, blocks, inverses, scale, indexScales }: Omit<RoundedLayer, "weights" | "fine" | "bias">,
  o: number,
): Float64Array {
  const units = new Float64Array(layer.inputs);
  for (const [b, { isFirst, from, dense, size }] of blocks.entries()) {
    for (let i = 0; i < dense; i++) units[from + i] = scale[o]! * inverses[b]![isFirst ? i : 0]!;
    units.fill(indexScales[b]![o]!, from + dense, from + dense + size);
  }
  return units;
}

function largestOf(values: Float32Array): number {
  return values.reduce<number>((all, x) => Math.max(all, Math.abs(x)), 0);
}

/** The layer in plain numbers, rounded: what the integers stand for. */
export function plainOf(rounded: RoundedLayer): LayerWeights {
  const { layer, weights, fine, bias } = rounded;
  const { inputs, outputs } = layer;
  const weight = new Float32Array(weights.length);
  for (let o = 0; o < outputs; o++) {
    const units = unitsOf(rounded, o);
    for (let i = 0, at = o * inputs; i < inputs; i++, at++) {
      weight[at] = (weights[at]! + (fine ? fine[at]! / FINE : 0)) * units[i]!;
    }
  }
  return { ...layer, weight, bias: bias.slice() };
}

/** Writes layer l into an engine. */
export function writeLayer(engine: Int8Engine, l: number, rounded: RoundedLayer): void {
  const { layer, blocks, inverses, scale, indexScales, weights, fine, bias } = rounded;
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
    const inverse = engine.floats(l, block.inverse);
    inverse.set(inverses[b]!);
    // The inputs a second time, divided.
    const second = inverse.length / 2;
    if (fine)
      inverse.set(
        inverses[b]!.map((x) => x / FINE),
        second,
      );
    if (size > 0) engine.floats(l, block.indexScale).set(indexScales[b]!);
    const panels = engine.bytes(l, block.weights);
    for (let i = 0; i < panels.length; i += 2) panels[i] = OFFSET;
    const rows = engine.bytes(l, block.indexRows);
    for (let o = 0; o < outputs; o++) {
      const row = weights.subarray(o * inputs + from, (o + 1) * inputs);
      writeToPanel(panels, n, o, row.subarray(0, dense), 0);
      if (fine) writeToPanel(panels, n, o, fine.subarray(o * inputs + from, o * inputs + from + dense), second);
      for (let i = 0; i < size; i++) rows[i * n + o] = row[dense + i]!;
    }
  }
}

/** Writes the weights of output o of n to its panel, from input `from` on: see assembly/int8/dots.ts. */
function writeToPanel(panels: Int8Array, n: number, o: number, row: Int8Array, from: number): void {
  const width = o < n - (n % 16) ? 16 : 4;
  const at = ((o - (o % width)) * panels.length) / n + 4 * (o % width);
  for (let i = from; i < from + row.length; i++) {
    panels[at + 4 * width * (i >> 2) + (i & 3)] = row[i - from]! + (i & 1 ? 0 : OFFSET);
  }
}
