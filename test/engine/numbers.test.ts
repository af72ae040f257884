import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { boundsOf } from "../../src/engine/options.js";
import { unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import { type AgentInput, DQN, type DQNOptions, type Transition } from "../../src/index.js";
import { Pcg32 } from "../reference/rng.js";

const BOUND = 1e6;
/** Taken everywhere. */
const GOOD = [0, -0, 1, -1, 0.5, 1e-45, -1e-45, 1e-39, 5e-324, -1e-300, BOUND, -BOUND, 3, -999_999.9];
/** Refused everywhere. */
const BAD: unknown[] = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e39, -1e39, 1.9e19, -1.9e19, 1e38, -1e38],
  ...[1_000_001, -1_000_001, 3.4028234663852886e38, Number.MAX_VALUE, null, undefined, "1", true, {}],
];

const COMMON = { learningStarts: 8, batchSize: 8, capacity: 24, hidden: [9, 6], seed: 1 } satisfies Partial<DQNOptions>;
const PLAIN = { normalization: "none", maxGradNorm: 0, double: false } satisfies Partial<DQNOptions>;
const AGENTS: Record<string, DQNOptions> = {
  "fixed actions": { ...COMMON, observation: 3, actions: 3 },
  "squared loss without clipping": { ...COMMON, ...PLAIN, observation: 3, actions: 2, masked: true, loss: "squared" },
  "batch normalisation": { ...COMMON, ...PLAIN, observation: 3, actions: 2, normalization: "batch", nStep: 3 },
  candidates: { ...COMMON, observation: 2, candidates: { max: 5, features: 2, next: 4 }, priorityExponent: 0.6 },
  "index inputs and sets": {
    ...{ ...COMMON, observation: 2, sparse: { slots: 2, size: 7 }, dueling: true, quantiles: 3, noisySigma: 0.5 },
    ...{ candidates: { max: 4, features: 1, sparse: { slots: 2, size: 5 } }, cqlAlpha: 0.5, priorityExponent: 1 },
  },
  halves: { ...COMMON, observation: 3, actions: 3, storage: "f16", nStep: 3 },
  "bytes, index inputs and sets": {
    ...{ ...COMMON, observation: 2, sparse: { slots: 2, size: 7 }, dueling: true, priorityExponent: 1 },
    ...{ candidates: { max: 4, features: 1, sparse: { slots: 2, size: 5 } } },
    storage: { type: "u8", low: -3, high: 3 },
  },
  Munchausen: { ...COMMON, observation: 3, actions: 3, munchausen: { temperature: 1e-6 }, adamEpsilon: 1e-12 },
};

/** SHA-256 of everything in the agent that persists. */
/** As `digestOf`, by the hash of Node, which is quicker: it is asked after every call. */
function digest(agent: DQN): string {
  return createHash("sha256").update(unpackSnapshot("dqn", agent.save()).tensors.get("agent")!).digest("hex");
}

/** Makes calls up, of which a share has one bad number somewhere. */
class Caller {
  readonly #rng: Pcg32;
  readonly #options: DQN["options"];
  /** Numbers until the bad one; none while negative. */
  #until = -1;
  /** Whether a bad number was given. */
  isBad = false;

  constructor(seed: bigint, options: DQN["options"]) {
    this.#rng = Pcg32.seeded(seed, 5n);
    this.#options = options;
  }

  below(n: number): number {
    return this.#rng.below(n);
  }

  begin(): void {
    this.isBad = false;
    this.#until = this.below(3) === 0 ? this.below(9) : -1;
  }

  /** @param most - Its bound. */
  number(most = BOUND): number {
    if (this.#until-- !== 0) return (GOOD[this.below(GOOD.length)]! / BOUND) * most;
    this.isBad = true;
    return BAD[this.below(BAD.length)] as number;
  }

  /** Now an array, now a typed one, which writes what is no number in its own way. */
  #numbers(n: number, most = BOUND): ArrayLike<number> {
    const plain = Array.from({ length: n }, () => this.number(most));
    if (this.below(2) || plain.some((x) => typeof x !== "number")) return plain;
    return this.below(2) ? Float32Array.from(plain) : Float64Array.from(plain);
  }

  #rows(n: number, dense: number, sparse: { slots: number; size: number } | undefined): AgentInput {
    const { high: most } = boundsOf(this.#options.storage);
    if (!sparse) return this.#numbers(n * dense, most);
    const indices = Array.from({ length: n * sparse.slots }, (_, i) => (i % 2 ? -1 : this.below(sparse.size)));
    const weights = this.#numbers(indices.length);
    return { dense: this.#numbers(n * dense, most), indices, weights };
  }

  observation(): AgentInput {
    return this.#rows(1, this.#options.observation, this.#options.sparse);
  }

  candidates(n: number): AgentInput {
    const { features, sparse } = this.#options.candidates!;
    return this.#rows(n, features, sparse);
  }

  available(): AgentInput | undefined {
    if (this.#options.candidates) return this.candidates(1 + this.below(this.#options.candidates.max));
    return this.#options.masked ? [1, this.below(2)] : undefined;
  }

  transition(): Transition {
    const { candidates, actions } = this.#options;
    const common = {
      observation: this.observation(),
      reward: this.number(),
      terminated: this.below(9) === 0,
      truncated: this.below(9) === 0,
      nextObservation: this.observation(),
    };
    if (!candidates) return { ...common, action: this.below(actions) };
    const n = 1 + this.below(candidates.next);
    const next = this.candidates(1 + this.below(candidates.next));
    return { ...common, candidates: this.candidates(n), action: this.below(n), nextCandidates: next };
  }
}

/** One call to an agent, made up; what it answers. */
function callOf(caller: Caller): (agent: DQN) => ArrayLike<number> {
  caller.begin();
  const kind = caller.below(10);
  if (kind === 0) return (agent) => [agent.learn() || 0];
  if (kind < 6) {
    const transition = caller.transition();
    return (agent) => {
      agent.observe(transition);
      return [];
    };
  }
  const observation = caller.observation();
  const available = caller.available();
  if (kind < 8) return (agent) => agent.evaluate(observation, available);
  const epsilon = kind === 8 ? undefined : 0.5;
  return (agent) => [agent.act(observation, available, epsilon)];
}

/** Gives an agent `calls` calls, and a twin those alone that hold no bad number. */
function fuzz(options: DQNOptions, calls: number, seed: bigint, onRefusal?: (agent: DQN, before: string) => void) {
  const [agent, twin] = [new DQN(options), new DQN(options)];
  const caller = new Caller(seed, agent.options);
  let refused = 0;
  for (let i = 0; i < calls; i++) {
    const call = callOf(caller);
    if (caller.isBad) {
      const before = onRefusal ? digest(agent) : "";
      expect(() => call(agent)).toThrow(/^"\w+(\.\w+)?(\[\d+\])?" must be /);
      onRefusal?.(agent, before);
      refused++;
      continue;
    }
    const answer = Array.from(call(agent));
    if (!answer.every(Number.isFinite)) expect(answer, `call ${i}`).toEqual([]);
    const same = Array.from(call(twin));
    if (i % 499 === 0) {
      expect(answer).toEqual(same);
      expect(digest(agent), `call ${i}`).toBe(digest(twin));
    }
  }
  return { agent, twin, refused };
}

/** Of each agent; `npm run test:fuzz` asks for more, which together are a million. */
const CALLS = Number(process.env["FUZZ_CALLS"] ?? 8000);

describe.each(Object.entries(AGENTS))("calls with odd numbers: %s", (_, options) => {
  test(`${CALLS} are refused or answered by finite numbers, as if the refused had not been made`, () => {
    const { agent, twin, refused } = fuzz(options, CALLS, 1n);
    expect(refused).toBeGreaterThan(CALLS / 10);
    expect(digest(agent)).toBe(digest(twin));
    expect(agent.updates + agent.skippedUpdates).toBeGreaterThan(CALLS / 17);
    const counted = Object.values(agent.stats().refused).reduce((sum, n) => sum + n, 0);
    expect(counted).toBe(refused);
    expect(Object.keys(agent.stats().refused)).toContain("reward");
    expect(agent.copyWeights().every(Number.isFinite)).toBe(true);
    // What it holds is in the bounds that loading checks.
    expect(digest(DQN.load(agent.save()))).toBe(digest(agent));
  });

  test("each of 700 leaves the same SHA-256 where it is refused", () => {
    fuzz(options, 700, 2n, (agent, before) => expect(digest(agent)).toBe(before));
  });
});

describe("a number that is refused", () => {
  const transition = { observation: [0, 0, 0], nextObservation: [0, 0, 0], action: 0, reward: 0, terminated: false };
  const options = { ...COMMON, observation: 3, actions: 2 };

  test.each(BAD)("%s, in each field of a transition, by its name", (bad) => {
    const agent = new DQN(options);
    const x = [0, bad as number, 0];
    for (const field of ["observation", "nextObservation"] as const) {
      const must = typeof bad === "number" ? "in [-1e6, 1e6]" : "a number";
      expect(() => agent.observe({ ...transition, [field]: x })).toThrow(`"${field}[1]" must be ${must}, got `);
    }
    expect(() => agent.observe({ ...transition, reward: bad as number })).toThrow('"reward" must be in [-1e6, 1e6]');
    // An exploring call draws its action without looking at the values, but not without looking at the input.
    expect(() => agent.act(x, undefined, 1)).toThrow('"observation[1]" must be');
    if (typeof bad === "number") {
      expect(() => agent.observe({ ...transition, discount: bad })).toThrow('"discount" must be in [0, 1]');
      expect(() => agent.act([0, 0, 0], undefined, bad)).toThrow('"epsilon" must be in [0, 1]');
    }
    expect(agent.steps).toBe(0);
    expect(digest(agent)).toBe(digest(new DQN(options)));
  });

  test.each(BAD.filter((x) => x !== undefined))("%s, as any option that is a number", (bad) => {
    for (const name of ["gamma", "learningRate", "adamEpsilon", "tau", "maxGradNorm", "rewardClip", "dropout"]) {
      expect(() => new DQN({ ...options, [name]: bad }), name).toThrow(`"${name}" must be`);
    }
    // Large scales are for small rewards.
    if (bad === 1_000_001) return;
    expect(() => new DQN({ ...options, rewardScale: bad as number })).toThrow('"rewardScale" must be');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1.1e9, 1.9e19, 1e38])("%s, among weights, by its index", (bad) => {
    const agent = new DQN({ ...options, normalization: "batch" });
    const before = digest(agent);
    const weights = agent.copyWeights();
    expect(() => agent.restoreWeights(withAt(weights, 7, bad))).toThrow(
      `"weights[7]" must be in [-1e9, 1e9], got ${Math.fround(bad)}`,
    );
    expect(digest(agent)).toBe(before);
  });

  test("a negative running variance among weights", () => {
    const agent = new DQN({ ...options, normalization: "batch" });
    const weights = agent.copyWeights();
    // Statistics stand last, the variances of the last layer at their end.
    const at = weights.lastIndexOf(1);
    expect(() => agent.restoreWeights(withAt(weights, at, -1))).toThrow("must hold no running variance below 0");
  });
});

describe("a number that a storage cannot keep", () => {
  const storages = [
    ["f16", 65504, -65504, "in [-65504, 65504]"],
    [{ type: "u8", low: -0.1, high: 0.7 }, 0.7, -0.1, "in [-0.1, 0.7]"],
    ["u8", 1, 0, "in [0, 1]"],
  ] as const;
  /** The f32 next to x, further from 0 or beyond it. */
  const beyond = (x: number) => {
    if (x === 0) return -1e-45;
    const float = new Float32Array([x]);
    new Int32Array(float.buffer)[0]! += 1;
    return float[0]!;
  };

  test.each(storages)(
    "%j: is refused by the name of its field, and the last that it can is taken",
    (storage, high, low, must) => {
      const options = { ...COMMON, storage, observation: 2, candidates: { max: 3, features: 2 } };
      const agent = new DQN(options);
      const rows = [0, 0, 0, 0.5];
      const step = { observation: [0, 0], nextObservation: [0, 0], action: 0, reward: 0, terminated: false };
      const transition = { ...step, candidates: rows, nextCandidates: rows };
      for (const edge of [high, low]) {
        agent.observe({ ...transition, observation: [edge, edge], nextCandidates: [edge, edge] });
        agent.act([edge, 0], rows);
        const bad = beyond(edge);
        const message = (name: string) => `"${name}" must be ${must}, the range of the option "storage", got ${bad}`;
        const before = digest(agent);
        for (const field of ["observation", "nextObservation", "candidates", "nextCandidates"] as const) {
          expect(() => agent.observe({ ...transition, [field]: [0, bad] })).toThrow(message(`${field}[1]`));
        }
        const { candidates: _, action: __, ...rest } = transition;
        expect(() => agent.observe({ ...rest, candidate: [bad, 0] })).toThrow(message("candidate[0]"));
        expect(() => agent.act([0, bad], rows, 1)).toThrow(message("observation[1]"));
        expect(() => agent.evaluate([0, 0], [0, 0, bad, 0])).toThrow(message("candidates[2]"));
        expect(() => agent.observe({ ...transition, observation: [Number.NaN, 0] })).toThrow(
          '"observation[0]" must be in [',
        );
        expect(digest(agent)).toBe(before);
      }
      expect(digest(DQN.load(agent.save()))).toBe(digest(agent));
    },
  );

  test.each(storages)("%j: index weights are not what it keeps", (storage, _, low, must) => {
    const agent = new DQN({ ...COMMON, storage, observation: 1, sparse: { slots: 2, size: 5 }, actions: 2 });
    const observation = { dense: [low], indices: [1, 3], weights: [1e6, -1e6] };
    agent.observe({ observation, nextObservation: observation, action: 1, reward: 0, terminated: true });
    expect(() => agent.evaluate({ ...observation, weights: [1, 1_000_001] })).toThrow(
      '"observation.weights[1]" must be in [-1e6, 1e6], got 1000001',
    );
    const bad = beyond(low);
    expect(() => agent.evaluate({ ...observation, dense: [bad] })).toThrow(
      `"observation.dense[0]" must be ${must}, the range`,
    );
    expect(() => agent.evaluate({ dense: [low], indices: [1, 1], weights: [6e5, 6e5] })).toThrow(
      '"observation.weights" of one index must add up to a number in [-1e6, 1e6]',
    );
    expect(digest(DQN.load(agent.save()))).toBe(digest(agent));
  });
});

function withAt(array: Float32Array, at: number, value: number): Float32Array {
  const copy = array.slice();
  copy[at] = value;
  return copy;
}

describe("rewards", () => {
  const step = { observation: [0], nextObservation: [0], action: 0, terminated: true };
  /** What is learned from a reward: the value of a state without any inputs. */
  const learned = (options: Partial<DQNOptions>, ...rewards: number[]) => {
    const agent = new DQN({
      ...{ observation: 1, actions: 1, hidden: [1], learningStarts: 1, batchSize: 1, capacity: 1, ...options },
    });
    for (const [i, reward] of rewards.entries()) {
      agent.observe({ ...step, reward, terminated: i === rewards.length - 1 });
    }
    agent.learn();
    const { qMean, tdErrorP50 } = agent.stats();
    return qMean - tdErrorP50;
  };

  test("are scaled, then clipped, then summed", () => {
    expect(learned({}, 7)).toBeCloseTo(7, 5);
    expect(learned({ rewardScale: 0.5 }, 7)).toBeCloseTo(3.5, 5);
    expect(learned({ rewardClip: 1 }, -7)).toBeCloseTo(-1, 5);
    expect(learned({ rewardScale: 0.01, rewardClip: 1 }, 70)).toBeCloseTo(0.7, 5);
    // The last of two waits alone; the first, which is overwritten in a replay of one, has both.
    expect(learned({ rewardScale: 0.1, rewardClip: 1, nStep: 2, gamma: 1, capacity: 2, seed: 3 }, 50, 2)).toSatisfy(
      (x: number) => Math.abs(x - 1.2) < 1e-5 || Math.abs(x - 0.2) < 1e-5,
    );
  });

  test("are held to their bound once scaled, and clipping takes any finite one", () => {
    const agent = (options: Partial<DQNOptions>) => new DQN({ ...COMMON, observation: 1, actions: 1, ...options });
    agent({ rewardScale: 1e-9 }).observe({ ...step, reward: 9e14 });
    expect(() => agent({ rewardScale: 1e-9 }).observe({ ...step, reward: 1.1e15 })).toThrow(
      '"reward" must be in [-1e6, 1e6] when "rewardScale" has multiplied it, got 1100000000000000',
    );
    expect(() => agent({ rewardScale: 1e9 }).observe({ ...step, reward: 1e5 })).toThrow(
      "has multiplied it, got 100000",
    );
    for (const reward of [1.9e19, 1e38, 1e39, -Number.MAX_VALUE]) agent({ rewardClip: 1 }).observe({ ...step, reward });
    expect(() => agent({ rewardClip: 1 }).observe({ ...step, reward: Number.NaN })).toThrow(
      '"reward" must be a finite number, got NaN',
    );
    expect(() => agent({ rewardClip: 1 }).observe({ ...step, reward: Number.NEGATIVE_INFINITY })).toThrow('"reward"');
  });

  test("at their bound never freeze a weight: what came before is learned again", () => {
    const agent = new DQN({
      ...{
        observation: 1,
        actions: 1,
        hidden: [4],
        batchSize: 8,
        capacity: 8,
        learningStarts: 8,
        normalization: "none",
      },
      ...{ loss: "squared", learningRate: 0.01, seed: 1 },
    });
    const feed = (reward: number) => {
      for (let i = 0; i < 8; i++) agent.observe({ ...step, observation: [1], reward });
    };
    feed(1e6);
    for (let i = 0; i < 10; i++) agent.learn();
    feed(1);
    for (let i = 0; i < 3000; i++) agent.learn();
    expect(agent.evaluate([1])[0]).toBeCloseTo(1, 2);
    expect(agent.skippedUpdates).toBe(0);
  });
});
