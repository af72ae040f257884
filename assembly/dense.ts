/**
 * Fully connected layers. Parameters lie in one block per network; a layer knows its offsets in it, so online, target,
 * gradient and moments share one description. B = rows of the batch, strides in bytes; rows of x also as rowOf has it.
 */
import { Arena, takeStruct } from "./arena";
import { dotRows } from "./dots";
import { gemm, MASK, NONE, padded, RELU, rowOf } from "./gemm";
import { packPanels, packTransposed, panelOffset, transpose } from "./pack";
import { Rng, uniformIn } from "./rng";
import { bytesOf, gatherRows, Part, rowsOf, scatterRows, wordsOf, zeroRows } from "./sparse";
import { axpy, dot, rectify } from "./vector";

/**
 * Weights and biases between `inputs` and `outputs`. A hidden layer, y = f(x W + b), keeps W (rows, outputs) in panels
 * of `rows` rows; a head, y = x W + b, keeps W^T (columns, rows) row-major: a TD error reaches few outputs only, so that
 * training reads and writes one row a sample and output instead of a whole product. b (columns) follows.
 */
@unmanaged
export class Layer {
  inputs: i32;
  outputs: i32;
  /** padded(inputs), padded(outputs) */
  rows: i32;
  columns: i32;
  /** Byte offsets in the parameter block; of gain, shift and running statistics if the layer is normalised. */
  weight: usize;
  bias: usize;
  gain: usize;
  shift: usize;
  mean: usize;
  variance: usize;
  /** Scratch: the output; normalised inputs of the gain, and their scales; statistics of a batch. */
  output: usize;
  normal: usize;
  spread: usize;
  batchMean: usize;
  batchVariance: usize;
  /** The activation's slope behind each output, where it is not ReLU. */
  slope: usize;
  /** Noise of the inputs and outputs, f32(rows) and f32(columns). */
  noiseIn: usize;
  noiseOut: usize;
}

/** Describes a layer whose parameters start at byte `offset` of the block; gain and shift follow where normalised. */
export function newLayer(arena: Arena, inputs: i32, outputs: i32, offset: usize, isNormalised: bool): Layer {
  const layer = changetype<Layer>(takeStruct(arena, offsetof<Layer>()));
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.rows = padded(inputs);
  layer.columns = padded(outputs);
  layer.weight = offset;
  layer.bias = offset + usize((u64(layer.rows) * u64(layer.columns)) << 2);
  if (isNormalised) {
    layer.gain = layer.bias + (usize(layer.columns) << 2);
    layer.shift = layer.gain + (usize(layer.columns) << 2);
  }
  return layer;
}

/** Bytes of a layer's parameters, a multiple of 16. */
export function layerBytes(layer: Layer): u64 {
  return ((u64(layer.rows) + (layer.gain ? 3 : 1)) * u64(layer.columns)) << 2;
}

/** W and b uniform in +-1/sqrt(inputs), drawn row by row of W^T, then b: PyTorch's default for Linear. Gains are 1. */
export function initLayer(layer: Layer, params: usize, isHead: bool, rng: Rng): void {
  const bound = 1 / Math.sqrt(f64(layer.inputs));
  for (let j = 0; j < layer.outputs; j++) {
    for (let i = 0; i < layer.inputs; i++) {
      store<f32>(params + weightAt(layer, isHead, i, j), uniformIn(rng, -bound, bound));
    }
  }
  for (let j = 0; j < layer.outputs; j++) {
    store<f32>(params + layer.bias + (usize(j) << 2), uniformIn(rng, -bound, bound));
    if (layer.gain) store<f32>(params + layer.gain + (usize(j) << 2), 1);
    if (layer.variance) store<f32>(params + layer.variance + (usize(j) << 2), 1);
  }
}

/** All of W and b = value, in a block of their own, and no padding. */
export function fillLayer(layer: Layer, block: usize, isHead: bool, value: f32): void {
  for (let j = 0; j < layer.outputs; j++) {
    for (let i = 0; i < layer.inputs; i++) store<f32>(block + weightAt(layer, isHead, i, j), value);
    store<f32>(block + layer.bias + (usize(j) << 2), value);
  }
}

/** W^T (outputs, inputs) row-major and b (outputs) without padding, to `out`; returns the end. */
export function unpackLayer(layer: Layer, params: usize, isHead: bool, out: usize): usize {
  for (let j = 0; j < layer.outputs; j++) {
    for (let i = 0; i < layer.inputs; i++) {
      store<f32>(out, load<f32>(params + weightAt(layer, isHead, i, j)));
      out += 4;
    }
  }
  memory.copy(out, params + layer.bias, usize(layer.outputs) << 2);
  return out + (usize(layer.outputs) << 2);
}

/** The inverse of unpackLayer: from plain numbers; padding is not touched. Returns their end. */
export function packLayer(layer: Layer, params: usize, isHead: bool, from: usize): usize {
  for (let j = 0; j < layer.outputs; j++) {
    for (let i = 0; i < layer.inputs; i++) {
      store<f32>(params + weightAt(layer, isHead, i, j), load<f32>(from));
      from += 4;
    }
  }
  memory.copy(params + layer.bias, from, usize(layer.outputs) << 2);
  return from + (usize(layer.outputs) << 2);
}

/** The offset of W(i, j) in a block. */
export function weightAt(layer: Layer, isHead: bool, i: i32, j: i32): usize {
  const at = isHead ? usize(layer.rows * j + i) << 2 : panelOffset(layer.rows, layer.outputs, i, j);
  return layer.weight + at;
}

/** y(B,out) = epilogue(x(B,in) W + b). Requires B > 0; y must not alias x. */
export function denseForward(
  layer: Layer,
  params: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  y: usize,
  epilogue: i32,
): void {
  const n = layer.columns;
  const w = params + layer.weight;
  gemm(batch, n, layer.inputs, x, ldx, w, layer.rows, 0, y, usize(n) << 2, 0, 0, params + layer.bias, 0, epilogue, 0);
}

/**
 * y(B,out) = epilogue(init + x(B,part) W(row.., :)): the contribution of one part of the input. init: stride ldi, 0 for one row.
 * Parts one after the other give the bits of denseForward over the whole row.
 */
export function partForward(
  layer: Layer,
  params: usize,
  row: i32,
  part: Part,
  batch: i32,
  x: usize,
  ldx: usize,
  init: usize,
  ldi: usize,
  y: usize,
  epilogue: i32,
): void {
  const n = layer.columns;
  const ldy = usize(n) << 2;
  const w = params + layer.weight;
  if (part.dense > 0) {
    const last = part.slots ? NONE : epilogue;
    gemm(batch, n, part.dense, x, ldx, w, layer.rows, row, y, ldy, 0, 0, init, ldi, last, 0);
  } else if (y != init) {
    for (let b: usize = 0; b < usize(batch); b++) memory.copy(y + ldy * b, init + ldi * b, ldy);
  }
  if (!part.slots) return;
  const indices = x + (usize(part.dense) << 2);
  for (let b: usize = 0; b < usize(batch); b++) {
    gatherRows(n, part.slots, rowOf(indices, ldx, i32(b)), w, layer.rows, row + part.dense, y + ldy * b);
    if (epilogue == RELU) rectify(n, y + ldy * b);
  }
}

/** The first layer over rows [part 1 | part 2]: y(B,out) = epilogue(x W + b). */
export function inputForward(
  layer: Layer,
  params: usize,
  first: Part,
  second: Part,
  batch: i32,
  x: usize,
  ldx: usize,
  y: usize,
  epilogue: i32,
): void {
  const bias = params + layer.bias;
  if (!first.slots && !second.slots) {
    denseForward(layer, params, batch, x, ldx, y, epilogue);
  } else if (rowsOf(second) == 0) {
    partForward(layer, params, 0, first, batch, x, ldx, bias, 0, y, epilogue);
  } else {
    partForward(layer, params, 0, first, batch, x, ldx, bias, 0, y, NONE);
    const rest = x + (usize(wordsOf(first)) << 2);
    partForward(layer, params, rowsOf(first), second, batch, rest, ldx, y, usize(layer.columns) << 2, y, epilogue);
  }
}

/**
 * The split form for candidates: y(n,out) = epilogue([x | c(i)] W + b), x being the first part and the same for all.
 * u (out): scratch. Bit-equal to inputForward of the rows written out: each sum starts with b and goes over x first.
 */
export function splitForward(
  layer: Layer,
  params: usize,
  first: Part,
  second: Part,
  x: usize,
  n: i32,
  c: usize,
  u: usize,
  y: usize,
  epilogue: i32,
): void {
  partForward(layer, params, 0, first, 1, x, 0, params + layer.bias, 0, u, NONE);
  partForward(layer, params, rowsOf(first), second, n, c, usize(wordsOf(second)) << 2, u, 0, y, epilogue);
}

/**
 * The split form for the candidates of several states: x of state s at rowOf(x, ldx, s), as many candidates as counts(s)
 * i32, one state's after the other's in c and y. u (states, out): scratch. Bit-equal to splitForward of each.
 */
export function splitSets(
  layer: Layer,
  params: usize,
  first: Part,
  second: Part,
  states: i32,
  x: usize,
  ldx: usize,
  counts: usize,
  c: usize,
  u: usize,
  y: usize,
  epilogue: i32,
): void {
  const ld = usize(layer.columns) << 2;
  const row = bytesOf(second);
  partForward(layer, params, 0, first, states, x, ldx, params + layer.bias, 0, u, NONE);
  for (const end = counts + (usize(states) << 2); counts < end; counts += 4) {
    const n = load<i32>(counts);
    if (n > 0) partForward(layer, params, rowsOf(first), second, n, c, row, u, 0, y, epilogue);
    c += row * n;
    y += ld * n;
    u += ld;
  }
}

/** Scratch of a backward. */
@unmanaged
export class BackwardScratch {
  /** The transposed input (in, B), packed dY (B, out), transposed W (out, in). */
  xt: usize;
  dyp: usize;
  wt: usize;
}

/**
 * dW(in,out) = x^T(in,B) dy(B,out), db(out) = sum over rows of dy.
 * dy is the gradient before ReLU or normalisation. Storage for B rounded up to 4 rows behind dy.
 */
export function denseGradient(
  layer: Layer,
  grads: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  dy: usize,
  scratch: BackwardScratch,
): void {
  const n = layer.columns;
  packPanels(batch, n, dy, usize(n) << 2, scratch.dyp);
  rowsGradient(layer, grads, 0, layer.inputs, batch, x, ldx, scratch);
  sumRows(batch, n, dy, grads + layer.bias);
}

/** dW(row..row+in-1, :) = x^T(in,B) dy(B,out) for the packed dy. */
function rowsGradient(
  layer: Layer,
  grads: usize,
  row: i32,
  inputs: i32,
  batch: i32,
  x: usize,
  ldx: usize,
  scratch: BackwardScratch,
): void {
  const n = layer.columns;
  const ldt = usize((batch + 3) & ~3) << 2;
  const dw = grads + layer.weight;
  transpose(batch, inputs, x, ldx, scratch.xt, ldt);
  gemm(inputs, n, batch, scratch.xt, ldt, scratch.dyp, batch, 0, dw, 0, layer.rows, row, 0, 0, NONE, 0);
}

/** As denseGradient for the first layer over rows [part 1 | part 2]. */
export function inputGradient(
  layer: Layer,
  grads: usize,
  first: Part,
  second: Part,
  batch: i32,
  x: usize,
  ldx: usize,
  dy: usize,
  scratch: BackwardScratch,
): void {
  if (!first.slots && !second.slots) {
    denseGradient(layer, grads, batch, x, ldx, dy, scratch);
    return;
  }
  const n = layer.columns;
  packPanels(batch, n, dy, usize(n) << 2, scratch.dyp);
  partGradient(layer, grads, 0, first, batch, x, ldx, dy, scratch);
  const rest = x + (usize(wordsOf(first)) << 2);
  partGradient(layer, grads, rowsOf(first), second, batch, rest, ldx, dy, scratch);
  sumRows(batch, n, dy, grads + layer.bias);
}

/** The gradient of the rows of W that a part reads: a product for its dense numbers, a scatter for its indices. */
function partGradient(
  layer: Layer,
  grads: usize,
  row: i32,
  part: Part,
  batch: i32,
  x: usize,
  ldx: usize,
  dy: usize,
  scratch: BackwardScratch,
): void {
  if (part.dense > 0) rowsGradient(layer, grads, row, part.dense, batch, x, ldx, scratch);
  if (!part.slots) return;
  const n = layer.columns;
  const dw = grads + layer.weight;
  const indices = x + (usize(part.dense) << 2);
  zeroRows(n, dw, layer.rows, row + part.dense, part.size);
  for (let b: usize = 0; b < usize(batch); b++) {
    const d = dy + b * (usize(n) << 2);
    scatterRows(n, part.slots, rowOf(indices, ldx, i32(b)), dw, layer.rows, row + part.dense, d);
  }
}

/** dx(B,in) = dy W^T, with isMasked where x > 0 and 0 elsewhere; isAdded: added to dx. */
export function denseBackward(
  layer: Layer,
  params: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  dy: usize,
  dx: usize,
  isAdded: bool,
  isMasked: bool,
  scratch: BackwardScratch,
): void {
  const n = layer.columns;
  const w = params + layer.weight;
  for (let j = 0; j < n; j += 16) {
    const width = min(16, n - j);
    packTransposed(layer.inputs, width, w + (usize(j) << 2) * layer.rows, usize(width) << 2, scratch.wt, n, j);
  }
  const init: usize = isAdded ? dx : 0;
  const ldi: usize = isAdded ? ldx : 0;
  gemm(batch, layer.rows, layer.outputs, dy, usize(n) << 2, scratch.wt, n, 0, dx, ldx, 0, 0, init, ldi, isMasked ? MASK : NONE, x);
}

/** y(n) = sum over rows of x(m,n). Requires n % 4 == 0. */
function sumRows(m: i32, n: i32, x: usize, y: usize): void {
  const ld = usize(n) << 2;
  for (let j: usize = 0; j < ld; j += 16) {
    let s = v128.load(x + j);
    for (let i = 1; i < m; i++) s = f32x4.add(s, v128.load(x + j + ld * i));
    v128.store(y + j, s);
  }
}

/** The value of output `action` for one row h. */
// @ts-ignore: decorator
@inline
export function headAt(head: Layer, params: usize, h: usize, action: i32): f32 {
  const ld = usize(head.rows) << 2;
  const bias = load<f32>(params + head.bias + (usize(action) << 2));
  return dot(head.rows, h, params + head.weight + ld * action) + bias;
}

/** panels = W^T in panels, for headForward. */
export function packHead(head: Layer, params: usize, panels: usize): void {
  const ld = usize(head.rows) << 2;
  packTransposed(head.outputs, head.rows, params + head.weight, ld, panels, head.rows, 0);
}

/** q(B,out) = h(B,in) W^T + b; q has padded(out) columns. panels: from packHead. */
export function headForward(head: Layer, params: usize, panels: usize, batch: i32, h: usize, q: usize): void {
  const n = head.columns;
  const ldh = usize(head.rows) << 2;
  gemm(batch, n, head.inputs, h, ldh, panels, head.rows, 0, q, usize(n) << 2, 0, 0, params + head.bias, 0, NONE, 0);
}

/** q(m,n) for rows h(m,in): the first n outputs by the head's rows; no padding between rows of q. */
export function headRows(head: Layer, params: usize, m: i32, n: i32, h: usize, q: usize): void {
  const ld = usize(head.rows) << 2;
  dotRows(m, n, head.rows, h, ld, params + head.weight, ld, params + head.bias, q);
}

/** dW(a,:) += dq h, db(a) += dq for one row h. */
export function headGradient(head: Layer, grads: usize, h: usize, action: i32, dq: f32): void {
  const ld = usize(head.rows) << 2;
  axpy(head.rows, dq, h, grads + head.weight + ld * action);
  const bias = grads + head.bias + (usize(action) << 2);
  store<f32>(bias, load<f32>(bias) + dq);
}
