/** From staged inputs to action values. */
import { layerNorm } from "../norm";
import { choiceWeights, splitChoices } from "../slate";
import { bytesOf, Part } from "../sparse";
import { duel, expectations } from "../values";
import { rectify } from "../vector";
import { ROWS, Vector } from "./abi";
import { addIndexRows, dots, endRow, quantise, rescale, rowBytes } from "./dots";
import { Chain, hasCandidates, headOutputs, Layer, layerOf, Net, placeOf } from "./plan";

/** Quantised rows of a part's dense numbers. */
function quantiseRows(layer: Layer, part: Part, k: i32, inverse: Vector, m: i32, x: usize, q: usize): void {
  const at = placeOf(layer, inverse);
  const own = k / layer.digits;
  for (; m > 0; m--) {
    let sum = quantise(own, x, at, 16, layer.most, layer.isNarrow, q);
    if (layer.digits == 2) {
      sum += quantise(own, x, at + (usize(own) << 2), 16, layer.most, layer.isNarrow, q + (usize(own) << 1));
    }
    endRow(k, sum, q);
    x += bytesOf(part);
    q += rowBytes(k);
  }
}

/** Index rows of m rows x of a part, each added to a row of y, ldy bytes apart. */
function addIndices(
  layer: Layer,
  part: Part,
  rows: Vector,
  scale: Vector,
  m: i32,
  x: usize,
  y: usize,
  ldy: usize,
): void {
  if (!part.slots) return;
  x += usize(part.dense) << 2;
  for (; m > 0; m--) {
    addIndexRows(layer.n, part.slots, x, placeOf(layer, rows), placeOf(layer, scale), y);
    x += bytesOf(part);
    y += ldy;
  }
}

/** The hidden layer's activations of m rows z, which hold what stands before normalisation and ReLU. */
function finish(net: Net, layer: Layer, m: i32): void {
  const z = net.z;
  if (net.isNormalized) {
    const gain = placeOf(layer, Vector.Gain);
    layerNorm(m, layer.n, layer.outputs, z, gain, placeOf(layer, Vector.Shift), net.normal, net.spread, 0);
    return;
  }
  rectify(m * layer.n, z);
}

/** Quantises m rows of activations z of `layer` for the layer behind it. */
function requantise(net: Net, layer: Layer, next: Layer, m: i32, q: usize): void {
  const bytes = usize(layer.n) << 2;
  const inverse = placeOf(next, Vector.Inverse);
  for (let i = 0; i < m; i++) {
    endRow(next.k, quantise(next.k, net.z + bytes * i, inverse, 0, next.most, next.isNarrow, q), q);
    q += rowBytes(next.k);
  }
}

/** z(m, n) of a layer behind another one, before normalisation and ReLU, for m quantised rows q. */
function productOf(net: Net, layer: Layer, m: i32, q: usize): void {
  dots(m, layer.n, layer.k, q, placeOf(layer, Vector.Weights), 0, layer.isNarrow, net.z);
  rescale(m, layer.n, net.z, placeOf(layer, Vector.Scale), placeOf(layer, Vector.Bias));
}

/**
 * Hidden layers from..to-1 of a chain, whose m quantised inputs lie at q; other: rows of the same size. Those of layer `to`
 * then lie at the address that comes back, one of the two.
 */
function hiddenFrom(net: Net, chain: Chain, from: i32, to: i32, m: i32, q: usize, other: usize): usize {
  for (let l = from; l < to; l++) {
    const layer = layerOf(chain, l);
    productOf(net, layer, m, q);
    finish(net, layer, m);
    requantise(net, layer, layerOf(chain, l + 1), m, other);
    const spare = q;
    q = other;
    other = spare;
  }
  return q;
}

/** theta(m, outputs) of a chain from layer `from` on, in the same way. */
function chainFrom(net: Net, chain: Chain, from: i32, m: i32, q: usize, other: usize, theta: usize): void {
  const head = layerOf(chain, chain.hidden);
  productOf(net, head, m, hiddenFrom(net, chain, from, chain.hidden, m, q, other));
  const bytes = usize(head.outputs) << 2;
  for (let i: usize = 0; i < usize(m); i++) memory.copy(theta + bytes * i, net.z + (usize(head.n) << 2) * i, bytes);
}

/** Activations of a first layer for m observations x, to z. */
function firstOfRows(net: Net, layer: Layer, m: i32, x: usize): void {
  quantiseRows(layer, net.observation, layer.k, Vector.Inverse, m, x, net.q);
  dots(m, layer.n, layer.k, net.q, placeOf(layer, Vector.Weights), 0, layer.isNarrow, net.z);
  rescale(m, layer.n, net.z, placeOf(layer, Vector.Scale), placeOf(layer, Vector.Bias));
  const ldz = usize(layer.n) << 2;
  addIndices(layer, net.observation, Vector.IndexRows, Vector.IndexScale, m, x, net.z, ldz);
  finish(net, layer, m);
}

/** v(m, quantiles): the value of m observations x by a network of its own. */
function valuesOfStates(net: Net, m: i32, x: usize): void {
  const first = layerOf(net.value, 0);
  firstOfRows(net, first, m, x);
  requantise(net, first, layerOf(net.value, 1), m, net.q);
  chainFrom(net, net.value, 1, m, net.q, net.other, net.v);
}

/** Means over quantiles of m rows of actions, with the value stream in them, to values. */
function valuesOfTheta(net: Net, m: i32): void {
  const c = net.actions;
  const bytes = usize(c * net.quantiles) << 2;
  for (let i: usize = 0; i < usize(m); i++) {
    const theta = net.theta + bytes * i;
    if (net.isDueling) duel(c, net.quantiles, net.v + (usize(net.quantiles) << 2) * i, theta, true);
    expectations(c, net.quantiles, theta, 0, net.values + (usize(c) << 2) * i);
  }
}

/** Values of all actions in m states x, 0 < m <= ROWS, to values. */
export function valuesOfRows(net: Net, m: i32, x: usize): void {
  if (net.isDueling && !net.isShared) valuesOfStates(net, m, x);
  const main = net.main;
  firstOfRows(net, layerOf(main, 0), m, x);
  requantise(net, layerOf(main, 0), layerOf(main, 1), m, net.q);
  // The trunk ends before the last hidden layer: there the value stream parts.
  const from = max(1, main.hidden - 1);
  const q = hiddenFrom(net, main, 1, from, m, net.q, net.other);
  const other = q == net.q ? net.other : net.q;
  // Both streams read what lies at q, and write beside it.
  if (net.isDueling && net.isShared) chainFrom(net, net.value, 0, m, q, other, net.v);
  chainFrom(net, main, from, m, q, other, net.theta);
  valuesOfTheta(net, m);
}

/** theta(n, outputs) of n candidates c of one observation x, ROWS at a time. */
function thetaOfCandidates(net: Net, x: usize, n: i32, c: usize): void {
  const layer = layerOf(net.main, 0);
  const next = layerOf(net.main, 1);
  quantiseRows(layer, net.observation, layer.k, Vector.Inverse, 1, x, net.q);
  if (layer.k) dots(1, layer.n, layer.k, net.q, placeOf(layer, Vector.Weights), 0, layer.isNarrow, net.sums);
  else memory.fill(net.sums, 0, usize(layer.n) << 2);
  memory.copy(net.base, placeOf(layer, Vector.Bias), usize(layer.n) << 2);
  addIndices(layer, net.observation, Vector.IndexRows, Vector.IndexScale, 1, x, net.base, 0);
  const ldz = usize(layer.n) << 2;
  let theta = net.theta;
  for (; n > 0; n -= ROWS) {
    const m = min(n, ROWS);
    quantiseRows(layer, net.features, layer.candidateK, Vector.CandidateInverse, m, c, net.q);
    if (layer.candidateK) {
      dots(m, layer.n, layer.candidateK, net.q, placeOf(layer, Vector.CandidateWeights), net.sums, layer.isNarrow, net.z);
    } else {
      for (let i: usize = 0; i < usize(m); i++) memory.copy(net.z + ldz * i, net.sums, ldz);
    }
    rescale(m, layer.n, net.z, placeOf(layer, Vector.Scale), net.base);
    addIndices(layer, net.features, Vector.CandidateIndexRows, Vector.CandidateIndexScale, m, c, net.z, ldz);
    finish(net, layer, m);
    requantise(net, layer, next, m, net.q);
    chainFrom(net, net.main, 1, m, net.q, net.other, theta);
    c += bytesOf(net.features) * m;
    theta += (usize(headOutputs(net)) << 2) * m;
  }
}

/** Values of n staged candidates of the staged observation; with slates of nothing too, and weights of the choice. */
export function valuesOfCandidates(net: Net, n: i32): void {
  if (net.isSlate) {
    const rows = net.candidates - bytesOf(net.features);
    memory.fill(rows, 0, bytesOf(net.features));
    thetaOfCandidates(net, net.inputs, n + 1, rows);
    splitChoices(n + 1, net.quantiles, net.theta, net.choices - 4);
    choiceWeights(n, net.choices - 4);
    expectations(n + 1, net.quantiles, net.theta, 0, net.values - 4);
    if (net.parts == 1) return;
    // Of parts, the sum of their means.
    for (let at = net.values - 4, end = net.values + (usize(n) << 2); at < end; at += 4) {
      store<f32>(at, load<f32>(at) * f32(net.parts));
    }
    return;
  }
  if (n == 0) return;
  if (net.isDueling) valuesOfStates(net, 1, net.inputs);
  thetaOfCandidates(net, net.inputs, n, net.candidates);
  if (net.isDueling) duel(n, net.quantiles, net.v, net.theta, false);
  expectations(n, net.quantiles, net.theta, 0, net.values);
}
