import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Region } from "../assembly/abi.js";
import { DQN, type DQNOptions, SnapshotError } from "../src/index.js";
import { unpackSnapshot } from "../src/snapshot.js";
import { numbers } from "./reference/kernels.js";

const FIXED: DQNOptions = {
  observation: 5,
  actions: 3,
  hidden: [20, 12],
  learningStarts: 8,
  batchSize: 8,
  capacity: 64,
  seed: 1,
};
const CANDIDATES: DQNOptions = {
  observation: 5,
  candidates: { max: 12, features: 4, next: 6 },
  hidden: [20, 12],
  learningStarts: 8,
  batchSize: 8,
  capacity: 64,
  seed: 1,
};

/** Lets an agent act, observe and learn for some steps of a made-up stream; `from` continues one. */
function live(agent: DQN, steps: number, from = 0): void {
  const { candidates } = agent.options;
  for (let i = from; i < from + steps; i++) {
    const observation = numbers(5, i);
    const nextObservation = numbers(5, i + 1);
    const common = { observation, nextObservation, reward: Math.fround(i % 3), terminated: i % 11 === 10 };
    if (candidates) {
      const rows = numbers(4 * (1 + (i % 12)), i);
      const action = agent.act(observation, rows);
      const nextCandidates = numbers(4 * (i % 7), i + 1);
      agent.observe({ ...common, candidate: rows.subarray(action * 4, action * 4 + 4), nextCandidates });
    } else {
      agent.observe({ ...common, action: agent.act(observation) });
    }
    if (i % 2 === 0) agent.learn(2);
  }
}

/** SHA-256 of everything in the agent that persists. */
function digest(agent: DQN): string {
  return createHash("sha256").update(unpackSnapshot("dqn", agent.save()).tensors.get("agent")!).digest("hex");
}

/** What `digest` must give after `live(agent, 200)`, in every runtime and on every machine. */
const GOLDEN = {
  actions: "e9b8a1d604ec5b2b7ec4b54edbded85c2f6723b1d73f23363f10569b943d43db",
  candidates: "36929733b3a4cec20b7808c3a516a206cfd0079885849ce7c8a91db17b363c1c",
  priorities: "e4429670fdc99e3a9871fc8843798006e91de83ef6004cb8882a2771d45a3beb",
  nSteps: "331daaeda72e62dce6832f7b34ed420f2c6ddb5e7a365f747c3d7b453d31f6d8",
};

describe.each([
  ["actions", FIXED],
  ["candidates", CANDIDATES],
  ["priorities", { ...CANDIDATES, priorityExponent: 0.6 }],
  ["nSteps", { ...FIXED, nStep: 3, priorityExponent: 0.5 }],
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
    const rows = options.candidates ? numbers(12, 1) : undefined;
    expect(copy.evaluate(numbers(5, 1), rows)).toEqual(agent.evaluate(numbers(5, 1), rows));
    expect(copy.replaySize).toBe(0);
    expect(copy.learn()).toBeNaN();
    live(copy, 40);
    expect(copy.learn()).toBeGreaterThan(0);
  });

  test("refuses a snapshot with any one byte changed or cut off", () => {
    const agent = new DQN(options);
    live(agent, 20);
    const file = agent.save();
    for (let i = 0; i < file.length; i += 97) {
      const bad = file.slice();
      bad[i]! ^= 0x55;
      expect(() => DQN.load(bad), `byte ${i}`).toThrow(SnapshotError);
      expect(() => DQN.load(file.subarray(0, i)), `cut at ${i}`).toThrow(SnapshotError);
    }
    expect(digest(DQN.load(file))).toBe(digest(agent));
  });
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

test("starts with weights as PyTorch's Linear: uniform in 1/sqrt(inputs), the target equal to the online network", () => {
  const agent = new DQN({ observation: 16, actions: 2, hidden: [512], seed: 3 });
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
  test("explores uniformly over what is available, with the probability asked for", () => {
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
  const withNumber = (x: number) => [0, 0, x, 0, 0];

  test.each<[string, () => DQN, (agent: DQN) => void]>([
    [
      '"observation[2]" must be a finite number in the range of f32, got NaN',
      fixed,
      (a) => a.act(withNumber(Number.NaN), undefined, 0),
    ],
    [
      '"observation[2]" must be a finite number in the range of f32, got 1e+39',
      fixed,
      (a) => a.evaluate(withNumber(1e39)),
    ],
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
      '"candidates[1]" must be a finite number in the range of f32, got Infinity',
      changing,
      (a) => a.evaluate(numbers(5, 1), [0, Number.POSITIVE_INFINITY, 0, 0]),
    ],
    ['"action" must be an integer in [0, 2], got 3', fixed, (a) => a.observe({ ...transition, action: 3 })],
    ['"action" must be an integer in [0, 2], got undefined', fixed, (a) => a.observe(transition)],
    [
      '"reward" must be a finite number in the range of f32, got 1e+39',
      fixed,
      (a) => a.observe({ ...transition, action: 0, reward: 1e39 }),
    ],
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
      '"nextObservation[2]" must be a finite number',
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
      '"candidate[3]" must be a finite number',
      changing,
      (a) => a.observe({ ...transition, candidate: [1, 2, 3, Number.NaN] }),
    ],
    [
      '"nextCandidates" must hold at most 6 rows of 4',
      changing,
      (a) => a.observe({ ...transition, candidate: [1, 2, 3, 4], nextCandidates: numbers(28, 1) }),
    ],
    [
      '"nextCandidates[5]" must be a finite number',
      changing,
      (a) => a.observe({ ...transition, candidate: [1, 2, 3, 4], nextCandidates: [0, 0, 0, 0, 0, Number.NaN, 0, 0] }),
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

  test("a disposed agent says so, and may be disposed again", () => {
    const agent = fixed();
    agent.dispose();
    agent.dispose();
    expect(() => agent.learn()).toThrow("the agent is disposed");
    expect(agent.memoryBytes).toBe(0);
  });
});

test("runs from a module that the caller compiled, with the same bits", () => {
  const module = new WebAssembly.Module(readFileSync("dist/dqn.wasm"));
  const [a, b] = [new DQN(FIXED, module), new DQN(FIXED)];
  for (const agent of [a, b]) live(agent, 30);
  expect(digest(a)).toBe(digest(b));
});
