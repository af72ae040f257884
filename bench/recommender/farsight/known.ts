/** Small worlds of requests whose best policy and values are known. */

import { PriorityQueue } from "../../../src/collections/index.js";
import { DQN, type DQNOptions } from "../../../src/engine/index.js";
import { pow, Random } from "../../../src/numeric/index.js";
import { DAY, HOUR, type Id, type LiveEvent, MINUTE } from "../../../src/protocol/index.js";
import { type Decision, Recommender, type RecommenderOptions } from "../../../src/recommender/index.js";
import { SCENE_DEFAULTS, Scenes } from "../../../src/recommender/retrieval/index.js";
import type { CaseContext, ProcessCase, Result } from "../../harness/suite.js";

/** Half of the streams are of each kind; a request shows one stream. */
type Kind = "good" | "lure";

interface KnownWorld {
  title: string;
  /** Chance that a shown stream is entered, and minutes that it is then watched. */
  entered: Record<Kind, number>;
  minutes: Record<Kind, number>;
  /** The minutes where the stream entered before was a lure. Default: the same. */
  disappointed?: Record<Kind, number>;
  /** Requests after a lure at which nothing is entered. */
  sulks: number;
  /** Chance that the user never comes back after a lure. */
  leaves: number;
  /** Milliseconds from a request to the user's next, by what was entered. Default: 40 minutes. */
  gaps?: Record<Kind | "nothing", number>;
  /** Requests of the run. Default 8000. */
  requests?: number;
  /** What differs from the options that all worlds share. */
  options?: Partial<RecommenderOptions>;
}

const LEARNER = { learningStarts: 50, learningRate: 1e-3, weightDecay: 0 } as const;

export const WORLDS = {
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
    // The recommender's own learning rate: with 1e-3 a value follows the entries of the last two thousand requests alone.
    options: { learner: { ...LEARNER, learningRate: 3e-4 } },
    requests: 24_000,
  },
  churn: {
    title: "what is entered more often loses half of its users for good",
    entered: { good: 0.6, lure: 1 },
    minutes: { good: 20, lure: 20 },
    sulks: 0,
    leaves: 0.5,
  },
  mood: {
    title: "25 minutes each time, or 30, after which the next stream is watched for 2 to 4",
    entered: { good: 1, lure: 1 },
    minutes: { good: 25, lure: 30 },
    disappointed: { good: 2, lure: 4 },
    sulks: 0,
    leaves: 0,
  },
  late: {
    title: "40 minutes and back after a day, or 25 minutes and back after eight hours",
    entered: { good: 1, lure: 1 },
    minutes: { good: 25, lure: 40 },
    sulks: 0,
    leaves: 0,
    gaps: { good: 8 * HOUR, lure: DAY, nothing: 8 * HOUR },
    options: { returns: {} },
  },
  blame: {
    title:
      "who enters nothing comes back after 32 hours, not 8: half of the time 40 minutes, or 9 times of 10 20 minutes",
    entered: { good: 0.9, lure: 0.5 },
    minutes: { good: 20, lure: 40 },
    sulks: 0,
    leaves: 0,
    gaps: { good: 8 * HOUR, lure: 8 * HOUR, nothing: 32 * HOUR },
    options: { returns: {} },
  },
} as const satisfies Record<string, KnownWorld>;

function worldOf(name: keyof typeof WORLDS): KnownWorld {
  return WORLDS[name];
}

const GAP = 40 * MINUTE;
const GAPS = { good: GAP, lure: GAP, nothing: GAP };
const USERS = 30;
const STREAMS = 10;
const REQUESTS = 8000;
/** The last requests, which are measured: they show the best stream, without exploration. */
const MEASURED = 2000;
const GAMMA = 0.9;
const OPTIONS: Partial<RecommenderOptions> = {
  gamma: GAMMA,
  warmupUpdates: 100,
  learner: LEARNER,
  reward: { transform: "linear", bounce: 0 },
  explore: { epsilon: 0.1, temperature: 3 },
  // Users are always on time where nothing else is said.
  returns: { cost: 0 },
  profile: { decisionsPerWindow: 1e6 },
};

/** What is left out of the objective, to see what it is worth. */
type Arm = "dqn" | "gamma-0" | "no-nothing" | "current-state" | "uniform-choice" | "no-return-cost";

const ARMS: Readonly<Record<Arm, Partial<RecommenderOptions>>> = {
  dqn: {},
  "gamma-0": { gamma: 0 },
  "no-nothing": {},
  "current-state": {},
  "uniform-choice": {},
  "no-return-cost": { returns: { cost: 0 } },
};

/** The recommender's own agent, to be built with a part of its objective left out. */
const AGENT: Partial<DQNOptions> = {
  hidden: [32],
  batchSize: 32,
  capacity: 10_000,
  targetEvery: 250,
  tau: 1,
  loss: "squared",
  normalization: "none",
  adamEpsilon: 1e-8,
};
/** As many candidates as the recommender takes, and as a transition keeps. */
const [CANDIDATES, NEXT] = [SCENE_DEFAULTS.maxCandidates, 16];

/** Whether an arm needs an agent of its own. */
function isAblated(arm: Arm): boolean {
  return arm === "no-nothing" || arm === "current-state" || arm === "uniform-choice";
}

/** An agent without a part of the objective; undefined for the arms that options make. */
function ablated(arm: Arm, options: Partial<RecommenderOptions>, seed: number): DQN | undefined {
  if (!isAblated(arm)) return undefined;
  const { observationSize, candidateSize } = new Scenes({ ...SCENE_DEFAULTS }).features;
  const agent = new DQN({
    ...AGENT,
    ...options.learner,
    observation: observationSize,
    candidates: { max: CANDIDATES, features: candidateSize, next: NEXT },
    slate: { size: NEXT, choiceWeight: arm === "uniform-choice" ? 0 : 1 },
    seed,
  });
  const observe = agent.observe.bind(agent);
  agent.observe = (transition) => {
    const { action, observation, candidates } = transition;
    if (arm === "no-nothing" && action === -1) return;
    const isCurrent = arm === "current-state" && candidates !== undefined;
    observe(isCurrent ? { ...transition, nextObservation: observation, nextCandidates: candidates } : transition);
  };
  return agent;
}

export interface KnownResult {
  /** Share of good streams, minutes a request and mean value of the shown streams, of the last requests. */
  good: number;
  minutes: number;
  value: number;
  /** Minutes for each day of a user. */
  daily: number;
}

interface Visitor {
  readonly place: number;
  name: Id;
  /** When the next request comes. */
  time: number;
  sulking: number;
  /** The stream entered before was a lure. */
  isDisappointed: boolean;
}

/** A decision, in the measured part without exploration. */
function decide(
  recommender: Recommender,
  user: Id,
  now: number,
  [request, isGreedy]: readonly [request: number, isGreedy: boolean],
): Omit<Decision, "propensities"> {
  if (!isGreedy) return recommender.recommend({ user, now, k: 1 });
  const decision = { id: `greedy-${request}`, user, time: now, ...recommender.rank({ user, now, k: 1 }) };
  recommender.recordDecision(decision);
  return decision;
}

/** A recommender that knows the streams of a world. */
function opened(world: KnownWorld, arm: Arm, seed: number): Recommender {
  const options = { ...OPTIONS, ...world.options, ...ARMS[arm] };
  const recommender = new Recommender({ ...options, seed }, ablated(arm, options, seed));
  for (let i = 0; i < STREAMS; i++) {
    const category = i % 2 === 0 ? "good" : "lure";
    recommender.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `a${i}`, category });
  }
  return recommender;
}

/** Serves a world with a recommender. */
export function serveKnown(world: KnownWorld, arm: Arm, seed: number): KnownResult {
  const recommender = opened(world, arm, seed);
  const random = Random.named(seed, "known");
  const visitors = new PriorityQueue<Visitor>();
  for (let place = 0; place < USERS; place++)
    visitors.push({ place, name: `u${place}`, time: place * 1000, sulking: 0, isDisappointed: false });
  const due: LiveEvent[] = [];
  const sums = { good: 0, minutes: 0, value: 0 };
  const { requests = REQUESTS, gaps = GAPS } = world;
  let days = 0;
  for (let request = 0; request < requests; request++) {
    const visitor = visitors.pop();
    const { time, name: user } = visitor;
    due.sort((a, b) => a.time - b.time);
    while (due.length > 0 && due[0]!.time <= time) recommender.feedback(due.shift()!);
    const isMeasured = request >= requests - MEASURED;
    const { id, slate, scores } = decide(recommender, user, time, [request, isMeasured]);
    const kind: Kind = Number(slate[0]!.slice(1)) % 2 === 0 ? "good" : "lure";
    const isEntered = visitor.sulking > 0 ? visitor.sulking-- < 0 : random.bernoulli(world.entered[kind]);
    const { minutes: usual, disappointed = usual } = world;
    const minutes = isEntered ? (visitor.isDisappointed ? disappointed : usual)[kind] : 0;
    const gap = gaps[isEntered ? kind : "nothing"];
    if (isMeasured) {
      sums.good += kind === "good" ? 1 / MEASURED : 0;
      sums.minutes += minutes / MEASURED;
      sums.value += scores[0]! / MEASURED;
      days += gap / DAY;
    }
    if (isEntered) {
      const about = { user, stream: slate[0]!, decision: id };
      recommender.feedback({ kind: "click", time, ...about });
      visitor.isDisappointed = kind === "lure";
      due.push({ kind: "watch", time: time + minutes * MINUTE, watchMs: minutes * MINUTE, ...about });
      if (kind === "lure") {
        visitor.sulking = world.sulks;
        if (random.bernoulli(world.leaves)) Object.assign(visitor, { name: `u${USERS + request}`, sulking: 0 });
      }
    }
    visitors.push({ ...visitor, time: time + gap });
  }
  recommender.dispose();
  return { ...sums, daily: (sums.minutes * MEASURED) / days };
}

/** The value of an entered stream where each request ends in an entry with probability p: r + g V. */
function trueValue({ entered, minutes }: KnownWorld): number {
  const p = entered.good;
  const reward = minutes.good / 10;
  const after = (awayMs: number) => pow(GAMMA, 1 + awayMs / DAY);
  const [entry, none] = [after(GAP - minutes.good * MINUTE), after(GAP)];
  return reward + (entry * p * reward) / (1 - p * entry - (1 - p) * none);
}

/** Seeds of what is claimed, or differs between seeds, of what differs by far more than seeds do, and by little more. */
const SEEDS = { claim: 10, ablation: 3, close: 30 } as const;
const CLAIMED: ReadonlySet<Arm> = new Set(["dqn", "gamma-0", "current-state"]);

/** What each world is served by beside the whole objective: what loses there. */
const LEFT_OUT: Readonly<Record<keyof typeof WORLDS, readonly Arm[]>> = {
  bait: ["gamma-0", "no-nothing", "uniform-choice"],
  "no-entry": ["no-nothing", "uniform-choice"],
  churn: ["gamma-0"],
  mood: ["gamma-0", "current-state"],
  late: ["gamma-0", "no-return-cost"],
  blame: ["gamma-0", "no-nothing", "no-return-cost"],
};

function resultsOf(name: keyof typeof WORLDS, arm: Arm, seed: number): Result[] {
  const world = worldOf(name);
  const { good, minutes, value, daily } = serveKnown(world, arm, seed);
  if (name === "no-entry") {
    const truth = trueValue(world);
    return [{ metric: "value_error_percent", unit: "%", value: (100 * Math.abs(value - truth)) / truth }];
  }
  const earned: Result =
    world.gaps === undefined
      ? { metric: "minutes_per_request", unit: "min", value: minutes }
      : { metric: "minutes_per_user_day", unit: "min", value: daily };
  return [earned, { metric: "good_share", unit: "share", value: good }];
}

function seedsOf(name: keyof typeof WORLDS, arm: Arm): number {
  if (!CLAIMED.has(arm)) return SEEDS.ablation;
  return name === "mood" && arm !== "gamma-0" ? SEEDS.close : SEEDS.claim;
}

/** Each world with the recommender, and with what is left out. */
export const KNOWN: readonly ProcessCase[] = Object.keys(WORLDS).flatMap((key) => {
  const name = key as keyof typeof WORLDS;
  return (["dqn", ...LEFT_OUT[name]] as const).map((arm) => ({
    name: `farsight/${name}/${arm}`,
    title: `a world whose answer is known: ${WORLDS[name].title}; ${arm}`,
    seeds: seedsOf(name, arm),
    recipe: { world: WORLDS[name], arm, OPTIONS, REQUESTS, ...(isAblated(arm) && { AGENT }) },
    run: ({ seed }: CaseContext) => resultsOf(name, arm, seed),
  }));
});
