import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { type Probe, sampleAll } from "../../bench/engine/probe.js";
import { rooflineOf, rowsOf, textOf } from "../../bench/engine/report.js";
import { rooflineLoops } from "../../bench/engine/roofline.js";
import { targetOf } from "../../bench/engine/targets.js";

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

function probe(name: string, metric: string, flop: number, values: number[], samples?: number): Probe {
  let next = 0;
  const own = { name, metrics: [{ metric, unit: metric === "gflops" ? "GFLOP/s" : "us" }], flop };
  return { ...own, ...(samples ? { samples } : {}), make: () => () => [values[next++ % values.length]!] };
}

test("samples go round, and slow probes are asked less often", async () => {
  const series = await sampleAll(
    [probe("a", "time_us", 0, [1, 2, 3]), probe("b", "time_us", 0, [4, 5], 2)],
    6,
    () => {},
  );
  expect(series.map(({ values }) => values)).toEqual([
    [1, 2, 3, 1, 2, 3],
    [4, 5],
  ]);
});

test("times become GFLOP/s and percent of the highest loop, beside their targets", async () => {
  const probes = [
    probe("loop/slow", "gflops", 0, [30, 20, 40]),
    probe("loop/fast", "gflops", 0, [50, 40, 60]),
    probe("train/S", "time_us", 40_000_000, [1000, 1250, 800]),
    probe("PER/draw of 100000", "time_us", 0, [0.04]),
  ];
  const series = await sampleAll(probes, 3, () => {});
  const roofline = rooflineOf(series);
  expect(roofline).toEqual({ name: "fast", gflops: 50 });
  const grouped = series.map((each) => rowsOf(each, roofline));
  const value = (i: number, metric: string) => grouped[i]!.find((row) => row.metric === metric);
  expect(value(2, "time_us")).toMatchObject({ value: 1000, lo: 800, hi: 1250, n: 3 });
  expect(value(2, "gflops")).toMatchObject({ value: 40, lo: 32, hi: 50 });
  expect(value(2, "roofline_percent")?.value).toBeCloseTo(80, 9);
  expect(value(3, "time_us")).toMatchObject({ target: 0.05, met: true });
  expect(textOf(grouped)).toMatch(/draw of 100000 .* ns +>= 20 M\/s: met \(25\.0\)/);
});

test("percents of the roofline have targets for Node 24 and Node 20", () => {
  expect(targetOf("train/S", "roofline_percent", "24.1.0")).toEqual({ value: 75, isLeast: true });
  expect(targetOf("train/XL", "roofline_percent", "20.19.0")).toEqual({ value: 65, isLeast: true });
  expect(targetOf("train/S", "roofline_percent", "22.0.0")).toBeUndefined();
  expect(targetOf("train/sparse L", "roofline_percent", "24.0.0")).toBeUndefined();
  expect(targetOf("act/L", "time_us", "22.0.0")).toEqual({ value: 7, isLeast: false });
});

describe("npm run bench", () => {
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", "bench/engine.ts", ...args], { encoding: "utf8" });

  test("names its cases, none twice", () => {
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
