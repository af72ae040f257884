import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleInTurn } from "../../bench/harness/rounds.js";
import { faultOf } from "../../bench/peers/check.js";
import { dataOf, type Shape, writeData } from "../../bench/peers/data.js";
import { DATA, PeerProcess } from "../../bench/peers/process.js";
import { type Expected, expectedOf } from "../../bench/peers/reference.js";
import { duration, multiple, rowsOf, type Samples, tablesOf, titled } from "../../bench/peers/report.js";
import { probeOf, QUICK, roundsOf, warm } from "../../bench/peers/timing.js";
import { stamped } from "../../src/cli/writing/results.js";
import { quietContext } from "./context.js";

const SHAPE: Shape = { name: "tiny", observation: 7, hidden: [12, 9], actions: 5, batch: 16, nonZero: 3 };

describe("a peer", () => {
  const folder = mkdtempSync(join(tmpdir(), "liveq-"));
  const file = join(folder, "data");
  let expected: Expected;

  beforeAll(() => {
    const data = dataOf(SHAPE, 60);
    writeData(file, data);
    expected = expectedOf(data);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const started = (module: string, variant: string) =>
    PeerProcess.start(
      {
        name: variant,
        command: process.execPath,
        words: ["bench/peers/serve.mjs", `./js/${module}.mjs`, DATA, variant],
      },
      file,
    );

  test.each([
    ["liveq", "dense"],
    ["liveq", "indices"],
    ["plain", ""],
  ])("%s %s computes the textbook's update and can be timed", async (module, variant) => {
    const peer = await started(module, variant);
    expect(await faultOf(peer, "update", expected, join(folder, "weights"))).toBeUndefined();
    const effort = { ...QUICK, warmup: 5, sample: 1 };
    for (const metric of ["train", "act", "act64"] as const) {
      const probe = probeOf("", await warm(peer, metric, effort), metric, effort);
      const [series] = await sampleInTurn([probe], effort.rounds, quietContext());
      expect(series!.values.length).toBeGreaterThan(0);
      expect(Math.min(...series!.values)).toBeGreaterThan(0);
    }
    await peer.close();
  });

  test("that computes something else is found out", async () => {
    const { losses, parameters, values } = expected;
    const wrong: [Expected, RegExp][] = [
      [{ losses: [losses[0]!, losses[1]! + 2e-5, losses[2]!], parameters, values }, /^its loss 2 is/],
      [{ losses, parameters: parameters.map((w, i) => w + (i === 40 ? 2e-6 : 0)), values }, /^its weight 40 is/],
      [{ losses, parameters, values: values.map((q) => q.map((x) => -x)) }, /^it chose an action/],
    ];
    for (const [other, message] of wrong) {
      const peer = await started("plain", "");
      expect(await faultOf(peer, "update", other, join(folder, "weights"))).toMatch(message);
      await peer.close();
    }
  });

  test("that cannot be started, or asked, gives the reason", async () => {
    await expect(started("nothing", "")).rejects.toThrow("nothing.mjs");
    await expect(PeerProcess.start({ name: "", command: "no-such-command", words: [] }, file)).rejects.toThrow(
      "ENOENT",
    );
    const peer = await started("plain", "");
    await expect(peer.ask("sing 1")).rejects.toThrow();
    await peer.close();
  });
});

describe("the report", () => {
  const of = (peer: string, shape: string, runtime: string, samples: number[]): Samples => ({
    ...{ peer, shape, runtime, samples },
    metric: "train",
  });
  const all = [
    of("liveq", "S", "LiveQ 1.0, dense, node 24.1.0", [250, 240, 900]),
    of("c", "S", "C, gcc 12, gcc", [70, 72.5, 75]),
    of("liveq", "XL", "LiveQ 1.0, dense, node 24.1.0", [22_200]),
    of("slow", "XL", "slow 3, node 24.1.0", [32_000_000, 33_000_000]),
    of("c", "XL", "C, clang 19, clang-19", [5_550]),
  ];
  const rows = stamped(rowsOf(all).map((row) => ({ suite: "peers", case: "", ...row }))).map((row, i) => ({
    ...row,
    ...rowsOf(all)[i],
  }));

  test("has a line for each peer, with multiples of LiveQ's medians", () => {
    expect(tablesOf(rows)).toBe(
      [
        "| train step | S | XL |",
        "|---|--:|--:|",
        "| **LiveQ 1.0** | **250 us** | **22.2 ms** |",
        "| C, gcc 12 or clang 19 | 72.5 us (0.28) | 5,550 us (0.25) |",
        "| slow 3 | - | 32.5 s (1,464) |",
      ].join("\n"),
    );
  });

  test("comes as rows that say what ran", () => {
    expect(rows).toHaveLength(10);
    const common = { case: "train/S/c", runtime: "C, gcc 12, gcc" };
    expect(rows[2]).toMatchObject({ ...common, metric: "median_us", value: 72.5, unit: "us", n: 3, lo: 70, hi: 75 });
    expect(rows[3]).toMatchObject({ ...common, metric: "ratio", value: 0.28, unit: "x" });
    expect(rowsOf([all[1]!])).toHaveLength(1);
  });

  test("shows durations and multiples with three digits, and labels without a version", () => {
    expect([0.4321, 12.34, 999.6, 9999, 12_345, 1_234_567].map(duration)).toEqual([
      ...["0.43 us", "12.3 us", "1,000 us", "9,999 us", "12.3 ms", "1.23 s"],
    ]);
    expect([0.287, 1.25, 13.46, 1464.3].map(multiple)).toEqual(["0.29", "1.25", "13.5", "1,464"]);
    expect(["tfjs {}, Wasm", "C, {}", "Wasm by {}"].map((label) => titled(label))).toEqual(["tfjs, Wasm", "C", "Wasm"]);
  });
});

test("slow peers take part in fewer rounds, and a call of seconds is its own sample", () => {
  const runner = (estimate: number, taken: number[] = []) => ({ peer: {} as PeerProcess, estimate, taken });
  const effort = { warmup: 1, sample: 1, rounds: 31, budget: 8000 };
  expect([50, 1e6, 4e6].map((us) => roundsOf(runner(us), effort))).toEqual([31, 8, 3]);
  expect(roundsOf(runner(6e6, [6e6]), effort)).toBe(0);
});
