import { describe, expect, test } from "vitest";
import { type Goal, goalLines, judged } from "../../bench/harness/goals.js";
import { runInPool } from "../../bench/harness/pool.js";
import { type Probe, sampleInTurn } from "../../bench/harness/rounds.js";
import { spreadOf } from "../../bench/harness/timing.js";
import { quietContext } from "./context.js";

function probe(name: string, values: readonly number[], samples?: number): Probe {
  let next = 0;
  const sample = () => {
    const value = values[next++ % values.length]!;
    if (Number.isNaN(value)) throw new Error("it broke");
    return [value];
  };
  const prepare = () => ({ sample, ...(samples === undefined ? {} : { samples }) });
  return { name, metrics: [{ metric: "time_us", unit: "us" }], prepare };
}

describe("samples in turn", () => {
  test("go round all probes, and slow ones sit out some rounds", async () => {
    const series = await sampleInTurn([probe("a", [1, 2, 3]), probe("b", [4, 5], 2)], 6, quietContext());
    expect(series.map(({ name, values }) => [name, values])).toEqual([
      ["a", [1, 2, 3, 1, 2, 3]],
      ["b", [4, 5]],
    ]);
  });

  test("may be taken while a probe is prepared, and be several at once, of several metrics", async () => {
    const metrics = ["x", "y"].map((suffix) => ({ metric: "time_us", unit: "us", suffix }));
    const prepare = () => ({ samples: 1, taken: [[1, [2, 3]]], sample: () => [4, [5]] });
    const series = await sampleInTurn([{ name: "a/", metrics, prepare }], 2, quietContext());
    expect(series.map(({ name, values }) => [name, values])).toEqual([
      ["a/x", [1, 4]],
      ["a/y", [2, 3, 5]],
    ]);
  });

  test("go on without a probe that fails, which is reported", async () => {
    const failures: string[] = [];
    const absent: Probe = {
      ...probe("absent", []),
      prepare() {
        throw new Error("no compiler");
      },
    };
    const probes = [absent, probe("breaks", [1, Number.NaN]), probe("works", [1])];
    const series = await sampleInTurn(probes, 3, quietContext(failures));
    expect(series.map(({ name }) => name)).toEqual(["works"]);
    expect(failures).toEqual(["absent: no compiler", "breaks: it broke"]);
  });

  test("have a middle and a spread", () => {
    expect(spreadOf([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
    expect(spreadOf([4, 1, 2, 3])).toEqual({ min: 1, median: 2.5, max: 4 });
  });
});

test("goals are bounds of a metric of some cases, or of the lower end of its interval", () => {
  const goals: Goal[] = [
    { case: /^a/, metric: "return", atLeast: 5 },
    { case: /^b$/, metric: "return", atMost: 5 },
    { case: /^c$/, metric: "gain", of: "lo", above: 0 },
  ];
  const row = (name: string, metric: string, value: number, more = {}) => ({
    case: name,
    metric,
    value,
    unit: "1",
    ...more,
  });
  const rows = judged(
    [
      row("a/x", "return", 5),
      row("b", "return", 5.5, { note: "it rained" }),
      row("c", "gain", 2, { lo: 0, hi: 4 }),
      row("d", "return", 9),
      row("e", "share", 0.5, { band: [0.25, 0.75], met: true }),
    ],
    goals,
  );
  expect(goalLines(rows, goals)).toEqual([
    "met      a/x return 5, goal at least 5",
    "NOT met  b return 5.5, goal at most 5: it rained",
    "NOT met  c gain 2 [0, 4], goal above 0",
    "met      e share 0.5, goal 0.25 to 0.75",
  ]);
});

describe("the pool", () => {
  const program = { module: new URL("./pooled.ts", import.meta.url), options: { factor: 3 } };

  async function pooled(jobs: { case: string; seed?: number }[], signal = new AbortController().signal) {
    const events: unknown[] = [];
    const listener = {
      onText: ({ case: name }: { case: string }, text: string) => void events.push([name, text]),
      onResults: (job: { case: string; seed?: number }, results: unknown[]) => void events.push([job.case, results]),
      onError: ({ case: name }: { case: string }, error: string) => void events.push([name, error]),
    };
    await runInPool(jobs, 1, program, listener, signal);
    return events;
  }

  test("gives rows, and reports a case that fails, that ends its process, or that is not there", async () => {
    const names = ["product", "fails", "ends", "nothing", "product"];
    const events = await pooled(names.map((name) => ({ case: name, seed: 7 })));
    const product = [{ metric: "product", value: 21, unit: "1" }];
    expect(events).toEqual([
      ["product", "half done"],
      ["product", product],
      ["fails", "Error: as it must"],
      ["ends", "the process ended with code 3"],
      ["nothing", "there is no case nothing"],
      ["product", "half done"],
      ["product", product],
    ]);
  });

  test("ends early when the signal comes", async () => {
    const interrupt = new AbortController();
    const waiting = pooled([{ case: "waits" }, { case: "product" }], interrupt.signal);
    interrupt.abort();
    expect(await waiting).toEqual([]);
  });
});
