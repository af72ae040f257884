import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { PopularPolicy } from "../../../src/baselines/index.js";
import { Random } from "../../../src/numeric/random.js";
import type { Explanation } from "../../../src/protocol/index.js";
import { parseDecision } from "../../../src/protocol/schema.js";
import { MINUTE } from "../../../src/protocol/time.js";
import type { QFunction } from "../../../src/recommender/agent.js";
import { coreFeatures, featureSizes } from "../../../src/recommender/features/index.js";
import { Recommender, type RecommenderOptions } from "../../../src/recommender/recommender.js";
import { slateValue } from "../../../src/recommender/serving/value.js";
import { onAir } from "../../support/events.js";

const GROUPS = coreFeatures().map(({ name }) => name);
const { observation: OBSERVATION, candidate: CANDIDATE } = featureSizes(coreFeatures());

/** Values and weights that are a fixed function of the rows; it keeps what it was asked. */
class Fixed implements QFunction {
  readonly steps = 0;
  readonly updates = 0;
  readonly asked: { observation: Float32Array; rows: Float32Array }[] = [];
  choices = new Float32Array(0);
  nothing = 0;
  readonly #of: (observation: Float32Array, row: Float32Array, place: number) => [value: number, choice: number];

  constructor(of?: (observation: Float32Array, row: Float32Array, place: number) => [number, number]) {
    const random = new Random(7);
    const [user, stream, taste] = [OBSERVATION, CANDIDATE, CANDIDATE].map((n) =>
      Array.from({ length: n }, () => random.normal()),
    ) as [number[], number[], number[]];
    const dot = (weights: number[], row: Float32Array) => weights.reduce((sum, w, i) => sum + w * row[i]!, 0);
    this.#of =
      of ?? ((o, row) => [5 + dot(user, o) + dot(stream, row) * (1 + 0.1 * o[3]!), Math.exp(dot(taste, row) / 9)]);
  }

  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    const [o, rows] = [Float32Array.from(observation), Float32Array.from(candidates)];
    this.asked.push({ observation: o, rows });
    const n = rows.length / CANDIDATE;
    const found = Array.from({ length: n }, (_, i) =>
      this.#of(o, rows.subarray(i * CANDIDATE, (i + 1) * CANDIDATE), i),
    );
    this.choices = Float32Array.from(found, ([, choice]) => choice);
    this.nothing = 1 + o[0]! / 4;
    return Float32Array.from(found, ([value]) => value);
  }

  observe(): void {}
  learn = () => Number.NaN;
  save = () => new Uint8Array();
  dispose(): void {}
}

/** Values and weights by place: streams come by name. */
function byPlace(values: readonly number[], choices: readonly number[] = values.map(() => 1)): Fixed {
  return new Fixed((_, __, place) => [values[place]!, choices[place]!]);
}

function served(agent: QFunction, streams: number, options: Partial<RecommenderOptions> = {}): Recommender {
  const given = { features: coreFeatures(), warmupUpdates: 0, explore: { epsilon: 0 }, ...options };
  const recommender = new Recommender(given, agent);
  for (let i = 0; i < streams; i++) {
    const stream = `s${String(i).padStart(3, "0")}`;
    recommender.feedback(onAir(stream, { streamer: `r${i}`, category: `c${i % 4}` }));
    recommender.feedback({ kind: "update", time: 0, stream, viewers: 3 * (streams - i) });
  }
  return recommender;
}

/** A user with a past: three visits to r1, one to r2. */
function past(recommender: Recommender): void {
  for (let visit = 0; visit < 4; visit++) {
    const about = { user: "u", stream: visit < 3 ? "s001" : "s002" };
    recommender.feedback({ kind: "click", time: 1000 + visit * 10 * MINUTE, ...about });
    recommender.feedback({ kind: "watch", time: (visit + 1) * 10 * MINUTE, ...about, watchMs: 5 * MINUTE });
  }
}

const LATER = { user: "u", now: 60 * MINUTE, k: 3 };

/** A recommender that learns from random visits, and explains or not. */
function lived(
  options: Partial<RecommenderOptions>,
  explain: boolean | undefined,
): { decisions: object[]; hash: string } {
  const recommender = new Recommender({
    ...{ instance: "", seed: 5, warmupUpdates: 30, maxCandidates: 12 },
    ...options,
    learner: { hidden: [8], learningStarts: 20, batchSize: 8, capacity: 500, ...options.learner },
  });
  const random = new Random(2);
  const decisions: object[] = [];
  for (let i = 0; i < 20; i++) recommender.feedback(onAir(`s${i}`, { streamer: `r${i % 13}`, category: `c${i % 3}` }));
  for (let visit = 0; visit < 100; visit++) {
    const time = MINUTE * (visit + 1);
    const request = { user: `u${visit % 7}`, now: time, k: 4, ...(explain !== undefined && { explain }) };
    const { explanations, runnersUp, ...decision } = recommender.recommend(request);
    expect([explanations !== undefined, runnersUp !== undefined]).toEqual([explain === true, explain === true]);
    decisions.push(decision);
    const about = { user: decision.user, stream: random.pick(decision.slate), decision: decision.id };
    if (random.bernoulli(0.3)) continue;
    recommender.feedback({ kind: "click", time: time + 1, ...about });
    recommender.feedback({ kind: "watch", time: time + 5000, ...about, watchMs: 4999 });
  }
  const hash = createHash("sha256").update(recommender.save()).digest("hex");
  recommender.dispose();
  return { decisions, hash };
}

describe("explaining", () => {
  test.each<[string, Partial<RecommenderOptions>]>([
    ["epsilon", { explore: { epsilon: 0.3, bonus: 0.5 } }],
    ["heads", { explore: { heads: 3 }, learner: { noisySigma: 0.5 } }],
    ["diversity and limits", { slate: { diversity: {}, perCategory: 2, seenMax: 2 } }],
  ])("changes neither a decision nor a byte of the state, with %s", (_, options) => {
    const plain = lived(options, undefined);
    expect(lived(options, true)).toEqual(plain);
    expect(lived(options, false)).toEqual(plain);
  });

  test("is left out by other policies", () => {
    const popular = new PopularPolicy();
    popular.feedback(onAir("s"));
    expect(popular.recommend({ user: "u", now: 1, k: 1, explain: true })).not.toHaveProperty("explanations");
  });

  test("survives JSON, and a log of decisions may hold it", () => {
    const recommender = served(new Fixed(), 9);
    past(recommender);
    const decision = recommender.recommend({ ...LATER, explain: true });
    const read = JSON.parse(JSON.stringify(decision)) as unknown;
    expect(read).toEqual(decision);
    expect(parseDecision(read)).toEqual(decision);
    expect(() => recommender.recordDecision({ ...decision, id: "x-1" })).not.toThrow();
  });

  test("of a number of streams explains the first ones alone", () => {
    const [all, two] = [true, 2].map((explain) => {
      const recommender = served(new Fixed(), 9);
      past(recommender);
      return recommender.recommend({ ...LATER, explain });
    }) as [ReturnType<Recommender["recommend"]>, ReturnType<Recommender["recommend"]>];
    expect(all.explanations!.map(({ stream }) => stream)).toEqual(all.slate);
    expect(two.explanations).toEqual(all.explanations!.slice(0, 2));
    expect(two.runnersUp).toEqual(all.runnersUp);
  });

  test("asks the network once a group, about the shown streams and three more, of 200 candidates", () => {
    const agent = new Fixed();
    const recommender = served(agent, 200);
    recommender.recommend({ ...LATER, k: 6 });
    expect(agent.asked).toHaveLength(1);
    recommender.recommend({ ...LATER, k: 6, explain: true });
    const sizes = agent.asked.slice(1).map(({ rows }) => rows.length / CANDIDATE);
    expect(sizes).toEqual([200, ...GROUPS.map(() => 6 + 3)]);
  });

  test("before the agent is asked says so, and holds no groups", () => {
    const recommender = served(new Fixed(), 5, { warmupUpdates: 10 });
    const { explanations, runnersUp } = recommender.recommend({ ...LATER, explain: true });
    for (const each of explanations!) {
      expect(each).toMatchObject({ basis: "viewers", groups: [], score: each.value.total });
      for (const key of ["choice", "slateValue", "advantage"]) expect(each).not.toHaveProperty(key);
    }
    expect(runnersUp).toHaveLength(2);
  });

  test("of an empty slate is empty", () => {
    const { explanations, runnersUp } = served(new Fixed(), 0).recommend({ ...LATER, explain: true });
    expect([explanations, runnersUp]).toEqual([[], []]);
  });
});

/** What each group writes of the unknown, by hand: places in the observation and in a row, and the numbers there. */
const UNKNOWN: Record<string, { observation?: [number, number[]]; candidate?: [number, number[]] }> = {
  clock: { observation: [0, new Array<number>(7).fill(0)] },
  habits: {
    observation: [7, [0, 0, 0, 0, 0, 0, 0.3, 0.3, 0.3, 0.3, 0.5, 0.5, 0.3, 0]],
    candidate: [13, [0, 0, 0, 0.5, 0.5, 0, 0.5, 0.5]],
  },
  session: { observation: [21, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]] },
  pair: { candidate: [21, [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]] },
};

describe("occlusion", () => {
  test("is what the agent says of rows in which a group's numbers are those of the unknown", () => {
    const agent = new Fixed();
    const recommender = served(agent, 9);
    past(recommender);
    const { slate, explanations, runnersUp } = recommender.recommend({ ...LATER, explain: true });
    const whole = agent.asked[0]!;
    const all = [...slate, ...runnersUp!.map(({ stream }) => stream)];
    // Streams come by viewers, and so by name.
    const rowsOf = all.flatMap((id) => {
      const start = Number(id.slice(1)) * CANDIDATE;
      return [...whole.rows.subarray(start, start + CANDIDATE)];
    });
    const ask = (observation: Float32Array, rows: Float32Array) => {
      const values = agent.evaluate(observation, rows);
      const worth = slateValue(values, agent.choices, agent.nothing, [0, 1, 2]);
      return { values, choices: agent.choices, worth };
    };
    const before = ask(whole.observation, Float32Array.from(rowsOf));
    const mass = explanations!.reduce((sum, { choice }) => sum + choice!.weight, 1);
    for (const [group, { observation, candidate }] of Object.entries(UNKNOWN)) {
      const masked = { observation: whole.observation.slice(), rows: Float32Array.from(rowsOf) };
      if (observation) masked.observation.set(observation[1], observation[0]);
      for (let i = 0; candidate && i < all.length; i++) masked.rows.set(candidate[1], i * CANDIDATE + candidate[0]);
      const after = ask(masked.observation, masked.rows);
      for (const [i, { value, choice, slateValue: level, score, groups }] of explanations!.entries()) {
        const effect = groups.find((each) => each.group === group)!;
        expect(effect.value, group).toBe(value.total - after.values[i]!);
        expect(effect.choice, group).toBe(choice!.weight - after.choices[i]!);
        // This stream alone without the group.
        const chance = after.choices[i]! / (mass - choice!.weight + after.choices[i]!);
        expect(effect.score, group).toBeCloseTo(score - chance * (after.values[i]! - level!), 9);
        // All without it.
        const moved = level! + after.worth - before.worth;
        const scores = all.map((_, j) => after.choices[j]! * (after.values[j]! - moved));
        expect(effect.rank).toBe(scores.filter((other) => other > scores[i]!).length);
      }
    }
  });

  test("sorts groups by their effect on the score, each once, and names the one that moves the stream most", () => {
    const recommender = served(new Fixed(), 9);
    past(recommender);
    const { explanations } = recommender.recommend({ ...LATER, explain: true });
    for (const { groups, decisive, position } of explanations!) {
      expect(groups.map(({ group }) => group).sort()).toEqual([...GROUPS].sort());
      const sizes = groups.map(({ score }) => Math.abs(score));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      const most = Math.max(...groups.map(({ rank }) => Math.abs(rank - position)));
      const rank = groups.find(({ group }) => group === decisive)?.rank ?? position;
      expect(Math.abs(rank - position)).toBe(most);
    }
  });
});

describe("values", () => {
  test("fit together: advantage, score, chances, and the value of the request as that of its slate", () => {
    const agent = new Fixed();
    const recommender = served(agent, 30);
    past(recommender);
    const { scores, propensities, explanations } = recommender.recommend({ ...LATER, k: 5, explain: true });
    const nothing = 1 + agent.asked[0]!.observation[0]! / 4;
    let [weight, sum, entered] = [1, nothing, 0];
    for (const [i, { value, choice, slateValue: level, advantage, score, propensity }] of explanations!.entries()) {
      expect([value.total, propensity]).toEqual([scores[i], propensities[i]]);
      expect(advantage).toBe(value.total - level!);
      expect(score).toBe(choice!.chance * advantage!);
      weight += choice!.weight;
      sum += choice!.weight * value.total;
      entered += choice!.chance;
    }
    expect(explanations![0]!.slateValue).toBeCloseTo(sum / weight, 6);
    expect(entered).toBeCloseTo(1 - 1 / weight, 12);
  });

  test("have parts where the agent has two for each, and they are those of the same rows", () => {
    const told = (parts: number) => {
      const agent = Object.assign(new Fixed(), {
        evaluateParts: (observation: ArrayLike<number>, rows: ArrayLike<number>) =>
          Float32Array.from([...agent.evaluate(observation, rows)].flatMap((q) => [q - 2, 2].slice(0, parts))),
      });
      const recommender = served(agent, 9);
      past(recommender);
      return recommender.recommend({ ...LATER, explain: true }).explanations!.map(({ value }) => value);
    };
    for (const { total, immediate, return: later } of told(2)) {
      expect(later).toBe(2);
      expect(immediate! + later!).toBeCloseTo(total, 5);
    }
    for (const value of told(1)) expect(Object.keys(value)).toEqual(["total"]);
  });

  test("of an agent without weights are the scores", () => {
    const plain = new Fixed();
    const agent = { ...plain, evaluate: plain.evaluate.bind(plain), choices: undefined } as unknown as QFunction;
    for (const name of ["observe", "dispose"] as const) agent[name] = () => {};
    const recommender = served(agent, 9);
    past(recommender);
    for (const each of recommender.recommend({ ...LATER, explain: true }).explanations!) {
      expect(each.score).toBe(each.value.total);
      for (const key of ["choice", "slateValue", "advantage"]) expect(each).not.toHaveProperty(key);
      for (const effect of each.groups) expect([effect.score, effect.choice]).toEqual([effect.value, 0]);
    }
  });
});

/** Scores of weight 1 in a slate of three are a quarter of the values less a number. */
describe("what would change", () => {
  test("is the score lacking to the stream above, and left to the one below and to the one that would come in", () => {
    const request = { ...LATER, explain: true };
    const { explanations, runnersUp } = served(byPlace([9, 7, 6, 5.5, 4]), 5).recommend(request);
    const near = (x: number) => expect.closeTo(x / 4, 5) as number;
    expect(explanations!.map(({ margins }) => margins)).toEqual([
      { down: near(2), out: near(3.5), next: "s003" },
      { up: near(2), down: near(1), out: near(1.5), next: "s003" },
      { up: near(1), out: near(0.5), next: "s003" },
    ]);
    expect(runnersUp).toMatchObject([
      { stream: "s003", deficit: near(0.5), reason: "score" },
      { stream: "s004", deficit: near(2), reason: "score" },
    ]);
    // A value raised, or lowered, by a little more than that does it.
    const slateOf = (values: number[]) => served(byPlace(values), 5).recommend(LATER).slate;
    expect(slateOf([9, 9.01, 6, 5.5, 4])[0]).toBe("s001");
    expect(slateOf([9, 7, 5.49, 5.5, 4])).toEqual(["s000", "s001", "s003"]);
    expect(slateOf([9, 7, 5.51, 5.5, 4])).toEqual(["s000", "s001", "s002"]);
  });

  test("names the limit that keeps a better stream out, and who may take each place in spite of it", () => {
    const recommender = served(byPlace([9, 8, 7, 6, 5]), 6, { slate: { perCategory: 1 } });
    // Of the categories c0, c0, c1, c1, c2.
    const candidates = ["s000", "s004", "s001", "s005", "s002"];
    const { slate, explanations, runnersUp } = recommender.recommend({ ...LATER, candidates, explain: true });
    expect(slate).toEqual(["s000", "s001", "s002"]);
    expect(runnersUp).toMatchObject([
      { stream: "s004", reason: "perCategory" },
      { stream: "s005", reason: "perCategory" },
    ]);
    expect(explanations!.map(({ margins }) => margins.next)).toEqual(["s004", "s005", undefined]);
  });

  test.each<[string, number[], Partial<RecommenderOptions>, string]>([
    ["perStreamer", [9, 8, 7, 6], {}, "perStreamer"],
    ["perCategory", [9, 8, 7, 6], { slate: { perStreamer: 9, perCategory: 1 } }, "perCategory"],
    ["diversity", [9, 8.9, 1, 0], { slate: { perStreamer: 9, diversity: { weight: 1 } } }, "diversity"],
    ["score", [9, 8, 7, 6], { slate: { perStreamer: 9 } }, "score"],
  ])("gives %s as the reason", (_, values, options, reason) => {
    const given = { features: coreFeatures(), warmupUpdates: 0, explore: { epsilon: 0 }, ...options };
    const recommender = new Recommender(given, byPlace(values));
    // The first two are of one streamer and category.
    for (const [i, streamer] of ["a", "a", "b", "c"].entries()) {
      recommender.feedback(onAir(`s${i}`, { streamer, category: `of ${streamer}` }));
      recommender.feedback({ kind: "update", time: 0, stream: `s${i}`, viewers: streamer === "a" ? 900 : 10 - i });
    }
    const order = ["s0", "s1", "s2", "s3"];
    const { slate, runnersUp } = recommender.recommend({ ...LATER, k: 2, candidates: order, explain: true });
    const kept = reason === "score" ? "s2" : "s1";
    expect(slate).not.toContain(kept);
    expect(runnersUp!.find(({ stream }) => stream === kept)!.reason).toBe(reason);
    for (const { deficit, reason: why } of runnersUp!) if (why !== "score") expect(deficit).toBeLessThan(0);
  });

  test("names seenMax where the user was shown a streamer too often", () => {
    const recommender = served(byPlace([9, 8, 7, 6]), 4, { slate: { seenMax: 1 } });
    recommender.recommend({ ...LATER, k: 2 });
    const { slate, runnersUp } = recommender.recommend({ ...LATER, k: 2, explain: true });
    expect(slate).toEqual(["s002", "s003"]);
    expect(runnersUp).toMatchObject([
      { stream: "s000", reason: "seenMax" },
      { stream: "s001", reason: "seenMax" },
    ]);
  });

  test("says of each stream whether exploration put it there, and names it for a better one left out", () => {
    const values = [9, 8.5, 8, 7.5, 7, 6.5];
    const recommender = served(byPlace(values), 6, { explore: { epsilon: 0.8, temperature: 3 } });
    let explored = 0;
    for (let i = 0; i < 60; i++) {
      const { slate, explanations, runnersUp } = recommender.recommend({
        ...LATER,
        user: `v${i}`,
        k: 2,
        explain: true,
      });
      const left = ["s000", "s001", "s002"];
      for (const { stream, explored: isExplored } of explanations!) {
        expect(isExplored).toBe(
          stream !== left.find((id) => id === stream || !slate.slice(0, slate.indexOf(stream)).includes(id)),
        );
        explored += Number(isExplored);
      }
      for (const { deficit, reason } of runnersUp!) expect(reason).toBe(deficit < 0 ? "explore" : "score");
    }
    expect(explored).toBeGreaterThan(30);
  });
});

describe("sources", () => {
  test("are all that proposed a stream, the one that it counts for first", () => {
    const recommender = served(new Fixed(), 40, { maxCandidates: 16 });
    past(recommender);
    const { sources, explanations } = recommender.recommend({ ...LATER, k: 16, explain: true });
    expect(explanations!.map((each) => each.sources[0])).toEqual(sources);
    for (const each of explanations!) expect(new Set(each.sources).size).toBe(each.sources.length);
    const of = (id: string) => explanations!.find(({ stream }) => stream === id)!.sources;
    // Visited; on air as long as all others, and early by name; of the most viewed.
    expect(of("s001")).toEqual(["favourite", "newest", "popular"]);
    expect(served(new Fixed(), 4).recommend({ ...LATER, explain: 1 }).explanations![0]!.sources).toEqual(["all"]);
  });
});

/** Lets users watch what `minutes` says, and returns the explanations of each user's last slate, of two streams. */
function taught(minutes: (user: number, stream: number) => number, isNew: boolean): Explanation[] {
  const [users, streams] = [8, 6];
  const recommender = new Recommender({
    ...{ seed: 1, features: coreFeatures(), gamma: 0, warmupUpdates: 1, explore: { epsilon: 0.3, temperature: 3 } },
    ...{ returns: { cost: 0 }, profile: { decisionsPerWindow: 1e6 } },
    learner: { learningStarts: 50, learningRate: 3e-3, capacity: 2000, weightDecay: 0 },
  });
  const explanations: Explanation[] = [];
  const rounds = 1500;
  const random = new Random(3);
  const place: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const time = (i + 1) * MINUTE;
    if (i === 0 || isNew) {
      // Streamers whom nobody knows, in an order of their own.
      for (let s = 0; isNew && i > 0 && s < streams; s++) {
        recommender.feedback({ kind: "off_air", time, stream: `s${(i - 1) * streams + s}` });
      }
      for (let s = 0; s < streams; s++) {
        const stream = `s${i * streams + s}`;
        recommender.feedback(onAir(stream, { time, streamer: `r${i * streams + s}` }));
        const viewers = isNew && random.bernoulli(0.5) ? 900 : 10;
        recommender.feedback({ kind: "update", time, stream, viewers });
        place[s] = viewers;
      }
    }
    const u = i % users;
    const user = `u${u}`;
    const explain = i >= rounds - users;
    const { id: decision, slate, explanations: why } = recommender.recommend({ user, now: time, k: 2, explain });
    if (explain) explanations.push(...why!);
    const stream = random.pick(slate);
    const s = Number(stream.slice(1)) % streams;
    const watchMs = minutes(u, isNew ? place[s]! : s) * MINUTE;
    recommender.feedback({ kind: "click", time, user, stream, decision });
    recommender.feedback({ kind: "watch", time: time + watchMs / 100, user, stream, watchMs: watchMs / 100, decision });
  }
  recommender.dispose();
  return explanations;
}

describe("known answers", () => {
  test("where users like streamers of their own alone, their history with the streamer is named first", () => {
    const explanations = taught((user, stream) => (stream === user % 6 ? 90 : 5), false);
    const liked = explanations.filter(({ facts }) => facts.minutes > 20);
    expect(liked.length).toBeGreaterThan(3);
    const first = liked.filter(({ groups }) => groups[0]!.group === "pair");
    expect(first.length / liked.length).toBeGreaterThan(0.8);
    for (const { groups } of first) expect(groups[0]!.score).toBeGreaterThan(0);
  });

  test("where viewers alone tell good streams of unknown streamers, they are named first", () => {
    const explanations = taught((_, viewers) => (viewers > 100 ? 90 : 1), true);
    const first = explanations.filter(({ groups }) => groups[0]!.group === "audience");
    expect(first.length / explanations.length).toBeGreaterThan(0.8);
  });
});
