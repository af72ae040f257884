import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { goalsIn } from "../../bench/engine/goals.js";
import type { EngineProbe } from "../../bench/engine/probe.js";
import { rooflineOf, rowsOf, textOf } from "../../bench/engine/report.js";
import { rooflineLoops } from "../../bench/engine/roofline.js";
import { judged } from "../../bench/harness/goals.js";
import { sampleInTurn } from "../../bench/harness/rounds.js";
import { stamped } from "../../src/cli/writing/results.js";
import { quietContext } from "./context.js";

describe("the register-only loops", () => {
  const { loops } = rooflineLoops();

  test.each(loops)("$name: every chain is multiplied and added to as often as is counted", ({ name, flop, run }) => {
    const chains = Number(/^\d+/.exec(name)![0]);
    // One turn of x * a + b from x = a; where chains are apart, of x * a in half of them and of x + b in the others.
    const isApart = name.includes("of add");
    expect(run(1, 0.5, 1)).toBe(isApart ? 6 * 0.25 + 6 * 1.5 : chains * 1.25);
    expect(run(3, 0.5, 1)).toBe(isApart ? 6 * 0.0625 + 6 * 3.5 : chains * 1.8125);
    expect(flop).toBe(1000 * 4 * (isApart ? 12 : 2 * chains));
  });

  test("there are several of strict SIMD", () => {
    expect(loops.filter(({ name }) => !name.includes("relaxed")).length).toBeGreaterThan(3);
  });
});

function probe(name: string, metric: string, flop: number, values: number[]): EngineProbe {
  let next = 0;
  const own = { name, metrics: [{ metric, unit: metric === "gflops" ? "GFLOP/s" : "us" }], flop };
  return { ...own, prepare: () => ({ sample: () => [values[next++ % values.length]!] }) };
}

test("times become GFLOP/s and percent of the highest loop, with goals", async () => {
  const probes = [
    probe("loop/slow", "gflops", 0, [30, 20, 40]),
    probe("loop/fast", "gflops", 0, [50, 40, 60]),
    probe("train/S", "time_us", 40_000_000, [1000, 1250, 800]),
    probe("PER/draw of 100000", "time_us", 0, [0.04]),
  ];
  const series = await sampleInTurn(probes, 3, quietContext());
  const roofline = rooflineOf(series);
  expect(roofline).toEqual({ name: "fast", gflops: 50 });
  const rows = judged(
    series.flatMap((each) => rowsOf(each, roofline)),
    goalsIn("24.1.0"),
  );
  const row = (name: string, metric: string) => rows.find((each) => each.case === name && each.metric === metric);
  expect(row("train/S", "time_us")).toMatchObject({ value: 1000, lo: 800, hi: 1250, n: 3 });
  expect(row("train/S", "gflops")).toMatchObject({ value: 40, lo: 32, hi: 50 });
  expect(row("train/S", "roofline_percent")?.value).toBeCloseTo(80, 9);
  expect(row("train/S", "roofline_percent")).toMatchObject({ target: 75, met: true });
  expect(row("PER/draw of 100000", "time_us")).toMatchObject({ target: 0.05, met: true });
  const text = textOf(stamped(rows.map((each) => ({ suite: "engine", ...each }))));
  expect(text).toMatch(/S +1000 \(800 to 1250\) us +40\.0 +80\n/);
  expect(text).toMatch(/draw of 100000 +40\.00 \(40\.00 to 40\.00\) ns/);
});

test("percents of the roofline have goals in Node 24 and Node 20", () => {
  const goal = (node: string, name: string, metric: string) =>
    goalsIn(node).find((each) => each.metric === metric && each.case.test(name));
  expect(goal("24.1.0", "train/S", "roofline_percent")?.atLeast).toBe(75);
  expect(goal("20.19.0", "train/XL", "roofline_percent")?.atLeast).toBe(65);
  expect(goal("22.0.0", "train/S", "roofline_percent")).toBeUndefined();
  expect(goal("24.0.0", "train/sparse L", "roofline_percent")).toBeUndefined();
  expect(goal("22.0.0", "act/L", "time_us")?.atMost).toBe(7);
});

describe("npm run bench", () => {
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", "bench/engine.ts", ...args], { encoding: "utf8" });

  test("lists its cases, none twice", () => {
    const { stdout, status } = bench("--list");
    const names = stdout.trim().split("\n");
    expect(status).toBe(0);
    expect(names).toEqual(
      expect.arrayContaining(["train/XL", "act/sparse L", "train/S, 2 threads", "PER/draw of 1000000"]),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test.each([
    [["--only", "nothing"], /no case matches/],
    [["--only", "("], /Invalid regular expression/],
    [["--node", "bun"], /Allowed choices are node20, node22, node24, node26/],
  ])("refuses %j", (args, message) => {
    const { stderr, status } = bench(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  });
});
