import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import type { instantiate } from "../../.build/dqn.js";
import {
  type Activation,
  HALF_MAX,
  INPUT_MAX,
  MAX_HIDDEN,
  type Region,
  Size,
  type Status,
  Storage,
} from "../../assembly/abi.js";

type Door = Awaited<ReturnType<typeof instantiate>>;

/** The kernels build: the engine's own exports and the kernels by name. Pointers and strides in bytes. */
export interface Kernels extends Door {
  adam(
    n: number,
    w: number,
    g: number,
    m: number,
    v: number,
    scale: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    beta1Power: number,
    beta2Power: number,
    weightDecay: number,
  ): void;
  adamPart(part: number, parts: number): void;
  tanh(x: number): number;
  squash(n: number, u: number, y: number): void;
  squashBackward(n: number, a: number, da: number, du: number): void;
  smooth(rng: number, n: number, sigma: number, most: number, z: number, a: number): void;
  addNoise(n: number, sigma: number, z: number, a: number): void;
  correlate(rng: number, n: number, c: number, fresh: number, z: number): void;
  drawUniform(rng: number, n: number, a: number): void;
  bellman(reward: number, discount: number, value: number): number;
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    lda: number,
    b: number,
    brows: number,
    brow: number,
    c: number,
    ldc: number,
    crows: number,
    crow: number,
    init: number,
    ldi: number,
    epilogue: number,
    mask: number,
  ): void;
  gemmPart(part: number, parts: number): void;
  padded(n: number): number;
  huber(d: number): number;
  huberGradient(d: number): number;
  squared(d: number): number;
  squaredGradient(d: number): number;
  tdLoss(n: number, q: number, y: number, isSquared: number, w: number, td: number, dq: number): number;
  quantileLoss(m: number, n: number, theta: number, y: number, w: number, td: number, dtheta: number): number;
  conservative(c: number, n: number, q: number, action: number, scale: number, p: number, d: number): number;
  splitChoices(m: number, n: number, rows: number, u: number): void;
  joinChoices(m: number, n: number, rows: number, u: number): void;
  choiceWeights(c: number, v: number): void;
  greedySlate(c: number, k: number, q: number, v: number, taken: number, chosen: number): void;
  mixture(k: number, n: number, chosen: number, theta: number, v: number, y: number): void;
  conservativeSlate(c: number, k: number, n: number, q: number, scale: number, p: number, d: number): number;
  choiceLoss(c: number, u: number, action: number, scale: number, p: number, du: number): number;
  softValue(c: number, n: number, theta: number, q: number, temperature: number, p: number, v: number): void;
  munchausen(c: number, q: number, action: number, alpha: number, temperature: number, clip: number, p: number): number;
  best(c: number, q: number, bits: number): number;
  boltzmann(
    c: number,
    available: number,
    q: number,
    bits: number,
    temperature: number,
    epsilon: number,
    p: number,
  ): void;
  drawn(c: number, p: number, u: number): number;
  countOf(c: number, bits: number): number;
  duel(c: number, n: number, v: number, theta: number, isCentred: boolean): void;
  duelBackward(c: number, n: number, d: number, dv: number): void;
  packBits(n: number, src: number, dst: number): void;
  expectations(c: number, n: number, theta: number, bits: number, q: number): void;
  softmax(c: number, q: number, temperature: number, p: number): number;
  layerNorm(
    m: number,
    n: number,
    width: number,
    z: number,
    gain: number,
    shift: number,
    x: number,
    spread: number,
    least: number,
  ): void;
  layerNormBackward(m: number, n: number, width: number, dy: number, gain: number, x: number, spread: number): void;
  batchNorm(
    m: number,
    n: number,
    z: number,
    gain: number,
    shift: number,
    x: number,
    spread: number,
    mean: number,
    variance: number,
    least: number,
  ): void;
  batchNormBackward(m: number, n: number, dy: number, gain: number, x: number, spread: number): void;
  normGradient(m: number, n: number, dy: number, x: number, dgain: number, dshift: number): void;
  keepStatistics(m: number, n: number, mean: number, variance: number, runMean: number, runVariance: number): void;
  foldNorm(
    rows: number,
    n: number,
    w: number,
    b: number,
    gain: number,
    shift: number,
    mean: number,
    variance: number,
    wOut: number,
    bOut: number,
  ): void;
  drawNoise(rng: number, n: number, padded: number, e: number): void;
  perturb(m: number, n: number, mu: number, sigma: number, a: number, b: number, w: number): void;
  noiseGradient(m: number, n: number, dw: number, a: number, b: number, dsigma: number): void;
  normals(rng: number, n: number, x: number): void;
  gatherRows(n: number, slots: number, indices: number, w: number, rows: number, row: number, y: number): void;
  scatterRows(n: number, slots: number, indices: number, dw: number, rows: number, row: number, dy: number): void;
  toHalves(n: number, x: number, h: number): void;
  fromHalves(n: number, h: number, x: number): void;
  toBytes(n: number, low: number, high: number, x: number, u: number): void;
  fromBytes(n: number, low: number, high: number, u: number, x: number): void;
  zeroRows(n: number, w: number, rows: number, row: number, count: number): void;
  rectify(n: number, y: number): void;
  scale(n: number, alpha: number, y: number): void;
  treeAt(base: number, capacity: number): number;
  treeSet(tree: number, i: number, priority: number): void;
  treeGet(tree: number, i: number): number;
  treeTotal(tree: number): number;
  treeSetAll(tree: number, n: number, leaves: number, priorities: number): void;
  treeFind(tree: number, n: number, targets: number, leaves: number): void;
  treeRebuild(tree: number, capacity: number): void;
  packPanels(m: number, n: number, src: number, lds: number, dst: number): void;
  packTransposed(m: number, n: number, src: number, lds: number, dst: number, rows: number, row: number): void;
  panelOffset(rows: number, n: number, i: number, j: number): number;
  transpose(m: number, n: number, src: number, lds: number, dst: number, ldd: number): void;
  seedRng(rng: number, seed: bigint, stream: bigint): void;
  nextU32(rng: number): number;
  uniform(rng: number): number;
  uniformIn(rng: number, low: number, high: number): number;
  below(rng: number, n: number): number;
  allWithin(n: number, low: number, high: number, x: number): number;
  argmax(n: number, x: number): number;
  activate(f: Activation, n: number, z: number, slope: number): void;
  axpy(n: number, alpha: number, x: number, y: number): void;
  copy(y: number, x: number, bytes: number): void;
  dot(n: number, a: number, b: number): number;
  exp(x: number): number;
  log(x: number): number;
  dotRows(m: number, n: number, k: number, h: number, ldh: number, w: number, ldw: number, b: number, q: number): void;
  quantise(k: number, x: number, inverse: number, step: number, most: number, isNarrow: boolean, q: number): number;
  endRow(k: number, sum: number, q: number): void;
  dots(m: number, n: number, k: number, x: number, w: number, init: number, isNarrow: boolean, c: number): void;
  rescale(m: number, n: number, c: number, scale: number, base: number): void;
  addIndexRows(n: number, slots: number, indices: number, w: number, scale: number, y: number): void;
  dot4(n: number, a: number, b: number, ldb: number, y: number): void;
  lerp(n: number, tau: number, x: number, y: number): void;
  scaleMasked(n: number, alpha: number, x: number, h: number, y: number): void;
  scaleSloped(n: number, alpha: number, x: number, slope: number, y: number): void;
  sumSquares(n: number, x: number): number;
}

/** Where the heap of a kernels instance may begin. */
export const FIRST_FREE = 65536;
const GUARD = 0x7fc0dead;

/** A kernels instance and a bump allocator over fresh memory, with a guard word on both sides of each tensor. */
export class KernelBench {
  readonly exports: Kernels;
  #top = FIRST_FREE;
  #guards: number[] = [];

  constructor(pages = 64) {
    const module = new WebAssembly.Module(readFileSync(".build/kernels.wasm"));
    this.exports = instantiateSync<Kernels & Record<string, unknown>>(module, {}).exports;
    this.exports.memory.grow(pages);
  }

  /** Forgets all tensors. */
  reset(): void {
    this.#top = FIRST_FREE;
    this.#guards = [];
  }

  /** A tensor of n f32, at an address that is a multiple of 16 but not of 64. */
  f32(n: number, values?: ArrayLike<number>): { at: number; data: Float32Array } {
    const buffer = this.exports.memory.buffer;
    const at = (Math.ceil((this.#top + 16) / 64) | 0) * 64 + 16;
    const end = at + n * 4;
    new Uint32Array(buffer, at - 4, 1)[0] = GUARD;
    new Uint32Array(buffer, end, 1)[0] = GUARD;
    this.#guards.push(at - 4, end);
    this.#top = end + 4;
    const data = new Float32Array(buffer, at, n);
    if (values) data.set(values);
    else data.fill(Number.NaN);
    return { at, data };
  }

  /** Whether nothing was written beside a tensor. */
  guardsHold(): boolean {
    return this.#guards.every((at) => new Uint32Array(this.exports.memory.buffer, at, 1)[0] === GUARD);
  }
}

/** Bounds of dense numbers where bytes give none. */
function boundsOf(storage: Storage | undefined): readonly [low: number, high: number] {
  const most = storage === Storage.F16 ? HALF_MAX : INPUT_MAX;
  return [-most, most];
}

/** Creates the agent of a kernels instance: sizes by name, with 1 where a size must not be 0. */
export function createAgent(
  exports: Kernels,
  sizes: Partial<Record<keyof typeof Size, number>>,
  hidden: number[],
  sigma = 0,
  [low, high]: readonly [low: number, high: number] = boundsOf(sizes.Storage),
): Status {
  const all = new Int32Array(exports.memory.buffer, exports.sizes(), Size.Widths + MAX_HIDDEN);
  for (const size of [Size.Quantiles, Size.Batch, Size.Capacity, Size.NStep, Size.Environments, Size.Parts])
    all[size] = 1;
  for (const [name, value] of Object.entries(sizes)) all[Size[name as keyof typeof Size]] = value;
  all[Size.Hidden] = hidden.length;
  all.set(hidden, Size.Widths);
  return exports.create(7, 0, low, high, sigma);
}

/** The largest |a - b| / (1 + |b|). */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    const d = Math.abs(a[i]! - b[i]!) / (1 + Math.abs(b[i]!));
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

/** A region of an agent in a kernels instance, as f32. */
export function regionOf(exports: Kernels, region: Region): Float32Array {
  return new Float32Array(exports.memory.buffer, exports.region(region), exports.regionBytes(region) / 4);
}
