import { describe, expect, test } from "vitest";
import { bestOf, compared, kendall } from "../../../src/engine/compression/agreement.js";
import { rescaled } from "../../../src/engine/compression/distillation.js";
import { type AgentState, agreementOf, distill, type Valuer } from "../../../src/engine/compression/index.js";
import { DQN, type DQNOptions } from "../../../src/index.js";
import { live, rowsOf } from "../../support/live.js";
import { numbers } from "../../support/numbers.js";

const SMALL = { capacity: 300, learningStarts: 16, batchSize: 16 } satisfies Partial<DQNOptions>;

function teacherOf(options: DQNOptions): DQN {
  const agent = new DQN({ ...SMALL, hidden: [40, 40], ...options });
  live(agent, 300);
  return agent;
}

function statesOf({ options }: DQN, n: number): AgentState[] {
  const { observation, candidates, masked, actions } = options;
  return Array.from({ length: n }, (_, i) => {
    const seen = rowsOf(observation, undefined, 1, 500 + i);
    if (candidates) return { observation: seen, available: rowsOf(candidates.features, undefined, 2 + (i % 6), i) };
    if (!masked) return { observation: seen };
    return { observation: seen, available: Array.from({ length: actions }, (_, a) => Number((i + a) % 3 > 0)) };
  });
}

describe("kendall", () => {
  test("is 1 for one order, -1 for its reverse, and known values between", () => {
    expect(kendall([1, 2, 3], [10, 20, 30])).toBe(1);
    expect(kendall([1, 2, 3], [3, 2, 1])).toBe(-1);
    expect(kendall([1, 2, 3, 4], [1, 3, 2, 4])).toBeCloseTo(4 / 6, 12);
    // With ties: (concordant - discordant) / sqrt(pairs without ties in each).
    expect(kendall([1, 1, 2], [1, 2, 3])).toBeCloseTo(2 / Math.sqrt(6), 12);
    expect(kendall([1, 1], [1, 2])).toBeNaN();
  });

  test("the best is the first of equals", () => expect(bestOf([1, 3, 3, 2])).toBe(1));

  test("error is in units of the spread within states", () => {
    const [a, b] = [
      [Float64Array.of(0, 2), Float64Array.of(10, 12)],
      [Float64Array.of(1, 3), Float64Array.of(11, 13)],
    ];
    expect(compared(a, b)).toEqual({ sameBest: 1, tau: 1, error: 1 });
  });
});

test("rescaled layers give rescaled values, with and without a value stream", () => {
  for (const options of [
    { observation: 5, actions: 3 },
    { observation: 5, actions: 3, dueling: true },
    { observation: 5, candidates: { max: 8, features: 4 }, dueling: true },
  ]) {
    const agent = teacherOf(options);
    const states = statesOf(agent, 10);
    const other = new DQN({ ...SMALL, hidden: [40, 40], ...options });
    other.setWeights(rescaled(agent.weights(), 3, -7));
    for (const { observation, available } of states) {
      const values = other.evaluate(observation, available);
      for (const [i, q] of agent.evaluate(observation, available).entries())
        expect(values[i]).toBeCloseTo(3 * q - 7, 3);
    }
  }
});

const KINDS: Record<string, DQNOptions> = {
  "fixed actions": { observation: 5, actions: 3 },
  masks: { observation: 5, actions: 5, masked: true },
  dueling: { observation: 5, actions: 3, dueling: true },
  candidates: { observation: 4, candidates: { max: 8, features: 4 } },
  "candidates, dueling": { observation: 4, candidates: { max: 8, features: 4 }, dueling: true },
  quantiles: { observation: 5, actions: 3, quantiles: 3 },
};

describe.each(Object.entries(KINDS))("%s", (_, options) => {
  const teacher = teacherOf(options);
  const states = statesOf(teacher, 240);

  test.each(["values", "policy"] as const)("a smaller student comes to agree by its %s", async (loss) => {
    const student = new DQN({ ...SMALL, ...options, hidden: [20, 20], seed: 5 });
    const before = agreementOf(teacher, student, states, options.masked);
    const result = await distill(teacher, student, states, { loss, updates: 1000, batchSize: 32 });
    const after = agreementOf(teacher, student, states, options.masked);
    expect(after.sameBest + after.tau).toBeGreaterThan(before.sameBest + before.tau + 0.3);
    expect(result.agreement.sameBest).toBeGreaterThan(before.sameBest);
    if (loss === "values") expect(after.error).toBeLessThan(before.error);
    expect(student.updates).toBe(0);
    expect(student.replaySize).toBe(0);
  });
});

const OPTIONS = { updates: 300, batchSize: 16, every: 50 };
const teacher = teacherOf(KINDS["fixed actions"]!);
const states = statesOf(teacher, 60);
const studentOf = () => new DQN({ ...SMALL, observation: 5, actions: 3, hidden: [12], seed: 2 });

test("the same seed gives the same student, another seed another one", async () => {
  const weightsBy = async (seed: number) => {
    const student = studentOf();
    await distill(teacher, student, states, { ...OPTIONS, seed });
    return student.copyWeights();
  };
  const first = await weightsBy(1);
  expect(await weightsBy(1)).toEqual(first);
  expect(await weightsBy(2)).not.toEqual(first);
});

test("anything that values actions can be the teacher", async () => {
  const own: Valuer = { evaluate: (x) => [(x as number[])[0]!, -(x as number[])[0]!] };
  const student = new DQN({ ...SMALL, observation: 3, actions: 2, hidden: [16], seed: 2 });
  const rows = Array.from({ length: 200 }, (_, i) => ({ observation: numbers(3, i) }));
  const { agreement } = await distill(own, student, rows, { updates: 1500 });
  expect(agreement.sameBest).toBeGreaterThan(0.9);
});

test("it ends when nothing gets better, and the student has the weights of the best look", async () => {
  const student = studentOf();
  const looks: number[] = [];
  const result = await distill(teacher, student, states, {
    ...OPTIONS,
    updates: 100_000,
    patience: 2,
    onProgress: ({ updates }) => looks.push(updates),
  });
  expect(result.ended).toBe("patience");
  expect(looks[0]).toBe(0);
  expect(looks.at(-1)! - result.updates).toBe(100);
});

test("the signal ends it at a look", async () => {
  const stop = new AbortController();
  const onProgress = ({ updates }: { updates: number }) => updates === 100 && stop.abort();
  const result = await distill(teacher, studentOf(), states, { ...OPTIONS, onProgress, signal: stop.signal });
  expect(result.ended).toBe("signal");
  expect(result.updates).toBeLessThanOrEqual(100);
});

describe("bad input leaves the student as it was", () => {
  const student = studentOf();
  const weights = student.copyWeights();
  const refused = async (run: () => Promise<unknown>, message: RegExp | string) => {
    await expect(run()).rejects.toThrow(message);
    expect(student.copyWeights()).toEqual(weights);
  };

  test("options", async () => {
    await refused(
      () => distill(teacher, student, states, { updates: 0 }),
      '"updates" must be an integer in [1, 10000000]',
    );
    await refused(() => distill(teacher, student, states, { loss: "x" as never }), '"loss" must be');
    await refused(() => distill(teacher, student, states, { more: 1 } as never), '"more" is not an option');
  });

  test("states", async () => {
    await refused(() => distill(teacher, student, []), '"states" must hold at least one state');
    await refused(() => distill(teacher, student, states.slice(0, 1)), "at least two states");
    const bad = [...states.slice(0, 2), { observation: [1] }];
    await refused(() => distill(teacher, student, bad), '"states[2]": "observation" must hold 5 numbers, got 1');
  });

  test("teachers", async () => {
    const values = (own: number[]): Valuer => ({ evaluate: () => own });
    await refused(() => distill(values([1, 2]), student, states), 'must give 3 values in [-1e6, 1e6] for "states[0]"');
    await refused(() => distill(values([1, 2, Number.NaN]), student, states), "must give 3 values");
    const thrower: Valuer = {
      evaluate: () => {
        throw new Error("no teacher today");
      },
    };
    await refused(() => distill(thrower, student, states), '"states[0]": no teacher today');
  });

  test("a callback that throws", async () => {
    const onProgress = ({ updates }: { updates: number }) => {
      if (updates > 0) throw new Error("mine");
    };
    await refused(() => distill(teacher, student, states, { ...OPTIONS, onProgress }), "mine");
  });

  test("students with batch normalisation or slates", async () => {
    const batch = new DQN({ observation: 5, actions: 3, normalization: "batch" });
    await expect(distill(teacher, batch, states)).rejects.toThrow('"normalization": "batch"');
    const slates = new DQN({ observation: 5, candidates: { max: 3, features: 2 }, slate: { size: 2 } });
    await expect(distill(teacher, slates, states)).rejects.toThrow('"slate"');
  });
});
