import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { liveq } from "../../support/command.js";
import { temporaryFolder } from "../../support/folder.js";

const { at } = temporaryFolder();
const WORLD = ["--viewers", "60", "--streamers", "30", "--days", "6", "--slate", "3", "--seed", "1"];
const [EVENTS, DECISIONS] = [at("events.jsonl"), at("decisions.jsonl")];

async function reportOf(name: string, ...words: string[]): Promise<string> {
  const file = at(`${name}.html`);
  const { code, err } = await liveq(...words, "--report", file);
  expect(code, err).toBe(0);
  const html = readFileSync(file, "utf8");
  expect(html).not.toMatch(/<script|<link|<img|https?:/i);
  expect(html).not.toMatch(/="[^"]*(NaN|Infinity)/);
  return html;
}

/** The part of a report below a title. */
function part(html: string, title: string): string {
  const found = html.split("<section>").find((one) => one.includes(`<h2>${title}`));
  expect(found, title).toBeDefined();
  return found!;
}

const cells = (html: string) =>
  [...html.matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
    [...row!.matchAll(/<t[dh][^>]*>(.*?)<\/t[dh]>/g)].map(([, cell]) => cell!),
  );

/** The calibration of a report: bins with their intervals, and what all choices have. */
function requireCalibration(html: string, name: string, about: string): void {
  const section = part(html, `Q against return: ${name}`);
  expect(section).toContain(about);
  expect(section.match(/class="point"/g)).toHaveLength(10);
  expect(section).toContain('class="whisker"');
  const rows = cells(section);
  const overall = rows.filter(([what]) => /mean|above|RMSE/.test(what!));
  expect(overall.map(([what]) => what)).toEqual(["mean prediction", "mean return", "prediction above return", "RMSE"]);
  const bins = rows.slice(rows.findIndex(([first]) => first === "predicted") + 1);
  expect(bins).toHaveLength(10);
  const predicted = bins.map(([value]) => Number(value));
  expect([...predicted].sort((a, b) => a - b)).toEqual(predicted);
  for (const [, , lo, hi, n] of bins) {
    expect(Number(lo)).toBeLessThanOrEqual(Number(hi));
    expect(Number(n)).toBeGreaterThan(0);
  }
}

beforeAll(async () => {
  const made = await liveq("simulate", ...WORLD, "--policy", "popular", "--out", EVENTS, "--decisions", DECISIONS);
  expect(made).toMatchObject({ code: 0 });
});

describe("the report", () => {
  test("of simulate has what the DQN predicted beside what came of it, and metrics by slice", async () => {
    const html = await reportOf("simulate", "simulate", ...WORLD, "--policy", "dqn", "--warmup-days", "2");
    requireCalibration(html, "the DQN", "of its own slates");
    const slices = part(html, "By slice");
    for (const metric of ["click_rate", "watch_min_per_user_day"]) expect(slices).toContain(`livesim/dqn: ${metric}`);
    for (const slice of ["new user", "known user", "new streamer", "known streamer", "repeat", "novel"]) {
      expect(slices).toContain(`>${slice}<`);
    }
    // Figures of all cases are in charts of their own, where no slice is.
    expect(part(html, "Figures, with")).not.toContain("new_user");
  });

  test("of demo has the same, of all worlds", async () => {
    const file = at("demo.html");
    const world = ["--viewers", "40", "--streamers", "30", "--days", "4", "--slate", "3", "--seeds", "2"];
    const { code, err } = await liveq("demo", ...world, "--report", file);
    // In worlds that small it need not win.
    expect([0, 1], err).toContain(code);
    const html = readFileSync(file, "utf8");
    requireCalibration(html, "the DQN", "of its own slates. Intervals of 95 % by world.");
    expect(html).not.toMatch(/="[^"]*(NaN|Infinity)/);
  });

  test("of train has what the model took streams for before it learned from them, and the model is the same", async () => {
    const words = ["train", "--events", EVENTS, "--decisions", DECISIONS, "--no-run", "--model"];
    const html = await reportOf("train", ...words, at("valued.liveq"));
    requireCalibration(html, "the model", "of slates of the log, before it learned from them");
    expect(await liveq(...words, at("plain.liveq"))).toMatchObject({ code: 0 });
    expect(readFileSync(at("valued.liveq")).equals(readFileSync(at("plain.liveq")))).toBe(true);
  });

  test("of a policy without values has no calibration", async () => {
    const html = await reportOf("popular", "simulate", ...WORLD, "--policy", "popular");
    expect(html).not.toContain("Q against return");
  });

  test("of prepare says what was read, dropped and why, with an example", async () => {
    const lines = readFileSync(EVENTS, "utf8").split("\n").slice(0, 200);
    writeFileSync(
      at("odd.jsonl"),
      `${lines.join("\n")}\n{"kind":"watch","user":"u","stream":"s","time":-1,"watchMs":5}\nnot json\n`,
    );
    const html = await reportOf("prepare", "prepare", at("odd.jsonl"), "--out", at("prepared"), "--min-kept", "0");
    const read = cells(part(html, "What was read as"));
    expect(read.map(([what]) => what)).toEqual(["what", "read", "kept", "dropped"]);
    expect(Number(read[1]![1])).toBe(Number(read[2]![1]) + Number(read[3]![1]));
    const dropped = cells(part(html, "What was dropped, changed or added"));
    expect(dropped.slice(1).some(([what, , , example]) => what!.startsWith("dropped: ") && example !== "")).toBe(true);
    expect(cells(part(html, "What was written")).length).toBeGreaterThan(1);
  });

  test("of evaluate has metrics by slice, estimates with intervals, effective decisions, and values beside returns", async () => {
    const model = at("m.liveq");
    const cut = await liveq("prepare", EVENTS, "--fractions", ".5,.5", "--out", at("data"));
    expect(cut).toMatchObject({ code: 0 });
    const [train, later] = [at("data", "train.jsonl"), at("data", "test.jsonl")];
    const taught = await liveq("train", "--events", train, "--decisions", DECISIONS, "--model", model, "--no-run");
    expect(taught, taught.err).toMatchObject({ code: 0 });
    const words = ["--warmup", train, "--events", later, "--model", model, "--no-run"];
    const clicks = await reportOf("clicks", "evaluate", ...words);
    expect(part(clicks, "By slice")).toContain("log/m: ndcg_at_10");
    expect(part(clicks, "By slice")).toContain(">known streamer<");
    const html = await reportOf(
      "estimates",
      "evaluate",
      ...words,
      "--decisions",
      DECISIONS,
      "--policies",
      "popular,random",
      "--min-ess",
      "0",
    );
    const estimates = cells(part(html, "Off-policy estimates, clicks a decision"));
    for (const policy of ["popular", "random", "m"]) {
      const own = estimates.filter(([name]) => name === policy);
      for (const metric of ["ips", "snips", "dm", "dr", "sndr"]) {
        expect(
          own.find(([, one]) => one === metric),
          `${policy} ${metric}`,
        ).toBeDefined();
      }
    }
    const sizes = cells(part(html, "Effective sample sizes"));
    expect(sizes[0]).toContain("effective decisions");
    expect(sizes.slice(1).map(([policy]) => policy)).toEqual(["popular", "random", "m"]);
    for (const [, n, ess] of sizes.slice(1))
      expect(Number(ess!.replace(",", ""))).toBeLessThanOrEqual(Number(n!.replace(",", "")));
    requireCalibration(html, "m", "of slates of the logging policy");
  });
});
