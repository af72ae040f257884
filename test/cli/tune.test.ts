import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { serveWorld } from "../../src/cli/jobs/contest.js";
import { Pool } from "../../src/cli/jobs/pool.js";
import type { FilmTask, LogTask, Who } from "../../src/cli/jobs/tasks.js";
import { openRecommender } from "../../src/cli/reading/model.js";
import { checkRanker, nested, readRecommenderOptions, recommenderOptions } from "../../src/cli/reading/options.js";
import { rankFilms } from "../../src/cli/tuning/films.js";
import { fitLog } from "../../src/cli/tuning/fit.js";
import {
  figureOf,
  judgedOf,
  logTarget,
  meanOf,
  type Part,
  pairedOf,
  worldTarget,
} from "../../src/cli/tuning/target.js";
import { TrialsFile } from "../../src/cli/tuning/trials.js";
import { Recommender } from "../../src/recommender/index.js";
import { liveq, rowsIn } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";
import { lookAlike } from "../support/movielens.js";

const { at } = temporaryFolder();
const films = at("films");
const EVENTS = at("events.jsonl");
const never = new AbortController().signal;

beforeAll(async () => {
  mkdirSync(films);
  const { files } = lookAlike(1, 30, 60);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(at("films", `u.${name}`), bytes);
  const size = ["--viewers", "50", "--streamers", "50", "--days", "2"];
  expect((await liveq("simulate", ...size, "--out", EVENTS)).code).toBe(0);
});

describe("options as JSON", () => {
  test("nest by the dots in their names, and name groups of features", () => {
    const point = { gamma: 0.5, "learner.batchSize": 64, "learner.loss": "huber", features: ["session", "pair"] };
    const json = nested(point);
    const learner = { batchSize: 64, loss: "huber" };
    expect(json).toEqual({ gamma: 0.5, learner, features: ["session", "pair"] });
    const { features, ...others } = recommenderOptions(json);
    expect(features!.map(({ name }) => name)).toEqual(["session", "pair"]);
    expect(others).toEqual({ gamma: 0.5, learner });
    expect(recommenderOptions({ features: "core" }).features).toHaveLength(5);
    new Recommender(recommenderOptions({ features: "default" })).dispose();
  });

  test.each<[string, string]>([
    ["{", "must be a file with one JSON object"],
    ["[1]", "must hold one JSON object"],
    ['{"gama":1}', '"gama" is not an option'],
    ['{"gamma":2}', '"gamma" must be in [0, 1], got 2'],
    ['{"learner":{"batchSize":0}}', '"batchSize" must be'],
    ['{"features":["sesion"]}', '"features" must be "core", "default" or a list of audience, clock, content,'],
    ['{"features":[]}', "pair, returns, session, social, taste, traits, vectors, got []"],
  ])("%s in a file is refused, by the file and the option", (text, message) => {
    writeFileSync(at("options.json"), text);
    expect(() => readRecommenderOptions(at("options.json"))).toThrow(message);
    expect(() => readRecommenderOptions(at("options.json"))).toThrow("options.json: ");
  });

  test("of the ranker of films are checked without training it", async () => {
    await checkRanker({ gamma: 0.3, hard: 2 });
    await expect(checkRanker({ hard: 9 })).rejects.toThrow('"hard" must be at most "shown" (8), got 9');
    await expect(checkRanker({ batch: 1 })).rejects.toThrow('"batch" is not an option');
  });
});

describe("the file of trials", () => {
  const judged = { sums: [[1, 0.5, 1]] as [number, number, number][] };

  test("keeps what has ended, also before a torn line, and takes no other setting", () => {
    const file = at("trials.jsonl");
    const trials = new TrialsFile(file, { k: 10, data: ["a"] });
    trials.add({ who: { gamma: 0.5 }, part: "world 1", judged, seconds: 1 });
    trials.add({ who: {}, part: "world 1", error: "it failed", seconds: 0 });
    appendFileSync(file, '{"who":{},"part":"wor');
    const again = new TrialsFile(file, { k: 10, data: ["a"] });
    expect(again.size).toBe(2);
    expect(again.get({ gamma: 0.5 }, "world 1")!.judged).toEqual(judged);
    expect(again.get({}, "world 1")!.error).toBe("it failed");
    expect(again.get({}, "world 2")).toBeUndefined();
    again.add({ who: "popular", part: "world 1", judged, seconds: 1 });
    expect(new TrialsFile(file, { k: 10, data: ["a"] }).size).toBe(3);
    expect(() => new TrialsFile(file, { k: 10, data: ["b"] })).toThrow('another data: ["a"], now ["b"]; give another');
    expect(() => new TrialsFile("package.json", {})).toThrow("package.json: must be a file of trials, or not there");
  });
});

describe("a target", () => {
  test("of a log cuts it by decisions; a trial learns from the first part alone, and a check from all before its own", async () => {
    const target = await logTarget({ events: [EVENTS] }, { k: 5, seed: 1 }, never);
    const task = (part: Part) => part.task({}) as LogTask;
    const [learn, judge, until] = task(target.parts(1)[0]!).cuts;
    const third = task(target.parts(1 / 3)[0]!).cuts;
    const check = task(target.checks()[0]!).cuts;
    expect(learn < third[0] && third[0] < judge && judge < until).toBe(true);
    expect([third[1], third[2], check[0], check[1]]).toEqual([judge, until, learn, until]);
    const fast = { features: "core", updatesPerTrain: 1, learner: { hidden: [8], learningStarts: 50 } };
    const judged = (who: Who, cuts: LogTask["cuts"]) =>
      fitLog({ kind: "log", events: [EVENTS], who, seed: 1, k: 5, cuts }, () => {});
    const own = await judged(fast, [learn, judge, until]);
    expect(await judged(fast, [learn, judge, until])).toEqual(own);
    const later = await judged(fast, [third[0], judge, until]);
    expect([later.updates! < own.updates!, later.updates! > 0]).toEqual([true, true]);
    const popular = await judged("popular", [learn, judge, until]);
    // The same cases of the same users.
    expect(popular.sums.map(([group, , of]) => [group, of])).toEqual(own.sums.map(([group, , of]) => [group, of]));
    const { value, lo, hi, base } = pairedOf(own.sums, popular.sums, "users");
    expect(value).toBeCloseTo(meanOf(own.sums) - meanOf(popular.sums), 12);
    expect(base).toBe(meanOf(popular.sums));
    expect(lo <= value && value <= hi).toBe(true);
  });

  test("without decisions over time is an error", async () => {
    writeFileSync(at("short.jsonl"), readFileSync(EVENTS, "utf8").split("\n").slice(0, 40).join("\n"));
    const made = logTarget({ events: [at("short.jsonl")] }, { k: 5, seed: 1 }, never);
    await expect(made).rejects.toThrow("must hold at least 20 decisions over time (impressions");
  });

  test("of films judges by the last but one items and checks by the last, of a share of the users", async () => {
    const task = { kind: "films", folder: films, who: "popular", seed: 1, k: 10 } as const;
    const judged = await rankFilms({ ...task, share: 1, isLast: false }, () => {});
    const checked = await rankFilms({ ...task, share: 1, isLast: true }, () => {});
    expect([judged.sums.length, checked.sums.length]).toEqual([30, 30]);
    expect(judged).not.toEqual(checked);
    const third = await rankFilms({ ...task, share: 1 / 3, isLast: false }, () => {});
    expect(third.sums).toHaveLength(10);
  });

  test("of worlds takes part of them, pairs world by world, and checks in others", () => {
    const size = { viewers: 20, streamers: 30, days: 2, slate: 3 };
    const target = worldTarget({ ...size, seeds: 9, firstSeed: 1 });
    expect([1 / 9, 1 / 3, 1].map((budget) => target.parts(budget).length)).toEqual([1, 3, 9]);
    const names = target.parts(1).map(({ name }) => name);
    expect(target.checks().some(({ name }) => names.includes(name))).toBe(false);
    const own = target.parts(1 / 3).flatMap(({ task }) => {
      const world = task("popular");
      if (world.kind !== "world") throw new Error("a world is due");
      return judgedOf(
        world,
        serveWorld(world, () => {}),
      ).sums;
    });
    expect(figureOf(own, "worlds").n).toBe(3);
    const half = own.map(([world, amount]): [number, number, number] => [world, amount / 2, 1]);
    expect(pairedOf(own, half, "worlds")).toMatchObject({ value: 1, base: 1, n: 3 });
  });
});

describe("processes of tasks", () => {
  const worker = new URL("../fixtures/crashing.mjs", import.meta.url);
  const task = (seed: number) => ({ kind: "films", seed }) as FilmTask;

  test("one that dies fails its own task alone", async () => {
    const pool = new Pool(2, new AbortController().signal, worker);
    const ended = await Promise.allSettled([1, 2, 3, 4].map((seed) => pool.run(task(seed))));
    expect(ended.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect((ended[1] as PromiseRejectedResult).reason.message).toBe(
      "the process of a task ended by SIGKILL before its result",
    );
  });

  test("all end with the signal", async () => {
    const stop = new AbortController();
    const pool = new Pool(1, stop.signal, worker);
    const running = [1, 3].map((seed) => pool.run(task(seed)));
    stop.abort(new Error("stopped"));
    const ended = await Promise.allSettled(running);
    expect(ended.map((one) => (one as PromiseRejectedResult).reason.message)).toEqual(["stopped", "stopped"]);
  });
});

describe("liveq tune", () => {
  const space = { gamma: [0, 0.5], "learner.hidden": [[8], [16]], epochs: { min: 1, max: 2, integer: true } };
  const words = (...more: string[]) => [
    "tune",
    "--movielens",
    films,
    "--space",
    at("space.json"),
    "--trials",
    "3",
    ...more,
  ];

  beforeAll(() => writeFileSync(at("space.json"), JSON.stringify(space)));

  test("writes options that train takes, and goes on from its trials, with the same result for any number of jobs", async () => {
    const [out, json] = [at("tuned.json"), at("rows.json")];
    const first = await liveq(...words("--out", out, "--json", json, "--jobs", "2"));
    expect([first.code, first.err]).toEqual([0, expect.stringContaining("tuned.json written: ")]);
    expect(first.out).toContain("3 options tried; judged on each user's last but one item");
    expect(first.out).toContain("too good, for luck was chosen too. Checked on each user's last item, which no trial");
    expect(first.out).toMatch(/(most popular|The winner|The defaults)/);
    const rows = rowsIn(readFileSync(json, "utf8"));
    expect(rows.map((row) => row.case)).toContain("tune-check/popular");
    const best = JSON.parse(readFileSync(out, "utf8"));
    const trials = readFileSync(at("tuned.trials.jsonl"), "utf8");

    // As if it had been killed while it wrote the last rows.
    writeFileSync(at("tuned.trials.jsonl"), trials.slice(0, trials.length * 0.85));
    const second = await liveq(...words("--out", out, "--jobs", "1"));
    expect(second.err).toContain("parts of trials");
    expect(second.out).toBe(first.out);
    expect(JSON.parse(readFileSync(out, "utf8"))).toEqual(best);
    const whole = (text: string) =>
      new Set(
        text
          .trimEnd()
          .split("\n")
          .map((line) => line.replace(/"seconds".*/, "")),
      );
    expect(whole(readFileSync(at("tuned.trials.jsonl"), "utf8")).size).toBeGreaterThanOrEqual(whole(trials).size);

    const model = ["--movielens", films, "--model", at("films.liveq")];
    const trained = await liveq("train", ...model, "--options", out);
    expect(trained.code).toBe(0);
    expect(trained.out).toContain("ItemPop");
  });

  test.each<[object, string]>([
    [{ gama: [1] }, `the search space's "gama": "gama" is not an option`],
    [{ gamma: { min: 0, max: 2 } }, `the search space's "gamma": "gamma" must be in [0, 1], got 2`],
    [{ gamma: { min: 0 } }, 'wrong.json: "space.gamma.max" must be a finite number, got undefined'],
    [{ features: [["year", "place"]] }, `the search space's "features": "features" must be some of popularity,`],
  ])("refuses the space %j by its path: exit 2", async (wrong, message) => {
    writeFileSync(at("wrong.json"), JSON.stringify(wrong));
    const { code, err } = await liveq("tune", "--movielens", films, "--space", at("wrong.json"), "--out", at("x.json"));
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  test("train takes options of a recommender, which win; not with --resume or --titles", async () => {
    writeFileSync(at("own.json"), '{"gamma":0.25,"features":"core","learner":{"hidden":[8]}}');
    const model = ["--events", EVENTS, "--model", at("own.liveq"), "--options", at("own.json")];
    expect((await liveq("train", ...model)).code).toBe(0);
    const recommender = await openRecommender(at("own.liveq"));
    expect(recommender.options).toMatchObject({ gamma: 0.25, learner: { hidden: [8] }, updatesPerTrain: 2 });
    recommender.dispose();
    const resumed = await liveq("train", ...model, "--resume");
    expect([resumed.code, resumed.err]).toEqual([2, expect.stringContaining("'--options' goes with a new model")]);
  });
});

describe("liveq compare", () => {
  test("pairs models and baselines with the first on a log, a row and a verdict for each", async () => {
    const lines = readFileSync(EVENTS, "utf8").trimEnd().split("\n");
    const cut = Math.floor(lines.length * 0.7);
    writeFileSync(at("train.jsonl"), `${lines.slice(0, cut).join("\n")}\n`);
    writeFileSync(at("test.jsonl"), `${lines.slice(cut).join("\n")}\n`);
    const model = at("live.liveq");
    writeFileSync(at("soon.json"), '{"warmupUpdates":10,"learner":{"hidden":[8],"learningStarts":50}}');
    const options = ["--options", at("soon.json")];
    expect((await liveq("train", "--events", at("train.jsonl"), "--model", model, ...options)).code).toBe(0);
    const log = ["--events", at("test.jsonl"), "--warmup", at("train.jsonl")];
    const { code, out } = await liveq("compare", "popular", model, "random", ...log, "--json", at("compare.json"));
    expect(code).toBe(0);
    for (const name of ["popular", "live", "random"]) expect(out).toMatch(new RegExp(`\n${name} +\\d`));
    expect(out).toMatch(/\n.*random.*most popular.* in NDCG@10/);
    expect(out).toContain("live: Groups of features with data, by share of requests: ");
    const rows = rowsIn(readFileSync(at("compare.json"), "utf8"));
    const evaluated = await liveq("evaluate", ...log, "--model", model, "--policies", "popular,random", "--json", "-");
    const gain = (all: typeof rows, name: string) =>
      all.find((row) => row.case === `log/${name}-above-popular` && row.metric === "ndcg_at_10")!.value;
    expect(gain(rows, "live")).toBe(gain(rowsIn(evaluated.out), "live"));
    expect(gain(rows, "random")).toBe(gain(rowsIn(evaluated.out), "random"));
  });

  test("pairs policies and options in the same worlds", async () => {
    writeFileSync(at("eager.json"), '{"warmupUpdates":10,"learner":{"hidden":[8]}}');
    const size = ["--viewers", "20", "--streamers", "30", "--days", "2", "--seeds", "2", "--json", at("worlds.json")];
    const { code, out } = await liveq("compare", "popular", at("eager.json"), "--simulate", ...size);
    expect(code).toBe(0);
    expect(out).toMatch(/\neager +\d/);
    expect(out).toContain("mean [95 % interval] of 2 worlds, gains world by world");
    const cases = rowsIn(readFileSync(at("worlds.json"), "utf8")).map((row) => row.case);
    expect(cases).toContain("livesim/eager-above-popular");
  });

  test.each<[string[], string]>([
    [["popular"], 'one of "--events" and "--simulate" must be given'],
    [["popular", "nobody", "--events", "x"], "on a log a contestant must be a model's file or one of random,"],
    [["popular", "package.json", "--events", "x"], 'package.json needs "--warmup"'],
    [["dqn", "live.liveq", "--simulate"], "got live.liveq; a trained model knows other viewers: compare it on a log"],
    [["dqn", "dqn", "--simulate"], "must have different names, got dqn twice"],
  ])("%j is wrong usage", async (given, message) => {
    const { code, err } = await liveq("compare", ...given);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });
});
