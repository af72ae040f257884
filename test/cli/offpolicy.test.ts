import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { PopularPolicy, RandomPolicy } from "../../src/baselines/index.js";
import { ABLog, OffPolicyLog, SplitPolicy } from "../../src/evaluation/index.js";
import type { Decision, LiveEvent } from "../../src/recommender/index.js";
import { simulate } from "../../src/simulator/index.js";
import { liveq, rowsIn } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";

const { at } = temporaryFolder();
const SMALL = ["--viewers", "120", "--streamers", "70", "--days", "2", "--slate", "2"];
const WORLD = { viewers: 120, streamers: 70, days: 2, slate: 2, seed: 1 };
const LOG = ["--events", at("events.jsonl"), "--decisions", at("decisions.jsonl")];

beforeAll(async () => {
  const made = await liveq("simulate", ...SMALL, "--out", at("events.jsonl"), "--decisions", at("decisions.jsonl"));
  expect(made).toMatchObject({ code: 0 });
});

describe("evaluate --decisions", () => {
  test("writes the estimates from a log of decisions as rows, and prints them", async () => {
    const words = ["--policies", "popular,random", "--reward", "watch", "--clip", "50", "--json", "-"];
    const { code, out, err } = await liveq("evaluate", ...LOG, ...words);
    expect(code).toBe(0);
    const rows = rowsIn(out);
    for (const [name, policy] of [
      ["popular", new PopularPolicy()],
      ["random", new RandomPolicy(1)],
    ] as const) {
      const log = new OffPolicyLog(policy, { reward: "watch", clip: 50 });
      simulate(new RandomPolicy(1), WORLD, {
        onDecision: (one) => log.decision(one),
        onEvent: (one) => log.feedback(one),
      });
      for (const { metric, value, lo, hi, n } of log.result()) {
        const row = rows.find((one) => one.case === `offpolicy-watch/${name}` && one.metric === metric);
        const unit = ["ess", "mean_weight", "clipped_share"].includes(metric) ? "1" : "min";
        expect(row, `${name} ${metric}`).toMatchObject({ value, lo, hi, n, unit, suite: "recommender" });
      }
    }
    expect(err).toContain("minutes watched a decision");
    expect(err).toMatch(/\npopular: weights leave \d+\.\d of \d+ decisions/);
    expect(err).not.toContain("random: weights leave");
    expect(err).toMatch(/clipped_share +0\.\d+ /);
  });

  test("of a model also has its TD errors on later events, and needs the log before", async () => {
    const model = at("m.liveq");
    expect(await liveq("prepare", at("events.jsonl"), "--fractions", ".7,.3", "--out", at("data"))).toMatchObject({
      code: 0,
    });
    const [train, later] = [at("data", "train.jsonl"), at("data", "test.jsonl")];
    const decisions = ["--decisions", at("decisions.jsonl")];
    expect(await liveq("train", "--events", train, ...decisions, "--model", model)).toMatchObject({ code: 0 });
    const bytes = readFileSync(model);
    const words = ["--warmup", train, "--events", later, ...decisions, "--model", model, "--json", at("rows.json")];
    const refused = await liveq("evaluate", ...words);
    expect(refused.code).toBe(0);
    expect(refused.out).not.toMatch(/^(?:ips|snips|rips|dr|sndr) /m);
    expect(refused.err).toMatch(/m: weights leave 1\d\.\d of \d+ decisions: .*refused; "--min-ess 0" prints them/);
    const { code, out, err } = await liveq("evaluate", ...words, "--min-ess", "0");
    expect(code).toBe(0);
    expect(err).toContain("do not trust its estimates and intervals");
    expect(out).toContain("\ntd_error_squared ");
    expect(out).toContain("\ndr ");
    const rows = rowsIn(readFileSync(at("rows.json"), "utf8"));
    const note = (metric: string) => rows.find((row) => row.metric === metric)!.note;
    expect([note("dr"), note("ips"), note("dm")]).toEqual([
      ...["without support in the log", "without support in the log", undefined],
    ]);
    const error = rows.find(({ metric, case: name }) => metric === "td_error_squared" && name === "offpolicy-click/m")!;
    expect(error.value).toBeGreaterThan(0);
    expect(error.n).toBeGreaterThan(20);
    expect(error.unit).toBe("reward^2");
    expect(
      rows.some(({ metric, case: name }) => metric === "td_error_squared" && name === "offpolicy-click/popular"),
    ).toBe(false);
    // Only decisions from the first of `--events` count; the model stays as it is.
    const first = (JSON.parse(readFileSync(later, "utf8").split("\n", 1)[0]!) as LiveEvent).time;
    const all = readFileSync(at("decisions.jsonl"), "utf8").trimEnd().split("\n");
    const counted = all.map((line) => JSON.parse(line) as Decision).filter(({ time }) => time >= first);
    expect(Math.abs(rows.find(({ metric }) => metric === "ips")!.n! - counted.length)).toBeLessThan(5);
    expect(readFileSync(model).equals(bytes)).toBe(true);
    const early = await liveq("evaluate", ...LOG, "--model", model, "--warmup", train);
    expect(early).toMatchObject({ code: 1, out: "" });
    expect(early.err).toContain("was trained on events until");
    const bare = await liveq("evaluate", ...LOG, "--model", model);
    expect(bare).toMatchObject({ code: 2, out: "" });
    expect(bare.err).toContain('"--model" needs "--warmup"');
  });

  test.each<[string, string[], number, string]>([
    [
      "a log without propensities",
      ["--decisions", at("bare.jsonl")],
      1,
      '"propensities" of decision "d-1" must be given',
    ],
    ["a probability that is none", ["--decisions", at("zero.jsonl")], 1, 'zero.jsonl:1: "propensities.0" must be'],
    ["a reward without decisions", ["--reward", "click"], 2, '"--reward", "--clip" and "--min-ess" go with'],
    [
      "a reward that there is not",
      ["--decisions", at("bare.jsonl"), "--reward", "joy"],
      2,
      "Allowed choices are click, watch",
    ],
    ["decisions of another time", ["--decisions", at("empty.jsonl")], 1, "must hold decisions in the time of"],
  ])("refuses %s", async (_what, words, code, message) => {
    const decision = { id: "d-1", user: "u", time: 1, slate: ["s"] };
    writeFileSync(at("bare.jsonl"), `${JSON.stringify(decision)}\n`);
    writeFileSync(at("zero.jsonl"), `${JSON.stringify({ ...decision, propensities: [0] })}\n`);
    writeFileSync(at("empty.jsonl"), "");
    const run = await liveq("evaluate", "--events", at("events.jsonl"), ...words);
    expect(run).toMatchObject({ code, out: "" });
    expect(run.err).toContain(message);
  });
});

describe("simulate --ab", () => {
  test("serves two policies side by side and compares their watch time", async () => {
    const words = ["--ab", "random,popular", "--ab-days", "1", "--viewers", "360", "--days", "3", "--streamers", "70"];
    const { code, out } = await liveq("simulate", ...words, "--json", at("ab.json"));
    expect(code).toBe(0);
    expect(out).toMatch(/minutes watched by a user in 1 days: random \d+\.\d \(\d+ users\), popular/);
    const log = new ABLog({ name: "random|popular", seed: 1, users: 360 }, { windowMs: 86_400_000 });
    const split = new SplitPolicy(log.test.arms, new RandomPolicy(1), new PopularPolicy());
    simulate(
      split,
      { viewers: 360, days: 3, streamers: 70, seed: 1 },
      {
        onDecision: (one) => log.decision(one),
        onEvent: (one) => log.feedback(one),
      },
    );
    const { difference, a, b, p } = log.test.result();
    const rows = rowsIn(readFileSync(at("ab.json"), "utf8")).filter((row) => row.case === "ab/random|popular");
    expect(rows.find(({ metric }) => metric === "difference")).toMatchObject({
      ...{ value: difference.value, lo: difference.lo, hi: difference.hi, n: a.users + b.users },
    });
    expect(rows.find(({ metric }) => metric === "p")!.value).toBe(p);
    expect(rows.find(({ metric }) => metric === "watch_min_per_user_b")).toMatchObject({ value: b.mean, n: b.users });
  });

  test.each<[string[], string]>([
    [["--ab", "random"], '"--ab" must be two policies, got random'],
    [["--ab", "random,best"], "It must be comma-separated names, each once, of: random, popular"],
    [["--ab", "random,popular", "--policy", "dqn"], "cannot be used with option"],
    [["--ab", "random,popular", "--days", "3"], '"--days" must be above "--warmup-days" and "--ab-days" (3), got 3'],
  ])("refuses %j", async (words, message) => {
    const run = await liveq("simulate", ...words);
    expect(run).toMatchObject({ code: 2, out: "" });
    expect(run.err).toContain(message);
  });
});
