/**
 * A multi-layer perceptron: hidden layers with ReLU, then a linear head with a few quantiles for each action; with a
 * second stream for the value of the state where it is dueling.
 *
 * A parameter block: layers, head, the same of the value stream | their noise scales, in the same order | running
 * statistics. The first two are trained; the last are kept.
 */
import { MAX_HIDDEN, Normalization, STATISTIC_MAX } from "./abi";
import { Arena, takeF32, takeStruct } from "./arena";
import {
  BackwardScratch,
  denseBackward,
  denseForward,
  denseGradient,
  fillLayer,
  headAt,
  headForward,
  headGradient,
  headRows,
  initLayer,
  inputForward,
  inputGradient,
  Layer,
  layerBytes,
  newLayer,
  packHead,
  packLayer,
  splitForward,
  unpackLayer,
} from "./dense";
import { NONE, padded, RELU } from "./gemm";
import { drawNoise, noiseGradient, perturb } from "./noise";
import {
  batchNorm,
  batchNormBackward,
  foldNorm,
  keepStatistics as keepOf,
  layerNorm,
  layerNormBackward,
  normGradient,
} from "./norm";
import { nextU32, Rng } from "./rng";
import { newPart, Part, rowsOf, wordsOf } from "./sparse";
import { allWithin, axpy, scale, scaleMasked } from "./vector";

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
  /** What a training pass draws from, the share of outputs that it drops, and whether it is one. */
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
function lastOf(net: Network): Layer {
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
  offset: u64,
): Network {
  const net = changetype<Network>(takeStruct(arena, offsetof<Network>()));
  net.first = first;
  net.second = second;
  net.hidden = hidden;
  net.outputs = outputs;
  net.normalization = normalization;
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
  let value: Network;
  net.isShared = rowsOf(net.second) == 0 && net.hidden > 1;
  if (net.isShared) {
    const last = usize(net.hidden - 1) << 2;
    const input = newPart(arena, load<i32>(sizes + last - 4), 0, 0);
    value = newNetwork(arena, input, nothing, 1, sizes + last, outputs, kind, net.end);
  } else {
    value = newNetwork(arena, net.first, nothing, net.hidden, sizes, outputs, kind, net.end);
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

/** Takes the scratch for forwards of up to `rows` rows and backwards of up to `batch`. */
export function takeScratch(net: Network, arena: Arena, rows: i32, batch: i32): void {
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
    if (net.sigma) takeNoise(layer, arena);
    widest = max(widest, u64(layer.columns));
    if (l) tallest = max(tallest, u64(layer.rows));
    if (l || net.isShared) square = max(square, u64(layer.rows) * u64(layer.columns));
  }
  if (net.sigma) takeNoise(net.head, arena);
  net.dy = takeF32(arena, batch4 * widest);
  net.dx = takeF32(arena, batch4 * widest);
  net.scratch.xt = takeF32(arena, batch4 * tallest);
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

/** Output of layer l, done in place behind the product: normalisation, ReLU and dropout where they are not in it. */
function finish(net: Network, layer: Layer, params: usize, batch: i32): void {
  const z = layer.output;
  if (net.normalization == Normalization.Layer) {
    const gain = params + layer.gain;
    layerNorm(batch, layer.columns, layer.outputs, z, gain, params + layer.shift, layer.normal, layer.spread);
  } else if (net.normalization == Normalization.Batch && net.isTraining) {
    batchNorm(
      batch,
      layer.columns,
      z,
      params + layer.gain,
      params + layer.shift,
      layer.normal,
      layer.spread,
      layer.batchMean,
      layer.batchVariance,
    );
  }
  if (net.isTraining && net.dropout > 0) drop(net, layer, batch);
}

/** Each output becomes 0 with probability `dropout`; the others grow, so that the mean stays. */
function drop(net: Network, layer: Layer, batch: i32): void {
  const threshold = u32(net.dropout * 4294967296.0);
  const grown = f32(1 / (1 - net.dropout));
  for (let b: usize = 0; b < usize(batch); b++) {
    const row = layer.output + b * (usize(layer.columns) << 2);
    for (let i = 0; i < layer.outputs; i++) {
      const at = row + (usize(i) << 2);
      store<f32>(at, nextU32(net.rng) < threshold ? <f32>0 : load<f32>(at) * grown);
    }
  }
}

/** What the product of a layer may do itself: ReLU, unless a normalisation stands between. */
function epilogueOf(net: Network): i32 {
  const isFolded = net.normalization == Normalization.Batch && !net.isTraining;
  return net.normalization == Normalization.None || isFolded ? RELU : NONE;
}

/** Hidden layers from `from` on, for the output of the one before. The result is the last activation. */
function forwardFrom(net: Network, params: usize, from: i32, batch: i32, x: usize): usize {
  for (let l = from; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    const ldx = usize(layerAt(net, l - 1).columns) << 2;
    denseForward(layer, params, batch, x, ldx, layer.output, epilogueOf(net));
    finish(net, layer, params, batch);
    x = layer.output;
  }
  return x;
}

/** Hidden layers for x(B,in), rows of words. The result is the last activation. */
export function forward(net: Network, params: usize, batch: i32, x: usize, ldx: usize): usize {
  const layer = layerAt(net, 0);
  inputForward(layer, params, net.first, net.second, batch, x, ldx, layer.output, epilogueOf(net));
  finish(net, layer, params, batch);
  return forwardFrom(net, params, 1, batch, layer.output);
}

/** The same for n candidates c of one observation x. Requires 0 < n <= rows. */
export function forwardCandidates(net: Network, params: usize, x: usize, n: i32, c: usize): usize {
  const layer = layerAt(net, 0);
  splitForward(layer, params, net.first, net.second, x, n, c, net.u, layer.output, epilogueOf(net));
  finish(net, layer, params, n);
  return forwardFrom(net, params, 1, n, layer.output);
}

/**
 * v(B, quantiles): the value stream, behind a forward of the same rows where it shares layers with it.
 * x: rows of the observation.
 */
export function valuesOfStates(net: Network, params: usize, batch: i32, x: usize, ldx: usize, v: usize): void {
  const value = net.value!;
  if (net.isShared) {
    const trunk = layerAt(net, net.hidden - 2);
    x = trunk.output;
    ldx = usize(trunk.columns) << 2;
  }
  headRows(value.head, params, batch, value.outputs, forward(value, params, batch, x, ldx), v);
}

/**
 * q(B, quantiles) of the action a(b) of each row x(b). actions = 0 means the first for all; a negative action counts
 * as 0.
 */
export function valuesOfActions(
  net: Network,
  params: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  actions: usize,
  quantiles: i32,
  q: usize,
): void {
  let h = forward(net, params, batch, x, ldx);
  const ldh = usize(net.head.rows) << 2;
  for (let b: usize = 0; b < usize(batch); b++) {
    const first = (actions ? max(0, load<i32>(actions + (b << 2))) : 0) * quantiles;
    for (let i = 0; i < quantiles; i++) {
      store<f32>(q, headAt(net.head, params, h, first + i));
      q += 4;
    }
    h += ldh;
  }
}

/** q(out) = Q(x, .) for one row x, from the head's rows. */
export function valuesOfRow(net: Network, params: usize, x: usize, q: usize): void {
  headRows(net.head, params, 1, net.outputs, forward(net, params, 1, x, 0), q);
}

/** q(B, padded(out)) = Q(x(b), .) for a batch. panels: from packOutputs. */
export function valuesOfBatch(
  net: Network,
  params: usize,
  panels: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  q: usize,
): void {
  headForward(net.head, params, panels, batch, forward(net, params, batch, x, ldx), q);
}

/** q(n, out) for n candidates of one observation. */
export function valuesOfCandidates(net: Network, params: usize, x: usize, n: i32, c: usize, q: usize): void {
  headRows(net.head, params, n, net.outputs, forwardCandidates(net, params, x, n, c), q);
}

/** q(n, out) for n rows [observation | candidate]. */
export function valuesOfRows(net: Network, params: usize, n: i32, x: usize, ldx: usize, q: usize): void {
  headRows(net.head, params, n, net.outputs, forward(net, params, n, x, ldx), q);
}

/**
 * The head's gradient for dq(b, quantiles) of the actions a(b) alone, and dy of the last hidden layer. The head's part
 * of grads is summed into rows, so it is zeroed first.
 */
export function headOfActions(
  net: Network,
  params: usize,
  grads: usize,
  batch: i32,
  actions: usize,
  quantiles: i32,
  dq: usize,
): void {
  const head = net.head;
  memory.fill(grads + head.weight, 0, usize(layerBytes(head)));
  const ldh = usize(head.rows) << 2;
  let h = lastOf(net).output;
  let d = net.dy;
  for (let b: usize = 0; b < usize(batch); b++) {
    const first = (actions ? load<i32>(actions + (b << 2)) : 0) * quantiles;
    headOfRow(head, params, grads, first, quantiles, h, dq, d);
    dq += usize(quantiles) << 2;
    h += ldh;
    d += ldh;
  }
}

/** The same for dq(b, out), rows `ldq` apart, of all outputs. */
export function headOfAll(net: Network, params: usize, grads: usize, batch: i32, dq: usize, ldq: usize): void {
  const head = net.head;
  memory.fill(grads + head.weight, 0, usize(layerBytes(head)));
  const ldh = usize(head.rows) << 2;
  let h = lastOf(net).output;
  let d = net.dy;
  for (let b = 0; b < batch; b++) {
    headOfRow(head, params, grads, 0, net.outputs, h, dq, d);
    dq += ldq;
    h += ldh;
    d += ldh;
  }
}

/** dW and db of outputs first..first+n-1 for one row h, and d = relu'(h) * W^T dq. */
function headOfRow(
  head: Layer,
  params: usize,
  grads: usize,
  first: i32,
  n: i32,
  h: usize,
  dq: usize,
  d: usize,
): void {
  const rows = head.rows;
  const w = params + head.weight + ((usize(rows) * usize(first)) << 2);
  headGradient(head, grads, h, first, load<f32>(dq));
  if (n == 1) {
    scaleMasked(rows, load<f32>(dq), w, h, d);
    return;
  }
  memory.fill(d, 0, usize(rows) << 2);
  axpy(rows, load<f32>(dq), w, d);
  for (let i = 1; i < n; i++) {
    const g = load<f32>(dq + (usize(i) << 2));
    if (g == 0) continue;
    headGradient(head, grads, h, first + i, g);
    axpy(rows, g, w + ((usize(rows) * usize(i)) << 2), d);
  }
  scaleMasked(rows, 1, d, h, d);
}

/** dy of a layer: from before its ReLU to before its normalisation, and that normalisation's gradient. */
function unfinish(net: Network, layer: Layer, params: usize, grads: usize, batch: i32, dy: usize): void {
  const n = layer.columns;
  if (net.dropout > 0) scale(batch * n, f32(1 / (1 - net.dropout)), dy);
  if (net.normalization == Normalization.None) return;
  normGradient(batch, n, dy, layer.normal, grads + layer.gain, grads + layer.shift);
  const gain = params + layer.gain;
  if (net.normalization == Normalization.Layer) {
    layerNormBackward(batch, n, layer.outputs, dy, gain, layer.normal, layer.spread);
  } else {
    batchNormBackward(batch, n, dy, gain, layer.normal, layer.spread);
  }
}

/**
 * The gradient of all hidden layers, behind a training forward of the same rows and headOfActions or headOfAll; all of
 * it is overwritten. dv = 0, or the gradient of valuesOfStates (states, quantiles); xv: its rows where not shared.
 */
export function backward(
  net: Network,
  params: usize,
  grads: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  states: i32,
  xv: usize,
  ldv: usize,
  dv: usize,
): void {
  let dy = net.dy;
  let dx = net.dx;
  for (let l = net.hidden - 1; l > 0; l--) {
    const layer = layerAt(net, l);
    const below = layerAt(net, l - 1);
    const ldb = usize(below.columns) << 2;
    unfinish(net, layer, params, grads, batch, dy);
    denseGradient(layer, grads, batch, below.output, ldb, dy, net.scratch);
    denseBackward(layer, params, batch, below.output, ldb, dy, dx, false, net.scratch);
    if (dv && net.isShared && l == net.hidden - 1) {
      valueBackward(net.value!, params, grads, batch, below.output, ldb, dv, dx);
    }
    const spare = dy;
    dy = dx;
    dx = spare;
  }
  const layer = layerAt(net, 0);
  unfinish(net, layer, params, grads, batch, dy);
  inputGradient(layer, grads, net.first, net.second, batch, x, ldx, dy, net.scratch);
  if (dv && !net.isShared) valueBackward(net.value!, params, grads, states, xv, ldv, dv, 0);
}

/** The gradient of a value stream for rows x; dx: where it is added to that of the layer below, or 0. */
function valueBackward(
  value: Network,
  params: usize,
  grads: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  dv: usize,
  dx: usize,
): void {
  headOfAll(value, params, grads, batch, dv, usize(value.outputs) << 2);
  const top = value.dy;
  backward(value, params, grads, batch, x, ldx, 0, 0, 0, 0);
  // One hidden layer, so that its dy still is at the top.
  if (dx) denseBackward(layerAt(value, 0), params, batch, x, ldx, top, dx, true, value.scratch);
}

/** panels = the head's W^T, for valuesOfBatch. */
export function packOutputs(net: Network, params: usize, panels: usize): void {
  packHead(net.head, params, panels);
}

/** Bytes of those panels. */
export function outputPanelBytes(net: Network): u64 {
  return (u64(net.head.columns) * u64(net.head.rows)) << 2;
}

/** Both streams train with this generator and share of dropped outputs, or stop doing so. */
export function setTraining(net: Network, isTraining: bool, rng: Rng, dropout: f64): void {
  net.isTraining = isTraining;
  net.rng = rng;
  net.dropout = dropout;
  const value = net.value;
  if (value) setTraining(value, isTraining, rng, dropout);
}

/** Draws noise and gives the weights with it: block = mu + sigma * noise. */
export function drawNetwork(net: Network, params: usize, rng: Rng, block: usize): void {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    drawLayer(layer, rng);
    for (let j = 0; j < layer.columns; j += 16) perturbPanel(net, layer, params, j, block);
    const bias = params + layer.bias;
    perturb(1, layer.columns, bias, bias + net.sigma, ONE, layer.noiseOut, block + layer.bias);
    if (layer.gain) memory.copy(block + layer.gain, params + layer.gain, usize(layer.columns) << 3);
  }
  const head = net.head;
  drawLayer(head, rng);
  const w = params + head.weight;
  perturb(head.columns, head.rows, w, w + net.sigma, head.noiseOut, head.noiseIn, block + head.weight);
  const bias = params + head.bias;
  perturb(1, head.columns, bias, bias + net.sigma, ONE, head.noiseOut, block + head.bias);
  const value = net.value;
  if (value) drawNetwork(value, params, rng, block);
}

/** A 1 to point at. */
const ONE: usize = memory.data<f32>([1]);

function drawLayer(layer: Layer, rng: Rng): void {
  drawNoise(rng, layer.inputs, layer.rows, layer.noiseIn);
  drawNoise(rng, layer.outputs, layer.columns, layer.noiseOut);
}

/** The panel of a hidden layer's W that starts at column j. */
function perturbPanel(net: Network, layer: Layer, params: usize, j: i32, block: usize): void {
  const width = min(16, layer.columns - j);
  const at = layer.weight + (usize(j) << 2) * layer.rows;
  const b = layer.noiseOut + (usize(j) << 2);
  perturb(layer.rows, width, params + at, params + at + net.sigma, layer.noiseIn, b, block + at);
}

/** The gradient of the noise scales from that of the weights, for the noise drawn last. */
export function noiseBackward(net: Network, grads: usize): void {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    for (let j = 0; j < layer.columns; j += 16) {
      const width = min(16, layer.columns - j);
      const dw = grads + layer.weight + (usize(j) << 2) * layer.rows;
      noiseGradient(layer.rows, width, dw, layer.noiseIn, layer.noiseOut + (usize(j) << 2), dw + net.sigma);
    }
    const db = grads + layer.bias;
    noiseGradient(1, layer.columns, db, ONE, layer.noiseOut, db + net.sigma);
  }
  const head = net.head;
  const dw = grads + head.weight;
  noiseGradient(head.columns, head.rows, dw, head.noiseOut, head.noiseIn, dw + net.sigma);
  const db = grads + head.bias;
  noiseGradient(1, head.columns, db, ONE, head.noiseOut, db + net.sigma);
  const value = net.value;
  if (value) noiseBackward(value, grads);
}

/** Running statistics move to those of the training forward, of `batch` rows, and of `states` in the value stream. */
export function keepStatistics(net: Network, params: usize, batch: i32, states: i32): void {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    const mean = params + layer.mean;
    keepOf(batch, layer.columns, layer.batchMean, layer.batchVariance, mean, params + layer.variance);
  }
  const value = net.value;
  if (value) keepStatistics(value, params, states, states);
}

/** Whether the statistics of the training forward, where there are any, leave the running ones in their bounds. */
export function statisticsAreSafe(net: Network): bool {
  if (net.normalization != Normalization.Batch) return true;
  // A tenth: unbiased variances are up to twice as large, and all is rounded.
  const most = f32(STATISTIC_MAX * 0.1);
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    if (!allWithin(layer.columns, -most, most, layer.batchMean)) return false;
    if (!allWithin(layer.columns, 0, most, layer.batchVariance)) return false;
  }
  const value = net.value;
  return value ? statisticsAreSafe(value) : true;
}

/** block = the plain network that equals the normalised one with its running statistics. */
export function foldNetwork(net: Network, params: usize, block: usize): void {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    foldNorm(
      layer.rows,
      layer.columns,
      params + layer.weight,
      params + layer.bias,
      params + layer.gain,
      params + layer.shift,
      params + layer.mean,
      params + layer.variance,
      block + layer.weight,
      block + layer.bias,
    );
  }
  memory.copy(block + net.head.weight, params + net.head.weight, usize(layerBytes(net.head)));
  const value = net.value;
  if (value) foldNetwork(value, params, block);
}

/** Words of an input row. */
export function inputWords(net: Network): i32 {
  return wordsOf(net.first) + wordsOf(net.second);
}

/** Whether all running variances are at least 0. */
export function variancesAreValid(net: Network, params: usize): bool {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    for (let j = 0; j < layer.columns; j++) {
      if (!(load<f32>(params + layer.variance + (usize(j) << 2)) >= 0)) return false;
    }
  }
  const value = net.value;
  return value ? variancesAreValid(value, params) : true;
}

/**
 * All layers one after the other, without padding: W^T (outputs, inputs) row-major, b, and gain and shift where a layer
 * norm stands behind it. Returns the end.
 */
export function unpackLayers(net: Network, params: usize, out: usize): usize {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    out = unpackLayer(layer, params, false, out);
    if (net.normalization != Normalization.Layer) continue;
    const bytes = usize(layer.outputs) << 2;
    memory.copy(out, params + layer.gain, bytes);
    memory.copy(out + bytes, params + layer.shift, bytes);
    out += bytes * 2;
  }
  out = unpackLayer(net.head, params, true, out);
  const value = net.value;
  return value ? unpackLayers(value, params, out) : out;
}

/**
 * The inverse of unpackLayers: all layers from plain numbers, what stands between and behind them unchanged. Requires
 * no batch norm. Returns the end of the numbers.
 */
export function packLayers(net: Network, params: usize, from: usize): usize {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    from = packLayer(layer, params, false, from);
    if (net.normalization != Normalization.Layer) continue;
    const bytes = usize(layer.outputs) << 2;
    memory.copy(params + layer.gain, from, bytes);
    memory.copy(params + layer.shift, from + bytes, bytes);
    from += bytes * 2;
  }
  from = packLayer(net.head, params, true, from);
  const value = net.value;
  return value ? packLayers(value, params, from) : from;
}
