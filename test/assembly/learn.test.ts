import { describe, expect, test } from "vitest";
import { Flag, Region, State, Status } from "../../assembly/abi.js";
import { loss, type Sample, taken, target } from "../reference/dqn.js";
import { difference, KernelBench, type Kernels, numbers } from "../reference/kernels.js";
import { differences, flat, unpackNetwork } from "../reference/network.js";
import { Pcg32 } from "../reference/rng.js";
import { NaiveSumTree } from "../reference/sumtree.js";

interface Case {
  name: string;
  hidden: number[];
  observation: number;
  actions?: number;
  features?: number;
  flags?: number;
}

const BATCH = 6;
const CAPACITY = 11;
const NEXT = 5;
const LEARNING_RATE = 0.003;
const BETAS = [0.9, 0.999] as const;
const EPSILON = 1e-8;
const EXPONENTS = [0.6, 0.5] as const;

/** An agent in the kernels build, with a replay of transitions that touch every special case. */
function agentOf({ hidden, observation, actions = 0, features = 0, flags = 0 }: Case) {
  const { exports } = new KernelBench(0);
  new Int32Array(exports.memory.buffer, exports.hiddenSizes(), 8).set(hidden);
  const candidates = features ? 9 : 0;
  const status = exports.create(
    flags,
    observation,
    actions,
    features,
    candidates,
    features ? NEXT : 0,
    hidden.length,
    BATCH,
    CAPACITY,
    1,
    7,
    0,
  );
  expect(status).toBe(Status.Ok);
  const f32 = (region: Region) =>
    new Float32Array(exports.memory.buffer, exports.region(region), exports.regionBytes(region) / 4);
  const state = new BigUint64Array(exports.memory.buffer, exports.region(Region.State), State.Count);
  const samples = Array.from({ length: CAPACITY }, (_, i) => sampleOf(i, observation, actions, features, flags));
  for (const sample of samples) {
    f32(Region.Observation).set(sample.observation);
    f32(Region.NextObservation).set(sample.next);
    f32(Region.Candidate).set(sample.candidate);
    f32(Region.NextCandidates).set(sample.nextCandidates.flat());
    if (actions)
      new Uint8Array(exports.memory.buffer, exports.region(Region.NextMask), actions).set(sample.nextMask.map(Number));
    expect(exports.observe(sample.action, sample.nextCandidates.length, sample.reward, sample.discount, true)).toBe(
      Status.Ok,
    );
  }
  return { exports, f32, state, samples };
}

function sampleOf(i: number, observation: number, actions: number, features: number, flags: number): Sample {
  const x = Array.from(numbers(2 * observation + (1 + NEXT) * features + 2, i + 1), Number);
  const take = (n: number) => x.splice(0, n);
  const isNothingAvailable = i === 4;
  return {
    observation: take(observation),
    candidate: take(features),
    next: take(observation),
    nextCandidates: Array.from({ length: features && !isNothingAvailable ? 1 + (i % NEXT) : 0 }, () => take(features)),
    action: actions ? i % actions : 0,
    reward: Math.fround(3 * x.pop()!),
    discount: i % 5 === 2 ? 0 : Math.fround(0.9),
    nextMask: Array.from(
      { length: actions },
      (_, a) => !(flags & Flag.Masked) || (!isNothingAvailable && (a * 7 + i) % 3 > 0),
    ),
  };
}

const CASES: Case[] = [
  { name: "one layer", hidden: [5], observation: 3, actions: 2 },
  { name: "one input, one action", hidden: [4], observation: 1, actions: 1 },
  { name: "squared loss", hidden: [20, 13], observation: 6, actions: 4, flags: Flag.Squared },
  { name: "Double", hidden: [17, 12], observation: 5, actions: 3, flags: Flag.Double },
  { name: "mask", hidden: [9, 28], observation: 4, actions: 6, flags: Flag.Masked },
  { name: "Double, mask, squared, 35 actions", hidden: [16], observation: 2, actions: 35, flags: 7 },
  { name: "candidates", hidden: [12, 7], observation: 5, features: 3 },
  { name: "candidates, Double, three layers", hidden: [8, 33, 6], observation: 4, features: 6, flags: Flag.Double },
  { name: "priorities", hidden: [14, 9], observation: 4, actions: 3, flags: Flag.Prioritized },
  { name: "priorities, squared, Double, mask", hidden: [11], observation: 4, actions: 5, flags: 15 },
  { name: "priorities, candidates", hidden: [12, 7], observation: 5, features: 3, flags: Flag.Prioritized },
  { name: "candidates, squared", hidden: [21], observation: 13, features: 14, flags: Flag.Squared },
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

describe.each(CASES)("learn: $name", (given) => {
  const { hidden, observation, actions = 0, features = 0, flags = 0 } = given;
  const widths = [observation + features, ...hidden, actions || 1];
  const isDouble = (flags & Flag.Double) !== 0;
  const isSquared = (flags & Flag.Squared) !== 0;

  test("loss, TD errors, gradient, clip, Adam step and target move equal those of the f64 twin", () => {
    const { exports, f32, state, samples } = agentOf(given);
    // A target that orders actions otherwise than the online network: a scaled copy would hide Double. Padding stays 0.
    const changed = f32(Region.Target);
    const noise = numbers(changed.length, 11);
    for (let i = 0; i < changed.length; i++) changed[i]! *= 3 * noise[i]!;
    const rng = new Pcg32(state[State.Rng]!, state[State.Rng + 1]!);
    const isPrioritized = (flags & Flag.Prioritized) !== 0;
    const priorities = Array.from({ length: CAPACITY }, (_, i) => (isPrioritized ? setPriorities(exports, i) : 1));
    const total = priorities.reduce((sum, p) => sum + p, 0);
    const drawn = Array.from({ length: BATCH }, (_, j) => {
      if (!isPrioritized) return rng.below(CAPACITY);
      const tree = new NaiveSumTree(CAPACITY);
      tree.priorities.set(priorities);
      return tree.find(((j + rng.uniform()) / BATCH) * total);
    });
    const batch = drawn.map((i) => samples[i]!);
    const raw = drawn.map((i) => (isPrioritized ? ((CAPACITY * priorities[i]!) / total) ** -EXPONENTS[1] : 1));
    const weights = raw.map((w) => w / Math.max(...raw));
    const online = unpackNetwork(exports, f32(Region.Online), widths);
    const frozen = unpackNetwork(exports, f32(Region.Target), widths);
    const y = batch.map((sample) => target(online, frozen, sample, isDouble, features > 0));
    const mean = () =>
      batch.reduce((sum, s, i) => sum + weights[i]! * loss(taken(online, s) - y[i]!, isSquared), 0) / BATCH;

    const clip = 0.5;
    const got = exports.learn(1, LEARNING_RATE, ...BETAS, EPSILON, clip, 1, 0.25, ...EXPONENTS);

    expect(got).toBeCloseTo(mean(), 5);
    const sampled = new Int32Array(exports.memory.buffer, exports.region(Region.Sampled), BATCH);
    expect(Array.from(sampled)).toEqual(drawn);
    if (isPrioritized) expect(difference(f32(Region.Weights), weights)).toBeLessThan(1e-6);
    const errors = batch.map((s, i) => taken(online, s) - y[i]!);
    expect(difference(f32(Region.TdErrors), errors)).toBeLessThan(1e-5);

    if (isPrioritized) {
      drawn.forEach((row, i) => {
        priorities[row] = Math.abs(errors[i]!) ** EXPONENTS[0];
      });
      expect(difference(f32(Region.Priorities).slice(0, CAPACITY), priorities)).toBeLessThan(1e-5);
    }

    const expected = flat(differences(online, mean));
    const gradient = flat(unpackNetwork(exports, f32(Region.Gradient), widths));
    const largest = Math.max(...expected.map(Math.abs));
    expect(largest).toBeGreaterThan(0);
    const worst = Math.max(...expected.map((g, i) => Math.abs(gradient[i]! - g)));
    expect(worst).toBeLessThan(2e-5 * largest + 1e-9);

    const norm = Math.hypot(...gradient);
    const scale = Math.min(1, clip / (norm + 1e-6));
    const before = flat(online);
    const after = flat(unpackNetwork(exports, f32(Region.Online), widths));
    after.forEach((w, i) => {
      // The first step: both moments are (1 - beta) g and (1 - beta) g^2, and their corrections cancel that.
      const g = gradient[i]! * scale;
      const moved = before[i]! - (LEARNING_RATE * g) / (Math.abs(g) + EPSILON);
      expect(Math.abs(w - moved), `parameter ${i}`).toBeLessThan(1e-6);
    });
    const old = flat(frozen);
    const moved = old.map((w, i) => w + 0.25 * (after[i]! - w));
    expect(difference(flat(unpackNetwork(exports, f32(Region.Target), widths)), moved)).toBeLessThan(1e-6);
  });

  test("padding never becomes anything but zero", () => {
    const { exports, f32 } = agentOf(given);
    exports.learn(50, LEARNING_RATE, ...BETAS, EPSILON, 0, 10, 1, ...EXPONENTS);
    const all = f32(Region.Online);
    const kept = flat(unpackNetwork(exports, all, widths)).filter((w) => w !== 0).length;
    expect(all.filter((w) => w !== 0).length).toBe(kept);
  });
});

test("an update whose gradient is not finite is dropped and counted, and the agent is as before", () => {
  const { exports, f32 } = agentOf({ name: "", hidden: [5], observation: 3, actions: 2 });
  f32(Region.Observation).set([1e30, -1e30, 1e30]);
  f32(Region.NextObservation).set([1e38, 1e38, -1e38]);
  for (let i = 0; i < CAPACITY; i++) exports.observe(i % 2, 0, 1, 0.99, true);
  const online = f32(Region.Online).slice();
  const moments = f32(Region.Moments).slice();
  const counters = new Float64Array(exports.memory.buffer, exports.region(Region.State), State.Rng);
  expect(exports.learn(3, LEARNING_RATE, ...BETAS, EPSILON, 0, 10, 1, ...EXPONENTS)).toBeNaN();
  expect(counters[State.Skipped]).toBe(3);
  expect(counters[State.Updates]).toBe(0);
  expect(f32(Region.Online)).toEqual(online);
  expect(f32(Region.Moments)).toEqual(moments);
});

test("the bits of a candidate's value do not depend on the candidates beside it", () => {
  const { exports, f32 } = agentOf({ name: "", hidden: [20, 9], observation: 5, features: 3 });
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
