/** The gradient of a network's output by a part of its input. */
import { Normalization } from "../abi";
import { Layer } from "../dense";
import { gemm, NONE, padded } from "../gemm";
import { sink, slant, sloped } from "../network/backward";
import { lastOf, layerAt, Network } from "../network/plan";
import { layerNormBackward } from "../norm";
import { packTransposed } from "../pack";
import { rowsOf } from "../sparse";

/**
 * dc(B, padded(second)) = dq(B) times the derivative of the one output by the second part of the input, behind a forward of
 * the same rows. No gradient of a weight is made. wt: scratch, padded(second) times the first layer's columns.
 * Requires one output, no batch norm and no dropout.
 */
export function secondGradient(net: Network, params: usize, batch: i32, dq: usize, wt: usize, dc: usize): void {
  const head = net.head;
  const ldh = usize(head.rows) << 2;
  const last = lastOf(net);
  for (let b: usize = 0; b < usize(batch); b++) {
    const at = ldh * b;
    const slopes: usize = last.slope ? last.slope + at : 0;
    slant(head.rows, load<f32>(dq + (b << 2)), params + head.weight, last.output + at, slopes, net.dy + at);
  }
  let dy = net.dy;
  let dx = net.dx;
  for (let l = net.hidden - 1; l > 0; l--) {
    const layer = layerAt(net, l);
    const below = layerAt(net, l - 1);
    unnormalise(net, layer, params, batch, dy);
    sink(net, layer, below, params, batch, dy, dx, false);
    sloped(below, batch, dx);
    const spare = dy;
    dy = dx;
    dx = spare;
  }
  const layer = layerAt(net, 0);
  unnormalise(net, layer, params, batch, dy);
  rowsBackward(layer, params, rowsOf(net.first), rowsOf(net.second), batch, dy, wt, dc);
}

/** dy of a layer, from before its ReLU to before its normalisation. */
function unnormalise(net: Network, layer: Layer, params: usize, batch: i32, dy: usize): void {
  if (net.normalization != Normalization.Layer) return;
  layerNormBackward(batch, layer.columns, layer.outputs, dy, params + layer.gain, layer.normal, layer.spread);
}

/** dx(B, padded(n)) = dy W(row..row+n-1, :)^T */
function rowsBackward(
  layer: Layer,
  params: usize,
  row: i32,
  n: i32,
  batch: i32,
  dy: usize,
  wt: usize,
  dx: usize,
): void {
  const columns = layer.columns;
  const width = padded(n);
  for (let j = 0; j < columns; j += 16) {
    const w = min(16, columns - j);
    const panel = params + layer.weight + (usize(j) << 2) * layer.rows + (usize(w) << 2) * row;
    packTransposed(n, w, panel, usize(w) << 2, wt, columns, j);
  }
  gemm(batch, width, layer.outputs, dy, usize(columns) << 2, wt, columns, 0, dx, usize(width) << 2, 0, 0, 0, 0, NONE, 0);
}
