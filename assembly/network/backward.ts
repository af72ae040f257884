/** Backward pass: from the gradient of action values to the gradient of the weights. */
import { Activation, Normalization } from "../abi";
import { denseBackward, denseGradient, headGradient, inputGradient, Layer, layerBytes } from "../dense";
import { batchNormBackward, layerNormBackward, normGradient } from "../norm";
import { axpy, scale, scaleMasked, scaleSloped } from "../vector";
import { Network, lastOf, layerAt } from "./plan";

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
  let slope = lastOf(net).slope;
  let d = net.dy;
  for (let b: usize = 0; b < usize(batch); b++) {
    const first = (actions ? load<i32>(actions + (b << 2)) : 0) * quantiles;
    headOfRow(head, params, grads, first, quantiles, h, slope, dq, d);
    dq += usize(quantiles) << 2;
    h += ldh;
    if (slope) slope += ldh;
    d += ldh;
  }
}

/** The same for dq(b, out), rows `ldq` apart, of all outputs. */
export function headOfAll(net: Network, params: usize, grads: usize, batch: i32, dq: usize, ldq: usize): void {
  const head = net.head;
  memory.fill(grads + head.weight, 0, usize(layerBytes(head)));
  const ldh = usize(head.rows) << 2;
  let h = lastOf(net).output;
  let slope = lastOf(net).slope;
  let d = net.dy;
  for (let b = 0; b < batch; b++) {
    headOfRow(head, params, grads, 0, net.outputs, h, slope, dq, d);
    dq += ldq;
    h += ldh;
    if (slope) slope += ldh;
    d += ldh;
  }
}

/** dW and db of outputs first..first+n-1 for one row h, and d = f'(z) * W^T dq; slope: f'(z), 0 for that of ReLU. */
function headOfRow(
  head: Layer,
  params: usize,
  grads: usize,
  first: i32,
  n: i32,
  h: usize,
  slope: usize,
  dq: usize,
  d: usize,
): void {
  const rows = head.rows;
  const w = params + head.weight + ((usize(rows) * usize(first)) << 2);
  headGradient(head, grads, h, first, load<f32>(dq));
  if (n == 1) {
    slant(rows, load<f32>(dq), w, h, slope, d);
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
  slant(rows, 1, d, h, slope, d);
}

/** y = f'(z) * alpha * x; slope: f'(z), or 0 for that of ReLU, which its output h shows. */
export function slant(n: i32, alpha: f32, x: usize, h: usize, slope: usize, y: usize): void {
  if (slope) scaleSloped(n, alpha, x, slope, y);
  else scaleMasked(n, alpha, x, h, y);
}

/** dx of the layer below that a layer's dy gives, before the slope of an activation that is not ReLU. */
export function sink(net: Network, layer: Layer, below: Layer, params: usize, batch: i32, dy: usize, dx: usize, isAdded: bool): void {
  const isMasked = net.activation == Activation.Relu;
  denseBackward(layer, params, batch, below.output, usize(below.columns) << 2, dy, dx, isAdded, isMasked, net.scratch);
}

/** That slope. */
export function sloped(below: Layer, batch: i32, dx: usize): void {
  if (below.slope) scaleSloped(batch * below.columns, 1, dx, below.slope, dx);
}

/** dy of a layer: from before its activation to before its normalisation, and that normalisation's gradient. */
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
    sink(net, layer, below, params, batch, dy, dx, false);
    if (dv && net.isShared && l == net.hidden - 1) {
      valueBackward(net.value!, params, grads, batch, below.output, ldb, dv, below, dx);
    }
    sloped(below, batch, dx);
    const spare = dy;
    dy = dx;
    dx = spare;
  }
  const layer = layerAt(net, 0);
  unfinish(net, layer, params, grads, batch, dy);
  inputGradient(layer, grads, net.first, net.second, batch, x, ldx, dy, net.scratch);
  if (dv && !net.isShared) valueBackward(net.value!, params, grads, states, xv, ldv, dv, null, 0);
}

/**
 * dx(B, padded(in)): the gradient of the input, behind backward of the same rows.
 * Requires inputs without indices, and no value stream but a shared one.
 */
export function backwardInput(net: Network, params: usize, batch: i32, dx: usize): void {
  const layer = layerAt(net, 0);
  // Where backward has left the first layer's.
  const dy = net.hidden & 1 ? net.dy : net.dx;
  denseBackward(layer, params, batch, 0, usize(layer.rows) << 2, dy, dx, false, false, net.scratch);
}

/** The gradient of a value stream for rows x; dx: where it is added to the gradient of the layer below, if there is one. */
function valueBackward(
  value: Network,
  params: usize,
  grads: usize,
  batch: i32,
  x: usize,
  ldx: usize,
  dv: usize,
  below: Layer | null,
  dx: usize,
): void {
  headOfAll(value, params, grads, batch, dv, usize(value.outputs) << 2);
  const top = value.dy;
  backward(value, params, grads, batch, x, ldx, 0, 0, 0, 0);
  // One hidden layer, so that its dy still is at the top.
  if (below) sink(value, layerAt(value, 0), below, params, batch, top, dx, true);
}
