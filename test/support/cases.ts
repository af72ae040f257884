/** Agents with every option, alone and combined, and experience that touches every special case. */
import { Activation, Flag, Normalization, Region, Scalar, type Status, Storage } from "../../assembly/abi.js";
import type { Sample } from "../reference/dqn.js";
import type { Offer, Plan } from "../reference/network.js";
import { type Kind, keptOf } from "../reference/storage.js";
import type { Kernels } from "./kernels.js";
import { numbers } from "./numbers.js";

/** Dense numbers, index slots and the rows that they index, of an observation or a candidate. */
export type Part = readonly [dense: number, slots?: number, size?: number];

export interface Case {
  name: string;
  hidden: number[];
  observation: Part;
  actions?: number;
  features?: Part;
  flags?: number;
  quantiles?: number;
  normalization?: Normalization;
  activation?: Activation;
  dropout?: number;
  cqlAlpha?: number;
  storage?: Kind;
  /** Candidates of a slate. */
  slate?: number;
  /** Parts of the reward. */
  parts?: number;
}

export const BATCH = 6;
export const CAPACITY = 11;
const NEXT = 5;

export const LEARNING_RATE = 0.003;
const BETAS = [0.9, 0.999] as const;
export const EPSILON = 1e-8;
export const WEIGHT_DECAY = 0.1;
export const EXPONENTS = [0.6, 0.5] as const;
export const CHOICE_WEIGHT = 0.7;
export const MUNCHAUSEN = { alpha: 0.9, temperature: 0.3, clip: -1 };

const { Double, Squared, Masked, Prioritized, Dueling, Munchausen, Conservative, Noisy, Sets } = Flag;

const width = ([dense, , size = 0]: Part) => dense + size;
export const words = ([dense, slots = 0]: Part) => dense + 2 * slots;

/** A row as it is staged, and with its indices written out. */
interface Row {
  staged: Float32Array;
  dense: number[];
}

/** A row of made-up numbers; the last index slot of some rows is not used. */
export function rowOf([dense, slots = 0, size = 0]: Part, seed: number): Row {
  const x = numbers(dense + 2 * slots, seed);
  const integers = new Int32Array(x.buffer);
  const written = [...x.subarray(0, dense), ...new Array<number>(size).fill(0)];
  const used = slots - (seed % 2);
  const step = Math.floor(size / Math.max(1, slots));
  for (let s = 0; s < slots; s++) {
    // Rising; the last slot reaches the last row.
    const room = s === slots - 1 ? size - s * step : step;
    const index = s < used ? s * step + ((seed >> 1) % room) : 0;
    const weight = s < used ? x[dense + slots + s]! : 0;
    integers[dense + s] = index;
    x[dense + slots + s] = weight;
    written[dense + index]! += weight;
  }
  return { staged: x, dense: written };
}

export interface Stored {
  observation: Row;
  set: Row[];
  mask: boolean[];
  next: Row;
  nextSet: Row[];
  nextMask: boolean[];
  action: number;
  /** Of the set, by a slate. */
  shown: number;
  nextSlate: number;
  reward: number;
  /** Of the parts behind the first. */
  others: number[];
  discount: number;
}

/** Transition i of a case; the most candidates of its set and of the next. */
export function storedOf(
  i: number,
  { observation, actions = 0, features = [0], flags = 0, slate = 0, parts = 1 }: Case,
  most = NEXT,
  nextMost = NEXT,
): Stored {
  const isNothingAvailable = i === 4;
  const offer = (n: number, seed: number) =>
    width(features) ? Array.from({ length: n }, (_, c) => rowOf(features, seed * 31 + c)) : [];
  // Slates may show nothing at all, and nothing of them may be entered.
  const set = offer(slate && i === 6 ? 0 : 1 + ((i + 2) % most), i);
  const shown = slate ? Math.max(0, set.length - (i % 3)) : 0;
  const action = slate ? (i % (shown + 1)) - 1 : actions ? i % actions : i % Math.max(1, set.length);
  const isMasked = (flags & Masked) !== 0;
  return {
    observation: rowOf(observation, i + 1),
    set,
    mask: Array.from({ length: actions }, (_, a) => !isMasked || a === action || (a * 5 + i) % 3 > 0),
    next: rowOf(observation, i + 101),
    nextSet: offer(isNothingAvailable ? 0 : 1 + (i % nextMost), i + 201),
    nextMask: Array.from({ length: actions }, (_, a) => !isMasked || (!isNothingAvailable && (a * 7 + i) % 3 > 0)),
    action,
    shown,
    nextSlate: slate && slate - (i % slate),
    reward: Math.fround(3 * numbers(1, i + 301)[0]!),
    others: Array.from(numbers(parts - 1, i + 401), (x) => Math.fround(2 * x)),
    discount: i % 5 === 2 ? 0 : Math.fround(0.9),
  };
}

/** What the twin sees of it: acting as it is given, learning as it is kept, which leaves what indices stand for alone. */
export function sampleOf(stored: Stored, { observation, features = [0], actions }: Case, kind: Kind = "f32"): Sample {
  const kept = (row: Row, [dense]: Part) => row.dense.map((x, i) => (i < dense ? keptOf(x, kind) : x));
  const offer = (row: Row, set: Row[], mask: boolean[]): Offer =>
    actions
      ? { observation: kept(row, observation), mask }
      : { observation: kept(row, observation), set: set.map((c) => kept(c, features)) };
  const { action, shown, nextSlate, reward, others, discount } = stored;
  const state = offer(stored.observation, stored.set, stored.mask);
  return {
    state,
    action,
    shown,
    nextSlate,
    reward,
    others,
    discount,
    next: offer(stored.next, stored.nextSet, stored.nextMask),
  };
}

/** The sizes of its agent, see createAgent. */
export function sizesOf(given: Case) {
  const { observation, actions = 0, features = [0], flags = 0, storage = "f32" } = given;
  const hasCandidates = !actions;
  return {
    Flags: flags,
    Observation: observation[0],
    Slots: observation[1] ?? 0,
    Indexed: observation[2] ?? 0,
    Actions: actions,
    Features: features[0],
    FeatureSlots: features[1] ?? 0,
    FeatureIndexed: features[2] ?? 0,
    MaxCandidates: hasCandidates ? 9 : 0,
    NextCandidates: hasCandidates ? NEXT : 0,
    Quantiles: given.quantiles ?? 1,
    Normalization: given.normalization ?? Normalization.None,
    Batch: BATCH,
    Capacity: CAPACITY,
    Slate: given.slate ?? 0,
    Parts: given.parts ?? 1,
    Activation: given.activation ?? Activation.Relu,
    Storage: storage === "f32" ? Storage.F32 : storage === "f16" ? Storage.F16 : Storage.U8,
  };
}

/** Bounds of its dense numbers, where its storage has some. */
export const boundsOf = ({ storage }: Case) =>
  typeof storage === "object" ? ([storage.low, storage.high] as const) : undefined;

/** Scale of its noise. */
export const sigmaOf = ({ flags = 0 }: Case): number => (flags & Noisy ? 0.7 : 0);

/** Its network. */
export function planOf({ hidden, observation, actions = 0, features = [0], flags = 0, ...rest }: Case): Plan {
  return {
    observation: width(observation),
    features: width(features),
    hidden,
    actions,
    quantiles: (rest.quantiles ?? 1) * (rest.parts ?? 1),
    normalization: (["none", "layer", "batch"] as const)[rest.normalization ?? Normalization.None],
    isDueling: (flags & Dueling) !== 0,
    isNoisy: (flags & Noisy) !== 0,
    isSlate: rest.slate !== undefined,
    activation: (["relu", "tanh", "gelu", "linear"] as const)[rest.activation ?? Activation.Relu],
  };
}

/** What calls take as numbers. */
export const scalarsOf = (exports: Kernels) =>
  new Float64Array(exports.memory.buffer, exports.region(Region.Scalars), Scalar.Count);

/** Stages a transition and has the agent observe it. */
export function feed(
  exports: Kernels,
  f32: (region: Region) => Float32Array,
  given: Case,
  step: Stored,
  isLast = true,
  environment = 0,
): Status {
  const { actions = 0, features = [0], flags = 0, slate } = given;
  const write = (region: Region, rows: Row[], stride: number) =>
    rows.forEach((row, i) => void f32(region).set(row.staged, i * stride));
  write(Region.Observation, [step.observation], 0);
  write(Region.NextObservation, [step.next], 0);
  write(Region.NextCandidates, step.nextSet, words(features));
  if (!actions) {
    if (!slate) write(Region.Candidate, [step.set[step.action]!], 0);
    write(Region.Candidates, step.set, words(features));
  }
  for (const [region, mask] of [
    [Region.Mask, step.mask],
    [Region.NextMask, step.nextMask],
  ] as const) {
    new Uint8Array(exports.memory.buffer, exports.region(region), actions).set(mask.map(Number));
  }
  const hasSets = (flags & Sets) !== 0;
  const action = actions || hasSets ? step.action : 0;
  const count = hasSets ? step.set.length : 0;
  const scalars = scalarsOf(exports);
  scalars.set([step.reward, ...step.others], Scalar.Reward);
  scalars[Scalar.Discount] = step.discount;
  scalars[Scalar.NextSlate] = step.nextSlate;
  return exports.observe(action, count, step.nextSet.length, isLast, environment, step.shown);
}

const ALL = Double | Prioritized | Dueling | Noisy | Sets;

export const CASES: Case[] = [
  { name: "one layer", hidden: [5], observation: [3], actions: 2 },
  { name: "one input, one action", hidden: [4], observation: [1], actions: 1 },
  { name: "squared loss", hidden: [20, 13], observation: [6], actions: 4, flags: Squared },
  { name: "Double", hidden: [17, 12], observation: [5], actions: 3, flags: Double },
  { name: "mask", hidden: [9, 28], observation: [4], actions: 6, flags: Masked },
  { name: "Double, mask, squared, 35 actions", hidden: [16], observation: [2], actions: 35, flags: 7 },
  { name: "candidates", hidden: [12, 7], observation: [5], features: [3] },
  { name: "candidates, Double, three layers", hidden: [8, 33, 6], observation: [4], features: [6], flags: Double },
  { name: "mask of 33 actions", hidden: [5], observation: [2], actions: 33, flags: Masked | Dueling | Sets },
  { name: "priorities", hidden: [14, 9], observation: [4], actions: 3, flags: Prioritized },
  { name: "priorities, squared, Double, mask", hidden: [11], observation: [4], actions: 5, flags: 15 },
  { name: "priorities, candidates", hidden: [12, 7], observation: [5], features: [3], flags: Prioritized },
  { name: "candidates, squared", hidden: [21], observation: [13], features: [14], flags: Squared },
  { name: "quantiles", hidden: [9, 6], observation: [4], actions: 3, quantiles: 5 },
  { name: "quantiles, Double, mask", hidden: [7], observation: [3], actions: 5, quantiles: 8, flags: Double | Masked },
  {
    name: "quantiles, candidates, Double",
    hidden: [8, 6],
    observation: [4],
    features: [3],
    quantiles: 7,
    flags: Double,
  },
  { name: "dueling", hidden: [9, 6], observation: [4], actions: 3, flags: Dueling | Sets },
  { name: "dueling, one layer, mask", hidden: [7], observation: [4], actions: 6, flags: Dueling | Sets | Masked },
  {
    name: "dueling, Double, mask, squared, three layers",
    hidden: [8, 6, 5],
    observation: [3],
    actions: 4,
    flags: Dueling | Sets | Masked | Double | Squared,
  },
  { name: "dueling, candidates", hidden: [8, 5], observation: [4], features: [3], flags: Dueling | Sets },
  {
    name: "dueling, candidates, Double, quantiles, priorities",
    hidden: [7, 6],
    observation: [3],
    features: [4],
    quantiles: 3,
    flags: Dueling | Sets | Double | Prioritized,
  },
  { name: "Munchausen", hidden: [9, 6], observation: [4], actions: 3, flags: Munchausen | Sets },
  {
    name: "Munchausen, mask, quantiles",
    hidden: [6],
    observation: [4],
    actions: 5,
    quantiles: 4,
    flags: Munchausen | Sets | Masked,
  },
  { name: "Munchausen, candidates", hidden: [8, 5], observation: [4], features: [3], flags: Munchausen | Sets },
  {
    name: "Munchausen, candidates, dueling, quantiles",
    hidden: [8, 5],
    observation: [4],
    features: [3],
    quantiles: 3,
    flags: Munchausen | Sets | Dueling,
  },
  { name: "tanh", hidden: [9, 6], observation: [4], actions: 3, activation: Activation.Tanh },
  {
    name: "tanh, batch norm, dueling, one layer",
    ...{ hidden: [7], observation: [4], actions: 3, activation: Activation.Tanh },
    ...{ normalization: Normalization.Batch, flags: Dueling | Sets },
  },
  {
    name: "GELU, layer norm, dueling, dropout",
    ...{ hidden: [9, 6], observation: [4], actions: 3, activation: Activation.Gelu, dropout: 0.3 },
    ...{ normalization: Normalization.Layer, flags: Dueling | Sets },
  },
  {
    name: "GELU, candidates, quantiles, Double",
    ...{ hidden: [8, 5], observation: [4], features: [3], activation: Activation.Gelu },
    ...{ quantiles: 3, flags: Double },
  },
  { name: "linear", hidden: [9, 6], observation: [4], actions: 3, activation: Activation.Linear },
  {
    name: "linear, index inputs, noise, dropout",
    ...{ hidden: [8, 5], observation: [2, 2, 5], actions: 3, activation: Activation.Linear },
    ...{ dropout: 0.2, flags: Noisy },
  },
  { name: "noise", hidden: [9, 6], observation: [4], actions: 3, flags: Noisy | Double },
  { name: "noise, Munchausen", hidden: [6], observation: [4], actions: 3, flags: Noisy | Munchausen | Sets },
  { name: "noise, candidates", hidden: [8, 5], observation: [4], features: [3], flags: Noisy },
  { name: "layer norm", hidden: [9, 6], observation: [4], actions: 3, normalization: Normalization.Layer },
  {
    name: "layer norm, candidates, dueling",
    hidden: [10, 18],
    observation: [4],
    features: [3],
    flags: Dueling | Sets,
    normalization: Normalization.Layer,
  },
  { name: "batch norm", hidden: [9, 6], observation: [4], actions: 3, normalization: Normalization.Batch },
  {
    name: "batch norm, dueling, Double",
    hidden: [10, 6],
    observation: [4],
    actions: 3,
    flags: Dueling | Sets | Double,
    normalization: Normalization.Batch,
  },
  {
    name: "batch norm, candidates, dueling",
    hidden: [6, 5],
    observation: [4],
    features: [3],
    flags: Dueling | Sets,
    normalization: Normalization.Batch,
  },
  { name: "dropout", hidden: [14, 9], observation: [4], actions: 3, dropout: 0.4 },
  {
    name: "dropout, layer norm, dueling, noise",
    hidden: [14, 9],
    observation: [4],
    actions: 3,
    dropout: 0.4,
    flags: Dueling | Sets | Noisy,
    normalization: Normalization.Layer,
  },
  { name: "conservative", hidden: [9, 6], observation: [4], actions: 3, flags: Conservative | Sets, cqlAlpha: 1.5 },
  {
    name: "conservative, mask, quantiles, priorities",
    hidden: [7],
    observation: [4],
    actions: 5,
    quantiles: 4,
    flags: Conservative | Sets | Masked | Prioritized,
    cqlAlpha: 0.7,
  },
  {
    name: "conservative, candidates, dueling",
    hidden: [7, 5],
    observation: [4],
    features: [3],
    flags: Conservative | Sets | Dueling,
    cqlAlpha: 2,
  },
  { name: "index inputs", hidden: [9, 6], observation: [3, 2, 7], actions: 3 },
  { name: "index inputs alone, dueling", hidden: [7], observation: [0, 3, 9], actions: 3, flags: Dueling | Sets },
  { name: "index inputs of candidates", hidden: [9, 6], observation: [5], features: [3, 2, 6] },
  { name: "index inputs at the end of a row", hidden: [6, 5], observation: [1], features: [1, 1, 4] },
  {
    name: "index inputs at the end of a row, dueling",
    hidden: [6],
    observation: [1],
    features: [1, 1, 4],
    flags: Dueling | Sets,
  },
  {
    name: "index inputs on both sides, dueling, Double",
    hidden: [6, 5],
    observation: [2, 2, 5],
    features: [0, 3, 6],
    flags: Dueling | Sets | Double,
  },
  {
    name: "all that combine",
    hidden: [7, 6],
    observation: [3, 2, 5],
    actions: 4,
    quantiles: 3,
    flags: ALL | Masked | Conservative,
    normalization: Normalization.Layer,
    dropout: 0.3,
    cqlAlpha: 0.5,
  },
  {
    name: "all that combine, candidates",
    hidden: [6, 5],
    observation: [3, 2, 5],
    features: [2, 1, 4],
    quantiles: 3,
    flags: ALL | Conservative,
    normalization: Normalization.Layer,
    dropout: 0.3,
    cqlAlpha: 0.5,
  },
  {
    name: "index inputs of candidates, Double",
    hidden: [7, 5],
    observation: [2],
    features: [1, 2, 6],
    flags: Double | Prioritized,
  },
  { name: "slate", hidden: [8, 5], observation: [4], features: [3], flags: Sets, slate: 2 },
  { name: "slate, Double", hidden: [9], observation: [4], features: [3], flags: Sets | Double | Squared, slate: 2 },
  {
    name: "slate, Double, quantiles, priorities",
    hidden: [8, 5],
    observation: [4],
    features: [3],
    quantiles: 3,
    flags: Sets | Double | Prioritized,
    slate: 3,
  },
  {
    name: "slate, quantiles, conservative, priorities",
    hidden: [8, 5],
    observation: [4],
    features: [3],
    quantiles: 3,
    flags: Sets | Conservative | Prioritized,
    cqlAlpha: 0.7,
    slate: 2,
  },
  {
    name: "slate of all, index inputs, noise, dropout, layer norm, conservative",
    hidden: [7, 6],
    observation: [3, 2, 5],
    features: [2, 1, 4],
    flags: Sets | Conservative | Noisy | Double,
    normalization: Normalization.Layer,
    dropout: 0.3,
    cqlAlpha: 0.5,
    slate: 9,
  },
  {
    name: "slate of one, batch norm",
    hidden: [6, 5],
    observation: [4],
    features: [3],
    flags: Sets | Double,
    normalization: Normalization.Batch,
    slate: 1,
  },
  {
    name: "slate, bytes, index inputs",
    hidden: [6],
    observation: [5],
    features: [3, 2, 6],
    flags: Sets | Double,
    storage: { low: -1, high: 1.25 },
    slate: 2,
  },
  { name: "slate of parts", hidden: [8, 5], observation: [4], features: [3], flags: Sets, slate: 2, parts: 2 },
  {
    name: "slate of parts, Double, quantiles, conservative, priorities, halves",
    hidden: [8, 5],
    observation: [4],
    features: [3],
    quantiles: 2,
    flags: Sets | Double | Conservative | Prioritized,
    cqlAlpha: 0.7,
    storage: "f16",
    slate: 2,
    parts: 3,
  },
  {
    name: "slate of parts, Huber, index inputs, noise, dropout, layer norm, priorities",
    hidden: [7, 6],
    observation: [3, 2, 5],
    features: [2, 1, 4],
    flags: Sets | Noisy | Prioritized,
    normalization: Normalization.Layer,
    dropout: 0.3,
    slate: 3,
    parts: 2,
  },
  ...[["halves", "f16"] as const, ["bytes", { low: -1, high: 1.25 }] as const].flatMap(([name, storage]): Case[] => [
    { name: `${name}, Double, mask`, hidden: [9], observation: [5], actions: 4, flags: Double | Masked, storage },
    {
      name: `${name}, index inputs, Munchausen, priorities`,
      hidden: [9],
      observation: [7, 2, 7],
      actions: 3,
      flags: Munchausen | Sets | Prioritized,
      storage,
    },
    { name: `${name}, candidates`, hidden: [8, 5], observation: [6], features: [5], storage },
    {
      name: `${name}, candidates, Munchausen, index inputs of candidates`,
      hidden: [8],
      observation: [3],
      features: [5, 2, 6],
      flags: Munchausen | Sets,
      storage,
    },
    {
      name: `${name}, candidates, dueling, Double, conservative, index inputs on both sides`,
      hidden: [6, 5],
      observation: [2, 1, 5],
      features: [3, 2, 6],
      flags: Dueling | Sets | Double | Conservative,
      cqlAlpha: 0.7,
      storage,
    },
    {
      name: `${name}, candidates, dueling, quantiles`,
      hidden: [6, 5],
      observation: [9],
      features: [1],
      quantiles: 3,
      flags: Dueling | Sets | Double,
      storage,
    },
  ]),
];

/** One call of learn, with the options of a case. */
export function learn(
  exports: Kernels,
  { dropout = 0, cqlAlpha = 0 }: Case,
  updates: number,
  clip: number,
  decay = 0,
  learningRate = LEARNING_RATE,
) {
  const { alpha, temperature, clip: least } = MUNCHAUSEN;
  const adam = [learningRate, ...BETAS, EPSILON, decay];
  const target = updates === 1 ? [1, 0.25] : [10, 1];
  const all = [...adam, clip, ...target, ...EXPONENTS, dropout, cqlAlpha, alpha, temperature, least, CHOICE_WEIGHT];
  scalarsOf(exports).set(all, Scalar.LearningRate);
  return exports.learn(updates);
}
