import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Attempt, chosen, type Judged, lossOf, shareFor } from "../../src/cli/compress/index.js";
import { QuantisedAgent } from "../../src/engine/compression/index.js";
import { CartPole, DQN, train } from "../../src/index.js";
import { liveq, rowsIn } from "../support/command.js";
import { numbers } from "../support/numbers.js";

const folder = mkdtempSync(join(tmpdir(), "compress-"));
const at = (name: string) => join(folder, name);
const FAST = ["--count", "200", "--episodes", "3", "--updates", "100", "--no-run"];

beforeAll(async () => {
  const agent = new DQN({ observation: 4, actions: 2, seed: 1, learningStarts: 100 });
  await train(agent, new CartPole(), { steps: 1500 });
  writeFileSync(at("agent.liveq"), agent.save());
  const states = Array.from({ length: 60 }, (_, i) => JSON.stringify({ observation: [...numbers(4, i)] }));
  writeFileSync(at("states.jsonl"), `${states.join("\n")}\n`);
  const slates = new DQN({ observation: 4, candidates: { max: 3, features: 2 }, slate: { size: 2 } });
  writeFileSync(at("slates.liveq"), slates.save({ replay: false }));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("liveq compress", () => {
  test("prints a table of all ways, rows, and writes the best within the loss", async () => {
    const words = ["--target", "3x", "--loss", "90%", "--environment", "CartPole-v1", "--json", at("rows.json")];
    const { code, out } = await liveq("compress", at("agent.liveq"), ...words, "--out", at("small.liveq"), ...FAST);
    expect(code).toBe(0);
    for (const way of ["as it was", "int8", "pruned", "student", "student, int8"]) expect(out).toContain(`\n${way} `);
    expect(out).toMatch(/\n(int8|pruned|student|student, int8): [\d.]+ times smaller.*, loss -?[\d.]+ %\n$/);
    const rows = rowsIn(readFileSync(at("rows.json"), "utf8"));
    expect(rows.filter(({ metric }) => metric === "times_smaller").map(({ value }) => value > 0.99)).toEqual(
      new Array(5).fill(true),
    );
    const file = readFileSync(at("small.liveq"));
    const load = () => {
      try {
        return QuantisedAgent.load(file);
      } catch {
        return DQN.load(file);
      }
    };
    expect(load().act(new Float32Array(4), undefined, 0)).toBeGreaterThanOrEqual(0);
  });

  test("takes states of a file, and then loses actions", async () => {
    const words = ["--loss", "0.9", "--states", at("states.jsonl"), "--out", at("other.liveq"), ...FAST];
    const { code, out, err } = await liveq("compress", at("agent.liveq"), ...words);
    expect(code).toBe(0);
    expect(out).toMatch(/tau\s+loss\n/);
    expect(err).toContain("60 states of");
  });

  test("writes nothing where all lose more, and ends with 1", async () => {
    const words = ["--target", "900x", "--loss", "0%", "--states", at("states.jsonl"), "--out", at("none.liveq")];
    const { code, err } = await liveq("compress", at("agent.liveq"), ...words, ...FAST);
    // int8 may lose no action at all.
    if (code === 0) return;
    expect(code).toBe(1);
    expect(err).toContain("nothing is written: each way loses more than 0.0 % of its actions");
    expect(() => readFileSync(at("none.liveq"))).toThrow();
  });

  test("wrong usage ends with 2, wrong files with 1, each in words", async () => {
    const out = ["--out", at("x.liveq"), ...FAST];
    const cases: [number, RegExp, ...string[]][] = [
      [2, /either '--environment <name>' or '--states <file>'/, at("agent.liveq")],
      [2, /must be a factor in \(1, 1000\]/, at("agent.liveq"), "--target", "x"],
      [2, /must be a share in \[0, 1\)/, at("agent.liveq"), "--loss", "100%"],
      [2, /Allowed choices are CartPole-v1/, at("agent.liveq"), "--environment", "Pong"],
      [1, /"observationSize" of the environment is 2/, at("agent.liveq"), "--environment", "MountainCar-v0"],
      [1, /slates, as a recommender's, is not compressed/, at("slates.liveq"), "--states", at("states.jsonl")],
      [1, /states\.jsonl: /, at("states.jsonl"), "--states", at("states.jsonl")],
      [1, /line 1 is not JSON/, at("agent.liveq"), "--states", at("agent.liveq")],
    ];
    for (const [code, message, ...words] of cases) {
      const ran = await liveq("compress", ...words, ...out);
      expect(ran.err, words.join(" ")).toMatch(message);
      expect(ran.code, words.join(" ")).toBe(code);
    }
  });
});

describe("the choice", () => {
  const judged = (name: string, ratio: number, loss: number): Judged => ({
    attempt: { name, ratio, bytes: 1000 / ratio } as Attempt,
    loss: { value: loss, lo: loss, hi: loss, n: 5 },
    microseconds: 1,
  });

  test("is the least loss of those that reach the target, else the smallest within the loss", () => {
    const all = [judged("a", 3.8, 0), judged("b", 4.1, 0.01), judged("c", 8, 0.015), judged("d", 9, 0.3)];
    expect(chosen(all, 0.02, 4)?.attempt.name).toBe("b");
    expect(chosen(all, 0.02, 20)?.attempt.name).toBe("c");
    expect(chosen(all, 0.005, 4)?.attempt.name).toBe("a");
    expect(chosen(all, -0.1, 4)).toBeUndefined();
  });

  test("loss is a share of the mean return, by episodes of the same seeds", () => {
    expect(lossOf([10, 30], [10, 26]).value).toBeCloseTo(0.1, 12);
    expect(lossOf([-100, -100], [-110, -100]).value).toBeCloseTo(0.05, 12);
  });

  test("the share of neurons makes a network of the size asked for", () => {
    const agent = new DQN({ observation: 10, actions: 4, hidden: [100, 100] });
    const bytes = (one: DQN) =>
      one.weights().reduce((sum, l) => sum + l.weight.length + l.bias.length * (l.gain ? 3 : 1), 0);
    for (const target of [2, 4, 8]) {
      const hidden = [100, 100].map((width) => Math.round(width * shareFor(agent, target)));
      const small = new DQN({ observation: 10, actions: 4, hidden });
      expect(bytes(agent) / bytes(small)).toBeGreaterThanOrEqual(target);
      expect(bytes(agent) / bytes(small)).toBeLessThan(target * 1.1);
    }
  });
});
