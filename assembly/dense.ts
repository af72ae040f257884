/**
 * Fully connected layers. Parameters lie in one block per network; a layer knows its offsets in it, so online, target,
 * gradient and moments share one description. B = rows of the batch, strides in bytes.
 */
import { Arena, takeStruct } from "./arena";
import { gemm, MASK, NONE, padded, RELU } from "./gemm";
import { packPanels, packTransposed, panelOffset, transpose } from "./pack";
import { Rng, uniformIn } from "./rng";
import { axpy, dot } from "./vector";

/**
 * Weights and biases between `inputs` and `outputs`. A hidden layer, y = relu(x W + b), keeps W (rows, outputs) in panels
 * of `rows` rows; a head, y = x W + b, keeps W^T (columns, rows) row-major: a TD error reaches one output only, so that
 * training reads and writes one row a sample instead of a whole product. b (columns) follows.
 */
@unmanaged
export class Layer {
  inputs: i32;
  outputs: i32;
  /** padded(inputs), padded(outputs) */
  rows: i32;
  columns: i32;
  /** Byte offsets in the parameter block. */
  weight: usize;
  bias: usize;
}

/** Describes a layer whose parameters start at byte `offset` of the block. */
export function newLayer(arena: Arena, inputs: i32, outputs: i32, offset: usize): Layer {
  const layer = changetype<Layer>(takeStruct(arena, offsetof<Layer>()));
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.rows = padded(inputs);
  layer.columns = padded(outputs);
  layer.weight = offset;
  layer.bias = offset + usize((u64(layer.rows) * u64(layer.columns)) << 2);
  return layer;
}

/** Bytes of a layer's parameters, a multiple of 16. */
export function layerBytes(inputs: i32, outputs: i32): u64 {
  return ((u64(padded(inputs)) + 1) * u64(padded(outputs))) << 2;
}

/** W and b uniform in +-1/sqrt(inputs), drawn row by row of W^T, then b: PyTorch's default for Linear. */
export function initLayer(layer: Layer, params: usize, isHead: bool, rng: Rng): void {
  const bound = 1 / Math.sqrt(f64(layer.inputs));
  const weight = params + layer.weight;
  for (let j = 0; j < layer.outputs; j++) {
    for (let i = 0; i < layer.inputs; i++) {
      const at = isHead ? usize(layer.rows * j + i) << 2 : panelOffset(layer.rows, layer.outputs, i, j);
      store<f32>(weight + at, uniformIn(rng, -bound, bound));
    }
  }
  for (let j = 0; j < layer.outputs; j++) {
    store<f32>(params + layer.bias + (usize(j) << 2), uniformIn(rng, -bound, bound));
  }
}

/** y(B,out) = relu(x(B,in) W + b). Requires B > 0; y must not alias x. */
export function denseForward(layer: Layer, params: usize, batch: i32, x: usize, ldx: usize, y: usize): void {
  const n = layer.columns;
  const w = params + layer.weight;
  gemm(batch, n, layer.inputs, x, ldx, w, layer.rows, 0, y, usize(n) << 2, 0, params + layer.bias, 0, RELU, 0);
}

/**
 * The split form for candidates: y(n,out) = relu([x | c(i)] W + b), the first `split` inputs being x, the same for all.
 * u (out): scratch. Bit-equal to denseForward of the rows written out: each sum starts with b and goes over x first.
 */
export function denseForwardSplit(
  layer: Layer,
  params: usize,
  split: i32,
  x: usize,
  n: i32,
  c: usize,
  ldc: usize,
  u: usize,
  y: usize,
): void {
  const w = params + layer.weight;
  const rows = layer.rows;
  const columns = layer.columns;
  const ldy = usize(columns) << 2;
  gemm(1, columns, split, x, 0, w, rows, 0, u, ldy, 0, params + layer.bias, 0, NONE, 0);
  gemm(n, columns, layer.inputs - split, c, ldc, w, rows, split, y, ldy, 0, u, 0, RELU, 0);
}

/**
 * dW(in,out) = x^T(in,B) dy(B,out), db(out) = sum over rows of dy, dx(B,in) = dy W^T where x > 0, 0 elsewhere.
 * dy is the gradient before the ReLU. dx = 0 skips it. Storage for B rounded up to 4 rows behind x and dy.
 * xt: scratch (in, B); dyp: scratch (B, out); wt: scratch (out, in).
 */
export function denseBackward(
  layer: Layer,
  params: usize,
  grads: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  dy: usize,
  dx: usize,
  xt: usize,
  dyp: usize,
  wt: usize,
): void {
  const n = layer.columns;
  const ldy = usize(n) << 2;
  const ldt = usize((batch + 3) & ~3) << 2;
  transpose(batch, layer.inputs, x, ldx, xt, ldt);
  packPanels(batch, n, dy, ldy, dyp);
  gemm(layer.inputs, n, batch, xt, ldt, dyp, batch, 0, grads + layer.weight, 0, layer.rows, 0, 0, NONE, 0);
  sumRows(batch, n, dy, grads + layer.bias);
  if (dx == 0) return;
  const w = params + layer.weight;
  for (let j = 0; j < n; j += 16) {
    const width = min(16, n - j);
    packTransposed(layer.inputs, width, w + (usize(j) << 2) * layer.rows, usize(width) << 2, wt, n, j);
  }
  gemm(batch, layer.rows, layer.outputs, dy, ldy, wt, n, 0, dx, ldx, 0, 0, 0, MASK, x);
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
  gemm(batch, n, head.inputs, h, ldh, panels, head.rows, 0, q, usize(n) << 2, 0, params + head.bias, 0, NONE, 0);
}

/** dW(a,:) += dq h, db(a) += dq for one row h. */
export function headBackward(head: Layer, grads: usize, h: usize, action: i32, dq: f32): void {
  const ld = usize(head.rows) << 2;
  axpy(head.rows, dq, h, grads + head.weight + ld * action);
  const bias = grads + head.bias + (usize(action) << 2);
  store<f32>(bias, load<f32>(bias) + dq);
}
