import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  ContinuousAgent,
  type ContinuousOptions,
  type ContinuousTransition,
} from "../../src/engine/continuous/index.js";
import { packSnapshot, unpackSnapshot } from "../../src/engine/index.js";
import { DQN, Pendulum, Random, SnapshotError, train } from "../../src/index.js";
import { moments } from "../reference/moments.js";

const SMALL = {
  observation: 3,
  continuous: { low: [-2, 0], high: [2, 1] },
  hidden: [12, 7],
  batchSize: 9,
  capacity: 150,
  learningStarts: 20,
  randomSteps: 30,
  seed: 5,
} satisfies ContinuousOptions;

/** Options that each touch another part of what is saved. */
const VARIANTS: [string, Partial<ContinuousOptions>][] = [
  ["TD3", {}],
  ["DDPG", { twin: false, policyDelay: 1, targetNoise: 0 }],
  [
    "everything",
    {
      normalization: "layer",
      nStep: 3,
      environments: 2,
      noiseCorrelation: 0.9,
      noise: { type: "linear", from: 0.5, to: 0.1, steps: 200 },
      storage: "f16",
      loss: "huber",
      maxGradNorm: 0.5,
      weightDecay: 0.01,
      rewardScale: 0.5,
      rewardClip: 1,
    },
  ],
];

/** SHA-256 of each after 260 steps: the same in every runtime and on every machine. */
const GOLDEN: Record<string, string> = {
  TD3: "530f1c9763b070803a48ae370459dc29655039a29d62e5963f89a592db9789f9",
  DDPG: "c423128fc528bab00a1923f8f626277a6924dace6934a4800d0758511ceb81b2",
  everything: "17ec3e56a1410da24412dd218c46e866ce9fc46ddbac803b2a56873718990c83",
};

const hashOf = (agent: ContinuousAgent) => createHash("sha256").update(agent.save()).digest("hex");

/** Steps of a made-up world from `from` on: what follows depends on the action, so that acting is part of the test. */
function live(agent: ContinuousAgent, from: number, to: number): void {
  const seen = (i: number, a: number) => [Math.fround(((i * 37) % 19) / 9 - 1), Math.fround(a), (i % 7) / 7];
  for (let i = from; i < to; i++) {
    const environment = i % agent.options.environments;
    const observation = seen(i, 0.3);
    const action = agent.act(observation, undefined, environment).slice();
    const reward = 1 - Math.abs(action[0]! - observation[0]!) - action[1]!;
    const [terminated, truncated] = [i % 23 === 0, i % 31 === 0];
    agent.observe({
      ...{ observation, action, reward, terminated, truncated, environment },
      nextObservation: seen(i + 1, action[1]!),
    });
    agent.learn();
  }
}

describe.each(VARIANTS)("%s", (name, extra) => {
  const make = (run = {}) => new ContinuousAgent({ ...SMALL, ...extra }, run);

  test("the same seed and calls give the same bytes, by both forms of the kernels", () => {
    const hashes = (["rolled", "unrolled"] as const).map((kernels) => {
      const agent = make({ kernels });
      live(agent, 0, 260);
      expect(agent.stats().build).toBe(`simd128 ${kernels}`);
      return hashOf(agent);
    });
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[0]).toBe(GOLDEN[name]);
    const other = new ContinuousAgent({ ...SMALL, ...extra, seed: 6 });
    live(other, 0, 260);
    expect(hashOf(other)).not.toBe(hashes[0]);
  });

  test.each([0, 25, 97, 170, 233])("saved after %d steps and loaded, it ends as one that never stopped", (step) => {
    const whole = make();
    live(whole, 0, 300);
    const first = make();
    live(first, 0, step);
    const second = ContinuousAgent.load(first.save());
    live(second, step, 300);
    expect(hashOf(second)).toBe(hashOf(whole));
  });

  test("chunks are the file of the moment of the call, while the agent goes on", async () => {
    const agent = make();
    live(agent, 0, 200);
    const file = agent.save();
    const chunks = agent.saveChunks();
    live(agent, 200, 380);
    const all = [...chunks];
    expect(Buffer.concat(all)).toEqual(Buffer.from(file));
    const loaded = await ContinuousAgent.loadChunks(all);
    expect(hashOf(loaded)).toBe(createHash("sha256").update(file).digest("hex"));
  });

  test("a file without replay acts the same, and learns on from an empty replay", () => {
    const agent = make();
    live(agent, 0, 120);
    const small = agent.save({ replay: false });
    expect(small.byteLength).toBeLessThan(agent.save().byteLength);
    const loaded = ContinuousAgent.load(small);
    expect([loaded.replaySize, loaded.steps]).toEqual([0, 120]);
    expect(Array.from(loaded.act([0.1, 0.2, 0.3], 0))).toEqual(Array.from(agent.act([0.1, 0.2, 0.3], 0)));
    live(loaded, 120, 200);
    expect(loaded.updates).toBeGreaterThan(agent.updates);
  });
});

test("greedy acting draws no random number, and evaluating none", () => {
  const [a, b] = [new ContinuousAgent(SMALL), new ContinuousAgent(SMALL)];
  for (let i = 0; i < 5; i++) {
    b.act([i, 0, 0], 0);
    b.evaluate([i, 0, 0], [0, 0.5]);
  }
  live(a, 0, 80);
  live(b, 0, 80);
  expect(hashOf(b)).toBe(hashOf(a));
});

test("actions lie between their bounds: uniform at first, then the actor's with noise", () => {
  const agent = new ContinuousAgent({ ...SMALL, noise: 0.2, randomSteps: 10 });
  const observation = [0.5, -0.5, 1];
  const draw = (n: number, noise?: number) =>
    Array.from({ length: n }, () => Array.from(agent.act(observation, noise)));
  const uniform = draw(4000);
  for (const [d, low, high] of [
    [0, -2, 2],
    [1, 0, 1],
  ] as const) {
    const values = uniform.map((action) => action[d]!);
    const { mean, variance } = moments(values);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...values)).toBeLessThanOrEqual(high);
    expect(Math.abs(mean - (low + high) / 2)).toBeLessThan(0.03 * (high - low));
    expect(Math.abs(variance / ((high - low) ** 2 / 12) - 1)).toBeLessThan(0.06);
  }
  const greedy = Array.from(agent.act(observation, 0));
  live(agent, 0, 10);
  expect(agent.epsilon).toBe(0);
  const noisy = draw(4000);
  const { mean, variance } = moments(noisy.map((action) => action[0]!));
  // Half of the range is 2.
  expect(Math.abs(mean - greedy[0]!)).toBeLessThan(0.03);
  expect(Math.abs(Math.sqrt(variance) / 0.4 - 1)).toBeLessThan(0.05);
  expect(draw(3, 0)).toEqual([greedy, greedy, greedy]);
});

test("correlated noise holds its direction within an episode, and each environment has its own", () => {
  const agent = new ContinuousAgent({ ...SMALL, noise: 0.3, noiseCorrelation: 0.95, randomSteps: 0, environments: 2 });
  const observation = [0, 0, 0];
  const greedy = agent.act(observation, 0)[0]!;
  const series = [0, 1].map((environment) =>
    Array.from({ length: 6000 }, () => agent.act(observation, undefined, environment)[0]! - greedy),
  );
  const lag = (x: number[], y: number[], k: number) => moments(x.slice(k).map((value, i) => value * y[i]!)).mean;
  const own = lag(series[0]!, series[0]!, 1) / lag(series[0]!, series[0]!, 0);
  expect(Math.abs(own - 0.95)).toBeLessThan(0.02);
  expect(Math.abs(lag(series[0]!, series[1]!, 0) / lag(series[0]!, series[0]!, 0))).toBeLessThan(0.2);
});

test("weights in plain form give the actor's own actions, and go back into another agent", () => {
  const agent = new ContinuousAgent({ ...SMALL, continuous: { low: [-1, -1], high: [1, 1] } });
  live(agent, 0, 100);
  const x = [0.3, -0.7, 0.9];
  let h = x;
  const layers = agent.weights();
  layers.forEach(({ weight, bias, inputs }, l) => {
    const z = Array.from(bias, (b, j) => h.reduce((sum, value, i) => sum + value * weight[j * inputs + i]!, b));
    h = z.map((value) => (l === layers.length - 1 ? Math.tanh(value) : Math.max(0, value)));
  });
  const own = agent.act(x, 0);
  h.forEach((value, i) => {
    expect(Math.abs(value - own[i]!)).toBeLessThan(1e-5);
  });
  const other = new ContinuousAgent({ ...SMALL, continuous: { low: [-1, -1], high: [1, 1] }, seed: 99 });
  other.setWeights(layers);
  expect(Array.from(other.act(x, 0))).toEqual(Array.from(own));
  const third = new ContinuousAgent({ ...SMALL, continuous: { low: [-1, -1], high: [1, 1] }, seed: 98 });
  third.restoreWeights(agent.copyWeights());
  expect(Array.from(third.evaluate(x, [0.1, 0.2]))).toEqual(Array.from(agent.evaluate(x, [0.1, 0.2])));
});

test.each([
  ["TD3", {}],
  ["DDPG", { twin: false, policyDelay: 1, targetNoise: 0 } as const],
  ["with layer norm", { normalization: "layer" } as const],
])("%s finds the best action of each state, and its value", (_, extra) => {
  const agent = new ContinuousAgent({
    ...{ observation: 1, continuous: { low: [-3], high: [1] }, hidden: [32, 32], learningStarts: 100 },
    ...{ learningRate: 3e-3, tau: 0.02, batchSize: 64, noise: 0.3, randomSteps: 200, seed: 2 },
    ...extra,
  });
  const random = new Random(1);
  const best = (x: number) => x - 1;
  for (let i = 0; i < 2500; i++) {
    const x = 2 * random.uniform() - 1;
    const action = agent.act([x]);
    const reward = 1 - (action[0]! - best(x)) ** 2;
    agent.observe({ observation: [x], action, reward, terminated: true, nextObservation: [0] });
    agent.learn();
  }
  for (const x of [-0.8, -0.2, 0.4, 0.9]) {
    const [action] = agent.act([x], 0);
    expect(Math.abs(action! - best(x))).toBeLessThan(0.25);
    expect(Math.abs(agent.evaluate([x], [action!])[0]! - 1)).toBeLessThan(0.2);
  }
  expect(agent.skippedUpdates).toBe(0);
});

test("bootstraps through truncation but not termination", () => {
  const values = [true, false].map((terminated) => {
    const agent = new ContinuousAgent({
      ...{ observation: 1, continuous: { low: [-1], high: [1] }, hidden: [16], learningStarts: 10, gamma: 0.5 },
      ...{ learningRate: 1e-2, tau: 0.1, batchSize: 16, seed: 3 },
    });
    for (let i = 0; i < 400; i++) {
      const action = agent.act([1]);
      agent.observe({ observation: [1], action, reward: 1, terminated, truncated: !terminated, nextObservation: [1] });
      agent.learn();
    }
    return agent.evaluate([1], [0])[0]!;
  });
  expect(Math.abs(values[0]! - 1)).toBeLessThan(0.05);
  expect(Math.abs(values[1]! - 2)).toBeLessThan(0.1);
});

const STEP: ContinuousTransition = {
  observation: [0, 0, 0],
  action: [0, 0.5],
  reward: 0,
  terminated: false,
  nextObservation: [0, 0, 0],
};

test.each<[string, (agent: ContinuousAgent) => void, string]>([
  ["a short observation", (a) => a.act([0, 0]), '"observation" must hold 3 numbers, got 2'],
  ["NaN in it", (a) => a.act([0, Number.NaN, 0]), '"observation[1]" must be in [-1e6, 1e6], got NaN'],
  ["noise below 0", (a) => a.act([0, 0, 0], -1), '"noise" must be in [0, 10], got -1'],
  ["an environment that is none", (a) => a.act([0, 0, 0], 0, 1), '"environment" must be an integer in [0, 0], got 1'],
  ["no action", (a) => a.observe({ ...STEP, action: undefined as never }), '"action" must be an array of numbers'],
  ["a short action", (a) => a.observe({ ...STEP, action: [0] }), '"action" must hold 2 numbers, got 1'],
  ["an action above", (a) => a.observe({ ...STEP, action: [0, 1.1] }), '"action[1]" must be in [0, 1], got 1.1'],
  [
    "an action of NaN",
    (a) => a.observe({ ...STEP, action: [Number.NaN, 1] }),
    '"action[0]" must be in [-2, 2], got NaN',
  ],
  ["an action of null", (a) => a.observe({ ...STEP, action: [0, null as never] }), '"action[1]" must be a number'],
  [
    "a reward of infinity",
    (a) => a.observe({ ...STEP, reward: 1 / 0 }),
    '"reward" must be in [-1e6, 1e6], got Infinity',
  ],
  [
    "a reward of null",
    (a) => a.observe({ ...STEP, reward: null as never }),
    '"reward" must be in [-1e6, 1e6], got null',
  ],
  ["a flag of 1", (a) => a.observe({ ...STEP, terminated: 1 as never }), '"terminated" must be true or false, got 1'],
  ["a discount of 2", (a) => a.observe({ ...STEP, discount: 2 }), '"discount" must be in [0, 1], got 2'],
  [
    "a next observation out of bounds",
    (a) => a.observe({ ...STEP, nextObservation: [0, 2e6, 0] }),
    '"nextObservation[1]" must be in [-1e6, 1e6], got 2000000',
  ],
  ["updates of 0", (a) => a.learn(0), '"updates" must be an integer in [1, 2147483647], got 0'],
  ["weights of another length", (a) => a.restoreWeights(new Float32Array(3)), '"weights" must hold'],
  ["a target that does not move", (a) => a.syncTarget(0), '"tau" must be in (0, 1], got 0'],
])("%s is refused, and changes nothing", (_, call, message) => {
  const agent = new ContinuousAgent(SMALL);
  live(agent, 0, 40);
  const before = hashOf(agent);
  expect(() => call(agent)).toThrow(message);
  expect(hashOf(agent)).toBe(before);
});

test.each<[object, string]>([
  [{ observation: 0 }, '"observation" must be an integer in [1, 1048576], got 0'],
  [{ continuous: undefined }, '"continuous" must be { low, high }, got undefined'],
  [{ continuous: { low: [0] } }, '"continuous" must be { low, high }, two arrays of numbers, got an object'],
  [{ continuous: { low: [], high: [] } }, '"continuous.low" must hold 1 to 1024 numbers'],
  [
    { continuous: { low: [0, 1], high: [1] } },
    '"continuous.low" must hold 1 to 1024 numbers, as many as "continuous.high" (1), got 2',
  ],
  [{ continuous: { low: [0], high: [0] } }, '"continuous.high[0]" must be at least 1e-6 above "continuous.low[0]" (0)'],
  [{ continuous: { low: [-1e7], high: [0] } }, '"continuous.low[0]" must be in [-1e6, 1e6], got -10000000'],
  [{ policyDelay: 0 }, '"policyDelay" must be an integer in [1, 1000000], got 0'],
  [{ normalization: "batch" }, '"normalization" must be "none" or "layer", got "batch"'],
  [{ epsilon: 0.1 }, '"epsilon" is not an option'],
  [{ learningStarts: 200 }, '"learningStarts" must be at most "capacity" (150), got 200'],
  [{ noiseCorrelation: 1 }, '"noiseCorrelation" must be in [0, 0.99999], got 1'],
  [{ capacity: 2 ** 31 - 1 }, "Wasm memory ends at 4 GB"],
])("options %j are refused by name", (extra, message) => {
  expect(() => new ContinuousAgent({ ...SMALL, ...extra } as ContinuousOptions)).toThrow(message);
});

test("a file of another kind, damaged or forged, is refused", () => {
  const agent = new ContinuousAgent(SMALL);
  live(agent, 0, 60);
  const file = agent.save();
  expect(() => DQN.load(file)).toThrow(SnapshotError);
  expect(() => ContinuousAgent.load(new DQN({ observation: 2, actions: 2 }).save())).toThrow(SnapshotError);
  const damaged = file.slice();
  damaged[damaged.length - 5]! ^= 1;
  expect(() => ContinuousAgent.load(damaged)).toThrow("SHA-256");
  const { metadata, tensors } = unpackSnapshot("continuous", file);
  const own = { options: metadata["options"]!, replay: "true" };
  const bytes = tensors.get("agent")!;
  const random = new Random(4);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const forged = bytes.slice();
    // A word of all ones is NaN in every format; as a counter it is none.
    forged.fill(0xff, 8 * random.below(Math.floor(forged.byteLength / 8))).fill(0, 0, 0);
    try {
      const loaded = ContinuousAgent.load(packSnapshot("continuous", own, new Map([["agent", forged]])));
      live(loaded, 60, 70);
    } catch (error) {
      expect(error).toBeInstanceOf(SnapshotError);
      refused++;
    }
  }
  expect(refused).toBe(300);
  for (const length of [0, 8, bytes.byteLength - 1, bytes.byteLength + 1]) {
    const cut = new Uint8Array(length);
    cut.set(bytes.subarray(0, length));
    expect(() => ContinuousAgent.load(packSnapshot("continuous", own, new Map([["agent", cut]])))).toThrow(
      SnapshotError,
    );
  }
});

test("stats are figures of learning, NaN before there are any, and count refusals", () => {
  const agent = new ContinuousAgent(SMALL);
  const { loss, lossMean, actorValue, gradientNorm, damaged } = agent.stats();
  expect([loss, lossMean, actorValue, gradientNorm]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  expect(damaged).toBe(false);
  live(agent, 0, 100);
  expect(() => agent.act([0])).toThrow();
  const stats = agent.stats();
  expect(stats).toMatchObject({ steps: 100, updates: 81, actorUpdates: 40, skippedUpdates: 0, replaySize: 100 });
  expect(stats.refused).toEqual({ observation: 1 });
  for (const figure of ["loss", "lossMean", "gradientNorm", "actorGradientNorm"] as const) {
    expect(stats[figure]).toBeGreaterThan(0);
  }
});

test("a module that is another one is refused, the shipped one taken, and a disposed agent answers no more", () => {
  const module = (name: string) => new WebAssembly.Module(readFileSync(`dist/${name}.wasm`));
  expect(() => new ContinuousAgent(SMALL, { module: module("dqn") })).toThrow('must be "liveq/continuous.wasm"');
  const agent = new ContinuousAgent(SMALL, { module: module("continuous") });
  agent.dispose();
  expect(() => agent.act([0, 0, 0])).toThrow("the agent is disposed");
  expect(agent.memoryBytes).toBe(0);
});

test("Pendulum is learned in 6,000 steps by a small actor", async () => {
  const agent = new ContinuousAgent({
    ...{ observation: 3, continuous: { low: [-2], high: [2] }, hidden: [32, 32], gamma: 0.98, seed: 1 },
    ...{ learningRate: 3e-3, tau: 0.02, batchSize: 64 },
  });
  const { best } = await train(agent, new Pendulum(), {
    steps: 6000,
    evaluation: { environment: new Pendulum(), every: 1000, episodes: 10, stopAt: -250 },
  });
  expect(best!.meanReturn).toBeGreaterThan(-250);
});
