/**
 * How long `recommend` and `feedback` take among 200 streams, of the build in dist/ and, in the same process and in turn
 * with it, of another one. Only public doors are used. The events depend on the slates, their kinds and number do not.
 *
 * Several recommenders of one build do the same work. The median of the times that they take for a call counts, so that
 * a pause of a busy machine shows in none. CPU time is that of the whole process, with garbage collection and compilation.
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Random } from "../../../src/numeric/index.js";
import type { Decision, LiveEvent, Policy } from "../../../src/protocol/index.js";
import { medianInterval } from "../../../src/statistics/intervals.js";
import type { CaseContext, Result } from "../../harness/suite.js";
import { spreadOf } from "../../harness/timing.js";

const STREAMS = 200;
const USERS = 500;
const SLATE = 6;
const CATEGORIES = 20;
const LANGUAGES = 5;
/** Visits before the first sample: the agent is trained by then. */
const WARMUP = 1000;
const ROUNDS = 7;
const REPLICAS = 5;
/** Visits of a round. */
const VISITS = 300;
const START = 1_700_000_000_000;
const SECOND = 1000;
const OWN = join(import.meta.dirname, "../../../dist");

/** The door `liveq/recommender` of a build. */
type Door = Readonly<Record<string, unknown>> & { Recommender: new (options: object) => Policy };

/** How a build spells the core groups and those beside them. */
interface Spelling {
  fits(door: Door): boolean;
  options(door: Door, groups: readonly string[]): object;
}

/** Groups that 0.1.0 always has. */
const CORE = ["clock", "audience", "habits", "session", "pair"];

function groupOf(door: Door, name: string): unknown {
  const make = door[name];
  if (typeof make !== "function") throw new Error(`a build has no group of features "${name}"`);
  return make() as unknown;
}

const SPELLINGS: readonly Spelling[] = [
  {
    fits: (door) => typeof door["session"] === "function",
    options: (door, groups) => ({ features: [...CORE, ...groups].map((name) => groupOf(door, name)) }),
  },
  // 0.1.0
  { fits: () => true, options: (_, groups) => ({ features: { inputs: groups } }) },
];

/** The durations of a round of calls, in microseconds; `cpu`: the CPU time of `recommend`. */
interface Times {
  recommend: number[];
  cpu: number[];
  feedback: number[];
}

/** A recommender of a build that serves visits. */
class Served {
  readonly #policy: Policy;
  readonly #random = Random.named(1, "latency");
  #now = START;
  #times: Times = { recommend: [], cpu: [], feedback: [] };

  constructor({ Recommender }: Door, options: object) {
    this.#policy = new Recommender({ seed: 1, ...options });
    for (let i = 0; i < STREAMS; i++) {
      const [category, language] = [`c${this.#random.below(CATEGORIES)}`, `l${this.#random.below(LANGUAGES)}`];
      const tags = [`t${this.#random.below(50)}`, `t${this.#random.below(50)}`];
      const [stream, streamer, title] = [`s${i}`, `r${i}`, `What I do today, part ${i}`];
      this.#feedback({ kind: "on_air", time: this.#now, stream, streamer, category, tags, title, language });
    }
  }

  /** Serves so many visits. */
  round(visits: number): Times {
    this.#times = { recommend: [], cpu: [], feedback: [] };
    for (let i = 0; i < visits; i++) this.#visit(`u${this.#random.below(USERS)}`);
    return this.#times;
  }

  /** A request, its impressions, a click, and a watch of a minute or less. */
  #visit(user: string): void {
    const cpu = process.cpuUsage();
    const from = performance.now();
    const { id: decision, slate }: Decision = this.#policy.recommend({ user, now: this.#now, k: SLATE });
    this.#times.recommend.push(1000 * (performance.now() - from));
    const { user: own, system } = process.cpuUsage(cpu);
    this.#times.cpu.push(own + system);
    slate.forEach((stream, position) => {
      this.#feedback({ kind: "impression", time: this.#now, user, stream, position, decision });
    });
    const seen = { user, stream: slate[this.#random.below(slate.length)]!, decision };
    this.#now += 2 * SECOND;
    this.#feedback({ kind: "click", time: this.#now, ...seen });
    const watchMs = (1 + this.#random.below(60)) * SECOND;
    this.#now += watchMs;
    this.#feedback({ kind: "watch", time: this.#now, ...seen, watchMs });
    const viewers = this.#random.below(1000);
    this.#feedback({ kind: "update", time: this.#now, stream: `s${this.#random.below(STREAMS)}`, viewers });
  }

  #feedback(event: LiveEvent): void {
    const from = performance.now();
    this.#policy.feedback(event);
    this.#times.feedback.push(1000 * (performance.now() - from));
  }
}

async function served(dist: string, groups: readonly string[] | undefined, replicas: number): Promise<Served[]> {
  const door = (await import(pathToFileURL(join(dist, "recommender/index.js")).href)) as Door;
  const spelling = SPELLINGS.find(({ fits }) => fits(door))!;
  return Array.from({ length: replicas }, () => new Served(door, groups ? spelling.options(door, groups) : {}));
}

/** Call by call, the median of the times of replicas. */
function middleOf(replicas: readonly Times[]): Times {
  const middle = (of: (times: Times) => number[]) =>
    of(replicas[0]!).map((_, call) => spreadOf(replicas.map((times) => of(times)[call]!)).median);
  return {
    recommend: middle(({ recommend }) => recommend),
    cpu: middle(({ cpu }) => cpu),
    feedback: middle(({ feedback }) => feedback),
  };
}

function quantileOf(values: readonly number[], p: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]!;
}

/** The figures of a round, by metric. */
function figuresOf({ recommend, cpu, feedback }: Times): [metric: string, us: number][] {
  return [
    ["recommend", quantileOf(recommend, 0.5)],
    ["recommend_p99", quantileOf(recommend, 0.99)],
    ["recommend_cpu", quantileOf(cpu, 0.5)],
    ["recommend_cpu_p99", quantileOf(cpu, 0.99)],
    ["feedback", quantileOf(feedback, 0.5)],
    ["feedback_p99", quantileOf(feedback, 0.99)],
  ];
}

/** The rows of a build. */
function timeRows(name: string, rounds: readonly Times[]): Result[] {
  const figures = rounds.map(figuresOf);
  return figures[0]!.map(([metric], i) => {
    const interval = medianInterval(figures.map((round) => round[i]![1]));
    return { case: name, metric: `${metric}_us`, unit: "us", ...interval };
  });
}

/** How many times the other build's time each round took. */
function ratioRows(name: string, own: readonly Times[], other: readonly Times[]): Result[] {
  const [mine, theirs] = [own.map(figuresOf), other.map(figuresOf)];
  return mine[0]!.map(([metric], i) => {
    const interval = medianInterval(mine.map((round, r) => round[i]![1] / theirs[r]![i]![1]));
    return { case: name, metric: `${metric}_ratio`, unit: "x", ...interval };
  });
}

/** @param sizes - For tests: fewer visits than are worth a figure. */
export async function measureLatency(
  { options, say }: CaseContext,
  { rounds = ROUNDS, visits = VISITS, warmup = WARMUP, replicas = REPLICAS } = {},
): Promise<Result[]> {
  const { against, features: asked } = options as { against?: string; features?: string[] | true };
  const features = asked === true ? [] : asked;
  const name = `latency/${features ? ["core", ...features].join("+") : "defaults"}`;
  const dists = [OWN, ...(against ? [resolve(against)] : [])];
  const builds = await Promise.all(dists.map((dist) => served(dist, features, replicas)));
  const times: Times[][] = builds.map(() => []);
  for (const each of builds.flat()) each.round(warmup);
  for (let round = 0; round < rounds; round++) {
    // Builds take turns, replica by replica, and each goes first in every other round.
    const order = round % 2 ? [...builds.keys()].reverse() : [...builds.keys()];
    const taken: Times[][] = builds.map(() => []);
    for (let replica = 0; replica < replicas; replica++) {
      for (const i of order) taken[i]!.push(builds[i]![replica]!.round(visits));
    }
    for (const i of order) times[i]!.push(middleOf(taken[i]!));
    say(`round ${round + 1} of ${rounds}`);
  }
  const own = timeRows(name, times[0]!);
  if (!against) return own;
  return [...own, ...timeRows(`${name}/against`, times[1]!), ...ratioRows(name, times[0]!, times[1]!)];
}
