/**
 * A multi-layer perceptron: hidden layers with an activation, then a linear head with a few quantiles for each action; with a
 * second stream for the value of the state where it is dueling.
 *
 * A parameter block: layers, head, the same of the value stream | their noise scales, in the same order | running
 * statistics. The first two are trained; the last are kept.
 */
import { Activation, MAX_HIDDEN, Normalization } from "../abi";
import { Arena, takeF32, takeStruct } from "../arena";
import { BackwardScratch, fillLayer, initLayer, Layer, layerBytes, newLayer } from "../dense";
import { padded } from "../gemm";
import { Rng } from "../rng";
import { newPart, Part, rowsOf, wordsOf } from "../sparse";

/** Layers, and the scratch that one forward and backward of at most `rows` rows needs. */
@unmanaged
export class Network {
  /** The input row: the observation, and the features of a candidate or nothing. */
  first: Part;
  second: Part;
  hidden: i32;
  /** Outputs of the head: actions times quantiles. */
  outputs: i32;
  normalization: Normalization;
  activation: Activation;
  /** MAX_HIDDEN pointers to Layer. */
  layers: usize;
  head: Layer;
  /** The stream for the value of a state, or 0. Its input is the output of layer `hidden - 2`, or a row of its own. */
  value: Network | null;
  isShared: bool;
  /** Offset behind the last layer; of the noise scales, 0 where there are none. */
  end: u64;
  sigma: usize;
  /** Bytes of the trained part, and of the whole block: multiples of 64. */
  trained: u64;
  bytes: u64;
  /** The most rows of a forward. */
  rows: i32;
  /** Two gradients of activations. */
  dy: usize;
  dx: usize;
  scratch: BackwardScratch;
  /** One row of the first layer, for the split form. */
  u: usize;
  /** For dropout: the generator, the share of outputs to drop, and whether this is a training pass. */
  rng: Rng;
  dropout: f64;
  isTraining: bool;
}

/** Layer l. */
// @ts-ignore: decorator
@inline
export function layerAt(net: Network, l: i32): Layer {
  return changetype<Layer>(load<usize>(net.layers + (usize(l) << 2)));
}

/** The last hidden layer. */
// @ts-ignore: decorator
@inline
export function lastOf(net: Network): Layer {
  return layerAt(net, net.hidden - 1);
}

/** Describes the layers, from byte `offset` of the block; sizes: the widths of the hidden layers, i32. */
export function newNetwork(
  arena: Arena,
  first: Part,
  second: Part,
  hidden: i32,
  sizes: usize,
  outputs: i32,
  normalization: Normalization,
  activation: Activation,
  offset: u64,
): Network {
  const net = changetype<Network>(takeStruct(arena, offsetof<Network>()));
  net.first = first;
  net.second = second;
  net.hidden = hidden;
  net.outputs = outputs;
  net.normalization = normalization;
  net.activation = activation;
  net.layers = takeStruct(arena, MAX_HIDDEN << 2);
  net.scratch = changetype<BackwardScratch>(takeStruct(arena, offsetof<BackwardScratch>()));
  let width = rowsOf(first) + rowsOf(second);
  for (let l = 0; l < hidden; l++) {
    const next = load<i32>(sizes + (usize(l) << 2));
    const layer = newLayer(arena, width, next, usize(offset), normalization != Normalization.None);
    store<usize>(net.layers + (usize(l) << 2), changetype<usize>(layer));
    offset += layerBytes(layer);
    width = next;
  }
  net.head = newLayer(arena, width, outputs, usize(offset), false);
  net.end = offset + layerBytes(net.head);
  return net;
}

/**
 * Adds the value stream. With candidates (a second part) it is a network of its own over the observation, for the value
 * does not depend on the candidate; else it parts from the advantages before the last hidden layer.
 * Wang et al. 2016, arXiv:1511.06581.
 */
export function addValueStream(net: Network, arena: Arena, sizes: usize, outputs: i32): void {
  const nothing = newPart(arena, 0, 0, 0);
  const kind = net.normalization;
  const activation = net.activation;
  let value: Network;
  net.isShared = rowsOf(net.second) == 0 && net.hidden > 1;
  if (net.isShared) {
    const last = usize(net.hidden - 1) << 2;
    const input = newPart(arena, load<i32>(sizes + last - 4), 0, 0);
    value = newNetwork(arena, input, nothing, 1, sizes + last, outputs, kind, activation, net.end);
  } else {
    value = newNetwork(arena, net.first, nothing, net.hidden, sizes, outputs, kind, activation, net.end);
  }
  net.value = value;
  net.end = value.end;
}

/** Places noise scales and running statistics behind the layers and closes the block. */
export function closeBlock(net: Network, isNoisy: bool): void {
  const value = net.value;
  if (isNoisy) {
    net.sigma = usize(net.end);
    if (value) value.sigma = net.sigma;
    net.end *= 2;
  }
  net.trained = (net.end + 63) & ~63;
  net.bytes = net.trained;
  if (net.normalization == Normalization.Batch) {
    placeStatistics(net, net);
    if (value) placeStatistics(value, net);
  }
  net.bytes = (net.bytes + 63) & ~63;
}

function placeStatistics(net: Network, block: Network): void {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    layer.mean = usize(block.bytes);
    layer.variance = layer.mean + (usize(layer.columns) << 2);
    block.bytes += u64(layer.columns) << 3;
  }
}

/**
 * Takes the scratch for forwards of up to `rows` rows and backwards of up to `batch`. room: numbers that the transposed
 * input has room for at least.
 */
export function takeScratch(net: Network, arena: Arena, rows: i32, batch: i32, room: u64 = 0): void {
  net.rows = rows;
  const height = u64((max(rows, batch) + 3) & ~3);
  const batch4 = u64((batch + 3) & ~3);
  let widest: u64 = 0;
  let tallest: u64 = u64(padded(net.first.dense + net.second.dense));
  let square: u64 = 0;
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    layer.output = takeF32(arena, height * u64(layer.columns));
    if (net.normalization != Normalization.None) {
      layer.normal = takeF32(arena, height * u64(layer.columns));
      layer.spread = takeF32(arena, max(height, u64(layer.columns)));
      layer.batchMean = takeF32(arena, layer.columns);
      layer.batchVariance = takeF32(arena, layer.columns);
    }
    if (net.activation != Activation.Relu) layer.slope = takeF32(arena, height * u64(layer.columns));
    if (net.sigma) takeNoise(layer, arena);
    widest = max(widest, u64(layer.columns));
    if (l) tallest = max(tallest, u64(layer.rows));
    if (l || net.isShared) square = max(square, u64(layer.rows) * u64(layer.columns));
  }
  if (net.sigma) takeNoise(net.head, arena);
  net.dy = takeF32(arena, batch4 * widest);
  net.dx = takeF32(arena, batch4 * widest);
  net.scratch.xt = takeF32(arena, max(batch4 * tallest, room));
  net.scratch.dyp = takeF32(arena, batch4 * widest);
  // A shared value stream sends a gradient into the trunk, so that its first layer is transposed too.
  net.scratch.wt = takeF32(arena, max(square, u64(layerAt(net, 0).rows) * u64(layerAt(net, 0).columns)));
  net.u = takeF32(arena, widest);
}

function takeNoise(layer: Layer, arena: Arena): void {
  layer.noiseIn = takeF32(arena, layer.rows);
  layer.noiseOut = takeF32(arena, layer.columns);
}

/** Fresh parameters; the block must be zero. sigma: the noise scale over 1 / sqrt(inputs). */
export function initNetwork(net: Network, params: usize, rng: Rng, sigma: f64): void {
  for (let l = 0; l < net.hidden; l++) initLayer(layerAt(net, l), params, false, rng);
  initLayer(net.head, params, true, rng);
  if (net.sigma) {
    const scales = params + net.sigma;
    for (let l = 0; l < net.hidden; l++) {
      fillLayer(layerAt(net, l), scales, false, f32(sigma / Math.sqrt(f64(layerAt(net, l).inputs))));
    }
    fillLayer(net.head, scales, true, f32(sigma / Math.sqrt(f64(net.head.inputs))));
  }
  const value = net.value;
  if (value) initNetwork(value, params, rng, sigma);
}

/** Words of an input row. */
export function inputWords(net: Network): i32 {
  return wordsOf(net.first) + wordsOf(net.second);
}

/** Both streams train with this generator and share of dropped outputs, or stop doing so. */
export function setTraining(net: Network, isTraining: bool, rng: Rng, dropout: f64): void {
  net.isTraining = isTraining;
  net.rng = rng;
  net.dropout = dropout;
  const value = net.value;
  if (value) setTraining(value, isTraining, rng, dropout);
}
