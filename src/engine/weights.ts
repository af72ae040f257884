import { WEIGHT_MAX } from "../../assembly/abi.js";
import { bounded, mustBe, show } from "../check/index.js";
import type { ResolvedOptions } from "./options.js";

/** A fully connected layer, y = weight x + bias, as PyTorch's Linear has it. */
export interface LayerWeights {
  /** `hidden.0`, `hidden.1`, ..., `head`; layers of a dueling value stream begin with `value.`. */
  name: string;
  inputs: number;
  outputs: number;
  /** (outputs, inputs) row-major. */
  weight: Float32Array;
  /** (outputs) */
  bias: Float32Array;
  /** (outputs): layer normalisation, epsilon 1e-5, between the product and its activation; where the agent has it. */
  gain?: Float32Array;
  shift?: Float32Array;
}

/** The options that an agent's layers depend on. */
export type LayerOptions = Pick<
  ResolvedOptions,
  "observation" | "sparse" | "actions" | "candidates" | "slate" | "hidden" | "quantiles" | "dueling" | "normalization"
>;

type LayerShape = Pick<LayerWeights, "name" | "inputs" | "outputs">;
type Vector = "weight" | "bias" | "gain" | "shift";

/** Names and sizes of an agent's layers, in the order of its parameter block. */
function shapesOf(options: LayerOptions): LayerShape[] {
  const { hidden, actions, sparse, candidates, slate } = options;
  const quantiles = options.quantiles * (slate?.parts ?? 1);
  const seen = options.observation + (sparse?.size ?? 0);
  const offered = (candidates?.features ?? 0) + (candidates?.sparse?.size ?? 0);
  const main = chain("", [seen + offered, ...hidden], (actions || 1) * quantiles + (slate ? 1 : 0));
  if (!options.dueling) return main;
  const isShared = !candidates && hidden.length > 1;
  return [...main, ...chain("value.", isShared ? hidden.slice(-2) : [seen, ...hidden], quantiles)];
}

function chain(prefix: string, widths: readonly number[], outputs: number): LayerShape[] {
  const layers = widths
    .slice(1)
    .map((next, l) => ({ name: `${prefix}hidden.${l}`, inputs: widths[l]!, outputs: next }));
  return [...layers, { name: `${prefix}head`, inputs: widths.at(-1)!, outputs }];
}

/** The vectors of a layer in the order of the plain numbers, with their lengths. */
function vectorsOf(options: LayerOptions, { name, inputs, outputs }: LayerShape): [Vector, number][] {
  const all: [Vector, number][] = [
    ["weight", inputs * outputs],
    ["bias", outputs],
    ["gain", outputs],
    ["shift", outputs],
  ];
  return options.normalization === "layer" && !name.endsWith("head") ? all : all.slice(0, 2);
}

/** Layers from plain numbers: weight, bias and, of a hidden layer that is normalised, gain and shift, layer by layer. */
export function readLayers(options: LayerOptions, numbers: Float32Array): LayerWeights[] {
  let at = 0;
  return shapesOf(options).map((shape) => {
    const vectors = vectorsOf(options, shape).map(([key, length]) => {
      at += length;
      return [key, numbers.slice(at - length, at)];
    });
    return { ...shape, ...Object.fromEntries(vectors) } as LayerWeights;
  });
}

/**
 * The inverse of readLayers, for layers in any order.
 * @throws TypeError or RangeError for layers that do not fit the agent; no number is written then.
 */
export function writeLayers(options: LayerOptions, layers: readonly LayerWeights[], numbers: Float32Array): void {
  const shapes = shapesOf(options);
  const byName = named(layers, shapes);
  const checked = shapes.flatMap((shape) => vectorsIn(options, shape, byName.get(shape.name)!));
  let at = 0;
  for (const vector of checked) {
    numbers.set(vector, at);
    at += vector.length;
  }
}

/** The layers by name: exactly one for each shape. */
function named(layers: readonly LayerWeights[], shapes: readonly LayerShape[]): Map<string, LayerWeights> {
  if (!Array.isArray(layers)) throw new TypeError(`"layers" must be an array of layers, got ${show(layers)}`);
  const names = shapes.map(({ name }) => name).join(", ");
  const byName = new Map<string, LayerWeights>();
  for (const [i, layer] of (layers as readonly (LayerWeights | undefined)[]).entries()) {
    const name = layer?.name;
    if (!layer || !shapes.some((shape) => shape.name === name) || byName.has(name!)) {
      throw new TypeError(`"layers[${i}].name" must be one of ${names}, each once, got ${show(name)}`);
    }
    byName.set(name!, layer);
  }
  const missing = shapes.find(({ name }) => !byName.has(name));
  if (missing) throw new TypeError(`"layers" must hold ${names}; ${show(missing.name)} is missing`);
  return byName;
}

/** A layer's vectors, checked. */
function vectorsIn(options: LayerOptions, shape: LayerShape, layer: LayerWeights): Float32Array[] {
  const { name } = shape;
  for (const key of ["inputs", "outputs"] as const) {
    if (layer[key] !== shape[key]) {
      throw mustBe(`${name}.${key}`, String(shape[key]), layer[key]);
    }
  }
  const vectors = vectorsOf(options, shape);
  if (vectors.length === 2 && (layer.gain || layer.shift)) {
    const why = name.endsWith("head") ? "a head is not normalised" : `"normalization" is "${options.normalization}"`;
    throw new TypeError(`"${name}.${layer.gain ? "gain" : "shift"}" must be absent: ${why}`);
  }
  return vectors.map(([key, length]) => {
    const vector = layer[key];
    if (vector?.length !== length) {
      const why = key === "gain" || key === "shift" ? ', for "normalization" is "layer"' : "";
      throw new RangeError(`"${name}.${key}" must hold ${length} numbers${why}, got ${vector?.length ?? "nothing"}`);
    }
    const bad = vector.findIndex((x) => !(Math.abs(x) <= WEIGHT_MAX));
    if (bad < 0) return vector;
    throw mustBe(`${name}.${key}[${bad}]`, bounded(WEIGHT_MAX), vector[bad]);
  });
}
