/** The layers of an int8 network, where their parameters lie, and the scratch of a forward. */
import { MAX_HIDDEN, Storage } from "../abi";
import { Arena, take, takeF32, takeStruct } from "../arena";
import { bytesOf, newPart, Part } from "../sparse";
import { setStorage } from "../storage";
import { FEW, ROWS, Region, Size, Vector, WIDE } from "./abi";
import { panelBytes, rowBytes } from "./dots";

@unmanaged
export class Layer {
  /** Outputs, and these padded: to 4 those of a head, to 8 those that another layer reads. */
  outputs: i32;
  n: i32;
  /** 2 where weights have two digits, see FEW: then the inputs stand there twice. */
  digits: i32;
  /** Dense inputs padded to 8, of the observation or the layer below, and of a candidate. */
  k: i32;
  candidateK: i32;
  /** Whether inputs have 8 bits: with more of them than WIDE, sums of products with 16 bits could leave 32. */
  isNarrow: bool;
  /** The largest quantised input. */
  most: f32;
  /** Vector.Count addresses, and as many sizes in bytes; 0 where there is nothing. */
  places: usize;
}

/** A chain of hidden layers, then a head. */
@unmanaged
export class Chain {
  hidden: i32;
  /** MAX_HIDDEN + 1 pointers to Layer. */
  layers: usize;
}

@unmanaged
export class Net {
  observation: Part;
  features: Part;
  actions: i32;
  quantiles: i32;
  parts: i32;
  isSlate: bool;
  isNormalized: bool;
  isDueling: bool;
  /** The value stream parts from the other one before the last hidden layer. */
  isShared: bool;
  main: Chain;
  value: Chain;
  parameters: usize;
  parametersEnd: usize;
  /** Staged inputs. */
  inputs: usize;
  states: usize;
  candidates: usize;
  mask: usize;
  bits: usize;
  /** Outputs: values behind that of nothing, weights of the choice in the same way. */
  values: usize;
  choices: usize;
  /** Scratch: quantised rows, sums or activations, what layer normalisation keeps, one row of each width. */
  q: usize;
  other: usize;
  z: usize;
  normal: usize;
  spread: usize;
  sums: usize;
  base: usize;
  theta: usize;
  v: usize;
}

// @ts-ignore: decorator
@inline
export function padded8(k: i32): i32 {
  return (k + 7) & ~7;
}

// @ts-ignore: decorator
@inline
export function layerOf(chain: Chain, l: i32): Layer {
  return changetype<Layer>(load<usize>(chain.layers + (usize(l) << 2)));
}

/** How many layers there are, heads included. */
export function layersOf(net: Net): i32 {
  return net.main.hidden + 1 + (net.isDueling ? net.value.hidden + 1 : 0);
}

/** Layer l of all: those of the main stream, then those of the value stream. */
export function layerAt(net: Net, l: i32): Layer {
  return l <= net.main.hidden ? layerOf(net.main, l) : layerOf(net.value, l - net.main.hidden - 1);
}

/** Where a vector of a layer lies. */
// @ts-ignore: decorator
@inline
export function placeOf(layer: Layer, vector: Vector): usize {
  return load<usize>(layer.places + (usize(vector) << 2));
}

export function bytesAt(layer: Layer, vector: Vector): usize {
  return load<usize>(layer.places + (usize(vector + Vector.Count) << 2));
}

// @ts-ignore: decorator
@inline
export function sizeAt(sizes: usize, i: Size): i32 {
  return load<i32>(sizes + (usize(i) << 2));
}

// @ts-ignore: decorator
@inline
export function hasCandidates(net: Net): bool {
  return net.actions == 0;
}

/** Values of one row of the main stream's head. */
export function headOutputs(net: Net): i32 {
  return max(1, net.actions) * net.quantiles + i32(net.isSlate);
}

/** Takes a vector of a layer. */
function place(layer: Layer, arena: Arena, vector: Vector, bytes: u64): void {
  store<usize>(layer.places + (usize(vector) << 2), take(arena, bytes));
  store<usize>(layer.places + (usize(vector + Vector.Count) << 2), usize(bytes));
}

/** A layer behind `first` and `second`, or (first = null) behind one of `inputs` outputs. */
function newLayer(
  arena: Arena,
  first: Part | null,
  second: Part | null,
  inputs: i32,
  outputs: i32,
  isHead: bool,
  isNormalized: bool,
): Layer {
  const layer = changetype<Layer>(takeStruct(arena, offsetof<Layer>()));
  layer.places = takeStruct(arena, (Vector.Count << 1) << 2);
  layer.outputs = outputs;
  const n = isHead ? (outputs + 3) & ~3 : padded8(outputs);
  layer.n = n;
  const dense = (first ? first.dense : FEW + 1) + (second ? second.dense : 0);
  layer.digits = dense > FEW ? 1 : 2;
  layer.k = padded8(first ? first.dense : inputs) * layer.digits;
  layer.candidateK = second ? padded8(second.dense) * layer.digits : 0;
  layer.isNarrow = layer.k + layer.candidateK > WIDE;
  layer.most = layer.isNarrow ? 127 : 32767;
  const wide = u64(n) << 2;
  place(layer, arena, Vector.Inverse, first ? u64(layer.k) << 2 : 16);
  if (second) place(layer, arena, Vector.CandidateInverse, u64(layer.candidateK) << 2);
  place(layer, arena, Vector.Scale, wide);
  if (first && first.slots) place(layer, arena, Vector.IndexScale, wide);
  if (second && second.slots) place(layer, arena, Vector.CandidateIndexScale, wide);
  place(layer, arena, Vector.Bias, wide);
  if (isNormalized) {
    place(layer, arena, Vector.Gain, wide);
    place(layer, arena, Vector.Shift, wide);
  }
  place(layer, arena, Vector.Weights, panelBytes(n, layer.k));
  if (second) place(layer, arena, Vector.CandidateWeights, panelBytes(n, layer.candidateK));
  if (first && first.slots) place(layer, arena, Vector.IndexRows, u64(first.size) * u64(n));
  if (second && second.slots) place(layer, arena, Vector.CandidateIndexRows, u64(second.size) * u64(n));
  return layer;
}

/** Hidden layers and a head; `from`: of the widths, the one that feeds the first layer, or -1 for the inputs themselves. */
function newChain(net: Net, arena: Arena, sizes: usize, from: i32, second: Part | null, outputs: i32): Chain {
  const chain = changetype<Chain>(takeStruct(arena, offsetof<Chain>()));
  const widths = sizes + (usize(Size.Widths) << 2);
  const all = sizeAt(sizes, Size.Hidden);
  chain.layers = takeStruct(arena, (MAX_HIDDEN + 1) << 2);
  chain.hidden = all - from - 1;
  for (let l = 0; l <= chain.hidden; l++) {
    const below = from + l;
    const isHidden = l < chain.hidden;
    const width = isHidden ? load<i32>(widths + (usize(below + 1) << 2)) : outputs;
    const isFirst = below < 0;
    const inputs = isFirst ? 0 : load<i32>(widths + (usize(below) << 2));
    const layer = newLayer(
      arena,
      isFirst ? net.observation : null,
      isFirst ? second : null,
      inputs,
      width,
      !isHidden,
      isHidden && net.isNormalized,
    );
    store<usize>(chain.layers + (usize(l) << 2), changetype<usize>(layer));
  }
  return chain;
}

/** Lays out a network; no tensor is touched. sizes: see Size; low, high: bounds of dense numbers, and how they were kept. */
export function layOut(arena: Arena, sizes: usize, storage: Storage, low: f32, high: f32): Net {
  const net = changetype<Net>(takeStruct(arena, offsetof<Net>()));
  net.observation = newPart(arena, sizeAt(sizes, Size.Observation), sizeAt(sizes, Size.Slots), sizeAt(sizes, Size.Indexed));
  net.features = newPart(
    arena,
    sizeAt(sizes, Size.Features),
    sizeAt(sizes, Size.FeatureSlots),
    sizeAt(sizes, Size.FeatureIndexed),
  );
  setStorage(net.observation, storage, low, high);
  setStorage(net.features, storage, low, high);
  net.actions = sizeAt(sizes, Size.Actions);
  net.quantiles = sizeAt(sizes, Size.Quantiles);
  net.parts = sizeAt(sizes, Size.Parts);
  net.isSlate = sizeAt(sizes, Size.Slate) != 0;
  net.isNormalized = sizeAt(sizes, Size.Normalized) != 0;
  net.isDueling = sizeAt(sizes, Size.Dueling) != 0;
  net.isShared = !hasCandidates(net) && sizeAt(sizes, Size.Hidden) > 1;
  net.parameters = usize(arena.top);
  net.main = newChain(net, arena, sizes, -1, hasCandidates(net) ? net.features : null, headOutputs(net));
  if (net.isDueling) {
    net.value = newChain(net, arena, sizes, net.isShared ? sizeAt(sizes, Size.Hidden) - 2 : -1, null, net.quantiles);
  }
  net.parametersEnd = usize(arena.top);
  takeWork(net, arena, sizeAt(sizes, Size.MaxCandidates));
  return net;
}

/** What is staged, what comes out, and scratch for ROWS rows. */
function takeWork(net: Net, arena: Arena, most: i32): void {
  // Kernels read vectors that begin inside a row and end behind it.
  const slack = 64;
  const count = u64(hasCandidates(net) ? most + 1 : ROWS * net.actions);
  net.inputs = take(arena, u64(bytesOf(net.observation)) + slack);
  net.states = take(arena, u64(bytesOf(net.observation)) * (hasCandidates(net) ? 0 : ROWS) + slack);
  // Slates put nothing before the candidates: zeros.
  const row = u64(bytesOf(net.features));
  net.candidates = take(arena, row * u64(most + 1) + slack) + usize(row);
  net.mask = take(arena, u64(net.actions) + slack);
  net.bits = take(arena, u64((net.actions + 31) >> 5) << 2);
  net.values = takeF32(arena, count + 4) + 4;
  net.choices = takeF32(arena, net.isSlate ? count + 4 : 4) + 4;
  let widest = 0;
  let deepest = 0;
  for (let l = 0, n = layersOf(net); l < n; l++) {
    const layer = layerAt(net, l);
    widest = max(widest, layer.n);
    deepest = max(deepest, max(layer.k, layer.candidateK));
  }
  net.q = take(arena, u64(rowBytes(deepest)) * ROWS);
  net.other = take(arena, u64(rowBytes(deepest)) * ROWS);
  net.z = takeF32(arena, u64(padded8(widest)) * ROWS + 8);
  net.normal = takeF32(arena, net.isNormalized ? u64(widest) * ROWS : 0);
  net.spread = takeF32(arena, ROWS);
  net.sums = takeF32(arena, widest);
  net.base = takeF32(arena, widest);
  net.theta = takeF32(arena, count * u64(headOutputs(net)) / u64(max(1, net.actions)) + 8);
  net.v = takeF32(arena, u64(ROWS) * u64(net.quantiles) + 8);
}

/** The address of a region. */
export function regionAt(net: Net, id: Region): usize {
  switch (id) {
    case Region.Parameters:
      return net.parameters;
    case Region.Observation:
      return net.inputs;
    case Region.Observations:
      return net.states;
    case Region.Candidates:
      return net.candidates;
    case Region.Mask:
      return net.mask;
    case Region.Values:
      return net.values;
    case Region.Choices:
      return net.choices;
    default:
      return net.values - 4;
  }
}

/** Its size in bytes. most: the most candidates. */
export function regionBytes(net: Net, id: Region, most: i32): usize {
  switch (id) {
    case Region.Parameters:
      return net.parametersEnd - net.parameters;
    case Region.Observation:
      return bytesOf(net.observation);
    case Region.Observations:
      return hasCandidates(net) ? 0 : bytesOf(net.observation) * ROWS;
    case Region.Candidates:
      return bytesOf(net.features) * most;
    case Region.Mask:
      return net.actions;
    case Region.Values:
      return usize(hasCandidates(net) ? most : ROWS * net.actions) << 2;
    case Region.Choices:
      return net.isSlate ? usize(most) << 2 : 0;
    default:
      return net.isSlate ? 4 : 0;
  }
}
