import { beforeAll, describe, expect, test } from "vitest";
import { liveWorld } from "../../../bench/recommender/logs/worlds.js";
import { PopularPolicy } from "../../../src/baselines/index.js";
import {
  evaluateLog,
  groupsWithData,
  type LearnFromLogOptions,
  LogTeacher,
  LogTrial,
  learnFromLog,
  OpenedLog,
  timed,
} from "../../../src/evaluation/index.js";
import type { LoggedDecision } from "../../../src/protocol/schema.js";
import { type LiveEvent, Recommender, type RecommenderOptions } from "../../../src/recommender/index.js";
import { simulate } from "../../../src/simulator/index.js";
import { figureOf } from "../../support/figures.js";

/** Small and quick to learn, for tests. */
const QUICK: Partial<RecommenderOptions> = {
  seed: 1,
  maxCandidates: 30,
  updatesPerTrain: 1,
  warmupUpdates: 100,
  learner: { learningStarts: 100, learningRate: 1e-3 },
};

const clicks = liveWorld({ users: 40, items: 30, groups: 3, days: 7, seed: 201 }, "clicks");

const short = clicks.slice(0, clicks.length >> 1);

async function* once<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

let events: LiveEvent[];
let decisions: LoggedDecision[];

beforeAll(() => {
  events = [];
  decisions = [];
  simulate(
    new PopularPolicy(),
    { viewers: 40, streamers: 40, days: 4, slate: 4, seed: 5 },
    {
      onEvent: (event) => events.push(event),
      onDecision: ({ id, user, time, slate }) => slate.length > 0 && decisions.push({ id, user, time, slate }),
    },
  );
});

describe("clicks alone", () => {
  test("teach a recommender that beats most popular on later clicks", async () => {
    const { validation, transitions, updates, contents, cause, from, epochs, bestEpoch, recommender } =
      await learnFromLog(QUICK, clicks, { epochs: 2 });
    expect(contents).toMatchObject({ onAir: "inferred", slates: "drawn" });
    expect(cause).toBeUndefined();
    expect([transitions > 300, updates > 300]).toEqual([true, true]);
    const above = validation!.above.find(({ metric, slice }) => metric === "ndcg_at_10" && slice === "all")!;
    expect(above.lo).toBeGreaterThan(0);
    expect(figureOf(validation!.figures, "ndcg_at_10")).toBe(epochs[bestEpoch - 1]!.figure);
    // Nobody measures watching: a click is the reward, and waits for nothing.
    expect(recommender.options).toMatchObject({ reward: { click: 1 }, pending: { awaitWatch: false } });
    const last = clicks.at(-1)!.time;
    expect((last - from!) / (last - clicks[0]!.time)).toBeCloseTo(0.1, 3);
    expect(recommender.time).toBe(last);
    recommender.dispose();
  });

  test("teach the same to the bit at the next run, and by a function that opens them", async () => {
    const files = [];
    for (const log of [short, () => once(short)]) {
      const { recommender } = await learnFromLog(QUICK, log, { epochs: 1 });
      files.push(Buffer.from(recommender.save()));
      recommender.dispose();
    }
    expect(files[0]!.equals(files[1]!)).toBe(true);
  });

  test("have the figures that evaluateLog gives the same weights", async () => {
    const { validation, from, recommender } = await learnFromLog(QUICK, clicks, { epochs: 1 });
    const weights = recommender.copyWeights()!;
    const other = recommender.restarted();
    other.restoreWeights(weights);
    const judged = evaluateLog(other, clicks, { from: from!, learns: false, log: { seed: 1 } });
    expect(judged.cases).toBe(validation!.cases);
    // It saw no decisions, whose streams count as shown: the figures are near, not the same.
    const own = figureOf(validation!.figures, "ndcg_at_10");
    expect(Math.abs(figureOf(judged.figures, "ndcg_at_10") - own)).toBeLessThan(0.3 * own);
    other.dispose();
  });
});

describe("passes", () => {
  test("end when the held-out figure rises no more, with the weights of the best", async () => {
    const all = await learnFromLog(QUICK, short, { epochs: 3, patience: 3 });
    const figures = all.epochs.map(({ figure }) => figure);
    const best = figures.indexOf(Math.max(...figures)) + 1;
    expect(all).toMatchObject({ stopped: "epochs", bestEpoch: best });
    const least = figures.findIndex((figure, i) => i > 0 && figure <= Math.max(...figures.slice(0, i)));
    const early = await learnFromLog(QUICK, short, { epochs: 3, patience: 1 });
    if (least > 0) {
      expect(early).toMatchObject({
        stopped: "patience",
        bestEpoch: figures.indexOf(Math.max(...figures.slice(0, least))) + 1,
      });
      expect(early.epochs).toHaveLength(least + 1);
    }
    const single = await learnFromLog(QUICK, short, { epochs: all.bestEpoch, patience: 3 });
    const weights = [all, single].map(({ recommender }) => [...recommender.copyWeights()!]);
    expect(weights[0]).toEqual(weights[1]);
    for (const { recommender } of [all, early, single]) recommender.dispose();
  });

  test("of a log that can be read once are one, with what is held out from a given time on", async () => {
    const { epochs, validation, from, recommender } = await learnFromLog(QUICK, once(clicks));
    expect([epochs.length, validation, from]).toEqual([1, undefined, undefined]);
    const held = await learnFromLog(QUICK, once(clicks), { from: clicks.at(-100)!.time });
    expect(held.validation!.cases).toBeGreaterThan(50);
    for (const each of [recommender, held.recommender]) each.dispose();
  });

  test("refuse what needs a log that can be read again", async () => {
    const refused: [Partial<LearnFromLogOptions>, string][] = [
      [{ epochs: 2 }, '"epochs" above 1 needs a log that can be read again'],
      [{ validation: 0.2 }, '"validation" above 0 needs a log that can be read again'],
      [{ folds: 2 }, '"folds" needs a log that can be read again'],
      [{ draw: "users" }, '"draw" of users needs a log that can be read again'],
    ];
    for (const [options, message] of refused) {
      await expect(learnFromLog(QUICK, once(clicks), options)).rejects.toThrow(message);
    }
    const recommender = new Recommender(QUICK);
    await expect(learnFromLog(recommender, clicks, { epochs: 2 })).rejects.toThrow("need options of a recommender");
    await expect(learnFromLog(QUICK, clicks, { patience: 0 })).rejects.toThrow('"patience" must be an integer >= 1');
    await expect(learnFromLog(QUICK, clicks, { log: { negatives: 0 } })).rejects.toThrow('"negatives" must be');
    recommender.dispose();
  });
});

describe("the log of another policy", () => {
  test("teaches from decisions of impressions what given decisions teach, and what recordDecision does", async () => {
    const none = { validation: 0, epochs: 1 };
    const made = await learnFromLog(QUICK, events, none);
    const given = await learnFromLog(QUICK, events, { ...none, decisions });
    expect([made.decisions, given.decisions]).toEqual([decisions.length, decisions.length]);
    expect(made.transitions).toBeGreaterThan(100);
    const own = new Recommender({ ...QUICK, learner: { cqlAlpha: 0.3, ...QUICK.learner } });
    const waiting = [...decisions];
    for (const event of events) {
      const due = "decision" in event ? waiting.findIndex(({ id }) => id === event.decision) : -1;
      for (const decision of waiting.splice(0, due + 1)) own.recordDecision(decision);
      own.feedback(event, event.time);
    }
    const weights = [made.recommender, given.recommender, own].map((each) => Buffer.from(each.copyWeights()!.buffer));
    expect(weights[0]!.equals(weights[2]!)).toBe(true);
    expect(weights[1]!.equals(weights[2]!)).toBe(true);
    for (const each of [made.recommender, given.recommender, own]) each.dispose();
  });

  test("teaches a recommender that is given in place", async () => {
    const recommender = new Recommender(QUICK);
    const result = await learnFromLog(recommender, events);
    expect(result.recommender).toBe(recommender);
    expect(result.epochs).toHaveLength(1);
    expect(result.validation!.cases).toBeGreaterThan(10);
    expect(recommender.stats().updates).toBeGreaterThan(100);
    recommender.dispose();
  });

  test("gives every user the same weight on request", async () => {
    const none = { validation: 0, epochs: 1 };
    const [events1, users] = [
      await learnFromLog(QUICK, events, none),
      await learnFromLog(QUICK, events, { ...none, draw: "users" }),
    ];
    expect(users.transitions).not.toBe(events1.transitions);
    for (const { recommender } of [events1, users]) recommender.dispose();
  });
});

test("folds leave users out of learning, and judge by them alone", async () => {
  const { folds, validation, recommender } = await learnFromLog(QUICK, short, { folds: 2, epochs: 1 });
  expect(folds).toHaveLength(2);
  expect(folds[0]!.cases + folds[1]!.cases).toBe(validation!.cases);
  for (const { cases } of folds) expect(cases).toBeGreaterThan(5);
  recommender.dispose();
});

test("says where it is, and ends with the signal", async () => {
  const seen: number[] = [];
  const stop = new AbortController();
  const options = {
    signal: stop.signal,
    onProgress: ({ epoch, entries }: { epoch: number; entries: number }) => {
      seen.push(entries);
      expect(epoch).toBe(1);
      if (seen.length === 2) stop.abort(new Error("enough"));
    },
  };
  await expect(learnFromLog(QUICK, clicks, options)).rejects.toThrow("enough");
  expect(seen).toEqual([1024, 2048]);
});

describe("a log that teaches nothing says why", () => {
  const causeOf = async (log: LiveEvent[], options: Partial<LearnFromLogOptions> = {}) => {
    const { cause, updates, stopped, recommender } = await learnFromLog(QUICK, log, { validation: 0, ...options });
    expect([updates, stopped]).toEqual([0, "untrained"]);
    recommender.dispose();
    return cause;
  };
  const click = (time: number, user: string, stream: string): LiveEvent => ({ kind: "click", time, user, stream });
  const many = (count: number, of: (i: number) => LiveEvent) => Array.from({ length: count }, (_, i) => of(i));

  test.each<[string, LiveEvent[], string | RegExp, Partial<LearnFromLogOptions>?]>([
    ["no events", [], "it has no events"],
    [
      "no feedback",
      many(30, (i) => ({ kind: "page_view", time: i, user: "u", dwellMs: 1 })),
      "none of its 30 events says that a user entered a stream",
    ],
    [
      "one user a stream",
      many(30, (i) => click(i, `u${i}`, `s${i}`)),
      /30 visits, each of a stream that nobody was in/,
    ],
    [
      "one event a user",
      many(90, (i) => click(i * 1000, `u${i}`, `s${i % 5}`)),
      /\d+ decisions of 90 users gave \d+ transitions, and learning starts at 100; \d+ decisions wait/,
    ],
    ["too short", many(40, (i) => click(i * 1000, `u${i % 3}`, `s${i % 5}`)), "it needs a longer log"],
    [
      "streams that never went on air",
      [{ kind: "on_air", time: 0, stream: "x", streamer: "r", category: "c" }, ...many(40, (i) => click(i, "u", "y"))],
      "40 of its 41 events are of streams that never went on air",
    ],
    [
      "out of order",
      many(40, (i) => click(((i * 17) % 40) * 3_600_000, `u${i % 3}`, `s${i % 5}`)),
      /\d+ of its \d+ entries are earlier than the one before: liveq prepare puts a log in order/,
    ],
    ["no decisions given", many(40, (i) => click(i, "u", "y")), "no decisions were given", { decisions: [] }],
    [
      "decisions of another log",
      [
        { kind: "on_air", time: 0, stream: "y", streamer: "r", category: "c" },
        ...many(40, (i): LiveEvent => ({ ...click(i, "u", "y"), decision: `d${i}` }) as LiveEvent),
      ],
      "40 events name a decision that is not among the 1",
      { decisions: [{ id: "other", user: "v", time: 0, slate: ["y"] }] },
    ],
  ])("%s", async (_, log, message, options) => {
    expect(await causeOf(log, options)).toMatch(message);
  });
});

describe("a trial", () => {
  async function taught(from: number | undefined) {
    const log = new OpenedLog(short);
    const recommender = new Recommender({ ...QUICK, reward: { click: 1 }, pending: { awaitWatch: false } });
    const trial = new LogTrial(new LogTeacher(recommender), from);
    for await (const one of timed(log.entries())) trial.teach(one);
    return { recommender, validation: trial.end() };
  }

  test("teaches the same to the bit as without, and ranks each visit before it is learned from", async () => {
    const last = short.at(-1)!.time;
    const from = last - (last - short[0]!.time) / 5;
    const [plain, judged] = [await taught(undefined), await taught(from)];
    expect(plain.validation).toBeUndefined();
    expect(Buffer.compare(plain.recommender.save(), judged.recommender.save())).toBe(0);
    const { cases, figures, popular, asked } = judged.validation!;
    expect(cases).toBeGreaterThan(20);
    expect(cases).toBeLessThanOrEqual(short.filter(({ time }) => time >= from).length);
    // It has not seen the answer.
    expect(figureOf(figures, "accuracy")).toBeLessThan(0.9);
    expect(figureOf(popular, "hr_at_10")).toBeGreaterThan(0);
    expect(asked.size).toBeGreaterThan(5);
    const groups = groupsWithData(judged.recommender, asked);
    expect(groups.get("pair")).toBeGreaterThan(0);
    for (const share of groups.values()) expect(share >= 0 && share <= 1).toBe(true);
    for (const { recommender } of [plain, judged]) recommender.dispose();
  });
});
