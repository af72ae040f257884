/** A multi-layer perceptron: hidden Dense layers with ReLU, then a linear Head. */
import { MAX_HIDDEN } from "./abi";
import { Arena, take, takeF32, takeStruct } from "./arena";
import {
  denseBackward,
  denseForward,
  denseForwardSplit,
  headAt,
  headBackward,
  headForward,
  initLayer,
  Layer,
  layerBytes,
  newLayer,
  packHead,
} from "./dense";
import { padded } from "./gemm";
import { Rng } from "./rng";
import { scaleMasked } from "./vector";

/** Layers, and the scratch that one forward and backward of at most `rows` rows needs. */
@unmanaged
export class Network {
  inputs: i32;
  outputs: i32;
  hidden: i32;
  head: Layer;
  /** Bytes of one parameter block, a multiple of 64. */
  bytes: usize;
  /** The most rows of one forward. */
  rows: i32;
  /** MAX_HIDDEN pointers to Layer, and to (rows, out) activations behind each. */
  layers: usize;
  activations: usize;
  /** Two gradients of activations, the transposed input, packed dY, transposed W. */
  dy: usize;
  dx: usize;
  xt: usize;
  dyp: usize;
  wt: usize;
  /** One row of the first layer, for the split form. */
  u: usize;
}

/** Layer l. */
// @ts-ignore: decorator
@inline
export function layerAt(net: Network, l: i32): Layer {
  return changetype<Layer>(load<usize>(net.layers + (usize(l) << 2)));
}

/** The output of layer l of the last forward. */
// @ts-ignore: decorator
@inline
export function activationAt(net: Network, l: i32): usize {
  return load<usize>(net.activations + (usize(l) << 2));
}

/** Describes the layers; sizes: the widths of the hidden layers, i32. Requires 1 <= hidden <= MAX_HIDDEN. */
export function newNetwork(arena: Arena, inputs: i32, hidden: i32, sizes: usize, outputs: i32): Network {
  const net = changetype<Network>(takeStruct(arena, offsetof<Network>()));
  net.inputs = inputs;
  net.outputs = outputs;
  net.hidden = hidden;
  net.layers = takeStruct(arena, MAX_HIDDEN << 2);
  net.activations = takeStruct(arena, MAX_HIDDEN << 2);
  let bytes: u64 = 0;
  let width = inputs;
  for (let l = 0; l < hidden; l++) {
    const next = load<i32>(sizes + (usize(l) << 2));
    store<usize>(net.layers + (usize(l) << 2), changetype<usize>(newLayer(arena, width, next, usize(bytes))));
    bytes += layerBytes(width, next);
    width = next;
  }
  net.head = newLayer(arena, width, outputs, usize(bytes));
  bytes += layerBytes(width, outputs);
  net.bytes = usize((bytes + 63) & ~63);
  return net;
}

/** Bytes of one parameter block, in 64 bits. */
export function networkBytes(inputs: i32, hidden: i32, sizes: usize, outputs: i32): u64 {
  let bytes: u64 = 0;
  for (let l = 0; l < hidden; l++) {
    const next = load<i32>(sizes + (usize(l) << 2));
    bytes += layerBytes(inputs, next);
    inputs = next;
  }
  bytes += layerBytes(inputs, outputs);
  return (bytes + 63) & ~63;
}

/** Takes the scratch for forwards of up to `rows` rows and backwards of up to `batch`. */
export function takeScratch(net: Network, arena: Arena, rows: i32, batch: i32): void {
  net.rows = rows;
  const height = u64((max(rows, batch) + 3) & ~3);
  const batch4 = u64((batch + 3) & ~3);
  let widest: u64 = 0;
  let tallest: u64 = u64(padded(net.inputs));
  let square: u64 = 0;
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    store<usize>(net.activations + (usize(l) << 2), takeF32(arena, height * u64(layer.columns)));
    widest = max(widest, u64(layer.columns));
    tallest = max(tallest, u64(layer.rows));
    square = max(square, u64(layer.rows) * u64(layer.columns));
  }
  net.dy = takeF32(arena, batch4 * widest);
  net.dx = takeF32(arena, batch4 * widest);
  net.xt = takeF32(arena, batch4 * tallest);
  net.dyp = takeF32(arena, batch4 * widest);
  net.wt = takeF32(arena, square);
  net.u = takeF32(arena, widest);
}

/** Fresh parameters; the block must be zero. */
export function initNetwork(net: Network, params: usize, rng: Rng): void {
  for (let l = 0; l < net.hidden; l++) initLayer(layerAt(net, l), params, false, rng);
  initLayer(net.head, params, true, rng);
}

/** Hidden layers for x(B,in). The result is the last activation. */
export function forward(net: Network, params: usize, batch: i32, x: usize, ldx: usize): usize {
  for (let l = 0; l < net.hidden; l++) {
    const layer = layerAt(net, l);
    const y = activationAt(net, l);
    denseForward(layer, params, batch, x, ldx, y);
    x = y;
    ldx = usize(layer.columns) << 2;
  }
  return x;
}

/** q(B) = Q(x(b), a(b)): one value a row. actions = 0 means output 0 for all; a negative action counts as 0. */
export function valuesOfActions(
  net: Network,
  params: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  actions: usize,
  q: usize,
): void {
  let h = forward(net, params, batch, x, ldx);
  const ldh = usize(net.head.rows) << 2;
  for (let b: usize = 0; b < usize(batch); b++) {
    const action = actions ? max(0, load<i32>(actions + (b << 2))) : 0;
    store<f32>(q + (b << 2), headAt(net.head, params, h, action));
    h += ldh;
  }
}

/** q(out) = Q(x, .) for one row x, from the head's rows. */
export function valuesOfRow(net: Network, params: usize, x: usize, q: usize): void {
  const h = forward(net, params, 1, x, 0);
  for (let a = 0; a < net.outputs; a++) store<f32>(q + (usize(a) << 2), headAt(net.head, params, h, a));
}

/** q(B, padded(out)) = Q(x(b), .) for a batch. panels: from packHead. */
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

/** q(n) = Q([x | c(i)]) for n candidates of one observation of `split` inputs. Requires 0 < n <= rows. */
export function valuesOfCandidates(
  net: Network,
  params: usize,
  split: i32,
  x: usize,
  n: i32,
  c: usize,
  ldc: usize,
  q: usize,
): void {
  let h = activationAt(net, 0);
  denseForwardSplit(layerAt(net, 0), params, split, x, n, c, ldc, net.u, h);
  for (let l = 1; l < net.hidden; l++) {
    const y = activationAt(net, l);
    denseForward(layerAt(net, l), params, n, h, usize(layerAt(net, l - 1).columns) << 2, y);
    h = y;
  }
  const ldh = usize(net.head.rows) << 2;
  for (let i: usize = 0; i < usize(n); i++) {
    store<f32>(q + (i << 2), headAt(net.head, params, h, 0));
    h += ldh;
  }
}

/**
 * grads = d loss / d params for dq(b) = d loss / d Q(x(b), a(b)), after valuesOfActions of the same rows.
 * The head's part is summed into rows, so it is zeroed first; all else is overwritten.
 */
export function backward(
  net: Network,
  params: usize,
  grads: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  actions: usize,
  dq: usize,
): void {
  const head = net.head;
  memory.fill(grads + head.weight, 0, net.bytes - head.weight);
  const ldh = usize(head.rows) << 2;
  let h = activationAt(net, net.hidden - 1);
  let d = net.dy;
  for (let b: usize = 0; b < usize(batch); b++) {
    const action = actions ? load<i32>(actions + (b << 2)) : 0;
    const g = load<f32>(dq + (b << 2));
    headBackward(head, grads, h, action, g);
    scaleMasked(head.rows, g, params + head.weight + ldh * action, h, d);
    h += ldh;
    d += ldh;
  }
  let dy = net.dy;
  let dx = net.dx;
  for (let l = net.hidden - 1; l >= 0; l--) {
    const input = l ? activationAt(net, l - 1) : x;
    const ldi = l ? usize(layerAt(net, l - 1).columns) << 2 : ldx;
    denseBackward(layerAt(net, l), params, grads, batch, input, ldi, dy, l ? dx : 0, net.xt, net.dyp, net.wt);
    const spare = dy;
    dy = dx;
    dx = spare;
  }
}

/** panels = the head's W^T, for valuesOfBatch. */
export function packOutputs(net: Network, params: usize, panels: usize): void {
  packHead(net.head, params, panels);
}

/** Bytes of those panels. */
export function outputPanelBytes(net: Network): u64 {
  return u64(net.head.columns) * u64(net.head.rows) << 2;
}
