import { checked, type Rules } from "../check/index.js";
import { type FileBytes, type LayerWeights, SnapshotError } from "../engine/index.js";
import { chainsOf } from "./chains.js";
import { floatsOf, readSafetensors, type Tensor, writeTensors } from "./container.js";
import { quoted } from "./header.js";

/**
 * Writes layers as a safetensors file for PyTorch's `load_state_dict`, with the names and layout of
 * `nn.Sequential(nn.Linear, nn.LayerNorm, nn.ReLU, ..., nn.Linear)`, or another activation, which has no tensors; without
 * norms if the agent has none. A dueling
 * network has three of these, `trunk`, `advantage` and `value`; without shared layers there is no `trunk`.
 *
 * @param layers - In the order of `agent.weights()`.
 * @param metadata - Further strings for the file, beside `format` "pt".
 * @throws TypeError or RangeError for layers that do not fit each other.
 */
export function toSafetensors(
  layers: readonly LayerWeights[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { main, value, shared } = chainsOf(layers);
  const tensors = new Map<string, Tensor>();
  if (value.length === 0) addSequential(tensors, "", main);
  else {
    addSequential(tensors, "trunk.", main.slice(0, shared));
    addSequential(tensors, "advantage.", main.slice(shared));
    addSequential(tensors, "value.", value);
  }
  return writeTensors(tensors, { format: "pt", ...metadata });
}

function addSequential(tensors: Map<string, Tensor>, prefix: string, chain: readonly LayerWeights[]): void {
  const add = (name: string, floats: Float32Array, ...shape: number[]) => {
    const { buffer, byteOffset, byteLength } = floats;
    tensors.set(prefix + name, { dtype: "F32", shape, bytes: new Uint8Array(buffer, byteOffset, byteLength) });
  };
  let place = 0;
  for (const { inputs, outputs, weight, bias, gain, shift } of chain) {
    add(`${place}.weight`, weight, outputs, inputs);
    add(`${place}.bias`, bias, outputs);
    if (gain && shift) {
      add(`${place + 1}.weight`, gain, outputs);
      add(`${place + 1}.bias`, shift, outputs);
    }
    place += gain ? 3 : 2;
  }
}

/**
 * Reads layers for `agent.setWeights` from a safetensors file with the names of `toSafetensors`, such as PyTorch saves for
 * such a module. F32; F64, F16 and BF16 are converted. A file does not contain activations and epsilons: they must be
 * the agent's `activation` (`nn.Identity()` for `linear`) and 1e-5, PyTorch's default.
 *
 * @throws SnapshotError for a file that is damaged or holds other tensors.
 */
export function fromSafetensors(file: FileBytes, options: FromSafetensorsOptions = {}): LayerWeights[] {
  const { prefix } = checked<FromSafetensorsOptions>(options, RULES, { prefix: "" });
  const { tensors } = readSafetensors(file);
  if (prefix === "") return layersFrom(tensors, "", prefixIn(tensors));
  return layersFrom(below(tensors, prefix!), prefix);
}

/** How tensors are named in a file. */
export interface FromSafetensorsOptions {
  /**
   * What the names begin with, such as `_orig_mod.` after `torch.compile` or `network.` of a module's field; other
   * tensors are ignored. Default the empty text: the file must hold nothing else.
   */
  prefix?: string;
}

const RULES: Rules<FromSafetensorsOptions> = { prefix: [(value) => typeof value === "string", "a string"] };

/** The tensors whose names begin with a prefix, without it. */
function below(tensors: ReadonlyMap<string, Tensor>, prefix: string): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) if (name.startsWith(prefix)) found.set(name.slice(prefix.length), tensor);
  if (found.size === 0) throw new SnapshotError(`the file must hold tensors whose names begin with ${quoted(prefix)}`);
  return found;
}

/** The prefix that a file seems to need, as a hint for an error. */
function prefixIn(tensors: ReadonlyMap<string, Tensor>): string {
  const marks = ["0.weight", "advantage.0.weight"];
  const first = [...tensors.keys()].find((name) => marks.some((mark) => name.endsWith(`.${mark}`)));
  if (first === undefined || tensors.has(marks[0]!) || tensors.has(marks[1]!)) return "";
  const mark = first.endsWith(`.${marks[1]}`) ? marks[1]! : marks[0]!;
  return `; { prefix: ${quoted(first.slice(0, -mark.length))} } reads the names that begin so`;
}

const ONLINE = "q_net.q_net.";
const TARGET = "q_net_target.";

/**
 * Reads layers for `setWeights` of an agent with `normalization: "none"` from a safetensors file of the
 * `policy.state_dict()` of Stable-Baselines3's DQN with `MlpPolicy`. It ignores the target network's tensors.
 *
 * @throws SnapshotError for a file that is damaged or holds other tensors, such as a CNN's.
 */
export function fromStableBaselines3(file: FileBytes, options: FromSafetensorsOptions = {}): LayerWeights[] {
  const { prefix } = checked<FromSafetensorsOptions>(options, RULES, { prefix: "" });
  const online = new Map<string, Tensor>();
  for (const [name, tensor] of below(readSafetensors(file).tensors, prefix!)) {
    if (name.startsWith(ONLINE)) online.set(name.slice(ONLINE.length), tensor);
    else if (!name.startsWith(TARGET)) {
      throw new SnapshotError(
        `tensor ${quoted(name)} must begin with "${ONLINE}" or "${TARGET}": only MlpPolicy can be read`,
      );
    }
  }
  if (online.size === 0) throw new SnapshotError(`the file must hold tensors whose names begin with "${ONLINE}"`);
  return layersFrom(online, ONLINE);
}

type Parts = Omit<LayerWeights, "name">;

/** @param path - Prefix of the names in the file. */
function layersFrom(tensors: ReadonlyMap<string, Tensor>, path = "", hint = ""): LayerWeights[] {
  const left = new Map(tensors);
  const isDueling = left.has("advantage.0.weight");
  const trunk = isDueling ? takeSequential(left, path, "trunk.") : [];
  const main = [...trunk, ...takeSequential(left, path, isDueling ? "advantage." : "")];
  const value = isDueling ? takeSequential(left, path, "value.") : [];
  for (const name of left.keys())
    throw new SnapshotError(`tensor ${quoted(path + name)} has no place in ${FORM}${hint}`);
  if (main.length === trunk.length) throw new SnapshotError(`the file must hold "${path}0.weight", of ${FORM}`);
  if (isDueling && value.length === 0)
    throw new SnapshotError('the file must hold "value.0.weight", for it is dueling');
  for (const { gain } of [main.at(-1)!, ...value.slice(-1)]) {
    if (gain) throw new SnapshotError(`the last layer has a LayerNorm, which has no place in ${FORM}`);
  }
  const layers = [...withNames("", main), ...withNames("value.", value)];
  try {
    const { shared } = chainsOf(layers);
    if (shared !== trunk.length) throw new RangeError(`"trunk" must hold ${shared} layers, got ${trunk.length}`);
  } catch (cause) {
    throw new SnapshotError(`the layers do not fit each other: ${(cause as Error).message}`, { cause });
  }
  return layers;
}

const FORM = "Sequential(Linear, [LayerNorm,] ReLU, ..., Linear)";

function withNames(prefix: string, chain: readonly Parts[]): LayerWeights[] {
  return chain.map((parts, l) => ({ name: `${prefix}${l === chain.length - 1 ? "head" : `hidden.${l}`}`, ...parts }));
}

/** Takes the layers 0, 2 or 3, ... with a prefix out of the tensors. */
function takeSequential(left: Map<string, Tensor>, path: string, prefix: string): Parts[] {
  const take = (place: number, kind: "weight" | "bias", rank: number) => {
    const name = `${prefix}${place}.${kind}`;
    const tensor = left.get(name);
    if (!tensor) throw new SnapshotError(`the file must hold "${path}${name}"`);
    if (tensor.shape.length !== rank || tensor.bytes.length === 0) {
      throw new SnapshotError(`tensor "${path}${name}" must have ${rank} dimensions, got (${tensor.shape.join(", ")})`);
    }
    left.delete(name);
    return { shape: tensor.shape, floats: floatsOf(path + name, tensor) };
  };
  const vector = (place: number, kind: "weight" | "bias", length: number) => {
    const { shape, floats } = take(place, kind, 1);
    if (floats.length === length) return floats;
    throw new SnapshotError(`tensor "${path}${prefix}${place}.${kind}" must have (${length}), got (${shape[0]})`);
  };
  const layers: Parts[] = [];
  for (let place = 0; left.has(`${prefix}${place}.weight`); ) {
    const { shape, floats: weight } = take(place, "weight", 2);
    const [outputs, inputs] = shape as [number, number];
    const layer: Parts = { inputs, outputs, weight, bias: vector(place, "bias", outputs) };
    const isNormalised = left.has(`${prefix}${place + 1}.weight`);
    const norm = isNormalised && {
      gain: vector(place + 1, "weight", outputs),
      shift: vector(place + 1, "bias", outputs),
    };
    layers.push({ ...layer, ...norm });
    place += isNormalised ? 3 : 2;
  }
  return layers;
}
