import { expect, test } from "vitest";
import { Flag, RETURN_MAX, REWARD_MAX, Region, Scalar, State, Status } from "../../assembly/abi.js";
import { Pcg32 } from "../reference/rng.js";
import { createAgent, KernelBench } from "../support/kernels.js";

const OBSERVATION = 2;
const ACTIONS = 3;
const GAMMA = 0.5;

interface Step {
  observation: number[];
  action: number;
  reward: number;
  discount: number;
  next: number[];
}

/** What n-step returns of one episode must be, by their definition; incomplete ones only where the episode has ended. */
function returnsOf(steps: Step[], n: number, hasEnded: boolean): Step[] {
  const starts = hasEnded ? steps.length : Math.max(0, steps.length - n + 1);
  return steps.slice(0, starts).map((first, t) => {
    const window = steps.slice(t, t + n);
    let sum = 0;
    let discount = 1;
    for (const { reward, discount: d } of window) {
      sum += discount * reward;
      discount *= d;
    }
    return { ...first, reward: sum, discount, next: window.at(-1)!.next };
  });
}

function agentOf(nStep: number, capacity: number) {
  const { exports } = new KernelBench(0);
  const sizes = {
    Observation: OBSERVATION,
    Actions: ACTIONS,
    Batch: 4,
    Capacity: capacity,
    NStep: nStep,
    Environments: 3,
  };
  expect(createAgent(exports, sizes, [4])).toBe(Status.Ok);
  const view = (region: Region) => new Float32Array(exports.memory.buffer, exports.region(region));
  const state = new Float64Array(exports.memory.buffer, exports.region(Region.State), State.Count);
  const scalars = new Float64Array(exports.memory.buffer, exports.region(Region.Scalars), Scalar.Count);
  return {
    exports,
    state,
    observe({ observation, action, reward, discount, next }: Step, isLast: boolean, environment = 1) {
      view(Region.Observation).set(observation);
      view(Region.NextObservation).set(next);
      scalars[Scalar.Reward] = reward;
      scalars[Scalar.Discount] = discount;
      return exports.observe(action, 0, 0, isLast, environment, 0);
    },
    /** The rows of the replay, oldest first. */
    rows(): Step[] {
      const stride = exports.regionBytes(Region.Replay) / capacity;
      const size = state[State.Size]!;
      const head = state[State.Head]!;
      return Array.from({ length: size }, (_, i) => {
        const row = (size < capacity ? i : (head + i) % capacity) * stride;
        const floats = new Float32Array(exports.memory.buffer, exports.region(Region.Replay) + row, stride / 4);
        const words = new Int32Array(floats.buffer, floats.byteOffset, stride / 4);
        return {
          observation: Array.from(floats.subarray(0, 2)),
          next: Array.from(floats.subarray(2, 4)),
          reward: floats[4]!,
          discount: floats[5]!,
          action: words[6]!,
        };
      });
    },
  };
}

test.each([1, 2, 3, 5, 8])("equals returns by definition over random episodes, n = %i", (n) => {
  const capacity = 37;
  const agent = agentOf(n, capacity);
  const random = Pcg32.seeded(BigInt(n), 1n);
  const expected: Step[] = [];
  for (let episode = 0, at = 0; episode < 60; episode++) {
    const length = 1 + random.below(9);
    // Terminated, cut, or left where it stands: half of the episodes are shorter than n.
    const end = ["terminated", "truncated", "abandoned"][random.below(3)];
    const steps = Array.from({ length }, (_, i): Step => {
      const isLast = i === length - 1;
      at++;
      return {
        observation: [at, episode],
        action: random.below(ACTIONS),
        // Eighths: exact in f32, so that the twin's f64 gives the same.
        reward: random.below(65) / 8 - 4,
        discount: isLast && end === "terminated" ? 0 : GAMMA,
        next: [at + 0.5, episode],
      };
    });
    steps.forEach((step, i) => {
      expect(agent.observe(step, i === length - 1 && end !== "abandoned")).toBe(Status.Ok);
    });
    if (end === "abandoned") agent.exports.abandon(1);
    expected.push(...returnsOf(steps, n, end !== "abandoned"));
    expect(agent.rows()).toEqual(expected.slice(-capacity));
  }
  expect(agent.state[State.Steps]).toBeGreaterThan(expected.length - 1);
});

test("an end bootstraps from the last state where it is cut, and from none where it is terminal", () => {
  const step = (t: number, discount: number): Step => ({
    observation: [t, 0],
    action: 0,
    reward: 1,
    discount,
    next: [t + 1, 0],
  });
  for (const last of [GAMMA, 0]) {
    const agent = agentOf(3, 10);
    agent.observe(step(0, GAMMA), false);
    agent.observe(step(1, last), true);
    const [first, second] = agent.rows();
    expect([first!.reward, first!.discount, first!.next]).toEqual([1.5, GAMMA * last, [2, 0]]);
    expect([second!.reward, second!.discount, second!.next]).toEqual([1, last, [2, 0]]);
  }
});

test("a reward or a return beyond its bound is refused, and nothing changes", () => {
  const agent = agentOf(101, 200);
  const most: Step = { observation: [0, 0], action: 0, reward: REWARD_MAX, discount: 1, next: [1, 0] };
  for (const bad of [1000000.0625, -1000000.0625, 1e38, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(agent.observe({ ...most, reward: bad }, false)).toBe(Status.BadReturn);
  }
  for (let i = 0; i < RETURN_MAX / REWARD_MAX; i++) expect(agent.observe(most, false)).toBe(Status.Ok);
  expect(agent.observe(most, false)).toBe(Status.BadReturn);
  expect(agent.observe({ ...most, reward: -0 }, true)).toBe(Status.Ok);
  expect(
    agent
      .rows()
      .map(({ reward }) => reward)
      .slice(0, 2),
  ).toEqual([RETURN_MAX, RETURN_MAX - REWARD_MAX]);
  expect(agent.rows()).toHaveLength(101);
});

test("environments that take turns get the returns of their own episodes", () => {
  const n = 3;
  const agent = agentOf(n, 400);
  const random = Pcg32.seeded(5n, 1n);
  const episodes: Step[][] = [[], [], []];
  const expected: Step[][] = [[], [], []];
  for (let at = 0; at < 300; at++) {
    const e = random.below(3);
    const isLast = random.below(5) === 0;
    const discount = isLast && random.below(2) ? 0 : GAMMA;
    const reward = random.below(65) / 8 - 4;
    const step: Step = { observation: [at, e], action: random.below(ACTIONS), reward, discount, next: [at + 0.5, e] };
    episodes[e]!.push(step);
    const isAbandoned = isLast && random.below(3) === 0;
    expect(agent.observe(step, isLast && !isAbandoned, e)).toBe(Status.Ok);
    if (isAbandoned) agent.exports.abandon(e);
    if (!isLast) continue;
    expected[e]!.push(...returnsOf(episodes[e]!, n, !isAbandoned));
    episodes[e] = [];
  }
  for (const e of [0, 1, 2]) {
    expected[e]!.push(...returnsOf(episodes[e]!, n, false));
    expect(agent.rows().filter(({ observation }) => observation[1] === e)).toEqual(expected[e]);
    expect(expected[e]!.length).toBeGreaterThan(50);
  }
});

test("each part of a reward is summed by itself, and refused by itself beyond its bound", () => {
  const { exports } = new KernelBench(0);
  const [parts, nStep, capacity] = [3, 3, 8];
  const sizes = { Flags: Flag.Sets, Observation: 1, Features: 1, MaxCandidates: 1, NextCandidates: 1, Slate: 1 };
  expect(createAgent(exports, { ...sizes, Parts: parts, NStep: nStep, Capacity: capacity }, [4])).toBe(Status.Ok);
  const scalars = new Float64Array(exports.memory.buffer, exports.region(Region.Scalars), Scalar.Count);
  scalars[Scalar.Discount] = GAMMA;
  const observe = (rewards: number[], isLast = false) => {
    scalars.set(rewards, Scalar.Reward);
    return exports.observe(0, 1, 1, isLast, 0, 1);
  };
  const given = [[1, 10, -100], [2, 20, -200], [4, 40, -400], [8, 80, -800]]; // biome-ignore format: one line
  for (const [i, rewards] of given.entries()) expect(observe(rewards, i === 3)).toBe(Status.Ok);
  const stride = exports.regionBytes(Region.Replay) / capacity / 4;
  const words = new Float32Array(exports.memory.buffer, exports.region(Region.Replay));
  // Observations and next candidate | count, candidate | shown, next slate | returns | discount.
  const rows = [0, 1, 2, 3].map((i) => Array.from(words.subarray(i * stride + 7, i * stride + 11)));
  expect(rows).toEqual([
    [3, 30, -300, 0.125],
    [6, 60, -600, 0.125],
    [8, 80, -800, 0.25],
    [8, 80, -800, 0.5],
  ]);
  for (let p = 0; p < parts; p++) {
    for (const bad of [1.1 * REWARD_MAX, Number.NaN]) {
      const rewards = [1, 1, 1];
      rewards[p] = bad;
      expect(observe(rewards)).toBe(Status.BadReturn);
    }
    // Restore does not believe a file's either.
    expect(exports.restore()).toBe(Status.Ok);
    const kept = words[7 + p]!;
    words[7 + p] = p === 1 ? Number.NaN : 2 * RETURN_MAX;
    expect(exports.restore()).toBe(Status.NotFinite);
    words[7 + p] = kept;
  }
});
