import { describe, expect, test } from "vitest";
import { Flag, GRADIENT_MAX, Normalization, Region, Scalar, Stat, State, Status, Storage } from "../../assembly/abi.js";
import { batchLoss, type Rules, type Sample, softTargets, targets } from "../reference/dqn.js";
import { createAgent, difference, KernelBench, type Kernels, numbers } from "../reference/kernels.js";
import {
  differences,
  drawNoise,
  flat,
  matrices,
  type Network,
  type Offer,
  type Plan,
  perturbed,
  unpackNetwork,
} from "../reference/network.js";
import { Pcg32 } from "../reference/rng.js";
import { type Kind, keptOf } from "../reference/storage.js";
import { NaiveSumTree } from "../reference/sumtree.js";

/** Dense numbers, index slots and the rows that they index, of an observation or a candidate. */
type Part = readonly [dense: number, slots?: number, size?: number];

interface Case {
  name: string;
  hidden: number[];
  observation: Part;
  actions?: number;
  features?: Part;
  flags?: number;
  quantiles?: number;
  normalization?: Normalization;
  dropout?: number;
  cqlAlpha?: number;
  storage?: Kind;
}

const BATCH = 6;
const CAPACITY = 11;
const NEXT = 5;
const LEARNING_RATE = 0.003;
const BETAS = [0.9, 0.999] as const;
const EPSILON = 1e-8;
const WEIGHT_DECAY = 0.1;
const EXPONENTS = [0.6, 0.5] as const;
const MUNCHAUSEN = { alpha: 0.9, temperature: 0.3, clip: -1 };
const SIGMA = 0.7;

const { Double, Squared, Masked, Prioritized, Dueling, Munchausen, Conservative, Noisy, Sets } = Flag;

const width = ([dense, , size = 0]: Part) => dense + size;
const words = ([dense, slots = 0]: Part) => dense + 2 * slots;

/** A row as it is staged, and with its indices written out. */
interface Row {
  staged: Float32Array;
  dense: number[];
}

/** A row of made-up numbers; the last index slot of some rows is not used. */
function rowOf([dense, slots = 0, size = 0]: Part, seed: number): Row {
  const x = numbers(dense + 2 * slots, seed);
  const integers = new Int32Array(x.buffer);
  const written = [...x.subarray(0, dense), ...new Array<number>(size).fill(0)];
  const used = slots - (seed % 2);
  for (let s = 0; s < slots; s++) {
    const index = s < used ? (s * Math.floor(size / slots) + (seed % 2)) % size : 0;
    const weight = s < used ? x[dense + slots + s]! : 0;
    integers[dense + s] = index;
    x[dense + slots + s] = weight;
    written[dense + index]! += weight;
  }
  return { staged: x, dense: written };
}

interface Stored {
  observation: Row;
  set: Row[];
  mask: boolean[];
  next: Row;
  nextSet: Row[];
  nextMask: boolean[];
  action: number;
  reward: number;
  discount: number;
}

function storedOf(i: number, { observation, actions = 0, features = [0], flags = 0 }: Case): Stored {
  const isNothingAvailable = i === 4;
  const offer = (n: number, seed: number) =>
    width(features) ? Array.from({ length: n }, (_, c) => rowOf(features, seed * 31 + c)) : [];
  const set = offer(1 + ((i + 2) % NEXT), i);
  const action = actions ? i % actions : i % Math.max(1, set.length);
  const isMasked = (flags & Masked) !== 0;
  return {
    observation: rowOf(observation, i + 1),
    set,
    mask: Array.from({ length: actions }, (_, a) => !isMasked || a === action || (a * 5 + i) % 3 > 0),
    next: rowOf(observation, i + 101),
    nextSet: offer(isNothingAvailable ? 0 : 1 + (i % NEXT), i + 201),
    nextMask: Array.from({ length: actions }, (_, a) => !isMasked || (!isNothingAvailable && (a * 7 + i) % 3 > 0)),
    action,
    reward: Math.fround(3 * numbers(1, i + 301)[0]!),
    discount: i % 5 === 2 ? 0 : Math.fround(0.9),
  };
}

/** What the twin sees of it: acting as it is given, learning as it is kept, which leaves what indices stand for alone. */
function sampleOf(stored: Stored, { observation, features = [0], actions }: Case, kind: Kind = "f32"): Sample {
  const kept = (row: Row, [dense]: Part) => row.dense.map((x, i) => (i < dense ? keptOf(x, kind) : x));
  const offer = (row: Row, set: Row[], mask: boolean[]): Offer =>
    actions
      ? { observation: kept(row, observation), mask }
      : { observation: kept(row, observation), set: set.map((c) => kept(c, features)) };
  const { action, reward, discount } = stored;
  const state = offer(stored.observation, stored.set, stored.mask);
  return { state, action, reward, discount, next: offer(stored.next, stored.nextSet, stored.nextMask) };
}

/** An agent in the kernels build, with a replay of transitions that touch every special case. */
function agentOf(given: Case) {
  const { hidden, observation, actions = 0, features = [0], flags = 0, storage = "f32" } = given;
  const { exports } = new KernelBench(0);
  const hasCandidates = !actions;
  const sizes = {
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
    Storage: storage === "f32" ? Storage.F32 : storage === "f16" ? Storage.F16 : Storage.U8,
  };
  const bounds = typeof storage === "object" ? ([storage.low, storage.high] as const) : undefined;
  expect(createAgent(exports, sizes, hidden, flags & Noisy ? SIGMA : 0, bounds)).toBe(Status.Ok);
  const f32 = (region: Region) =>
    new Float32Array(exports.memory.buffer, exports.region(region), exports.regionBytes(region) / 4);
  const state = new BigUint64Array(exports.memory.buffer, exports.region(Region.State), State.Count);
  const stored = Array.from({ length: CAPACITY }, (_, i) => storedOf(i, given));
  for (const step of stored) expect(feed(exports, f32, given, step)).toBe(Status.Ok);
  return { exports, f32, state, stored };
}

function feed(exports: Kernels, f32: (region: Region) => Float32Array, given: Case, step: Stored): Status {
  const { actions = 0, features = [0], flags = 0 } = given;
  const write = (region: Region, rows: Row[], stride: number) =>
    rows.forEach((row, i) => void f32(region).set(row.staged, i * stride));
  write(Region.Observation, [step.observation], 0);
  write(Region.NextObservation, [step.next], 0);
  write(Region.NextCandidates, step.nextSet, words(features));
  if (!actions) {
    write(Region.Candidate, [step.set[step.action]!], 0);
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
  const scalars = new Float64Array(exports.memory.buffer, exports.region(Region.Scalars), Scalar.Count);
  scalars[Scalar.Reward] = step.reward;
  scalars[Scalar.Discount] = step.discount;
  return exports.observe(action, count, step.nextSet.length, true, 0);
}

const ALL = Double | Prioritized | Dueling | Noisy | Sets;

const CASES: Case[] = [
  { name: "one layer", hidden: [5], observation: [3], actions: 2 },
  { name: "one input, one action", hidden: [4], observation: [1], actions: 1 },
  { name: "squared loss", hidden: [20, 13], observation: [6], actions: 4, flags: Squared },
  { name: "Double", hidden: [17, 12], observation: [5], actions: 3, flags: Double },
  { name: "mask", hidden: [9, 28], observation: [4], actions: 6, flags: Masked },
  { name: "Double, mask, squared, 35 actions", hidden: [16], observation: [2], actions: 35, flags: 7 },
  { name: "candidates", hidden: [12, 7], observation: [5], features: [3] },
  { name: "candidates, Double, three layers", hidden: [8, 33, 6], observation: [4], features: [6], flags: Double },
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

/** Gives row i a priority of its own, one of them 0, as if some updates had; returns it. */
function setPriorities(exports: Kernels, i: number): number {
  const priority = i === 3 ? 0 : Math.fround(0.1 + i * 0.37);
  const at = exports.region(Region.Priorities);
  const leaves = new Float32Array(exports.memory.buffer, at, CAPACITY);
  leaves[i] = priority;
  // The sums are made again by restore.
  if (i === CAPACITY - 1) expect(exports.restore()).toBe(Status.Ok);
  return priority;
}

function planOf({ hidden, observation, actions = 0, features = [0], flags = 0, ...rest }: Case): Plan {
  return {
    observation: width(observation),
    features: width(features),
    hidden,
    actions,
    quantiles: rest.quantiles ?? 1,
    normalization: (["none", "layer", "batch"] as const)[rest.normalization ?? Normalization.None],
    isDueling: (flags & Dueling) !== 0,
    isNoisy: (flags & Noisy) !== 0,
  };
}

function rulesOf({ flags = 0, quantiles = 1, cqlAlpha = 0 }: Case): Rules {
  const rules = { quantiles, squared: (flags & Squared) !== 0, cqlAlpha, isDueling: (flags & Dueling) !== 0 };
  return flags & Munchausen ? { ...rules, munchausen: MUNCHAUSEN } : rules;
}

/** One call of learn, with the options of a case. */
function learn(
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
  const scalars = new Float64Array(exports.memory.buffer, exports.region(Region.Scalars), Scalar.Count);
  const all = [...adam, clip, ...target, ...EXPONENTS, dropout, cqlAlpha, alpha, temperature, least];
  scalars.set(all, Scalar.LearningRate);
  return exports.learn(updates);
}

/** A target that orders actions otherwise than the online network: a scaled copy would hide Double. Padding stays 0. */
function disturb(target: Float32Array, plan: Plan): void {
  const noise = numbers(target.length, 11);
  const isPositive = plan.normalization === "batch";
  for (let i = 0; i < target.length; i++) target[i]! *= 3 * (isPositive ? Math.abs(noise[i]!) : noise[i]!);
}

describe.each(CASES)("learn: $name", (given) => {
  const { flags = 0, dropout = 0 } = given;
  const plan = planOf(given);
  const rules = rulesOf(given);

  test("loss, TD errors, gradient, clip, AdamW step and target move equal those of the f64 twin", () => {
    const { exports, f32, state, stored } = agentOf(given);
    disturb(f32(Region.Target), plan);
    const samples = stored.map((step) => sampleOf(step, given, given.storage));
    const rng = new Pcg32(state[State.Rng]!, state[State.Rng + 1]!);
    const noiseRng = new Pcg32(state[State.Rng + 4]!, state[State.Rng + 5]!);
    const isPrioritized = (flags & Prioritized) !== 0;
    const priorities = Array.from({ length: CAPACITY }, (_, i) => (isPrioritized ? setPriorities(exports, i) : 1));
    const { drawn, weights } = draw(rng, priorities, isPrioritized);
    const batch = drawn.map((i) => samples[i]!);
    const online = unpackNetwork(exports, f32(Region.Online), plan);
    const frozen = unpackNetwork(exports, f32(Region.Target), plan);
    const noisy = (network: Network) => (plan.isNoisy ? perturbed(network, drawNoise(network, noiseRng)) : network);
    let y: number[][];
    if (rules.munchausen) y = softTargets(noisy(frozen), batch, rules);
    else if (flags & Double) {
      const judge = noisy(online);
      y = targets(judge, noisy(frozen), batch, rules);
    } else {
      const judge = noisy(frozen);
      y = targets(judge, judge, batch, rules);
    }
    const noise = plan.isNoisy ? drawNoise(online, noiseRng) : undefined;
    const afterNoise = noiseRng.state;
    const run = () => {
      const pass = { isTraining: true, dropout: { share: dropout, rng: new Pcg32(afterNoise, noiseRng.increment) } };
      return batchLoss(noise ? perturbed(online, noise) : online, batch, y, weights, rules, pass);
    };

    const clip = 0.5;
    const got = learn(exports, given, 1, clip, WEIGHT_DECAY);

    const { loss, errors } = run();
    expect(Math.abs(got - loss) / (1 + loss)).toBeLessThan(1e-5);
    expect(Array.from(new Int32Array(exports.memory.buffer, exports.region(Region.Sampled), BATCH))).toEqual(drawn);
    if (isPrioritized) expect(difference(f32(Region.Weights), weights)).toBeLessThan(1e-6);
    expect(difference(f32(Region.TdErrors), errors)).toBeLessThan(3e-5);
    if (isPrioritized) {
      drawn.forEach((row, i) => {
        priorities[row] = Math.abs(errors[i]!) ** EXPONENTS[0];
      });
      expect(difference(f32(Region.Priorities).slice(0, CAPACITY), priorities)).toBeLessThan(3e-5);
    }

    const expected = differences(online, () => run().loss);
    // Gradients have no running statistics, which the twin puts behind all that is trained.
    const padded = new Float32Array(f32(Region.Online).length);
    padded.set(f32(Region.Gradient));
    const gradient = flat(unpackNetwork(exports, padded, plan));
    const largest = Math.max(...expected.map(Math.abs));
    expect(largest).toBeGreaterThan(0);
    const worst = Math.max(...expected.map((g, i) => Math.abs(gradient[i]! - g)));
    expect(worst).toBeLessThan(5e-5 * largest + 1e-8);

    const norm = Math.hypot(...gradient);
    const figures = new Float64Array(exports.memory.buffer, exports.region(Region.Stats), Stat.Count);
    expect(Math.abs(figures[Stat.GradientNorm]! - norm) / (1 + norm)).toBeLessThan(1e-5);
    expect(figures[Stat.ClippedSum]).toBe(Number(norm > clip));
    expect([figures[Stat.LossSum], figures[Stat.WeightSum], figures[Stat.Tried]]).toEqual([got, 1, 1]);
    expect(figures[Stat.IsWeighted]).toBe(Number(isPrioritized));
    const scale = Math.min(1, clip / (norm + 1e-6));
    const before = flat(online);
    const after = flat(unpackNetwork(exports, f32(Region.Online), plan));
    after.forEach((w, i) => {
      // The first step: both moments are (1 - beta) g and (1 - beta) g^2, and their corrections cancel that.
      const g = gradient[i]! * scale;
      const kept = before[i]! * (1 - LEARNING_RATE * WEIGHT_DECAY);
      const moved = kept - (LEARNING_RATE * g) / (Math.abs(g) + EPSILON);
      expect(Math.abs(w - moved), `parameter ${i}`).toBeLessThan(2e-6);
    });
    const old = flat(frozen);
    const moved = old.map((w, i) => w + 0.25 * (after[i]! - w));
    expect(difference(flat(unpackNetwork(exports, f32(Region.Target), plan)), moved)).toBeLessThan(1e-6);
  });

  test("the gradient does not depend on the update before", () => {
    const { exports, f32, state } = agentOf(given);
    const before = state.slice(State.Rng);
    const gradients = [0, 1, 2].map((i) => {
      if (i === 2) state.set(before, State.Rng);
      // The target moves towards an online network that does not.
      learn(exports, given, 1, 0, 0, 0);
      return f32(Region.Gradient).slice();
    });
    expect(gradients[0]).not.toEqual(gradients[1]);
    // By priorities, which change, other rows are drawn; and running statistics move into the target.
    if (!(flags & Prioritized) && plan.normalization !== "batch") expect(gradients[0]).toEqual(gradients[2]);
  });

  test("padding never becomes anything but zero", () => {
    const { exports, f32 } = agentOf(given);
    learn(exports, given, 50, 0, 0.01);
    const all = f32(Region.Online);
    const network = unpackNetwork(exports, all, plan);
    const statistics = layersWithStatistics(network);
    const kept = [...flat(network), ...statistics].filter((w) => w !== 0).length;
    // What a padded column of a running variance decays to is not read by anything.
    const padding = plan.normalization === "batch" ? all.length : 0;
    expect(Math.abs(all.filter((w) => w !== 0).length - kept)).toBeLessThanOrEqual(padding);
    expect(all.every(Number.isFinite)).toBe(true);
  });

  test("evaluates as the f64 twin, by weights without noise and with running statistics", () => {
    const { exports, f32, stored } = agentOf(given);
    learn(exports, given, 20, 0);
    const network = unpackNetwork(exports, f32(Region.Online), plan);
    for (const step of stored.slice(0, 5)) {
      const sample = sampleOf(step, given);
      feed(exports, f32, given, step);
      expect(exports.evaluate(step.set.length)).toBe(Status.Ok);
      const expected = matrices(network, [sample.state], plan.quantiles)[0]!.map(
        (theta) => theta.reduce((sum, x) => sum + x, 0) / plan.quantiles,
      );
      expect(difference(f32(Region.Values).slice(0, expected.length), expected)).toBeLessThan(2e-5);
    }
  });
});

function layersWithStatistics(network: Network): number[] {
  const own = network.hidden.flatMap(({ mean = [], variance = [] }) => [...mean, ...variance]);
  return network.value ? [...own, ...layersWithStatistics(network.value)] : own;
}

/** The rows that an update must draw, and their importance weights. */
function draw(rng: Pcg32, priorities: number[], isPrioritized: boolean): { drawn: number[]; weights: number[] } {
  const total = priorities.reduce((sum, p) => sum + p, 0);
  const drawn = Array.from({ length: BATCH }, (_, j) => {
    if (!isPrioritized) return rng.below(CAPACITY);
    const tree = new NaiveSumTree(CAPACITY);
    tree.priorities.set(priorities);
    return tree.find(((j + rng.uniform()) / BATCH) * total);
  });
  const raw = drawn.map((i) => (isPrioritized ? ((CAPACITY * priorities[i]!) / total) ** -EXPONENTS[1] : 1));
  return { drawn, weights: raw.map((w) => w / Math.max(...raw)) };
}

test("a batch is drawn uniformly from the replay: chi-square over 60,000 draws", () => {
  const given: Case = { name: "", hidden: [4], observation: [2], actions: 2 };
  const { exports } = agentOf(given);
  const sampled = new Int32Array(exports.memory.buffer, exports.region(Region.Sampled), BATCH);
  const counts = new Array<number>(CAPACITY).fill(0);
  for (let i = 0; i < 10_000; i++) {
    learn(exports, given, 1, 0, 0, 0);
    for (const row of sampled) counts[row]!++;
  }
  const share = (10_000 * BATCH) / CAPACITY;
  const chiSquare = counts.reduce((sum, n) => sum + (n - share) ** 2 / share, 0);
  // Mean CAPACITY - 1, deviation sqrt(2 (CAPACITY - 1)): five deviations.
  expect(chiSquare).toBeLessThan(CAPACITY - 1 + 5 * Math.sqrt(2 * (CAPACITY - 1)));
});

test("running statistics move a tenth of the way to those of each batch, the variance without bias", () => {
  const given: Case = { name: "", hidden: [3], observation: [2], actions: 2, normalization: Normalization.Batch };
  const { exports, f32, stored } = agentOf(given);
  const plan = planOf(given);
  const before = unpackNetwork(exports, f32(Region.Online), plan).hidden[0]!;
  learn(exports, given, 1, 0);
  const after = unpackNetwork(exports, f32(Region.Online), plan).hidden[0]!;
  const rows = Array.from(new Int32Array(exports.memory.buffer, exports.region(Region.Sampled), BATCH));
  for (let j = 0; j < 3; j++) {
    const z = rows.map((i) => {
      const x = stored[i]!.observation.dense;
      return before.b[j]! + x[0]! * before.w[j]! + x[1]! * before.w[3 + j]!;
    });
    const mean = z.reduce((sum, value) => sum + value, 0) / BATCH;
    const variance = z.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (BATCH - 1);
    expect(after.mean![j]).toBeCloseTo(0.1 * mean, 6);
    expect(after.variance![j]).toBeCloseTo(0.9 + 0.1 * variance, 6);
  }
});

describe.each([
  ["plain", Normalization.None, 0],
  ["squared", Normalization.None, Squared],
  ["batch norm, squared, priorities", Normalization.Batch, Prioritized | Squared],
  ["layer norm, dueling, squared", Normalization.Layer, Dueling | Sets | Squared],
] as const)("an update with weights of any size: %s", (_, normalization, flags) => {
  const given: Case = { name: "", hidden: [5, 4], observation: [3], actions: 2, normalization, flags };
  const kept = [Region.Online, Region.Target, Region.Moments, Region.Priorities];

  test("is committed with all in its bounds, or dropped and counted with its step, and the agent is as before", () => {
    let dropped = 0;
    for (let size = 0; size <= 38; size += 0.25) {
      const { exports, f32 } = agentOf(given);
      const online = f32(Region.Online);
      // Weights alone: running variances behind them must not be negative.
      const trained = f32(Region.Gradient).length;
      for (let i = 0; i < trained; i++) online[i]! *= 10 ** size;
      const counters = new Float64Array(exports.memory.buffer, exports.region(Region.State), State.Count);
      const figures = new Float64Array(exports.memory.buffer, exports.region(Region.Stats), Stat.Count);
      const before = kept.map((region) => f32(region).slice());
      const loss = learn(exports, given, 1, 0);
      expect(figures[Stat.Tried]).toBe(1);
      expect(counters[State.Updates]! + counters[State.Skipped]!).toBe(1);
      if (Number.isNaN(loss)) {
        dropped++;
        expect(counters[State.Skipped]).toBe(1);
        expect(counters[State.SkippedStep]).toBe(CAPACITY);
        expect(kept.map((region) => f32(region))).toEqual(before);
      } else {
        expect(figures[Stat.Loss]).toBeCloseTo(loss, 6);
        expect(figures[Stat.GradientNorm]).toBeLessThanOrEqual(GRADIENT_MAX);
        expect(exports.restore()).toBe(Status.Ok);
      }
    }
    expect(dropped).toBeGreaterThan(0);
  });
});

test("the bits of a candidate's value do not depend on the candidates beside it", () => {
  const { exports, f32 } = agentOf({ name: "", hidden: [20, 9], observation: [5], features: [3] });
  const rows = numbers(9 * 3, 3);
  f32(Region.Observation).set(numbers(5, 4));
  f32(Region.Candidates).set(rows);
  exports.evaluate(9);
  const together = f32(Region.Values).slice(0, 9);
  const alone = Array.from({ length: 9 }, (_, i) => {
    f32(Region.Candidates).set(rows.subarray(i * 3, i * 3 + 3));
    exports.evaluate(1);
    return f32(Region.Values)[0];
  });
  expect(alone).toEqual(Array.from(together));
});
