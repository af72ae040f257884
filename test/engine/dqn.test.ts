import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Region } from "../../assembly/abi.js";
import { KERNEL } from "../../src/engine/instance/kernel.js";
import { unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import {
  type AgentInput,
  DQN,
  type DQNOptions,
  type LayerWeights,
  SnapshotError,
  type SparseInput,
} from "../../src/index.js";
import { digestOf as digest, live, rowsOf } from "../support/live.js";
import { numbers } from "../support/numbers.js";

/** What the committed digests were made with. */
const PLAIN = {
  hidden: [20, 12],
  learningRate: 2.5e-4,
  adamEpsilon: 1e-8,
  targetEvery: 250,
  tau: 1,
  loss: "huber",
  normalization: "none",
} satisfies Partial<DQNOptions>;
const FIXED: DQNOptions = {
  ...PLAIN,
  observation: 5,
  actions: 3,
  learningStarts: 8,
  batchSize: 8,
  capacity: 64,
  seed: 1,
};
const CANDIDATES: DQNOptions = {
  ...PLAIN,
  observation: 5,
  candidates: { max: 12, features: 4, next: 6 },
  learningStarts: 8,
  batchSize: 8,
  capacity: 64,
  seed: 1,
};

/** Options that use what can be used together, in both modes. */
const ALL = {
  dueling: true,
  quantiles: 3,
  noisySigma: 0.5,
  normalization: "layer",
  dropout: 0.2,
  weightDecay: 0.01,
  cqlAlpha: 0.1,
  nStep: 3,
  environments: 2,
  priorityExponent: 0.6,
  sparse: { slots: 2, size: 9 },
} satisfies Partial<DQNOptions>;

const ALL_FIXED: DQNOptions = { ...FIXED, ...ALL, masked: true };
const ALL_CANDIDATES: DQNOptions = {
  ...CANDIDATES,
  ...ALL,
  candidates: { max: 12, features: 4, next: 12, sparse: { slots: 1, size: 7 } },
};
const BYTES = { type: "u8", low: -1, high: 1 } as const;
const MUNCHAUSEN: DQNOptions = { ...FIXED, munchausen: {}, normalization: "batch", masked: true };

/** What `digest` must give after `live(agent, 200)`, in every runtime and on every machine. */
const GOLDEN = {
  actions: "64f92a8c3ce65ada6594b106d63ca97c067e1c9e909f82a867fc01f51c2da13e",
  candidates: "e7bd535baa9ebda814cb59be42d191db2b38a0e67e7ddef1dd171ef7ec6868f8",
  priorities: "8e7b9c8dc89ae9ffec933e5b2d68c5d518062ab1c06ae4e315ef718010a892c6",
  nSteps: "d120949259efdd8de91a07317d410a818c4f1551a4d2f9b13e0f238e7e19210b",
  munchausen: "01c7df1ca1bae0b3168daa22ff93071ba7325a81ad49841e32aed0e187c8e4a5",
  all: "030c64633808bf958535daf2ce491384aa843ae490469586f3234a400993e212",
  allCandidates: "f9d5f1e632ab6f9adee672c77af9e577767c1a46dc7a73598eeb3df588d64519",
  halves: "bcd335081a9605d1a975ec162041bf0e8cd3095eefc243d2e97aa84829c5dd00",
  bytes: "2b7335f97f9a25fa0f13d096dc926129219a71910287f629205066f5747ed78a",
  allHalves: "2c6728881784c50fd1e4f4dfc181f3517fecd146694133c8f630e785b71e8035",
  allBytes: "19d9086bce8550596c72d487134fd56d12358fe705595a788d3e9622b872ab6f",
};

describe.each([
  ["actions", FIXED],
  ["candidates", CANDIDATES],
  ["priorities", { ...CANDIDATES, priorityExponent: 0.6 }],
  ["nSteps", { ...FIXED, nStep: 3, priorityExponent: 0.5 }],
  ["munchausen", MUNCHAUSEN],
  ["all", ALL_FIXED],
  ["allCandidates", ALL_CANDIDATES],
  ["halves", { ...FIXED, storage: "f16" }],
  ["bytes", { ...CANDIDATES, storage: BYTES }],
  ["allHalves", { ...ALL_CANDIDATES, storage: "f16" }],
  ["allBytes", { ...ALL_FIXED, storage: BYTES }],
] as const)("an agent with %s", (name, options) => {
  test("has the committed SHA-256 after the same calls, whatever runs it", () => {
    const agent = new DQN(options);
    live(agent, 200);
    expect(digest(agent)).toBe(GOLDEN[name]);
  });

  test("has the same SHA-256 after the same seed and calls, and another after another seed", () => {
    const [a, b, c] = [options, options, { ...options, seed: 2 }].map((o) => new DQN(o));
    for (const agent of [a!, b!, c!]) live(agent, 200);
    expect(digest(a!)).toBe(digest(b!));
    expect(digest(a!)).not.toBe(digest(c!));
    expect(a!.updates).toBeGreaterThan(100);
  });

  test("continues from a snapshot bit-identically", () => {
    const whole = new DQN(options);
    live(whole, 150);
    const first = new DQN(options);
    live(first, 83);
    const second = DQN.load(first.save());
    live(second, 67, 83);
    expect(digest(second)).toBe(digest(whole));
    expect(second.options).toEqual(whole.options);
  });

  test("saved without its replay serves the same values and learns on", () => {
    const agent = new DQN(options);
    live(agent, 100);
    const small = agent.save({ replay: false });
    expect(small.byteLength).toBeLessThan(agent.save().byteLength);
    const copy = DQN.load(small);
    const { sparse, candidates } = agent.options;
    const rows = candidates && rowsOf(4, candidates.sparse, 3, 1);
    const observation = rowsOf(5, sparse, 1, 1);
    expect(copy.evaluate(observation, rows)).toEqual(agent.evaluate(observation, rows));
    expect(copy.replaySize).toBe(0);
    expect(copy.learn()).toBeNaN();
    live(copy, 40);
    expect(copy.learn()).toBeGreaterThan(0);
  });

  test("refuses a snapshot with any one byte changed or cut off", () => {
    const agent = new DQN(options);
    live(agent, 20);
    const file = agent.save();
    for (let i = 0; i < file.length; i += 211) {
      const bad = file.slice();
      bad[i]! ^= 0x55;
      expect(() => DQN.load(bad), `byte ${i}`).toThrow(SnapshotError);
      expect(() => DQN.load(file.subarray(0, i)), `cut at ${i}`).toThrow(SnapshotError);
    }
    expect(digest(DQN.load(file))).toBe(digest(agent));
  });
});

describe("in pieces", () => {
  const pieces = async function* (parts: Iterable<Uint8Array>) {
    yield* parts;
  };

  test("a file is the same as in one, and gives the same agent however it is cut", async () => {
    const agent = new DQN({ ...ALL_CANDIDATES, capacity: 3000 });
    live(agent, 2500);
    const whole = agent.save();
    const parts = [...agent.saveChunks()];
    expect(parts.length).toBeGreaterThan(2);
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
    expect(digest(await DQN.loadChunks(pieces(parts)))).toBe(digest(agent));
    for (const size of [1, 4093, 1 << 20]) {
      const file = size === 1 ? new DQN(FIXED).save() : whole;
      const cut = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
        file.subarray(i * size, i * size + size),
      );
      expect(digest(await DQN.loadChunks(pieces(cut)))).toBe(digest(DQN.load(file)));
    }
    const small = [...agent.saveChunks({ replay: false })];
    expect(Buffer.concat(small).equals(agent.save({ replay: false }))).toBe(true);
  });

  test("a file that is cut off, damaged or longer is refused", async () => {
    const agent = new DQN(FIXED);
    live(agent, 60);
    const file = agent.save();
    const load = (given: Uint8Array) => DQN.loadChunks(pieces([given.subarray(0, 100), given.subarray(100)]));
    for (const end of [0, 7, 8, 99, 101, file.length - 1]) {
      await expect(load(file.subarray(0, end)), `cut at ${end}`).rejects.toThrow(SnapshotError);
    }
    for (let i = 0; i < file.length; i += 211) {
      const bad = file.slice();
      bad[i]! ^= 0x55;
      await expect(load(bad), `byte ${i}`).rejects.toThrow(SnapshotError);
    }
    await expect(load(Uint8Array.from([...file, 0]))).rejects.toThrow("the file is longer than its tensors");
  });
});

test("a file names the kernels that wrote it, and whether the replay is in it", () => {
  const { metadata } = unpackSnapshot("dqn", new DQN(FIXED).save({ replay: false }));
  expect(metadata).toMatchObject({ kernel: KERNEL, replay: "false" });
});

test("the memory is the same object after 10,000 learn calls", () => {
  const agent = new DQN(FIXED);
  live(agent, 20);
  const before = agent.values.buffer;
  for (let i = 0; i < 10_000; i++) agent.learn();
  const { buffer } = agent.values;
  expect(buffer).toBe(before);
  expect(buffer.byteLength).toBe(agent.memoryBytes);
});

describe("storage", () => {
  const wide = { ...FIXED, observation: 600, capacity: 2000 };
  const kinds = ["f32", "f16", BYTES] as const;

  test("of halves takes half the memory and half the file of f32, of bytes a quarter", () => {
    const [f32, f16, u8] = kinds.map((storage) => {
      const agent = new DQN({ ...wide, storage });
      const step = { observation: numbers(600, 1), nextObservation: numbers(600, 2), action: 0, terminated: false };
      for (let i = 0; i < 2000; i++) agent.observe({ ...step, reward: 1 });
      return { memory: agent.stats().memoryBytes, file: agent.save().byteLength };
    });
    const replay = 2000 * (2 * 600 * 4 + 16);
    for (const figure of ["memory", "file"] as const) {
      // Weights and what else there is are the same; memory comes in pages.
      const rest = f32![figure] - replay;
      expect(f16![figure] - rest).toBeLessThan(0.52 * replay);
      expect(u8![figure] - rest).toBeLessThan(0.27 * replay);
    }
  });

  test("of numbers that it keeps exactly gives the bits of f32", () => {
    // Whole numbers, which all three keep.
    const bytes = { type: "u8", low: -127, high: 128 } as const;
    for (const options of [FIXED, CANDIDATES, ALL_FIXED, ALL_CANDIDATES]) {
      const agents = (["f32", "f16", bytes] as const).map((storage) => new DQN({ ...options, storage }));
      const whole = (input: AgentInput): AgentInput =>
        "indices" in input
          ? { ...input, dense: Array.from(input.dense!, (x) => Math.round(9 * x)) }
          : Array.from(input, (x) => Math.round(9 * x));
      for (let i = 0; i < 120; i++) {
        const { sparse, candidates, environments } = agents[0]!.options;
        const [observation, nextObservation] = [i, i + 1].map((seed) => whole(rowsOf(5, sparse, 1, seed)));
        const offer = (n: number) => (candidates ? whole(rowsOf(4, candidates.sparse, n, i)) : []);
        const chosen = candidates
          ? { candidates: offer(6), nextCandidates: offer(i % 6), action: i % 6 }
          : { action: i % 3 };
        const rest = { reward: i % 3, terminated: i % 9 === 8, environment: i % environments, ...chosen };
        for (const agent of agents)
          agent.observe({ observation: observation!, nextObservation: nextObservation!, ...rest });
        if (i > 10) expect(new Set(agents.map((agent) => agent.learn())).size).toBe(1);
      }
      const weights = agents.map((agent) => agent.copyWeights());
      expect(weights[1]).toEqual(weights[0]);
      expect(weights[2]).toEqual(weights[0]);
    }
  });

  test("acts on numbers as they are given", () => {
    const [a, b, c] = kinds.map((storage) => new DQN({ ...FIXED, storage }));
    const values = a!.evaluate(numbers(5, 4));
    expect(b!.evaluate(numbers(5, 4))).toEqual(values);
    expect(c!.evaluate(numbers(5, 4))).toEqual(values);
  });
});

test("index inputs give the same bits as the same rows given dense, forward and backward", () => {
  const common = { learningStarts: 8, batchSize: 8, capacity: 64, seed: 1, dueling: true };
  const sparse = new DQN({
    ...common,
    observation: 3,
    sparse: { slots: 3, size: 11 },
    candidates: { max: 6, features: 2, sparse: { slots: 2, size: 7 } },
  });
  const dense = new DQN({ ...common, observation: 14, candidates: { max: 6, features: 9 } });
  const write = ({ dense: x = [], indices, weights }: SparseInput, size: number, rows: number) => {
    const slots = indices.length / rows;
    const width = x.length / rows + size;
    const written = new Float32Array(rows * width);
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < width - size; i++) written[r * width + i] = x[r * (width - size) + i]!;
      for (let s = r * slots; s < (r + 1) * slots; s++) {
        if (indices[s]! >= 0) written[r * width + width - size + indices[s]!]! += weights![s]!;
      }
    }
    return written;
  };
  const seen = (seed: number) => rowsOf(3, { slots: 3, size: 11 }, 1, seed) as SparseInput;
  const offer = (n: number, seed: number) => rowsOf(2, { slots: 2, size: 7 }, n, seed) as SparseInput;
  for (let i = 0; i < 300; i++) {
    const [n, m] = [1 + (i % 6), 1 + ((i + 1) % 6)];
    const [observation, nextObservation, candidates, nextCandidates] = [
      seen(i),
      seen(i + 1),
      offer(n, i),
      offer(m, i + 9),
    ];
    const rest = { reward: Math.fround(i % 3), terminated: i % 11 === 10, action: i % n };
    sparse.observe({ ...rest, observation, nextObservation, candidates, nextCandidates });
    dense.observe({
      ...rest,
      observation: write(observation, 11, 1),
      nextObservation: write(nextObservation, 11, 1),
      candidates: write(candidates, 7, n),
      nextCandidates: write(nextCandidates, 7, m),
    });
    expect(sparse.learn()).toEqual(dense.learn());
    const values = sparse.evaluate(observation, candidates);
    expect(values).toEqual(dense.evaluate(write(observation, 11, 1), write(candidates, 7, n)));
  }
  const hash = (agent: DQN) => createHash("sha256").update(agent.copyWeights()).digest("hex");
  expect(hash(sparse)).toBe(hash(dense));
});

test("the order of indices does not matter, and the weights of an index that comes twice are added", () => {
  const agent = new DQN({ observation: 0, sparse: { slots: 4, size: 6 }, actions: 2, seed: 3 });
  const values = agent.evaluate({ indices: [4, 1, 4, -1], weights: [1, 0.5, 2, 9] }).slice();
  expect(agent.evaluate({ indices: [1, 4], weights: [0.5, 3] })).toEqual(values);
  expect(agent.evaluate({ indices: [2, 0] }).slice()).toEqual(agent.evaluate({ indices: [0, 2], weights: [1, 1] }));
});

/** The values of plain layers, by definition, in f64. */
function plainValues(layers: LayerWeights[], x: ArrayLike<number>): number[] {
  const run = (chain: LayerWeights[]) =>
    chain.reduce<number[]>((h, { name, inputs, weight, bias, gain, shift }) => {
      const z = Array.from(bias, (b, j) => h.reduce((sum, value, i) => sum + value * weight[j * inputs + i]!, b));
      if (name.endsWith("head")) return z;
      const mean = z.reduce((sum, value) => sum + value, 0) / z.length;
      const variance = z.reduce((sum, value) => sum + (value - mean) ** 2, 0) / z.length;
      const y = gain ? z.map((value, j) => (gain[j]! * (value - mean)) / Math.sqrt(variance + 1e-5) + shift![j]!) : z;
      return y.map((value) => Math.max(0, value));
    }, Array.from(x));
  return run(layers.filter(({ name }) => !name.startsWith("value.")));
}

test.each(["none", "layer", "batch"] as const)("weights() are the plain layers that act, %s normalisation", (kind) => {
  const agent = new DQN({ ...FIXED, normalization: kind, noisySigma: kind === "batch" ? 0 : 0.5 });
  live(agent, 150);
  const layers = agent.weights();
  expect(layers.map(({ name, inputs, outputs }) => [name, inputs, outputs])).toEqual([
    ["hidden.0", 5, 20],
    ["hidden.1", 20, 12],
    ["head", 12, 3],
  ]);
  const observation = numbers(5, 77);
  const values = agent.evaluate(observation);
  for (const [a, value] of plainValues(layers, observation).entries()) expect(values[a]).toBeCloseTo(value, 4);
  // Asking for them changes nothing that is learned.
  const [a, b] = [new DQN(FIXED), new DQN(FIXED)];
  live(a!, 60);
  live(b!, 40);
  b!.weights();
  live(b!, 20, 40);
  expect(digest(a!)).toBe(digest(b!));
});

test("weights that are restored act as when they were copied, and bad ones are refused", () => {
  const agent = new DQN({ ...FIXED, normalization: "batch" });
  live(agent, 60);
  const weights = agent.copyWeights();
  const values = agent.evaluate(numbers(5, 1)).slice();
  live(agent, 60, 60);
  expect(agent.evaluate(numbers(5, 1))).not.toEqual(values);
  const before = digest(agent);
  expect(() => agent.restoreWeights(weights.subarray(1))).toThrow(`"weights" must hold ${weights.length} numbers`);
  expect(() => agent.restoreWeights(weights.map((w, i) => (i === 5 ? Number.NaN : w)))).toThrow(
    '"weights[5]" must be in [-1e9, 1e9], got NaN',
  );
  expect(digest(agent)).toBe(before);
  agent.restoreWeights(weights);
  expect(agent.evaluate(numbers(5, 1))).toEqual(values);
  expect(agent.replaySize).toBe(64);
});

test("noise explores by itself, anew at each call, and a greedy call has none", () => {
  const agent = new DQN({ ...FIXED, hidden: [16], noisySigma: 2, epsilon: 0, seed: 6 });
  const chosen = Array.from({ length: 300 }, () => agent.act(numbers(5, 3)));
  expect(new Set(chosen).size).toBe(3);
  const greedy = Array.from({ length: 50 }, () => agent.act(numbers(5, 3), undefined, 0));
  expect(new Set(greedy).size).toBe(1);
  const values = agent.evaluate(numbers(5, 3)).slice();
  agent.act(numbers(5, 3));
  expect(agent.evaluate(numbers(5, 3))).toEqual(values);
});

test("dropout drops the share asked for, and none while acting", () => {
  // Inputs of 0 and a learning rate near 0: the hidden layer gives its biases, and the loss tells what was dropped.
  const share = 0.3;
  const agent = new DQN({
    ...{ observation: 1, actions: 1, hidden: [1], learningStarts: 1, batchSize: 1, loss: "squared", seed: 9 },
    ...{ learningRate: 1e-30, dropout: share, double: false, normalization: "none" },
  } as DQNOptions);
  const [hidden, head] = agent.weights();
  const h = Math.max(0, hidden!.bias[0]!);
  expect(h).toBeGreaterThan(0);
  agent.observe({ observation: [0], action: 0, reward: 0, terminated: true, nextObservation: [0] });
  const q = (x: number) => head!.weight[0]! * x + head!.bias[0]!;
  const n = 20_000;
  let dropped = 0;
  for (let i = 0; i < n; i++) {
    const loss = agent.learn();
    const isDropped = Math.abs(loss - q(0) ** 2) < 1e-6;
    if (!isDropped) expect(loss).toBeCloseTo(q(h / (1 - share)) ** 2, 5);
    dropped += Number(isDropped);
  }
  expect(Math.abs(dropped / n - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / n));
  expect(agent.evaluate([0])[0]).toBeCloseTo(q(h), 5);
});

test("starts with weights as PyTorch's Linear: uniform in 1/sqrt(inputs), the target equal to the online network", () => {
  const agent = new DQN({ observation: 16, actions: 2, hidden: [512], normalization: "none", seed: 3 });
  // Region order in the file: 96 bytes of state rounded to 128, online, target.
  const bytes = unpackSnapshot("dqn", agent.save()).tensors.get("agent")!.slice();
  const floats = new Float32Array(bytes.buffer, 128);
  const weights = floats.subarray(0, 16 * 512);
  expect(Math.max(...weights)).toBeLessThanOrEqual(0.25);
  expect(Math.min(...weights)).toBeGreaterThanOrEqual(-0.25);
  const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
  const variance = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
  expect(Math.abs(mean)).toBeLessThan(0.005);
  expect(variance).toBeCloseTo(0.5 ** 2 / 12, 3);
  const parameters = (16 + 1) * 512 + (512 + 1) * 4;
  const block = Math.ceil(parameters / 16) * 16;
  expect(floats.subarray(0, block)).toEqual(floats.subarray(block, 2 * block));
  expect(Region.Online).toBeLessThan(Region.Target);
});

describe("act", () => {
  test("explores uniformly over the available actions, with the given probability", () => {
    const agent = new DQN({ observation: 1, actions: 5, masked: true, seed: 2 });
    const mask = [0, 1, 1, 0, 1];
    const counts = [0, 0, 0, 0, 0];
    const greedy = agent.act([0.3], mask, 0);
    const n = 60_000;
    for (let i = 0; i < n; i++) counts[agent.act([0.3], mask, 0.6)]!++;
    expect(counts[0]! + counts[3]!).toBe(0);
    for (const action of [1, 2, 4]) {
      const p = 0.2 + (action === greedy ? 0.4 : 0);
      expect(Math.abs(counts[action]! / n - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
    }
  });

  test("takes the best available action, and answers -1 where none is", () => {
    const agent = new DQN({ observation: 2, actions: 4, masked: true, seed: 5 });
    const values = Array.from(agent.evaluate([0.5, -1]));
    const order = [0, 1, 2, 3].sort((a, b) => values[b]! - values[a]!);
    expect(agent.act([0.5, -1], [1, 1, 1, 1], 0)).toBe(order[0]);
    const mask = [1, 1, 1, 1];
    mask[order[0]!] = 0;
    expect(agent.act([0.5, -1], mask, 0)).toBe(order[1]);
    expect(agent.act([0.5, -1], [0, 0, 0, 0], 0.5)).toBe(-1);
    expect(new DQN(CANDIDATES).act(numbers(5, 1), [], 0)).toBe(-1);
  });

  test("reads the staged views without a copy", () => {
    const agent = new DQN(CANDIDATES);
    agent.observation.set(numbers(5, 1));
    agent.candidates.set(numbers(24, 2));
    const staged = agent.evaluate(agent.observation, agent.candidates.subarray(0, 24)).slice();
    expect(new DQN(CANDIDATES).evaluate(numbers(5, 1), numbers(24, 2))).toEqual(staged);
  });
});

describe("bad input", () => {
  const transition = { observation: numbers(5, 1), nextObservation: numbers(5, 2), reward: 1, terminated: false };
  const fixed = () => new DQN(FIXED);
  const changing = () => new DQN(CANDIDATES);
  const indexed = () => new DQN({ ...FIXED, sparse: { slots: 2, size: 9 } });
  const withNumber = (x: number) => [0, 0, x, 0, 0];

  test.each<[string, () => DQN, (agent: DQN) => void]>([
    ['"observation[2]" must be in [-1e6, 1e6], got NaN', fixed, (a) => a.act(withNumber(Number.NaN), undefined, 0)],
    ['"observation[2]" must be in [-1e6, 1e6], got 1e+39', fixed, (a) => a.evaluate(withNumber(1e39))],
    ['"observation" must hold 5 numbers, got 4', fixed, (a) => a.act([1, 2, 3, 4])],
    ['"epsilon" must be in [0, 1], got 1.5', fixed, (a) => a.act(numbers(5, 1), undefined, 1.5)],
    ['a mask of the 3 actions needs the option "masked": true', fixed, (a) => a.act(numbers(5, 1), [1, 1, 1])],
    ['"candidates" must be given', changing, (a) => a.act(numbers(5, 1))],
    [
      '"candidates" must hold at most 12 rows of 4 numbers, got 5 numbers',
      changing,
      (a) => a.act(numbers(5, 1), numbers(5, 1)),
    ],
    [
      '"candidates[1]" must be in [-1e6, 1e6], got Infinity',
      changing,
      (a) => a.evaluate(numbers(5, 1), [0, Number.POSITIVE_INFINITY, 0, 0]),
    ],
    ['"action" must be an integer in [0, 2], got 3', fixed, (a) => a.observe({ ...transition, action: 3 })],
    ['"action" must be an integer in [0, 2], got undefined', fixed, (a) => a.observe(transition)],
    ['"reward" must be in [-1e6, 1e6], got 1e+39', fixed, (a) => a.observe({ ...transition, action: 0, reward: 1e39 })],
    [
      '"truncated" must be true or false, got 1',
      fixed,
      (a) => a.observe({ ...transition, action: 0, truncated: 1 as unknown as boolean }),
    ],
    ['"discount" must be in [0, 1], got 2', fixed, (a) => a.observe({ ...transition, action: 0, discount: 2 })],
    [
      '"terminated" must be true or false, got 0',
      fixed,
      (a) => a.observe({ ...transition, action: 0, terminated: 0 as unknown as boolean }),
    ],
    [
      '"nextObservation[2]" must be in [-1e6, 1e6], got NaN',
      fixed,
      (a) => a.observe({ ...transition, action: 0, nextObservation: withNumber(Number.NaN) }),
    ],
    [
      '"nextMask" needs the option "masked"',
      fixed,
      (a) => a.observe({ ...transition, action: 0, nextMask: [1, 1, 1] }),
    ],
    ['"candidate" must be given', changing, (a) => a.observe(transition)],
    ['"candidate" must hold 4 numbers, got 3', changing, (a) => a.observe({ ...transition, candidate: [1, 2, 3] })],
    [
      '"candidate[3]" must be in [-1e6, 1e6], got NaN',
      changing,
      (a) => a.observe({ ...transition, candidate: [1, 2, 3, Number.NaN] }),
    ],
    [
      '"nextCandidates" must hold at most 6 rows of 4',
      changing,
      (a) => a.observe({ ...transition, candidate: [1, 2, 3, 4], nextCandidates: numbers(28, 1) }),
    ],
    [
      '"nextCandidates[5]" must be in [-1e6, 1e6], got NaN',
      changing,
      (a) => a.observe({ ...transition, candidate: [1, 2, 3, 4], nextCandidates: [0, 0, 0, 0, 0, Number.NaN, 0, 0] }),
    ],
    [
      '"mask[1]" must not be 0: it is the action taken',
      () => new DQN({ ...FIXED, masked: true }),
      (a) => a.observe({ ...transition, action: 1, mask: [1, 0, 1] }),
    ],
    ['"mask" needs the option "masked"', fixed, (a) => a.observe({ ...transition, action: 0, mask: [1, 1, 1] })],
    [
      '"environment" must be an integer in [0, 0], got 1',
      fixed,
      (a) => a.observe({ ...transition, action: 0, environment: 1 }),
    ],
    ['"environment" must be an integer in [0, 0], got 2', fixed, (a) => a.abandonEpisode(2)],
    [
      '"candidates" and "action" must be given: "dueling", "munchausen" and "cqlAlpha" need them',
      () => new DQN({ ...ALL_CANDIDATES, sparse: undefined, candidates: { max: 12, features: 4 } }),
      (a) => a.observe({ ...transition, candidate: [1, 2, 3, 4] }),
    ],
    [
      'either "candidate" or "candidates" with "action" must be given, got both',
      changing,
      (a) => a.observe({ ...transition, candidate: [1, 2, 3, 4], candidates: numbers(8, 1), action: 0 }),
    ],
    [
      '"action" must be an integer in [0, 1], got 2',
      changing,
      (a) => a.observe({ ...transition, candidates: numbers(8, 1), action: 2 }),
    ],
    [
      '"candidates" must hold at most 12 rows of 4',
      () => new DQN({ ...CANDIDATES, cqlAlpha: 1, candidates: { max: 20, features: 4, next: 12 } }),
      (a) => a.observe({ ...transition, candidates: numbers(52, 1), action: 0 }),
    ],
    [
      '"candidates[6]" must be in [-1e6, 1e6], got NaN',
      changing,
      (a) => a.observe({ ...transition, candidates: [0, 0, 0, 0, 0, 0, Number.NaN, 0], action: 1 }),
    ],
    [
      '"observation" must be { dense, indices, weights }, for the option "sparse", got an array',
      indexed,
      (a) => a.act([1]),
    ],
    [
      '"observation.indices[1]" must be an integer in [0, 8], or -1 for none, got 9',
      indexed,
      (a) => a.act({ dense: numbers(5, 1), indices: [0, 9] }),
    ],
    [
      '"observation.indices" must hold at most 2 indices, got 3',
      indexed,
      (a) => a.act({ dense: numbers(5, 1), indices: [0, 1, 2] }),
    ],
    [
      '"observation.weights[0]" must be in [-1e6, 1e6], got Infinity',
      indexed,
      (a) => a.act({ dense: numbers(5, 1), indices: [0], weights: [Number.POSITIVE_INFINITY] }),
    ],
    [
      '"observation.weights" must hold 1 numbers, one for each index, got 2',
      indexed,
      (a) => a.act({ dense: numbers(5, 1), indices: [0], weights: [1, 2] }),
    ],
    [
      '"observation.weights" of one index must add up to a number in [-1e6, 1e6]',
      indexed,
      (a) => a.evaluate({ dense: numbers(5, 1), indices: [3, 3], weights: [6e5, 6e5] }),
    ],
    [
      '"observation.dense" must hold 5 numbers, got 4',
      indexed,
      (a) => a.evaluate({ dense: numbers(4, 1), indices: [3] }),
    ],
    [
      '"observation.dense[2]" must be in [-1e6, 1e6], got NaN',
      indexed,
      (a) => a.evaluate({ dense: withNumber(Number.NaN), indices: [3] }),
    ],
    ['"updates" must be an integer in [1, 2147483647], got 0', fixed, (a) => void a.learn(0)],
    ['"tau" must be in (0, 1], got 0', fixed, (a) => a.syncTarget(0)],
  ])("%s", (message, make, call) => {
    const agent = make();
    live(agent, 12);
    const before = digest(agent);
    expect(() => call(agent)).toThrow(message);
    expect(digest(agent), "the state is unchanged").toBe(before);
  });

  test("a disposed agent throws, and can be disposed again", () => {
    const agent = fixed();
    agent.dispose();
    agent.dispose();
    expect(() => agent.learn()).toThrow("the agent is disposed");
    expect(agent.memoryBytes).toBe(0);
  });
});

test("runs from a module that the caller compiled, with the same bits", () => {
  const module = new WebAssembly.Module(readFileSync("dist/dqn.wasm"));
  const [a, b] = [new DQN(FIXED, { module }), new DQN(FIXED)];
  for (const agent of [a, b]) live(agent, 30);
  expect(digest(a)).toBe(digest(b));
});
