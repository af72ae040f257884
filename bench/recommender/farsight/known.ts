/** Small worlds of requests whose best policy and values are known. */

import { pow, Random } from "../../../src/numeric/index.js";
import { DAY, type Id, type LiveEvent, MINUTE } from "../../../src/protocol/index.js";
import { type Decision, Recommender, type RecommenderOptions } from "../../../src/recommender/index.js";
import type { CaseContext, ProcessCase, Result } from "../../harness/suite.js";

/** Half of the streams are of each kind; requests of a user come 40 minutes apart and show one stream. */
type Kind = "good" | "lure";

interface KnownWorld {
  title: string;
  /** Chance that a shown stream is entered, and minutes that it is then watched. */
  entered: Record<Kind, number>;
  minutes: Record<Kind, number>;
  /** Requests after a lure at which nothing is entered. */
  sulks: number;
  /** Chance that the user never comes back after a lure. */
  leaves: number;
}

const WORLDS = {
  bait: {
    title: "30 minutes, then nothing entered at four requests, or 25 minutes each time",
    entered: { good: 1, lure: 1 },
    minutes: { good: 25, lure: 30 },
    sulks: 4,
    leaves: 0,
  },
  "no-entry": {
    title: "30 % of requests end in an entry",
    entered: { good: 0.3, lure: 0.3 },
    minutes: { good: 30, lure: 30 },
    sulks: 0,
    leaves: 0,
  },
  churn: {
    title: "what is entered more often loses half of its users for good",
    entered: { good: 0.6, lure: 1 },
    minutes: { good: 20, lure: 20 },
    sulks: 0,
    leaves: 0.5,
  },
} as const satisfies Record<string, KnownWorld>;

const GAP = 40 * MINUTE;
const USERS = 30;
const STREAMS = 10;
const REQUESTS = 8000;
/** The last requests, which are measured: they show the best stream, without exploration. */
const MEASURED = 2000;
const GAMMA = 0.9;
const OPTIONS: Partial<RecommenderOptions> = {
  gamma: GAMMA,
  warmupUpdates: 100,
  learner: { learningStarts: 50, learningRate: 1e-3, weightDecay: 0 },
  reward: { transform: "linear", bounce: 0 },
  explore: { epsilon: 0.1, temperature: 3 },
  // Users are always on time here.
  returns: { cost: 0 },
  profile: { decisionsPerWindow: 1e6 },
};

export interface KnownResult {
  /** Share of good streams, minutes a request and mean value of the shown streams, of the last requests. */
  good: number;
  minutes: number;
  value: number;
}

interface Visitor {
  name: Id;
  sulking: number;
}

/** A decision, in the measured part without exploration. */
function decide(recommender: Recommender, user: Id, now: number, request: number): Omit<Decision, "propensities"> {
  if (request < REQUESTS - MEASURED) return recommender.recommend({ user, now, k: 1 });
  const decision = { id: `greedy-${request}`, user, time: now, ...recommender.rank({ user, now, k: 1 }) };
  recommender.recordDecision(decision);
  return decision;
}

/** Serves a world with a recommender. */
export function serveKnown(world: KnownWorld, options: Partial<RecommenderOptions>, seed: number): KnownResult {
  const recommender = new Recommender({ ...OPTIONS, ...options, seed });
  const random = Random.named(seed, "known");
  for (let i = 0; i < STREAMS; i++) {
    const category = i % 2 === 0 ? "good" : "lure";
    recommender.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `a${i}`, category });
  }
  const visitors: Visitor[] = Array.from({ length: USERS }, (_, i) => ({ name: `u${i}`, sulking: 0 }));
  const due: LiveEvent[] = [];
  const sums = { good: 0, minutes: 0, value: 0 };
  for (let request = 0; request < REQUESTS; request++) {
    const place = request % USERS;
    const visitor = visitors[place]!;
    const time = Math.floor(request / USERS) * GAP + place * 1000;
    due.sort((a, b) => a.time - b.time);
    while (due.length > 0 && due[0]!.time <= time) recommender.feedback(due.shift()!);
    const { id, slate, scores } = decide(recommender, visitor.name, time, request);
    const kind: Kind = Number(slate[0]!.slice(1)) % 2 === 0 ? "good" : "lure";
    const isEntered = visitor.sulking > 0 ? visitor.sulking-- < 0 : random.bernoulli(world.entered[kind]);
    const minutes = isEntered ? world.minutes[kind] : 0;
    if (request >= REQUESTS - MEASURED) {
      sums.good += kind === "good" ? 1 / MEASURED : 0;
      sums.minutes += minutes / MEASURED;
      sums.value += scores[0]! / MEASURED;
    }
    if (!isEntered) continue;
    const about = { user: visitor.name, stream: slate[0]!, decision: id };
    recommender.feedback({ kind: "click", time, ...about });
    due.push({ kind: "watch", time: time + minutes * MINUTE, watchMs: minutes * MINUTE, ...about });
    if (kind === "good") continue;
    visitor.sulking = world.sulks;
    if (random.bernoulli(world.leaves)) visitors[place] = { name: `u${USERS + request}`, sulking: 0 };
  }
  recommender.dispose();
  return sums;
}

/** The value of an entered stream where each request ends in an entry with probability p: r + g V. */
function trueValue({ entered, minutes }: KnownWorld): number {
  const p = entered.good;
  const reward = minutes.good / 10;
  const after = (awayMs: number) => pow(GAMMA, 1 + awayMs / DAY);
  const [entry, none] = [after(GAP - minutes.good * MINUTE), after(GAP)];
  return reward + (entry * p * reward) / (1 - p * entry - (1 - p) * none);
}

const SEEDS = 10;

function resultsOf(name: keyof typeof WORLDS, options: Partial<RecommenderOptions>, seed: number): Result[] {
  const world = WORLDS[name];
  const { good, minutes, value } = serveKnown(world, options, seed);
  if (name === "no-entry") {
    const truth = trueValue(world);
    return [{ metric: "value_error_percent", unit: "%", value: (100 * Math.abs(value - truth)) / truth }];
  }
  return [
    { metric: "minutes_per_request", unit: "min", value: minutes },
    { metric: "good_share", unit: "share", value: good },
  ];
}

/** Each world with the recommender, and with gamma 0. */
export const KNOWN: readonly ProcessCase[] = Object.entries(WORLDS).flatMap(([name, world]) =>
  Object.entries({ dqn: {}, "gamma-0": { gamma: 0 } })
    .filter(([arm]) => name !== "no-entry" || arm === "dqn")
    .map(([arm, options]) => ({
      name: `farsight/${name}/${arm}`,
      title: `a world whose answer is known: ${world.title}; ${arm}`,
      seeds: SEEDS,
      recipe: { world, arm, OPTIONS, REQUESTS },
      run: ({ seed }: CaseContext) => resultsOf(name as keyof typeof WORLDS, options, seed),
    })),
);
