/** From rows of inputs to action values. */
import { Activation, Normalization } from "../abi";
import { activate } from "../activation";
import { denseForward, headAt, headForward, headRows, inputForward, Layer, packHead, splitForward, splitSets } from "../dense";
import { NONE, RELU } from "../gemm";
import { batchNorm, layerNorm } from "../norm";
import { nextU32 } from "../rng";
import { Network, layerAt } from "./plan";

/** Output of layer l, done in place behind the product: normalisation, activation and dropout where they are not in it. */
function finish(net: Network, layer: Layer, params: usize, batch: i32): void {
  const z = layer.output;
  const isRelu = net.activation == Activation.Relu;
  const least: f32 = isRelu ? 0 : -Infinity;
  if (net.normalization == Normalization.Layer) {
    const gain = params + layer.gain;
    layerNorm(batch, layer.columns, layer.outputs, z, gain, params + layer.shift, layer.normal, layer.spread, least);
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
      least,
    );
  }
  if (!isRelu) activate(net.activation, batch * layer.columns, z, layer.slope);
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
      const isDropped = nextU32(net.rng) < threshold;
      store<f32>(at, isDropped ? <f32>0 : load<f32>(at) * grown);
      // Of ReLU the output itself shows it.
      if (isDropped && layer.slope) store<f32>(at - layer.output + layer.slope, 0);
    }
  }
}

/** The epilogue of a layer's product: ReLU, unless a normalisation stands between or it is not the activation. */
function epilogueOf(net: Network): i32 {
  if (net.activation != Activation.Relu) return NONE;
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
  valuesOfRows(net, params, 1, x, 0, q);
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

/**
 * q(n, out) for the candidates of several states, whose observations are rows of x: counts i32 (states) of them in each
 * state, which lie one after the other at c; n in all, 0 < n <= rows. u (states, columns): scratch.
 */
export function valuesOfSets(
  net: Network,
  params: usize,
  states: i32,
  x: usize,
  ldx: usize,
  n: i32,
  counts: usize,
  c: usize,
  u: usize,
  q: usize,
): void {
  const layer = layerAt(net, 0);
  splitSets(layer, params, net.first, net.second, states, x, ldx, counts, c, u, layer.output, epilogueOf(net));
  finish(net, layer, params, n);
  headRows(net.head, params, n, net.outputs, forwardFrom(net, params, 1, n, layer.output), q);
}

/** q(n, out) for n rows [observation | candidate], or observations of fixed actions, from the head's rows. */
export function valuesOfRows(net: Network, params: usize, n: i32, x: usize, ldx: usize, q: usize): void {
  headRows(net.head, params, n, net.outputs, forward(net, params, n, x, ldx), q);
}

/** panels = the head's W^T, for valuesOfBatch. */
export function packOutputs(net: Network, params: usize, panels: usize): void {
  packHead(net.head, params, panels);
}

/** Bytes of those panels. */
export function outputPanelBytes(net: Network): u64 {
  return (u64(net.head.columns) * u64(net.head.rows)) << 2;
}
