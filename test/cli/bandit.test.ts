import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { liveq, rowsIn } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";
import { openBanditLookAlike } from "../support/layouts.js";

const { at } = temporaryFolder();
/** Of logs that show all items often enough. */
const SEEDS = [2, 3];
const REAL = "../shared/data/open-bandit";

beforeAll(() => {
  for (const [name, seed] of [
    ["one", SEEDS[0]!],
    ["two", SEEDS[1]!],
  ] as const) {
    const { log, context } = openBanditLookAlike(seed, 2000);
    mkdirSync(at(name));
    writeFileSync(at(name, "men.csv"), log);
    writeFileSync(at(name, "item_context.csv"), context);
  }
});

describe("evaluate --bandit", () => {
  test("estimates what policies would earn, the other log's among them, with weights and without", async () => {
    const run = await liveq("evaluate", "--bandit", at("one"), "--other", at("two"), "--json", "-");
    expect(run.code).toBe(0);
    const rows = rowsIn(run.out);
    const of = (name: string, metric: string) =>
      rows.find((row) => row.case === `bandit/${name}` && row.metric === metric);
    for (const name of ["uniform", "by-clicks", "other"]) {
      expect(of(name, "mean_weight")!.value, name).toBeGreaterThan(0.8);
      expect(of(name, "mean_weight")!.value, name).toBeLessThan(1.2);
      for (const metric of ["ips", "snips", "dr"]) {
        // A click comes in one choice of ten, whatever is shown.
        expect(of(name, metric)!.lo, `${name} ${metric}`).toBeLessThan(0.1);
        expect(of(name, metric)!.hi, `${name} ${metric}`).toBeGreaterThan(0.1);
      }
      expect(of(name, "ess")!.value).toBeGreaterThan(50);
    }
    expect(of("other", "on_policy")).toMatchObject({ n: 2000 });
    expect(run.err).toContain("2000 choices, by-clicks on the 1000 latest");
  });

  test("prints them, from a file too, with a bound on weights", async () => {
    const run = await liveq("evaluate", "--bandit", at("one", "men.csv"), "--clip", "1");
    expect(run.code).toBe(0);
    expect(run.out).toMatch(/uniform +by-clicks/);
    expect(run.out).toMatch(/^clipped_share +0\.0*[1-9]/m);
  });

  test("refuses what is no such log, and options that do not go together", async () => {
    writeFileSync(at("events.jsonl"), '{"kind":"page_view","time":1,"user":"u","dwellMs":1}\n');
    const other = await liveq("evaluate", "--bandit", at("events.jsonl"));
    expect(other).toMatchObject({ code: 1 });
    expect(other.err).toContain("must hold logged choices with probabilities, got events (jsonl)");
    const both = await liveq("evaluate", "--bandit", at("one"), "--movielens", at("one"));
    expect(both).toMatchObject({ code: 2 });
    const alone = await liveq("evaluate", "--movielens", at("one"), "--other", at("two"));
    expect(alone.err).toContain('"--other" goes with "--bandit"');
  });

  test.skipIf(!existsSync(REAL))("of the real sample: chance foresees what Thompson sampling earned", async () => {
    for (const campaign of ["men", "women"]) {
      const words = ["--bandit", `${REAL}/random/${campaign}`, "--other", `${REAL}/bts/${campaign}`, "--json", "-"];
      const run = await liveq("evaluate", ...words);
      expect(run.code).toBe(0);
      const rows = rowsIn(run.out).filter((row) => row.case === "bandit/other");
      const truth = rows.find(({ metric }) => metric === "on_policy")!.value;
      for (const metric of ["ips", "snips", "dr"]) {
        const row = rows.find((one) => one.metric === metric)!;
        expect(row.lo, `${campaign} ${metric}`).toBeLessThan(truth);
        expect(row.hi, `${campaign} ${metric}`).toBeGreaterThan(truth);
      }
    }
  });
});
