import { basename } from "node:path";
import { type Baseline, POLICIES, type PolicyName } from "../../../baselines/index.js";
import { Latest } from "../../../collections/index.js";
import { DQN } from "../../../engine/index.js";
import {
  ExaminedAgent,
  groupsWithData,
  type LogReplay,
  type LogReplayResult,
  type RankingPolicy,
} from "../../../evaluation/index.js";
import type { Decision, Id, LiveEvent, LoggedDecision, Request, TargetPolicy } from "../../../protocol/index.js";
import type { Recommender } from "../../../recommender/index.js";
import type { Figure } from "../../../statistics/index.js";
import { UsageError } from "../../reading/arguments.js";
import { consume, Inputs, openEvents } from "../../reading/input.js";
import { openRecommender } from "../../reading/model.js";
import { textBars } from "../../reports/index.js";
import { adviceOf, type Discount, dataOf, type Learned, type Paired, valuedBy, verdict } from "../../verdicts/index.js";
import { rowsOf } from "../../writing/figures.js";
import { print } from "../../writing/output.js";
import { printVerdicts, type Row } from "../../writing/results.js";

/** Users to explain decisions for. Set by hand. */
const ASKED = 64;

/** Policies that learn from events alone. Policies with a network also need decisions, and come as models. */
export const REPLAYED = ["random", "popular", "popular-by-context", "itemknn", "ease"] as const satisfies PolicyName[];

/** A recommender from a file. It knows all events up to its own time, and does not train on later ones. */
export class Trained implements RankingPolicy, TargetPolicy {
  readonly name: string;
  readonly #recommender: Recommender;
  readonly #agent: ExaminedAgent;
  readonly #since: number;
  /** The latest users it was asked for. */
  readonly #asked = new Latest<Id, number>(ASKED);

  private constructor(file: string, recommender: Recommender, agent: ExaminedAgent) {
    this.name = basename(file).replace(/\.liveq$/, "");
    this.#recommender = recommender;
    this.#agent = agent;
    this.#since = recommender.time;
  }

  /** @throws Error that names the file and the fault. */
  static async open(file: string): Promise<Trained> {
    let agent: ExaminedAgent | undefined;
    const recommender = await openRecommender(file, {
      async loadAgentChunks(chunks) {
        agent = new ExaminedAgent(await DQN.loadChunks(chunks));
        return agent;
      },
    });
    return new Trained(file, recommender, agent!);
  }

  rank(request: Request): ReturnType<Recommender["rank"]> {
    this.#requireLater(request);
    this.#asked.set(request.user, request.now);
    return this.#recommender.rank(request);
  }

  distributions(request: Request, slate: readonly Id[]): ReturnType<Recommender["distributions"]> {
    this.#requireLater(request);
    return this.#recommender.distributions(request, slate);
  }

  /** What it takes streams for, and how it discounts. */
  get discount(): Discount {
    const { gamma, returns } = this.#recommender.options;
    return { gamma, gapScaleMs: returns.gapScaleMs };
  }

  /** A decision of the logging policy with this model's values of its streams; undefined where it knows none of them. */
  valued(decision: LoggedDecision): Decision | undefined {
    return valuedBy(this, decision);
  }

  /** Takes a decision of the logging policy. */
  recordDecision(decision: LoggedDecision): void {
    this.#recommender.recordDecision(decision);
  }

  /** TD errors of the recorded decisions. */
  figures(): Figure[] {
    return this.#agent.figures();
  }

  /** How much it has learned from. */
  get learned(): Learned {
    const { updates, users } = this.#recommender.stats();
    return { updates, users, warmupUpdates: this.#recommender.options.warmupUpdates };
  }

  /** By group of features, the share of the latest users for whom it moved the value of a stream. Call it last. */
  groupsWithData(): Map<string, number> {
    return groupsWithData(this.#recommender, this.#asked);
  }

  /** @throws Error for a request before its own time, as it has seen the answer. */
  #requireLater({ now }: Request): void {
    if (now >= this.#since) return;
    const own = `the model ${this.name} was trained on events until ${this.#since}`;
    throw new Error(`${own}: "--events" must be later, got a request at ${now}`);
  }

  recommend(request: Request): ReturnType<Recommender["recommend"]> {
    return this.#recommender.recommend(request);
  }

  feedback(event: LiveEvent): void {
    if (event.time > this.#since) this.#recommender.feedback(event, event.time);
  }
}

/** One policy on the log. */
export interface Contestant {
  name: string;
  replay: LogReplay;
}

/** Policies that learn from events alone, and recommenders from files, which are read one after the other. */
export async function policiesOf(names: readonly string[], seed: number): Promise<(RankingPolicy & TargetPolicy)[]> {
  const policies: (RankingPolicy & TargetPolicy)[] = [];
  for (const name of names) {
    // All of `REPLAYED` can report their distributions.
    const isKnown = (REPLAYED as readonly string[]).includes(name);
    policies.push(isKnown ? baselineOf(name, seed) : await Trained.open(name));
  }
  requireDistinct(policies);
  return policies;
}

function baselineOf(name: string, seed: number): RankingPolicy & TargetPolicy {
  // What is on air is the log's to say: it may be a catalogue, where nothing ends by itself.
  return Object.assign(POLICIES[name as PolicyName].create(seed) as Baseline, { streamTimeoutMs: 0 });
}

/** @throws UsageError for two of one name. */
export function requireDistinct(entered: readonly { name: string }[]): void {
  const twice = entered.find(({ name }, i) => entered.findIndex((other) => other.name === name) < i);
  if (twice !== undefined) throw new UsageError(`models must have different names, got ${twice.name} twice`);
}

/** Feeds the events of files to all contestants until the signal; returns their number. */
export async function feed(contestants: readonly Contestant[], inputs: Inputs, signal: AbortSignal): Promise<number> {
  const take = (event: LiveEvent) => {
    for (const { replay } of contestants) replay.feed(event);
  };
  return consume(inputs, await openEvents(inputs), take, signal);
}

/** The time of a log's first event; reads no further. */
export async function beginningOf(files: readonly string[], signal: AbortSignal): Promise<number> {
  for await (const { time } of await openEvents(new Inputs(files, signal))) return time;
  throw new Error(`${files.join(", ")}: must hold events, got none`);
}

/** A policy's figures. */
export interface Outcome {
  name: string;
  result: LogReplayResult;
}

/** Whether a figure is the main metric of all cases. */
function isMainOf(k: number): (figure: Figure) => boolean {
  return ({ metric, slice }) => metric === `ndcg_at_${k}` && slice === "all";
}

/** How far a policy is above another on all cases, in the main metric. */
export function leadOf({ name, result }: Outcome, reference: Outcome, k: number): Paired | undefined {
  const isMain = isMainOf(k);
  const gain = result.tally.minus(reference.result.tally).find(isMain);
  const base = reference.result.figures.find(isMain);
  if (gain === undefined || base === undefined) return undefined;
  return { ...gain, name, reference: reference.name, metric: `NDCG@${k}`, base: base.value, unit: "users" };
}

/** What may help a model that is not better, and which of its groups of features had data. */
export function aboutModel(model: Trained, isBetter = false): string[] {
  const shares = model.groupsWithData();
  return [
    ...(isBetter ? [] : [adviceOf(model.name, model.learned)]),
    ...(shares.size > 0 ? [`${model.name}: ${dataOf(shares)}`] : []),
  ];
}

/** Ends with what the figures mean: each policy beside the first, and which groups of features of models had data. */
export function conclude(
  results: readonly Outcome[],
  policies: readonly RankingPolicy[],
  k: number,
  json: string | undefined,
): void {
  const [first, ...others] = results as [Outcome, ...Outcome[]];
  const isMain = isMainOf(k);
  const bars = results.flatMap(({ name, result }) =>
    result.figures.filter(isMain).map((figure) => ({ ...figure, name })),
  );
  print(`NDCG@${k}\n${textBars(bars).join("\n")}\n\n`, json);
  const leads = others.flatMap((one) => leadOf(one, first, k) ?? []);
  const models = policies.filter((policy) => policy instanceof Trained);
  const isModel = ({ name }: Paired) => models.some((model) => model.name === name);
  // What one wants to know first.
  leads.sort((a, b) => Number(isModel(b)) - Number(isModel(a)));
  const about = models.flatMap((model) =>
    aboutModel(
      model,
      leads.every((lead) => lead.name !== model.name || lead.lo > 0),
    ),
  );
  printVerdicts([...leads.map(verdict), ...about], json);
}

/** The figures of all, and those of each above the first, as rows. */
export function rowsOfOutcomes(results: readonly Outcome[], seed: number): Row[] {
  const [first, ...others] = results as [Outcome, ...Outcome[]];
  const rows = results.flatMap(({ name, result }) => rowsOf(result.figures, "recommender", `log/${name}`, [seed]));
  const paired = others.flatMap(({ name, result }) => {
    const gains = result.tally.minus(first.result.tally);
    return rowsOf(gains, "recommender", `log/${name}-above-${first.name}`, [seed]);
  });
  return [...rows, ...paired];
}
