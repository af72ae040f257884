import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { describe, expect, test } from "vitest";
import type { instantiate } from "../../.build/continuous.js";
import { Activation, Flag, MAX_HIDDEN, Normalization, Region, Scalar, Size, Stat, Status } from "../../assembly/abi.js";
import { State } from "../../assembly/continuous/abi.js";
import { loss as lossOf } from "../reference/dqn.js";
import { mean } from "../reference/moments.js";
import {
  differences,
  flat,
  forwardRows,
  INFERENCE,
  type Network,
  type Plan,
  unpackNetwork,
} from "../reference/network.js";
import { Pcg32 } from "../reference/rng.js";
import { difference, KernelBench } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

type Door = Awaited<ReturnType<typeof instantiate>>;

interface Case {
  name: string;
  observation: number;
  actions: number;
  hidden: number[];
  critics: 1 | 2;
  normalization: "none" | "layer";
  isSquared: boolean;
  targetNoise: number;
  activation?: keyof typeof ACTIVATIONS;
}

const PLAIN = { normalization: "none", isSquared: true } as const;

const CASES: Case[] = [
  { name: "TD3", observation: 3, actions: 2, hidden: [5, 6], critics: 2, targetNoise: 0.3, ...PLAIN },
  { name: "DDPG", observation: 4, actions: 1, hidden: [9], critics: 1, targetNoise: 0, ...PLAIN },
  {
    name: "three wide layers",
    observation: 17,
    actions: 3,
    hidden: [33, 20, 7],
    critics: 2,
    targetNoise: 0.1,
    ...PLAIN,
  },
  { name: "many actions", observation: 1, actions: 13, hidden: [16, 12], critics: 2, targetNoise: 0.2, ...PLAIN },
  {
    name: "layer norm and Huber's loss",
    ...{ observation: 5, actions: 2, hidden: [8, 11], critics: 2, targetNoise: 0.2 },
    ...{ normalization: "layer", isSquared: false },
  },
  {
    name: "GELU behind layer norm",
    ...{ observation: 5, actions: 2, hidden: [8, 11], critics: 2, targetNoise: 0.2, isSquared: true },
    ...{ normalization: "layer", activation: "gelu" },
  },
  { name: "tanh", observation: 3, actions: 2, hidden: [5], critics: 1, targetNoise: 0, activation: "tanh", ...PLAIN },
];

const ACTIVATIONS = { relu: Activation.Relu, tanh: Activation.Tanh, gelu: Activation.Gelu };

const BATCH = 6;
const CAPACITY = 9;
const GAMMA = 0.9;
const CLIP = 0.5;
const kernels = new KernelBench(0).exports;

interface Step {
  observation: number[];
  action: number[];
  reward: number;
  discount: number;
  next: number[];
}

function stepOf({ observation, actions }: Case, i: number): Step {
  return {
    observation: Array.from(numbers(observation, 3 * i + 1)),
    action: Array.from(numbers(actions, 3 * i + 2), (x) => Math.fround(Math.max(-1, Math.min(1, x)))),
    reward: Math.fround(Math.sin(i) * 2),
    // Every third step ends an episode.
    discount: i % 3 === 2 ? 0 : Math.fround(GAMMA),
    next: Array.from(numbers(observation, 3 * i + 3)),
  };
}

/** An agent in the module as it ships, with a replay of made-up steps and targets that differ from the online networks. */
class Bench {
  readonly exports: Door;
  readonly steps: Step[];

  constructor(readonly given: Case) {
    const module = new WebAssembly.Module(readFileSync(".build/continuous.wasm"));
    this.exports = instantiateSync<Door & Record<string, unknown>>(module, {}).exports;
    const { exports } = this;
    const sizes = new Int32Array(exports.memory.buffer, exports.sizes(), Size.Widths + MAX_HIDDEN);
    sizes[Size.Observation] = given.observation;
    sizes[Size.Actions] = given.actions;
    sizes[Size.Critics] = given.critics;
    sizes[Size.Normalization] = given.normalization === "layer" ? Normalization.Layer : Normalization.None;
    sizes[Size.Activation] = ACTIVATIONS[given.activation ?? "relu"];
    sizes[Size.Batch] = BATCH;
    sizes[Size.Capacity] = CAPACITY;
    sizes[Size.NStep] = 1;
    sizes[Size.Environments] = 1;
    sizes[Size.Flags] = given.isSquared ? Flag.Squared : 0;
    sizes[Size.Hidden] = given.hidden.length;
    sizes.set(given.hidden, Size.Widths);
    expect(exports.create(7, 0, -1e6, 1e6)).toBe(Status.Ok);
    this.steps = Array.from({ length: CAPACITY }, (_, i) => stepOf(given, i));
    for (const step of this.steps) {
      this.f32(Region.Observation).set(step.observation);
      this.f32(Region.Action).set(step.action);
      this.f32(Region.NextObservation).set(step.next);
      this.f64(Region.Scalars)[Scalar.Reward] = step.reward;
      this.f64(Region.Scalars)[Scalar.Discount] = step.discount;
      expect(exports.observe(true, 0)).toBe(Status.Ok);
    }
    // Padding is 0 and stays so.
    const target = this.f32(Region.Target);
    const factors = numbers(target.length, 11);
    for (let i = 0; i < target.length; i++) target[i]! *= 2 * factors[i]!;
  }

  f32(region: Region): Float32Array {
    const { exports } = this;
    return new Float32Array(exports.memory.buffer, exports.region(region) >>> 0, exports.regionBytes(region) >>> 2);
  }

  f64(region: Region): Float64Array {
    const { exports } = this;
    return new Float64Array(exports.memory.buffer, exports.region(region) >>> 0, exports.regionBytes(region) >>> 3);
  }

  rng(i: number): Pcg32 {
    const { exports } = this;
    const words = new BigUint64Array(exports.memory.buffer, exports.region(Region.State) >>> 0, State.Count);
    return new Pcg32(words[State.Rng + 2 * i]!, words[State.Rng + 2 * i + 1]!);
  }

  /** Where each network begins in a block of f32: the actor, then the critics. */
  offsets(): number[] {
    const actor = floatsOf(this.plan(false));
    return [0, actor, actor + floatsOf(this.plan(true))];
  }

  plan(isCritic: boolean): Plan {
    const { observation, actions, hidden, normalization, activation = "relu" } = this.given;
    const own = isCritic ? { features: actions, actions: 0 } : { features: 0, actions };
    return { observation, hidden, normalization, activation, ...own, quantiles: 1, isDueling: false, isNoisy: false };
  }

  /** The networks in a block, in f64. */
  networks(block: Float32Array): { actor: Network; critics: Network[] } {
    const [, first, second] = this.offsets();
    const critic = (at: number) => unpackNetwork(kernels, block.subarray(at), this.plan(true));
    const critics = this.given.critics === 2 ? [critic(first!), critic(second!)] : [critic(first!)];
    return { actor: unpackNetwork(kernels, block, this.plan(false)), critics };
  }

  learn(rates: Partial<Record<Scalar, number>> = {}): number {
    const scalars = this.f64(Region.Scalars);
    const all = {
      [Scalar.Beta1]: 0.9,
      [Scalar.Beta2]: 0.999,
      [Scalar.AdamEpsilon]: 1e-8,
      [Scalar.WeightDecay]: 0,
      [Scalar.MaxGradNorm]: 0,
      [Scalar.TargetEvery]: 1,
      [Scalar.Tau]: 0.25,
      [Scalar.TargetNoise]: this.given.targetNoise,
      [Scalar.TargetNoiseClip]: 0.35,
      [Scalar.LearningRate]: 0,
      [Scalar.ActorLearningRate]: 0,
      ...rates,
    };
    for (const [i, value] of Object.entries(all)) scalars[Number(i)] = value;
    return this.exports.learn(1);
  }
}

/** Floats of a network's block: layers with their padding, rounded up to 64 bytes. */
function floatsOf({ observation, features, actions, hidden, normalization }: Plan): number {
  const widths = [observation + features, ...hidden, Math.max(1, actions)];
  const floats = widths.slice(1).map((outputs, l) => {
    const vectors = normalization === "layer" && l < hidden.length ? 3 : 1;
    return (kernels.padded(widths[l]!) + vectors) * kernels.padded(outputs);
  });
  return Math.ceil(floats.reduce((sum, n) => sum + n, 0) / 16) * 16;
}

/** Normals in the engine's order of draws. */
function normals(rng: Pcg32, n: number): number[] {
  const x: number[] = [];
  while (x.length < n) {
    const u = 2 * rng.uniform() - 1;
    const v = 2 * rng.uniform() - 1;
    const s = u * u + v * v;
    if (s >= 1 || Math.fround(s) === 0) continue;
    const scale = Math.sqrt((-2 * Math.log(s)) / s);
    x.push(u * scale, v * scale);
  }
  return x.slice(0, n);
}

const clamp = (x: number, most: number) => Math.max(-most, Math.min(most, x));
const actionsOf = (actor: Network, rows: number[][]) =>
  forwardRows(actor, rows, INFERENCE).outputs.map((row) => row.map(Math.tanh));
const valuesOf = (critic: Network, rows: number[][], actions: number[][]) =>
  forwardRows(
    critic,
    rows.map((row, b) => [...row, ...actions[b]!]),
    INFERENCE,
  ).outputs.map(([q]) => q!);

/** The targets of a batch by the definition. */
function targetsOf(bench: Bench, batch: Step[], rng: Pcg32): number[] {
  const { actor, critics } = bench.networks(bench.f32(Region.Target));
  const { targetNoise, actions } = bench.given;
  const next = batch.map((step) => step.next);
  const chosen = actionsOf(actor, next).map((a) => {
    const z = targetNoise > 0 ? normals(rng, actions) : [];
    return a.map((x, i) => (targetNoise > 0 ? clamp(x + clamp(targetNoise * z[i]!, 0.35), 1) : x));
  });
  const values = critics.map((critic) => valuesOf(critic, next, chosen));
  return batch.map(({ reward, discount }, b) => reward + discount * Math.min(...values.map((q) => q[b]!)));
}

describe.each(CASES)("a continuous agent's update: $name", (given) => {
  test("draws, targets, losses and both gradients are those of the f64 twin", () => {
    const bench = new Bench(given);
    const rng = bench.rng(0);
    const drawn = Array.from({ length: BATCH }, () => rng.below(CAPACITY));
    const batch = drawn.map((i) => bench.steps[i]!);
    const y = targetsOf(bench, batch, bench.rng(2));
    const { actor, critics } = bench.networks(bench.f32(Region.Online));
    const got = bench.learn();
    const sampled = new Int32Array(bench.exports.memory.buffer, bench.exports.region(Region.Sampled) >>> 0, BATCH);
    expect(Array.from(sampled)).toEqual(drawn);
    expect(difference(bench.f32(Region.Targets), y)).toBeLessThan(1e-5);

    const rows = batch.map((step) => step.observation);
    const taken = batch.map((step) => step.action);
    const lossOfCritic = (critic: Network) =>
      mean(valuesOf(critic, rows, taken).map((q, b) => lossOf(q - y[b]!, given.isSquared)));
    const loss = critics.reduce((sum, critic) => sum + lossOfCritic(critic), 0);
    expect(Math.abs(got - loss) / (1 + loss)).toBeLessThan(1e-5);
    const gradient = bench.networks(bench.f32(Region.Gradient));
    critics.forEach((critic, i) => {
      const slopes = differences(critic, () => lossOfCritic(critic));
      expect(difference(flat(gradient.critics[i]!), slopes)).toBeLessThan(2e-4);
    });
    // The actor's, through the first critic.
    const descent = () => -mean(valuesOf(critics[0]!, rows, actionsOf(actor, rows)));
    expect(difference(flat(gradient.actor), differences(actor, descent))).toBeLessThan(1e-4);
    const value = bench.f64(Region.Stats)[Stat.ActorValue]!;
    expect(Math.abs(value + descent())).toBeLessThan(1e-5);
  });

  test("Adam's steps are clipped apart, and targets move by tau", () => {
    const bench = new Bench(given);
    const before = bench.f32(Region.Online).slice();
    const target = bench.f32(Region.Target).slice();
    bench.learn({ [Scalar.LearningRate]: 0.01, [Scalar.ActorLearningRate]: 0.02, [Scalar.MaxGradNorm]: CLIP });
    const gradient = bench.f32(Region.Gradient);
    const after = bench.f32(Region.Online);
    const [, first] = bench.offsets();
    const expected = Array.from(before);
    for (const [from, to, rate] of [
      [0, first!, 0.02],
      [first!, before.length, 0.01],
    ] as const) {
      const own = Array.from(gradient.subarray(from, to));
      const norm = Math.sqrt(own.reduce((sum, g) => sum + g * g, 0));
      const scale = Math.min(1, CLIP / (norm + 1e-6));
      // After one step both moments are those of this gradient alone.
      own.forEach((g, i) => {
        const scaled = g * scale;
        expected[from + i]! -= scaled === 0 ? 0 : (rate * scaled) / (Math.abs(scaled) + 1e-8);
      });
    }
    expect(difference(after, expected)).toBeLessThan(3e-5);
    const moved = Array.from(target, (x, i) => x + 0.25 * (after[i]! - x));
    expect(difference(bench.f32(Region.Target), moved)).toBeLessThan(1e-6);
  });
});

test("the actor and the targets wait for the policy's delay", () => {
  const bench = new Bench(CASES[0]!);
  const [, first] = bench.offsets();
  const rates = { [Scalar.TargetEvery]: 3, [Scalar.LearningRate]: 0.01, [Scalar.ActorLearningRate]: 0.01 };
  const actor = () => Array.from(bench.f32(Region.Online).subarray(0, first));
  const target = () => Array.from(bench.f32(Region.Target));
  const [a, t] = [actor(), target()];
  for (let i = 0; i < 2; i++) bench.learn(rates);
  expect([actor(), target()]).toEqual([a, t]);
  bench.learn(rates);
  expect(actor()).not.toEqual(a);
  expect(target()).not.toEqual(t);
  const state = bench.f64(Region.State);
  expect([state[State.Updates], state[State.ActorUpdates]]).toEqual([3, 1]);
});

test("an update that is not finite is dropped and counted, and changes no weight", () => {
  const bench = new Bench(CASES[0]!);
  const before = Array.from(bench.f32(Region.Online));
  bench.f32(Region.Target).fill(Number.NaN);
  expect(bench.learn({ [Scalar.LearningRate]: 0.01 })).toBeNaN();
  expect(Array.from(bench.f32(Region.Online))).toEqual(before);
  const state = bench.f64(Region.State);
  expect([state[State.Updates], state[State.Skipped], state[State.SkippedStep]]).toEqual([0, 1, CAPACITY]);
});
