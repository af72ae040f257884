import packageJson from "../../package.json" with { type: "json" };
import type { LayerWeights, ResolvedOptions } from "../engine/index.js";
import { chainsOf } from "./chains.js";
import { Message } from "./protobuf.js";

/** The part of an agent that `toOnnx` uses. */
export interface ExportableAgent {
  readonly options: Readonly<ResolvedOptions>;
  weights(): LayerWeights[];
}

/** The first opset with LayerNormalization; every runtime since mid-2022 reads it. */
const OPSET = 17;
/** The IR version of that opset. */
const IR = 8;
/** Protobuf's own limit. */
const BYTES_MAX = 2 ** 31 - 1;

/** Field numbers of onnx.proto. */
const MODEL = { irVersion: 1, producer: 2, producerVersion: 3, doc: 6, graph: 7, opset: 8, metadata: 14 } as const;
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, float: 2, integer: 3, integers: 8, type: 20 } as const;
const ATTRIBUTE_TYPE = { float: 1, integer: 2, integers: 7 } as const;
const TENSOR = { dimension: 1, type: 2, name: 8, raw: 9 } as const;
const ELEMENT = { f32: 1, i64: 7 } as const;

/**
 * An agent's greedy network, without noise, as an ONNX file (opset 17).
 *
 * With `actions`: `observation` (N, observation) gives `q` (N, actions). With `candidates`: `observation`
 * (1, observation) and `candidates` (N, features) give `q` (N). Quantiles are averaged and parts summed, as `evaluate` does; the
 * weights of a slate's choice are left out. Index inputs take their dense form: `size` numbers
 * after the dense ones of the same part. Batch normalisation is folded in.
 *
 * @param agent - A `DQN`.
 * @throws TypeError for an agent with `normalizeObservations`, whose layers read normalised observations; RangeError for a
 *   file of 2 GiB or more, beyond protobuf's limit.
 */
export function toOnnx(agent: ExportableAgent): Uint8Array<ArrayBuffer> {
  const { options } = agent;
  if (options.normalizeObservations) {
    throw new TypeError(
      '"normalizeObservations" must be false: the layers read observations that the agent has normalised',
    );
  }
  const layers = agent.weights();
  const graph = options.candidates ? overCandidates(options, layers) : overActions(options, layers);
  const model = new Message()
    .integer(MODEL.irVersion, IR)
    .text(MODEL.producer, "liveq")
    .text(MODEL.producerVersion, packageJson.version)
    .text(MODEL.doc, "Action values of a deep Q-learning agent.")
    .message(MODEL.graph, graph.message())
    .message(MODEL.opset, new Message().text(1, "").integer(2, OPSET))
    .message(MODEL.metadata, new Message().text(1, "options").text(2, JSON.stringify(options)));
  if (model.length > BYTES_MAX) {
    throw new RangeError(`the ONNX file would have ${model.length} bytes; protobuf ends at ${BYTES_MAX}`);
  }
  return model.encode();
}

function overActions({ actions, quantiles, activation }: ResolvedOptions, layers: readonly LayerWeights[]): Graph {
  const { main, value, shared } = chainsOf(layers);
  const graph = new Graph(activation);
  graph.input("observation", ["N", main[0]!.inputs]);
  graph.output("q", ["N", actions]);
  const trunk = main.slice(0, shared).reduce((x, layer) => graph.hidden(layer, x), "observation");
  let q = graph.chain(main.slice(shared), trunk);
  if (quantiles > 1) {
    const shape = graph.integers("quantiles.shape", [-1, actions, quantiles]);
    q = graph.mean("quantiles.mean", graph.node("Reshape", "quantiles", [q, shape]), 2, false);
  }
  if (value.length > 0) {
    const v = graph.mean("value.mean", graph.chain(value, trunk), 1, true);
    // The mean over all actions, also over those that a mask hides.
    const centred = graph.node("Sub", "advantage.centred", [q, graph.mean("advantage.mean", q, 1, true)]);
    q = graph.node("Add", "dueling", [centred, v]);
  }
  graph.node("Identity", "q", [q]);
  return graph;
}

function overCandidates(
  { observation, sparse, quantiles, slate, activation }: ResolvedOptions,
  layers: readonly LayerWeights[],
): Graph {
  const { main, value } = chainsOf(layers);
  const [first, ...rest] = main as [LayerWeights, ...LayerWeights[]];
  // Behind the quantiles may stand a slate's weight of the choice.
  rest.push(sumOfParts(rest.pop()!, quantiles, slate?.parts ?? 1));
  const seen = observation + (sparse?.size ?? 0);
  const graph = new Graph(activation);
  graph.input("observation", [1, seen]);
  graph.input("candidates", ["N", first.inputs - seen]);
  graph.output("q", ["N"]);
  // The observation's part is computed once, not for each candidate.
  const state = graph.product(`${first.name}.observation`, columns(first, 0, seen), "observation", first.bias);
  const offered = columns(first, seen, first.inputs);
  const h = graph.finish(first, graph.product(`${first.name}.candidates`, offered, "candidates", state));
  let q = graph.mean("quantiles.mean", graph.chain(rest, h), 1, false);
  if (value.length > 0) {
    const v = graph.mean("value.mean", graph.chain(value, "observation"), 1, false);
    q = graph.node("Add", "dueling", [q, v]);
  }
  graph.node("Identity", "q", [q]);
  return graph;
}

/** A weight (outputs, inputs) row-major. */
interface Weight {
  inputs: number;
  outputs: number;
  weight: Float32Array;
}

/** The first n outputs of a layer. */
function sumOfParts(layer: LayerWeights, n: number, parts: number): LayerWeights {
  const sum = (all: Float32Array, length: number) =>
    Float32Array.from({ length }, (_, i) => {
      let total = all[i]!;
      for (let p = 1; p < parts; p++) total += all[p * length + i]!;
      return total;
    });
  return { ...layer, outputs: n, weight: sum(layer.weight, n * layer.inputs), bias: sum(layer.bias, n) };
}

/** The inputs from..to-1 of a layer. */
function columns({ inputs, outputs, weight }: Weight, from: number, to: number): Weight {
  const width = to - from;
  const part = new Float32Array(outputs * width);
  for (let j = 0; j < outputs; j++) part.set(weight.subarray(j * inputs + from, j * inputs + to), j * width);
  return { inputs: width, outputs, weight: part };
}

/** Builds an ONNX graph. Each node has the name of its one output. */
class Graph {
  readonly #graph = new Message().text(GRAPH.name, "q");
  readonly #activation: ResolvedOptions["activation"];

  constructor(activation: ResolvedOptions["activation"]) {
    this.#activation = activation;
  }

  message(): Message {
    return this.#graph;
  }

  input(name: string, shape: readonly (number | string)[]): void {
    this.#graph.message(GRAPH.input, valueInfo(name, shape));
  }

  output(name: string, shape: readonly (number | string)[]): void {
    this.#graph.message(GRAPH.output, valueInfo(name, shape));
  }

  /** Hidden layers and a head. */
  chain(layers: readonly LayerWeights[], x: string): string {
    const head = layers.at(-1)!;
    const h = layers.slice(0, -1).reduce((y, layer) => this.hidden(layer, y), x);
    return this.product(head.name, head, h, head.bias);
  }

  hidden(layer: LayerWeights, x: string): string {
    return this.finish(layer, this.product(layer.name, layer, x, layer.bias));
  }

  /** The normalisation and activation after the product of a hidden layer. */
  finish({ name, outputs, gain, shift }: LayerWeights, z: string): string {
    let y = z;
    if (gain && shift) {
      const scale = [this.#floats(`${name}.gain`, [outputs], gain), this.#floats(`${name}.shift`, [outputs], shift)];
      y = this.node("LayerNormalization", `${name}.norm`, [z, ...scale], [floatAttribute("epsilon", 1e-5)]);
    }
    if (this.#activation === "relu") return this.node("Relu", `${name}.relu`, [y]);
    if (this.#activation === "tanh") return this.node("Tanh", `${name}.tanh`, [y]);
    return this.#activation === "gelu" ? this.#gelu(name, y) : y;
  }

  /** 0.5 y (1 + tanh(sqrt(2 / pi) (y + 0.044715 y^3))): the operator Gelu needs a later opset. */
  #gelu(name: string, y: string): string {
    const constant = (part: string, value: number) => this.#floats(`${name}.gelu.${part}`, [1], Float32Array.of(value));
    const node = (operator: string, part: string, ...inputs: string[]) =>
      this.node(operator, `${name}.gelu.${part}`, inputs);
    const square = node("Mul", "square", y, y);
    const cubic = node("Mul", "cubic", square, constant("c", 0.044715 * Math.sqrt(2 / Math.PI)));
    const slope = node("Add", "slope", cubic, constant("root", Math.sqrt(2 / Math.PI)));
    const t = node("Tanh", "tanh", node("Mul", "inner", y, slope));
    const share = node("Add", "share", node("Mul", "half", t, constant("h", 0.5)), constant("s", 0.5));
    return node("Mul", "output", y, share);
  }

  /** x W^T + bias; the bias is a vector, or the name of a row that all rows share. */
  product(name: string, { inputs, outputs, weight }: Weight, x: string, bias: Float32Array | string): string {
    const w = this.#floats(`${name}.weight`, [outputs, inputs], weight);
    const b = typeof bias === "string" ? bias : this.#floats(`${name}.bias`, [outputs], bias);
    return this.node("Gemm", name, [x, w, b], [integerAttribute("transB", 1)]);
  }

  mean(name: string, x: string, axis: number, keepsAxis: boolean): string {
    const axes = new Message().text(ATTRIBUTE.name, "axes").integer(ATTRIBUTE.type, ATTRIBUTE_TYPE.integers);
    axes.integer(ATTRIBUTE.integers, axis);
    return this.node("ReduceMean", name, [x], [axes, integerAttribute("keepdims", Number(keepsAxis))]);
  }

  node(operator: string, output: string, inputs: readonly string[], attributes: readonly Message[] = []): string {
    const node = new Message();
    for (const name of inputs) node.text(NODE.input, name);
    node.text(NODE.output, output).text(NODE.name, output).text(NODE.operator, operator);
    for (const attribute of attributes) node.message(NODE.attribute, attribute);
    this.#graph.message(GRAPH.node, node);
    return output;
  }

  integers(name: string, values: readonly number[]): string {
    const { buffer } = BigInt64Array.from(values, BigInt);
    return this.#initializer(name, [values.length], ELEMENT.i64, new Uint8Array(buffer));
  }

  #floats(name: string, shape: readonly number[], { buffer, byteOffset, byteLength }: Float32Array): string {
    return this.#initializer(name, shape, ELEMENT.f32, new Uint8Array(buffer, byteOffset, byteLength));
  }

  #initializer(name: string, shape: readonly number[], type: number, raw: Uint8Array): string {
    const tensor = new Message();
    for (const n of shape) tensor.integer(TENSOR.dimension, n);
    tensor.integer(TENSOR.type, type).text(TENSOR.name, name).bytes(TENSOR.raw, raw);
    this.#graph.message(GRAPH.initializer, tensor);
    return name;
  }
}

function floatAttribute(name: string, value: number): Message {
  const attribute = new Message().text(ATTRIBUTE.name, name).integer(ATTRIBUTE.type, ATTRIBUTE_TYPE.float);
  return attribute.float(ATTRIBUTE.float, value);
}

function integerAttribute(name: string, value: number): Message {
  const attribute = new Message().text(ATTRIBUTE.name, name).integer(ATTRIBUTE.type, ATTRIBUTE_TYPE.integer);
  return attribute.integer(ATTRIBUTE.integer, value);
}

/** Name and shape of an f32 input or output; a string names a free size. */
function valueInfo(name: string, sizes: readonly (number | string)[]): Message {
  const shape = new Message();
  for (const n of sizes)
    shape.message(1, typeof n === "number" ? new Message().integer(1, n) : new Message().text(2, n));
  const tensor = new Message().integer(1, ELEMENT.f32).message(2, shape);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
