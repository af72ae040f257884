import { Latest } from "../../collections/index.js";
import type { Id, LiveEvent } from "../../protocol/index.js";
import type { Recommender } from "../../recommender/index.js";
import type { Figure, ResampleOptions } from "../../statistics/index.js";
import type { LogEntry, TimedEntry } from "../decisions/entries.js";
import { LogReplay, type LogReplayOptions, type LogReplayResult, type RankingPolicy } from "../replay.js";
import { MostPopular } from "./popular.js";

/** How a held-out part of a log is judged. */
export type ValidationOptions = Partial<Pick<LogReplayOptions, "target" | "k" | "users">>;

/** Users that are remembered. Set by hand. */
const ASKED = 64;

/** Holds the latest users whom a policy was asked for, and when. */
export const newAsked = () => new Latest<Id, number>(ASKED);

/** A recommender on the held-out part: it takes what happens, and learns no weights from it. */
class Held implements RankingPolicy {
  readonly name = "recommender";
  readonly asked = newAsked();
  readonly rank: Recommender["rank"];
  readonly #recommender: Recommender;
  readonly #from: number;

  constructor(recommender: Recommender, from: number) {
    this.#recommender = recommender;
    this.#from = from;
    this.rank = (request) => {
      this.asked.set(request.user, request.now);
      return recommender.rank(request);
    };
  }

  recommend(): never {
    throw new Error("it only ranks");
  }

  feedback(event: LiveEvent): void {
    // Earlier events were taken when they were taught.
    if (event.time >= this.#from) this.#recommender.feedback(event, event.time);
  }

  recordDecision(decision: Parameters<Recommender["recordDecision"]>[0]): void {
    if (decision.time >= this.#from) this.#recommender.recordDecision(decision, 0);
  }
}

/** Figures of a held-out part. */
export interface Validation {
  /** Of the recommender, with 95 % intervals by user: `hr_at_10`, `ndcg_at_10`, ... by slice. */
  figures: Figure[];
  /** Of most popular on the same cases. */
  popular: Figure[];
  /** The recommender's minus most popular's, user by user. */
  above: Figure[];
  cases: number;
  /** The latest users whose visits were ranked, with the times. */
  asked: ReadonlyMap<Id, number>;
}

/** Judges the end of a log while it goes by: from a time on, and before it takes what streams and users do. */
export class Judge {
  readonly from: number;
  readonly #replays: LogReplay[];
  readonly #asked: ReadonlyMap<Id, number>;
  #now = 0;

  constructor(policy: RankingPolicy & { asked: ReadonlyMap<Id, number> }, from: number, options: ValidationOptions) {
    this.from = from;
    this.#asked = policy.asked;
    this.#replays = [policy, new MostPopular()].map((each) => new LogReplay(each, { ...options, from, log: false }));
  }

  static of(recommender: Recommender, from: number, options: ValidationOptions): Judge {
    return new Judge(new Held(recommender, from), from, options);
  }

  /** Takes an entry at its place. */
  take({ entry, now }: TimedEntry<LogEntry>): void {
    // Impressions and watches of a wrong time count at their place.
    this.#now = Math.max(this.#now, now);
    const placed = entry.time === this.#now ? entry : { ...entry, time: this.#now };
    for (const replay of this.#replays) replay.feed(placed);
  }

  result(resample: Partial<ResampleOptions> = {}): Validation {
    const [own, popular] = this.#replays.map((replay) => replay.result(resample)) as [LogReplayResult, LogReplayResult];
    const above = own.tally.minus(popular.tally, resample);
    return { figures: own.figures, popular: popular.figures, above, cases: own.cases, asked: this.#asked };
  }
}

/** One figure of all cases; NaN where there is none. */
export function figureOf(figures: readonly Figure[], metric: string): number {
  return figures.find((figure) => figure.metric === metric && figure.slice === "all")?.value ?? Number.NaN;
}
