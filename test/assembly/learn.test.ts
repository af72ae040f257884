import { describe, expect, test } from "vitest";
import { Flag, GRADIENT_MAX, Normalization, Region, Stat, State, Status } from "../../assembly/abi.js";
import { batchLoss, choicesOf, type Rules, slateTargets, softTargets, sumOf, targets } from "../reference/dqn.js";
import { chiSquare } from "../reference/moments.js";
import {
  differences,
  drawNoise,
  flat,
  matrices,
  type Network,
  type Plan,
  perturbed,
  unpackNetwork,
} from "../reference/network.js";
import { Pcg32 } from "../reference/rng.js";
import { NaiveSumTree } from "../reference/sumtree.js";
import {
  BATCH,
  boundsOf,
  CAPACITY,
  CASES,
  type Case,
  CHOICE_WEIGHT,
  EPSILON,
  EXPONENTS,
  feed,
  LEARNING_RATE,
  learn,
  MUNCHAUSEN,
  planOf,
  sampleOf,
  sigmaOf,
  sizesOf,
  storedOf,
  WEIGHT_DECAY,
} from "../support/cases.js";
import { createAgent, difference, KernelBench, type Kernels, regionOf } from "../support/kernels.js";
import { numbers } from "../support/numbers.js";

const { Double, Squared, Prioritized, Dueling, Munchausen, Sets } = Flag;

/** An agent in the kernels build, with a replay of transitions that touch every special case. */
function agentOf(given: Case) {
  const { exports } = new KernelBench(0);
  expect(createAgent(exports, sizesOf(given), given.hidden, sigmaOf(given), boundsOf(given))).toBe(Status.Ok);
  const f32 = (region: Region) => regionOf(exports, region);
  const state = new BigUint64Array(exports.memory.buffer, exports.region(Region.State), State.Count);
  const stored = Array.from({ length: CAPACITY }, (_, i) => storedOf(i, given));
  for (const step of stored) expect(feed(exports, f32, given, step)).toBe(Status.Ok);
  return { exports, f32, state, stored };
}

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

function rulesOf(given: Case): Rules {
  const { flags = 0, quantiles = 1, cqlAlpha = 0, slate, parts = 1 } = given;
  const rules: Rules = { quantiles, squared: (flags & Squared) !== 0, cqlAlpha };
  if (slate) rules.slate = { size: slate, choiceWeight: CHOICE_WEIGHT, features: planOf(given).features, parts };
  return flags & Munchausen ? { ...rules, munchausen: MUNCHAUSEN } : rules;
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
    const values = rules.slate ? slateTargets : targets;
    let y: number[][];
    if (rules.munchausen) y = softTargets(noisy(frozen), batch, rules);
    else if (flags & Double) {
      const judge = noisy(online);
      y = values(judge, noisy(frozen), batch, rules);
    } else {
      const judge = noisy(frozen);
      y = values(judge, judge, batch, rules);
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
      expect(exports.evaluate(step.set.length, false)).toBe(Status.Ok);
      const { slate } = rules;
      const own = slate && choicesOf(network, [sample.state], plan.quantiles, slate.features)[0]!;
      const theta = own ? own.theta : matrices(network, [sample.state], plan.quantiles)[0]!;
      const expected = theta.map((row) => sumOf(row, rules.quantiles));
      if (own) {
        expect(difference(f32(Region.Nothing), [expected.shift()!])).toBeLessThan(2e-5);
        expect(difference(f32(Region.Choices).slice(0, expected.length), own.v.slice(1))).toBeLessThan(2e-5);
      }
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
  // Mean CAPACITY - 1, deviation sqrt(2 (CAPACITY - 1)): five deviations.
  expect(chiSquare(counts)).toBeLessThan(CAPACITY - 1 + 5 * Math.sqrt(2 * (CAPACITY - 1)));
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
  exports.evaluate(9, false);
  const together = f32(Region.Values).slice(0, 9);
  const alone = Array.from({ length: 9 }, (_, i) => {
    f32(Region.Candidates).set(rows.subarray(i * 3, i * 3 + 3));
    exports.evaluate(1, false);
    return f32(Region.Values)[0];
  });
  expect(alone).toEqual(Array.from(together));
});
