/** What is learned from logs of any kind, beside most popular, ItemKNN and EASE, on later time. */
import { existsSync, readFileSync } from "node:fs";
import { POLICIES, RandomPolicy } from "../../src/baselines/index.js";
import { readMovieLens } from "../../src/cli/reading/movielens.js";
import type { CompleteLogOptions } from "../../src/evaluation/index.js";
import { evaluateLog, learnFromLog, type RankingPolicy } from "../../src/evaluation/index.js";
import type { LiveEvent, Policy } from "../../src/protocol/index.js";
import { simulate } from "../../src/simulator/index.js";
import type { Figure } from "../../src/statistics/index.js";
import { EXPORTS, exportsOf } from "../../test/support/exports.js";
import type { Result } from "../harness/suite.js";
import { broadcastsOf, exportRows, LOOK_ALIKES, type LookAlikeLog } from "./logs/lookalikes.js";
import { measureRatings } from "./logs/ranked.js";
import { eventsIn, guessedEvents, type ReadLog } from "./logs/reading.js";
import { liveWorld, shopWorld } from "./logs/worlds.js";

/** Worlds to report; those for choosing defaults had other seeds. */
export const LOG_SEEDS: readonly number[] = [11, 12, 13];

const SIZE = { users: 100, items: 80, groups: 5, days: 12 };
const METRICS = ["hr_at_10", "ndcg_at_10"] as const;
/** What a click counts for those that learn from watches alone. */
const CLICK_MS = 600_000;

type Made = ReadLog | LiveEvent[] | undefined;

/** A log to learn from. */
export interface LogCase {
  name: string;
  title: string;
  seeds: readonly number[];
  /** undefined: it is not at hand. */
  make(seed: number): Promise<Made> | Made;
  log?: Partial<CompleteLogOptions>;
  /** Users chose from most popular's own slates: what they entered, it had shown. Default false. */
  isOfPopular?: boolean;
  /** Measures it in another way. */
  measure?: (say: (text: string) => void) => Result[] | Promise<Result[]>;
}

/** A platform's log with all that a platform can tell, of a policy that knows nothing or what is popular. */
function platformLog(policy: Policy, seed: number): LiveEvent[] {
  const events: LiveEvent[] = [];
  const world = { viewers: 120, streamers: 300, days: 6, slate: 6, seed };
  simulate(policy, world, { onEvent: (event) => events.push(event) });
  return events;
}

/** The ratings of an eighth of the users of MovieLens-100K, as events. */
async function filmRatings(): Promise<LiveEvent[] | undefined> {
  const folder = process.env["LIVEQ_MOVIELENS"] ?? "../shared/data/ml-100k";
  if (!existsSync(folder)) return undefined;
  const { ratings } = await readMovieLens(folder);
  const events: LiveEvent[] = [];
  for (const [i, user] of ratings.user.entries()) {
    if (user % 8 !== 0) continue;
    const rating = (ratings.value[i]! - 1) / 4;
    events.push({ kind: "rating", time: ratings.time[i]!, user: `u${user}`, stream: `f${ratings.item[i]}`, rating });
  }
  return events.sort((a, b) => a.time - b.time);
}

/** Worlds of each public layout, and those of each other dialect. */
const LAYOUT_SEEDS = [11, 12];
const EXPORT_SEEDS = [11];

/** A generated log in the files of a public layout, read by its ready mapping. */
function layoutCase(log: LookAlikeLog): LogCase {
  const { format, title, make, isCatalogue, isRated } = log;
  return {
    ...{ name: format, title: `a look-alike of ${title}`, seeds: LAYOUT_SEEDS },
    make: (seed) => eventsIn(format, make(seed)),
    ...(isCatalogue && { log: { onAir: "catalogue" } }),
    ...(isRated && { measure: (say) => measureRatings(log, LAYOUT_SEEDS, say) }),
  };
}

/** Exports whose rows are what users of a shop or of a catalogue do; the others are of live platforms. */
const OF_SHOPS = /shop|ratings|tabs, no header|American|music|dump|tracker|typed headers|nanoseconds|plays/;

/** A generated log in another dialect, read by the mapping that `liveq map` guesses. */
function exportCase({ name }: { name: string }): LogCase {
  const world = OF_SHOPS.test(name) ? "shop" : "live";
  const textOf = (seed: number) => exportsOf(exportRows(seed, world)).find((one) => one.name === name)!.text;
  const dashed = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return {
    ...{ name: `export/${dashed}`, title: `an export: ${name}`, seeds: EXPORT_SEEDS },
    make: (seed) => guessedEvents(textOf(seed)),
    ...(/music|plays|nanoseconds/.test(name) && { log: { onAir: "catalogue" } }),
  };
}

/** Why what is at hand of a layout cannot be ranked. */
function unrankedCase(name: string, title: string, note: string, count: () => number | undefined): LogCase {
  const measure = () => {
    const rows = count();
    if (rows === undefined) return [];
    return [{ case: `logs/${name}`, metric: "rows", value: rows, unit: "1", isExact: true, note }];
  };
  return { name, title, seeds: [], make: () => undefined, measure };
}

/** The lines of a file of public data, if it is at hand. */
function linesIn(file: string): number | undefined {
  const path = `../shared/data/${file}`;
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n").length - 1 : undefined;
}

/** A log of streams alone, and what training says of it. */
function broadcastsCase(format: "twitch-streams" | "twitch-streams-jsonl"): LogCase {
  const isJson = format === "twitch-streams-jsonl";
  return {
    ...{ name: format, title: "broadcasts alone", seeds: LAYOUT_SEEDS, make: () => undefined },
    async measure() {
      const [seed] = LAYOUT_SEEDS as [number];
      const { events, rows } = await eventsIn(format, broadcastsOf(seed, isJson));
      const { cause, recommender } = await learnFromLog({ seed }, events);
      recommender.dispose();
      return [{ case: `logs/${format}`, metric: "rows", value: rows, unit: "1", isExact: true, note: cause! }];
    },
  };
}

const NO_USERS = "it names no users: its choices are judged off-policy (evaluate --bandit)";
const SCHEDULE = "schedules without users: simulate --schedule replays them";

export const LOG_CASES: readonly LogCase[] = [
  {
    name: "impressions-random",
    title: "a live platform's log of a random policy",
    seeds: LOG_SEEDS,
    make: (seed) => platformLog(new RandomPolicy(seed), seed),
  },
  {
    name: "impressions-popular",
    title: "a live platform's log of most popular",
    seeds: LOG_SEEDS,
    make: (seed) => platformLog(POLICIES.popular.create(seed), seed),
    isOfPopular: true,
  },
  { name: "clicks", title: "clicks alone", seeds: LOG_SEEDS, make: (seed) => liveWorld({ ...SIZE, seed }, "clicks") },
  {
    name: "watches",
    title: "watches alone, as in Twitch-100K",
    seeds: LOG_SEEDS,
    make: (seed) => liveWorld({ ...SIZE, seed }, "watches"),
  },
  {
    name: "chat",
    title: "chat lines alone",
    seeds: LOG_SEEDS,
    make: (seed) => liveWorld({ ...SIZE, seed }, "comments"),
  },
  {
    name: "shop",
    title: "views, carts and purchases of a shop",
    seeds: LOG_SEEDS,
    make: (seed) => shopWorld({ ...SIZE, users: 150, days: 21, seed }),
  },
  { name: "ml-100k", title: "ratings of MovieLens-100K, an eighth of its users", seeds: [1], make: filmRatings },
  ...LOOK_ALIKES.map(layoutCase),
  broadcastsCase("twitch-streams"),
  broadcastsCase("twitch-streams-jsonl"),
  unrankedCase("open-bandit", "Open Bandit, random policy, men", NO_USERS, () =>
    linesIn("open-bandit/random/men/men.csv"),
  ),
  unrankedCase("twitch-broadcasts", "broadcasts of 2019", SCHEDULE, () =>
    linesIn("twitch-broadcasts-2019/broadcasts.csv"),
  ),
  ...EXPORTS.filter(({ name }) => name !== "broadcasts").map(exportCase),
];

/** A baseline that takes a click for a watch, where a log has no watches. */
function learner(name: "itemknn" | "ease", takesClicks: boolean): RankingPolicy {
  // What is on air is the log's to say: it may be a catalogue, where nothing ends by itself.
  const policy = Object.assign(POLICIES[name].create(1), { streamTimeoutMs: 0 });
  return {
    name,
    recommend: (request) => policy.recommend(request),
    feedback(event, now) {
      policy.feedback(event, now);
      if (!takesClicks || event.kind !== "click") return;
      policy.feedback({ kind: "watch", time: event.time, user: event.user, stream: event.stream, watchMs: CLICK_MS });
    },
  };
}

/** The mean of figures of several worlds; the interval is over the users of all. */
function pooled(figures: readonly (Figure | undefined)[]): { value: number; lo: number; hi: number } {
  const known = figures.filter((figure) => figure !== undefined);
  const value = known.reduce((sum, figure) => sum + figure.value, 0) / known.length;
  const squares = known.reduce((sum, { lo, hi }) => sum + ((hi - lo) / 2) ** 2, 0);
  const half = Math.sqrt(squares) / known.length;
  return { value, lo: value - half, hi: value + half };
}

const of = (figures: readonly Figure[], metric: string) =>
  figures.find((figure) => figure.metric === metric && figure.slice === "all");

/** Figures of what was learned from a log, and of baselines on the same later clicks. */
export async function measureLog(
  { name, seeds, make, log = {}, isOfPopular = false, measure }: LogCase,
  say: (text: string) => void = () => {},
): Promise<Result[]> {
  if (measure !== undefined) return measure(say);
  const figures = new Map<string, Figure[][]>();
  const keep = (policy: string, ofPolicy: Figure[]) => {
    figures.set(policy, [...(figures.get(policy) ?? []), ofPolicy]);
  };
  const counts = { rows: 0, kept: 0, events: 0, decisions: 0, transitions: 0, updates: 0, cases: 0 };
  for (const seed of seeds) {
    const made = await make(seed);
    if (made === undefined) {
      say("not at hand: left out");
      return [];
    }
    const { events, rows, kept } = Array.isArray(made) ? { events: made, rows: made.length, kept: made.length } : made;
    counts.rows += rows;
    counts.kept += kept;
    const learned = await learnFromLog({ seed }, events, { epochs: 2, log: { ...log, seed } });
    const { validation, from, contents, recommender } = learned;
    say(`seed ${seed}: ${learned.transitions} transitions, best pass ${learned.bestEpoch}`);
    counts.events += learned.events;
    counts.decisions += learned.decisions;
    counts.transitions += learned.transitions / learned.epochs.length;
    counts.updates += learned.updates;
    counts.cases += validation!.cases;
    keep("recommender", validation!.figures);
    keep("popular", validation!.popular);
    keep("above-popular", validation!.above);
    recommender.dispose();
    const takesClicks = (contents.kinds["watch"] ?? 0) === 0;
    for (const baseline of ["itemknn", "ease"] as const) {
      const policy = learner(baseline, takesClicks);
      keep(baseline, evaluateLog(policy, events, { from: from!, log: { ...log, seed } }).figures);
    }
  }
  const common = { seeds: [...seeds], n: counts.cases };
  const rows: Result[] = (["rows", "kept", "events", "decisions", "transitions", "updates"] as const).map((metric) => {
    return { case: `logs/${name}`, metric, value: Math.round(counts[metric]), unit: "1", isExact: true, ...common };
  });
  for (const [policy, all] of figures) {
    for (const metric of METRICS) {
      const figure = pooled(all.map((one) => of(one, metric)));
      const judged = policy === "above-popular" && !isOfPopular ? { target: 0, met: figure.lo > 0 } : {};
      rows.push({ case: `logs/${name}/${policy}`, metric, ...figure, unit: "1", ...common, ...judged });
    }
  }
  return rows;
}
