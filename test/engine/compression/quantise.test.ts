import { describe, expect, test } from "vitest";
import { type AgentState, QuantisedAgent, quantise } from "../../../src/engine/compression/index.js";
import { packSnapshot, unpackSnapshot } from "../../../src/engine/index.js";
import { DQN, type DQNOptions, SnapshotError, type SparseInput } from "../../../src/index.js";
import { live, randomOptions, rowsOf } from "../../support/live.js";

/** Made-up states of an agent. */
function statesOf({ options }: DQN, n: number, seed = 100): AgentState[] {
  const { observation, sparse, candidates, masked, actions } = options;
  return Array.from({ length: n }, (_, i) => {
    const seen = rowsOf(observation, sparse, 1, seed + i);
    if (candidates) {
      const rows = 1 + (i % candidates.max);
      return { observation: seen, available: rowsOf(candidates.features, candidates.sparse, rows, seed + i) };
    }
    if (!masked) return { observation: seen };
    return { observation: seen, available: Array.from({ length: actions }, (_, a) => Number((i + a) % 3 > 0)) };
  });
}

function trained(options: DQNOptions, steps = 120): DQN {
  const agent = new DQN({ ...options, learningStarts: 16 });
  live(agent, steps);
  return agent;
}

/** Error of its values over their spread, root of mean squares, over states. */
function errorOf(agent: DQN, small: QuantisedAgent, states: readonly AgentState[]): number {
  let [error, spread, sum, n] = [0, 0, 0, 0];
  const all: number[] = [];
  for (const { observation, available } of states) {
    const exact = agent.evaluate(observation, available).slice();
    const got = small.evaluate(observation, available);
    expect(got.length).toBe(exact.length);
    for (const [i, q] of exact.entries()) {
      error += (got[i]! - q) ** 2;
      all.push(q);
      sum += q;
      n++;
    }
  }
  for (const q of all) spread += (q - sum / n) ** 2;
  return Math.sqrt(error / Math.max(spread, 1e-9));
}

const WIDE = { hidden: [33, 21], capacity: 200, batchSize: 16 } satisfies Partial<DQNOptions>;

const SHAPES: Record<string, DQNOptions> = {
  "fixed actions": { ...WIDE, observation: 9, actions: 5 },
  "no normalisation": { ...WIDE, observation: 9, actions: 5, normalization: "none" },
  "batch normalisation": { ...WIDE, observation: 9, actions: 5, normalization: "batch" },
  "one hidden layer": { ...WIDE, observation: 9, actions: 35, hidden: [18] },
  masks: { ...WIDE, observation: 9, actions: 5, masked: true },
  quantiles: { ...WIDE, observation: 9, actions: 5, quantiles: 7 },
  "dueling, shared": { ...WIDE, observation: 9, actions: 5, dueling: true, quantiles: 3 },
  "dueling, one hidden layer": { ...WIDE, observation: 9, actions: 5, hidden: [20], dueling: true },
  "index inputs": { ...WIDE, observation: 3, sparse: { slots: 4, size: 30 }, actions: 5 },
  "index inputs alone": { ...WIDE, observation: 0, sparse: { slots: 4, size: 30 }, actions: 5 },
  candidates: { ...WIDE, observation: 6, candidates: { max: 70, features: 5, next: 12 } },
  "candidates, dueling": { ...WIDE, observation: 6, candidates: { max: 12, features: 5 }, dueling: true, quantiles: 2 },
  "candidates, index inputs": {
    ...WIDE,
    observation: 6,
    sparse: { slots: 2, size: 11 },
    candidates: { max: 12, features: 5, sparse: { slots: 3, size: 17 } },
  },
  "candidates, index inputs alone": {
    ...WIDE,
    observation: 0,
    sparse: { slots: 2, size: 11 },
    candidates: { max: 12, features: 0, sparse: { slots: 3, size: 17 } },
  },
  slates: { ...WIDE, observation: 6, candidates: { max: 12, features: 5 }, slate: { size: 3 }, quantiles: 2 },
  "slates, parts": { ...WIDE, observation: 6, candidates: { max: 12, features: 5 }, slate: { size: 3, parts: 2 } },
  bytes: { ...WIDE, observation: 9, actions: 5, storage: { type: "u8", low: -1, high: 1 } },
};

describe.each(Object.entries(SHAPES))("%s", (_, options) => {
  const agent = trained(options);
  const states = statesOf(agent, 60);
  const small = quantise(agent, states);

  test("the values are near the agent's, also in states that were not in the calibration", () => {
    expect(errorOf(agent, small, statesOf(agent, 60, 900))).toBeLessThan(0.05);
  });

  test("a file brings the same agent back, bit for bit", () => {
    const again = QuantisedAgent.load(small.save());
    expect(again.save()).toEqual(small.save());
    for (const { observation, available } of states) {
      expect([...again.evaluate(observation, available)]).toEqual([...small.evaluate(observation, available)]);
    }
  });

  test("act is the best available, and the lowest of equals", () => {
    if (agent.options.slate) return expect(() => small.act([0], [])).toThrow(/slate/);
    for (const { observation, available } of states) {
      const values = [...small.evaluate(observation, available)];
      const { masked } = agent.options;
      const may = values.map((q, a) => (masked && !(available as number[])[a] ? Number.NEGATIVE_INFINITY : q));
      const best = may.every((q) => q === Number.NEGATIVE_INFINITY) ? -1 : may.indexOf(Math.max(...may));
      expect(small.act(observation, available)).toBe(best);
    }
  });
});

test("many states at once have the bits of each alone", () => {
  for (const name of ["fixed actions", "dueling, shared", "index inputs", "dueling, one hidden layer"]) {
    const agent = trained(SHAPES[name]!);
    const small = quantise(agent, statesOf(agent, 40));
    const { observation, sparse } = agent.options;
    const rows = rowsOf(observation, sparse, 150, 7);
    const indexed = rows as SparseInput;
    const alone: number[] = [];
    for (let s = 0; s < 150; s++) {
      const one = sparse
        ? {
            dense: Array.from(indexed.dense!).slice(s * observation, (s + 1) * observation),
            indices: Array.from(indexed.indices).slice(s * sparse.slots, (s + 1) * sparse.slots),
            weights: Array.from(indexed.weights!).slice(s * sparse.slots, (s + 1) * sparse.slots),
          }
        : (rows as Float32Array).subarray(s * observation, (s + 1) * observation);
      alone.push(...small.evaluate(one));
    }
    expect([...small.evaluateBatch(rows)], name).toEqual(alone);
  }
  const agent = trained(SHAPES["candidates"]!);
  const states = statesOf(agent, 40);
  const small = quantise(agent, states);
  const joined = Float32Array.from(states.flatMap(({ observation }) => [...(observation as Float32Array)]));
  const sets = states.map(({ available }) => available!);
  const alone = states.flatMap(({ observation, available }) => [...small.evaluate(observation, available)]);
  expect([...small.evaluateBatch(joined, sets)]).toEqual(alone);
});

test("slates have the agent's weights of the choice and value of nothing, nearly", () => {
  const agent = trained(SHAPES["slates"]!);
  const states = statesOf(agent, 40);
  const small = quantise(agent, states);
  for (const { observation, available } of states) {
    const n = agent.evaluate(observation, available).length;
    small.evaluate(observation, available);
    expect(small.nothing).toBeCloseTo(agent.nothing, 1);
    for (let i = 0; i < n; i++) expect(Math.abs(Math.log(small.choices[i]! / agent.choices[i]!))).toBeLessThan(0.2);
  }
});

test("a state without candidates has no values and no action", () => {
  const agent = trained(SHAPES["candidates"]!);
  const small = quantise(agent, statesOf(agent, 5));
  expect(small.evaluate(new Float32Array(6), []).length).toBe(0);
  expect(small.act(new Float32Array(6), [])).toBe(-1);
});

test("the largest shapes shrink to about a quarter", () => {
  for (const [options, least] of [
    [{ observation: 1000, actions: 100, hidden: [128], capacity: 10, learningStarts: 1, batchSize: 1 }, 3.5],
    [{ observation: 256, actions: 1000, hidden: [512, 512], capacity: 10, learningStarts: 1, batchSize: 1 }, 3.5],
  ] as const) {
    const agent = new DQN(options);
    const weights = agent.weights().reduce((sum, { weight, bias }) => sum + 4 * (weight.length + bias.length), 0);
    const small = quantise(agent, statesOf(agent, 1));
    expect(weights / small.save().byteLength).toBeGreaterThan(least);
  }
});

test("agents with any options are quantised", () => {
  for (let i = 0; i < 60; i++) {
    const agent = trained(randomOptions(i), 40);
    const states = statesOf(agent, 30);
    const small = quantise(agent, states);
    expect(errorOf(agent, small, states), JSON.stringify(randomOptions(i))).toBeLessThan(0.1);
    expect(QuantisedAgent.load(small.save()).save()).toEqual(small.save());
  }
});

describe("bad input", () => {
  const agent = trained(SHAPES["fixed actions"]!);
  const small = quantise(agent, statesOf(agent, 5));

  test("states that the agent does not take are refused, by index", () => {
    expect(() => quantise(agent, [])).toThrow('"calibration" must hold at least one state');
    expect(() => quantise(agent, 3 as never)).toThrow('"calibration" must be an array of states, got 3');
    expect(() => quantise(agent, [[1]] as never)).toThrow('"calibration[0]" must be { observation, available }');
    const bad = [...statesOf(agent, 2), { observation: [1, 2] }];
    expect(() => quantise(agent, bad)).toThrow('"calibration[2]": "observation" must hold 9 numbers, got 2');
    expect(() => quantise(agent, statesOf(agent, 1), { kernels: "rolled" } as never)).toThrow(/not an option/);
  });

  test("observations are refused as by the agent, and nothing changes", () => {
    const before = [...small.evaluate(new Float32Array(9))];
    for (const observation of [[1], new Float32Array(9).fill(Number.NaN), new Array(9).fill("1"), null, {}, "x"]) {
      const messageOf = (run: () => unknown) => {
        try {
          run();
        } catch (error) {
          return String(error);
        }
        return "";
      };
      const expected = messageOf(() => agent.evaluate(observation as never));
      expect(expected).not.toBe("");
      expect(messageOf(() => small.evaluate(observation as never))).toBe(expected);
      expect(messageOf(() => small.act(observation as never))).toBe(expected);
    }
    expect(() => small.evaluate(new Float32Array(9), [1, 1, 1, 1, 1])).toThrow(/masked/);
    expect(() => small.evaluateBatch(new Float32Array(10))).toThrow(/rows of 9 numbers/);
    expect(() => small.evaluateBatch(new Float32Array(18).fill(2e6))).toThrow('"observations[0]"');
    expect([...small.evaluate(new Float32Array(9))]).toEqual(before);
  });

  test("agents of other activations, or that normalise what they observe, are refused", () => {
    const tanh = new DQN({ ...SHAPES["fixed actions"]!, activation: "tanh" });
    expect(() => quantise(tanh, statesOf(agent, 5))).toThrow('"activation" must be "relu"');
    const running = new DQN({ ...SHAPES["fixed actions"]!, normalizeObservations: true });
    expect(() => quantise(running, statesOf(agent, 5))).toThrow('"normalizeObservations" must be false');
  });

  test("a disposed agent throws", () => {
    const gone = QuantisedAgent.load(small.save());
    gone.dispose();
    expect(gone.memoryBytes).toBe(0);
    expect(() => gone.act(new Float32Array(9))).toThrow("the agent is disposed");
  });

  test("files that are damaged, foreign, of another shape or not finite are refused", () => {
    const file = small.save();
    const { metadata, tensors } = unpackSnapshot("int8", file);
    const network = tensors.get("network")!;
    const own = { options: metadata["options"]! };
    const made = (bytes: Uint8Array, about: Record<string, string> = own, name = "network") =>
      packSnapshot("int8", about, new Map([[name, bytes]]));
    expect(() => QuantisedAgent.load(agent.save())).toThrow('the file holds "dqn", not "int8"');
    for (const at of [9, 200, file.length - 1]) {
      const damaged = file.slice();
      damaged[at]! ^= 1;
      expect(() => QuantisedAgent.load(damaged)).toThrow(SnapshotError);
    }
    expect(() => QuantisedAgent.load(made(network.slice(64)))).toThrow("does not fit its options");
    expect(() => QuantisedAgent.load(made(network, own, "agent"))).toThrow('the tensor "network" and no other');
    expect(() => QuantisedAgent.load(made(network, {}))).toThrow("no valid options");
    const options = JSON.parse(own.options);
    for (const change of [{ observation: 1e6 }, { hidden: [] }, { hidden: [1e9] }, { unknown: 1 }, { actions: -1 }]) {
      const forged = made(network, { options: JSON.stringify({ ...options, ...change }) });
      expect(() => QuantisedAgent.load(forged), JSON.stringify(change)).toThrow(SnapshotError);
    }
    // Every float of the first vectors: the inverses of 9 inputs and 7 of padding, then scales.
    for (const [float, bad] of [
      [0, Number.NaN],
      [0, -1],
      [12, 1],
      [16, Number.POSITIVE_INFINITY],
      [16, 1e10],
    ] as const) {
      const forged = network.slice();
      new DataView(forged.buffer).setFloat32(4 * float, bad, true);
      expect(() => QuantisedAgent.load(made(forged)), `${float} ${bad}`).toThrow(SnapshotError);
    }
  });

  test("a file with any weights gives finite values, the same each time", () => {
    const { metadata, tensors } = unpackSnapshot("int8", small.save());
    const forged = tensors.get("network")!.slice();
    // Floats stay as they are: what has an exponent of 0 or 1 in its place, or is far from them, is a weight.
    const floats = new Float32Array(forged.buffer);
    const first = 4 * (64 / 4) * 6;
    for (let i = first; i < first + 9 * 33; i++) forged[i] = 37 * i;
    for (let i = 0; i < floats.length; i++) if (!(Math.abs(floats[i]!) < 1e9)) floats[i] = 0;
    const file = packSnapshot("int8", { options: metadata["options"]! }, new Map([["network", forged]]));
    const values = () => {
      try {
        return [...QuantisedAgent.load(file).evaluate(new Float32Array(9).fill(1))];
      } catch (error) {
        expect(error).toBeInstanceOf(SnapshotError);
        return [];
      }
    };
    expect(values().every(Number.isFinite)).toBe(true);
    expect(values()).toEqual(values());
  });
});
