import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withTables } from "../../bench/tables.js";
import { readRows } from "../../src/cli/writing/results.js";

const README = readFileSync("bench/README.md", "utf8");
const PROSE = README.replace(/<!-- bench: [\s\S]*?<!-- end -->/g, "").replace(/\s+/g, " ");

/** The value of a committed row. */
function value(file: string, name: string, metric: string, runtime = ""): number {
  const rows = readRows(`bench/results/${file}.json`);
  return rows.find((row) => row.case === name && row.metric === metric && row.runtime.startsWith(runtime))!.value;
}

test("the tables of bench/README.md are those of the committed rows; npm run bench:readme makes them", () => {
  expect(withTables(README)).toBe(README);
  expect(() => withTables("")).toThrow("no place for the tables livesim, ");
  expect(() => withTables("<!-- bench: nothing --><!-- end -->")).toThrow("there is no table nothing");
});

test("the figures in its text are those of the committed rows", () => {
  const newer = (name: string, metric: string) => value("engine", name, metric, "node 24");
  const calibration = readRows("bench/results/platform.json").filter((row) => row.case === "calibration");
  const bandit = ["men", "women"].map((campaign) =>
    (100 * value("platform", `open-bandit/${campaign}/random-to-bts`, "dr_relative_error")).toFixed(0),
  );
  const probed = 100 * value("platform", "catalogue/100000", "probed_towers_recall_at_200");
  const errors = readRows("bench/results/learning.json").filter(({ metric }) => metric.startsWith("value_error_max"));
  const small = ["M", "L"].map((shape) => {
    const name = `train/${shape}, replay of 64`;
    const us = Number(newer(name, "time_us").toPrecision(shape === "M" ? 3 : 4)).toLocaleString("en");
    return `${us} us (${newer(name, "roofline_percent").toFixed(0)} %)`;
  });
  const draws = [100_000, 1_000_000].map((n) => (1000 * newer(`PER/draw of ${n}`, "time_us")).toFixed(0));
  const hits = (part: string) => value("ml-100k", `ml-100k/dqn/${part}`, "hr_at_10").toFixed(3).slice(1);
  const sentences = [
    `HR@10 is ${hits("last-alone")}, where others share it (415 users) ${hits("last-shared")}.`,
    `beside ${calibration.length} published statistics`,
    `${calibration.filter(({ met }) => met).length} lie in their bands`,
    `off by ${bandit[0]} % (men) and ${bandit[1]} % (women)`,
    `finds ${probed.toFixed(1)} % of the same`,
    `${value("learning", "offers", "optimal_percent_mean").toFixed(1)} % of the optimal return`,
    `M takes ${small[0]} and L ${small[1]}`,
    `costs ${draws[0]} ns at 100,000 transitions and ${draws[1]} ns at a million`,
    `for the first time ${newer("start of M, beyond Node alone", "time_ms").toFixed(0)} ms after`,
    `takes ${newer("memory, beyond Node alone", "megabytes").toFixed(0)} MB more`,
  ];
  for (const sentence of sentences) expect(PROSE).toContain(sentence);
  expect(PROSE).toContain("within 0.006 of the truth");
  expect(Math.max(...errors.map((row) => row.value))).toBeLessThan(0.006);
});
