/** Forms of weights beside the trained ones: with noise, folded, plain; and running statistics. */
import { Normalization, STATISTIC_MAX } from "../abi";
import { Layer, layerBytes, packLayer, unpackLayer, weightAt } from "../dense";
import { drawNoise, noiseGradient, perturb } from "../noise";
import { foldNorm, keepStatistics as keepOf } from "../norm";
import { Rng } from "../rng";
import { allWithin } from "../vector";
import { Network, layerAt } from "./plan";

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

/** The gradient of the noise scales from the weights' gradient, for the noise drawn last. */
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

/** Moves running statistics towards the training forward's, of `batch` rows, and of `states` in the value stream. */
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
 * The inverse of unpackLayers: all layers from plain numbers; padding between and after them stays. Requires
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

/**
 * Zeroes the gradient of what the last `units` units of each hidden layer are made of, and of the weights by which others read
 * them: no update moves these. Requires units below each width, and neither normalisation nor a value stream.
 */
export function freeze(net: Network, grads: usize, units: i32): void {
  for (let l = 0; l <= net.hidden; l++) {
    const isHead = l == net.hidden;
    const layer = isHead ? net.head : layerAt(net, l);
    const free = layer.outputs - (isHead ? 0 : units);
    for (let j = 0; j < layer.outputs; j++) {
      const from = j >= free ? 0 : layer.inputs - (l ? units : 0);
      for (let i = from; i < layer.inputs; i++) store<f32>(grads + weightAt(layer, isHead, i, j), 0);
      if (j >= free) store<f32>(grads + layer.bias + (usize(j) << 2), 0);
    }
  }
}
