import { describe, expect, test } from "vitest";
import { packSnapshot, unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import { DQN, type DQNOptions, type Transition } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";
import { chiSquare } from "../reference/moments.js";
import { digestOf } from "../support/live.js";

const BASE: DQNOptions = {
  observation: 2,
  candidates: { max: 6, features: 3 },
  slate: { size: 2 },
  hidden: [16],
  batchSize: 8,
  learningStarts: 8,
  capacity: 200,
  seed: 3,
};
const STEP: Transition = {
  observation: [1, 0],
  candidates: [1, 0, 0, 0, 1, 0],
  action: 1,
  reward: 1,
  terminated: false,
  nextObservation: [0, 1],
  nextCandidates: [0, 0, 1],
};

/** A reward, in parts where there are several. */
function rewardOf(parts: number, reward: number): Pick<Transition, "reward" | "rewards"> {
  return { reward, ...(parts > 1 && { rewards: Array.from({ length: parts }, (_, p) => reward / (p + 1)) }) };
}

/** Feeds made-up slates, some of them empty or ignored, and learns; parts of rewards fall off as 1, 1/2, 1/3. */
function live(agent: DQN, steps: number, from = 0): void {
  const { parts } = agent.options.slate!;
  for (let i = from; i < from + steps; i++) {
    const random = Random.named(i, "slates");
    const rows = (n: number) => Array.from({ length: n * 3 }, () => random.uniform());
    const n = i % 4;
    const shown = Math.max(0, n - (i % 2));
    const slate = agent.actSlate([random.uniform(), 0], rows(1 + (i % 6)));
    agent.observe({
      observation: [random.uniform(), slate.length],
      candidates: rows(n),
      shown,
      action: (i % (shown + 1)) - 1,
      ...rewardOf(parts, random.uniform()),
      terminated: i % 9 === 0,
      nextObservation: [random.uniform(), 1],
      nextCandidates: rows(i % 5),
    });
    agent.learn();
  }
}

describe("options and calls", () => {
  test.each<[object, string]>([
    [{ slate: { size: 0 } }, '"slate.size" must be an integer in [1, 64], got 0'],
    [{ slate: {} }, '"slate.size" must be an integer in [1, 64], got undefined'],
    [{ slate: { size: 2, choiceWeight: -1 } }, '"slate.choiceWeight" must be in [0, 1000], got -1'],
    [{ slate: { size: 2, k: 1 } }, '"slate.k" is not an option'],
    [{ slate: { size: 2, parts: 0 } }, '"slate.parts" must be an integer in [1, 8], got 0'],
    [{ slate: { size: 2, parts: 9 } }, '"slate.parts" must be an integer in [1, 8], got 9'],
    [{ dueling: true }, '"dueling" and "slate" exclude each other: the value of a state'],
    [{ munchausen: {} }, '"munchausen" and "slate" exclude each other'],
    [{ candidates: undefined, actions: 2 }, '"actions" and "slate" exclude each other: a slate shows candidates'],
  ])("%j is refused: %s", (options, message) => {
    expect(() => new DQN({ ...BASE, ...options } as DQNOptions)).toThrow(message);
  });

  test.each<[Partial<Record<keyof Transition, unknown>>, string]>([
    [{ action: 2 }, '"action" must be an integer in [-1, 1], got 2'],
    [{ action: -2 }, '"action" must be an integer in [-1, 1], got -2'],
    [{ action: undefined }, '"action" must be an integer in [-1, 1], got undefined'],
    [{ shown: 1 }, '"action" must be an integer in [-1, 0], got 1'],
    [{ shown: 0, action: 0 }, '"action" must be an integer in [-1, -1], got 0'],
    [{ shown: 3 }, '"shown" must be an integer in [0, 2], got 3'],
    [{ candidate: [1, 0, 0] }, '"slate" takes "candidates"'],
    [{ candidates: undefined }, '"candidates" must be given'],
    [{ candidates: [1, Number.NaN, 0], action: 0 }, '"candidates[1]" must be in [-1e6, 1e6], got NaN'],
  ])("a transition with %j is refused: %s", (change, message) => {
    const agent = new DQN(BASE);
    expect(() => agent.observe({ ...STEP, ...change } as Transition)).toThrow(message);
    expect(digestOf(agent)).toBe(digestOf(new DQN(BASE)));
  });

  test("act, and a slate or noise without their options, are refused", () => {
    const { slate: _, ...plain } = BASE;
    expect(() => new DQN(BASE).act([0, 0], [1, 0, 0])).toThrow("call actSlate");
    expect(() => new DQN(plain).actSlate([0, 0], [1, 0, 0])).toThrow('"actSlate" needs the option "slate"');
    expect(() => new DQN(BASE).evaluate([0, 0], [1, 0, 0], true)).toThrow('"noise" needs the option "noisySigma"');
    expect(new DQN(plain).choices).toHaveLength(0);
    expect(new DQN(plain).nothing).toBeNaN();
  });

  test("an empty offer has no slate, but a value of nothing", () => {
    const agent = new DQN(BASE);
    expect(agent.actSlate([1, 1], [], 0)).toHaveLength(0);
    expect(agent.evaluate([1, 1], [])).toHaveLength(0);
    expect(agent.nothing).toBe(agent.evaluate([1, 1], [0, 0, 0])[0]);
  });

  test("nothing is a row of zeros even where the storage keeps no zeros", () => {
    const agent = new DQN({ ...BASE, observation: 1, storage: { type: "u8", low: 0.5, high: 1 } });
    const step = { observation: [1], nextObservation: [0.5], reward: 0, terminated: false };
    for (let i = 0; i < 20; i++) {
      agent.observe({ ...step, candidates: [1, 0.5, 1], action: -(i % 2), nextCandidates: [0.5, 1, 1] });
    }
    expect(agent.learn(5)).toBeGreaterThan(-1);
    expect(digestOf(DQN.load(agent.save()))).toBe(digestOf(agent));
  });

  test("noise changes values from call to call, and none without it", () => {
    const agent = new DQN({ ...BASE, noisySigma: 0.5 });
    const values = (noise: boolean) => Array.from(agent.evaluate([1, 0], [1, 0, 0], noise));
    expect(values(false)).toEqual(values(false));
    expect(values(true)).not.toEqual(values(true));
  });
});

test("an exploring slate is any, in any order, equally often: chi-square over 24,000", () => {
  const agent = new DQN(BASE);
  const counts = new Array<number>(16).fill(0);
  for (let i = 0; i < 24_000; i++) {
    const [a, b] = agent.actSlate([0, 0], new Float32Array(12), 1);
    counts[4 * a! + b!]!++;
  }
  const pairs = counts.filter((_, i) => i % 5 !== 0);
  expect(counts.filter((_, i) => i % 5 === 0)).toEqual([0, 0, 0, 0]);
  expect(chiSquare(pairs)).toBeLessThan(11 + 5 * Math.sqrt(22));
});

describe.each<[string, Partial<DQNOptions>]>([
  ["plain", {}],
  ["all that combine", { quantiles: 3, priorityExponent: 0.6, cqlAlpha: 0.5, nStep: 3, noisySigma: 0.4, dropout: 0.2 }],
  [
    "parts",
    { slate: { size: 2, parts: 3 }, quantiles: 2, priorityExponent: 0.6, cqlAlpha: 0.5, nStep: 3, loss: "huber" },
  ],
  ["halves, batch norm", { storage: "f16", normalization: "batch", double: false }],
])("a saved agent: %s", (_, options) => {
  test("goes on as if it had never stopped", () => {
    const whole = new DQN({ ...BASE, ...options });
    live(whole, 80);
    const first = new DQN({ ...BASE, ...options });
    live(first, 33);
    const second = DQN.load(first.save());
    live(second, 47, 33);
    expect(second.updates).toBeGreaterThan(0);
    expect(digestOf(second)).toBe(digestOf(whole));
  });
});

describe("a reward of parts", () => {
  const PARTS: DQNOptions = { ...BASE, slate: { size: 2, parts: 2 } };

  test.each<[Partial<Record<keyof Transition, unknown>>, string]>([
    [{}, '"rewards" must be 2 numbers, got undefined'],
    [{ rewards: [1] }, '"rewards" must be 2 numbers, got [1]'],
    [{ rewards: [1, 2, 3] }, '"rewards" must be 2 numbers, got [1, 2, 3]'],
    [{ rewards: [1, Number.NaN] }, '"rewards[1]" must be in [-1e6, 1e6], got NaN'],
    [{ rewards: [1, null] }, '"rewards[1]" must be in [-1e6, 1e6], got null'],
    [{ rewards: [2e6, 0] }, '"rewards[0]" must be in [-1e6, 1e6], got 2000000'],
  ])("%j is refused: %s", (change, message) => {
    const agent = new DQN(PARTS);
    expect(() => agent.observe({ ...STEP, ...change } as Transition)).toThrow(message);
    expect(digestOf(agent)).toBe(digestOf(new DQN(PARTS)));
  });

  test("and its values need their options", () => {
    const { slate: _, ...plain } = BASE;
    expect(() => new DQN(BASE).observe({ ...STEP, rewards: [1] })).toThrow('"rewards" must be left out without "slate');
    expect(() => new DQN(plain).evaluateParts([0, 0], [1, 0, 0])).toThrow('"evaluateParts" needs the option "slate"');
  });

  test("one part is the agent without parts, bit for bit", () => {
    const [one, plain] = [new DQN({ ...BASE, slate: { size: 2, parts: 1 } }), new DQN(BASE)];
    for (const agent of [one, plain]) live(agent, 60);
    expect(digestOf(one)).toBe(digestOf(plain));
    expect(one.evaluateParts([1, 0], [1, 0, 0, 0, 1, 0])).toEqual(plain.evaluate([1, 0], [1, 0, 0, 0, 1, 0]).slice());
  });

  test("the parts of a value add up to it, those of nothing to its value, and slates go by the sum", () => {
    const agent = new DQN({ ...PARTS, slate: { size: 1, parts: 3, choiceWeight: 0.5 }, quantiles: 4, loss: "huber" });
    live(agent, 60);
    const rows = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0.5, 0.5, 1];
    const parts = agent.evaluateParts([1, 0], rows);
    const values = agent.values.slice(0, 4);
    expect(parts).toHaveLength(12);
    for (let i = 0; i < 4; i++)
      expect(parts[3 * i]! + parts[3 * i + 1]! + parts[3 * i + 2]!).toBeCloseTo(values[i]!, 5);
    expect(agent.nothing).toBe(values[2]);
    expect(agent.evaluate([1, 0], rows)).toEqual(values);
    const worth = [0, 1, 3].map((i) => (agent.nothing + agent.choices[i]! * values[i]!) / (1 + agent.choices[i]!));
    const own = agent.actSlate([1, 0], [1, 0, 0, 0, 1, 0, 0.5, 0.5, 1], 0)[0]!;
    expect(worth[own]).toBeCloseTo(Math.max(...worth), 5);
    expect(agent.evaluateParts([1, 0], [])).toHaveLength(0);
    const { qMean, qMax } = agent.stats();
    expect(qMax).toBeGreaterThanOrEqual(qMean);
  });

  test("each part learns its own return, at the slate that the sum chooses", () => {
    // The first candidate earns [3, -4], the second [1, 1]: the sum prefers the second, the first part the first.
    const agent = new DQN({
      observation: 1,
      candidates: { max: 2, features: 2 },
      slate: { size: 1, parts: 2 },
      hidden: [16],
      normalization: "none",
      gamma: 0.5,
      learningRate: { type: "linear", from: 1e-2, to: 1e-4, steps: 4000 },
      batchSize: 32,
      learningStarts: 100,
      seed: 5,
    });
    const offered = [1, 0, 0, 1];
    for (let i = 0; i < 4000; i++) {
      const candidates = i % 2 ? [0, 1] : [1, 0];
      const rewards = i % 2 ? [1, 1] : [3, -4];
      const step = { observation: [1], nextObservation: [1], nextCandidates: offered, terminated: false };
      agent.observe({ ...step, candidates, action: 0, reward: rewards[0]! + rewards[1]!, rewards });
      agent.learn();
    }
    expect(agent.actSlate([1], offered, 0)[0]).toBe(1);
    // All enter what they see, so what follows is worth [1, 1] / (1 - gamma), times gamma.
    const expected = [4, -3, 2, 2];
    agent.evaluateParts([1], offered).forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(0.15);
    });
  });

  test("stays the same where a file of before is loaded, which has no parts", () => {
    const agent = new DQN(BASE);
    live(agent, 40);
    const { metadata, tensors } = unpackSnapshot("dqn", agent.save());
    const options = JSON.parse(metadata["options"]!);
    delete options.slate.parts;
    const { options: _, replay, kernel } = metadata;
    const old = packSnapshot("dqn", { options: JSON.stringify(options), replay: replay!, kernel: kernel! }, tensors);
    expect(digestOf(DQN.load(old))).toBe(digestOf(agent));
  });
});

describe("known answers", () => {
  const LEARNER: Partial<DQNOptions> = {
    hidden: [16],
    normalization: "none",
    gamma: 0.9,
    learningRate: { type: "linear", from: 1e-2, to: 1e-4, steps: 6000 },
    batchSize: 32,
    capacity: 6000,
    learningStarts: 200,
    rewardScale: 0.1,
    tau: 0.02,
    epsilon: 0.3,
  };

  test.each([1, 2, 3])("where 30 % of requests end in an entry, the value is within 5 %%: seed %d", (seed) => {
    const agent = new DQN({
      ...LEARNER,
      observation: 1,
      candidates: { max: 1, features: 1 },
      slate: { size: 1 },
      seed,
    });
    const random = Random.named(seed, "entries");
    for (let i = 0; i < 6000; i++) {
      const isEntered = random.bernoulli(0.3);
      const [action, reward] = isEntered ? [0, 10] : [-1, 0];
      const state = { observation: [1], candidates: [1], nextObservation: [1], nextCandidates: [1] };
      agent.observe({ ...state, action, reward, terminated: false });
      agent.learn();
    }
    const q = agent.evaluate([1], [1])[0]!;
    const v = agent.choices[0]!;
    expect(Math.abs(v / (1 + v) - 0.3)).toBeLessThan(0.04);
    // 0.3 * 10 / (1 - 0.9), in tenths.
    expect(Math.abs((agent.nothing + v * q) / (1 + v) / 3 - 1)).toBeLessThan(0.05);
  });

  /** Trains on bait, after which nothing is entered for four requests, beside good; whether it shows good. */
  function showsGood(seed: number, isCurrent: boolean): boolean {
    const agent = new DQN({
      ...LEARNER,
      observation: 2,
      candidates: { max: 2, features: 2 },
      slate: { size: 1 },
      seed,
    });
    const random = Random.named(seed, "bait");
    const offered = [1, 0, 0, 1];
    let isBored = false;
    for (let i = 0; i < 6000; i++) {
      const observation: number[] = [Number(!isBored), Number(isBored)];
      const shown: number = agent.actSlate(observation, offered)[0]!;
      const isEntered: boolean = !isBored && random.bernoulli(0.7);
      const reward = isEntered ? [30, 25][shown]! : 0;
      isBored = isBored ? random.bernoulli(0.75) : isEntered && shown === 0;
      const next = isCurrent ? observation : [Number(!isBored), Number(isBored)];
      agent.observe({
        observation,
        candidates: offered.slice(2 * shown, 2 * shown + 2),
        action: isEntered ? 0 : -1,
        reward,
        terminated: false,
        nextObservation: next,
        nextCandidates: offered,
      });
      agent.learn();
    }
    return agent.actSlate([1, 0], offered, 0)[0] === 1;
  }

  test("good is shown and not bait; with the current state in place of the next, bait", () => {
    expect([1, 2, 3].map((seed) => showsGood(seed, false))).toEqual([true, true, true]);
    expect([1, 2].map((seed) => showsGood(seed, true))).toEqual([false, false]);
  });
});
