import { checked, positive, positiveInteger, type Rule, type Rules } from "../check/index.js";
import { Latest } from "../collections/index.js";
import { fade } from "../numeric/index.js";
import {
  DAY,
  type FeedbackEvent,
  HOUR,
  type Id,
  type Request,
  type UserEvent,
  type UserUpdate,
  WEEK,
  WRONG_CLOCK_MS,
} from "../protocol/index.js";
import { type CatalogStream, type StreamTraits, shrink } from "../recommender/state/index.js";
import { ScoringPolicy } from "./baseline.js";
import { watchWeight } from "./watch.js";

/** A trait by which users can be grouped. */
export type UserTrait = "age" | "gender" | "region" | "language" | "device";

export interface ContextOptions {
  /** Traits from `user` events that a group of users has in common. Default age, by decades, and gender. */
  segment: readonly UserTrait[];
  /** Milliseconds after which an event counts half, > 0. Default a week. */
  halfLifeMs: number;
  /** Number of impressions at which a context counts as much as the wider context around it, > 0. Default 200. */
  prior: number;
  /** Number of users whose traits are remembered. Default 50 000. */
  users: number;
}

const SEGMENTS: readonly string[] = ["age", "gender", "region", "language", "device"] satisfies UserTrait[];

const segment: Rule = [
  (value) => Array.isArray(value) && value.every((each, i) => SEGMENTS.includes(each) && value.indexOf(each) === i),
  `an array of different traits out of ${SEGMENTS.join(", ")}`,
];

const TABLE: Rules<ContextOptions> = {
  segment,
  halfLifeMs: positive,
  prior: positive,
  users: positiveInteger,
};

const DEFAULTS: ContextOptions = { segment: ["age", "gender"], halfLifeMs: WEEK, prior: 200, users: 50_000 };

/** Length of a part of the day. */
const PART = 4 * HOUR;
/** Number of contexts remembered. */
const CONTEXTS = 65_536;
/** Worth of an impression in an unknown context: one click in ten, with log(1 + minutes) = 1. [set by hand] */
const UNKNOWN = 0.1;

/** Fading sums over the impressions of a context. */
interface Sums {
  impressions: number;
  /** Of log(1 + minutes). */
  weight: number;
  time: number;
}

/**
 * Shows the most popular streams by context. A score is (viewers + 1) times the worth of an impression of the category
 * for this group of users at this time of day, in log(1 + minutes) watched.
 *
 * Each context is shrunk towards the wider one around it: category, time of day and group of users; category and time
 * of day; category; everything.
 */
export class ContextPolicy extends ScoringPolicy {
  readonly name = "popular-by-context";
  readonly options: Readonly<ContextOptions>;
  readonly #users: Latest<Id, Omit<UserUpdate, "kind" | "time" | "user">>;
  readonly #everything: Sums = { impressions: 0, weight: 0, time: 0 };
  readonly #contexts = new Latest<string, Sums>(CONTEXTS);

  /**
   * @param instance - Part of the names of its decisions. Default: 64 random bits.
   * @throws TypeError for an unknown option, RangeError for one out of range.
   */
  constructor(options: Partial<ContextOptions> = {}, instance?: string) {
    super(instance);
    this.options = checked(options, TABLE, DEFAULTS);
    this.#users = new Latest(this.options.users);
  }

  protected override meet(event: UserEvent): void {
    if (event.kind !== "user") return;
    const { kind, time, user, ...traits } = event;
    this.#users.set(user, { ...this.#users.get(user), ...traits });
  }

  protected override learn(event: FeedbackEvent, { category }: StreamTraits): void {
    if (event.kind !== "impression" && event.kind !== "watch") return;
    const { user, time } = event;
    const weight = event.kind === "watch" ? watchWeight(event) : 0;
    const all = [this.#everything];
    for (const key of this.#keys(user, category, time)) {
      const sums = this.#contexts.get(key) ?? { impressions: 0, weight: 0, time };
      this.#contexts.set(key, sums);
      all.push(sums);
    }
    for (const sums of all) {
      const factor = fade(time - sums.time, this.options.halfLifeMs);
      sums.impressions = sums.impressions * factor + (event.kind === "impression" ? 1 : 0);
      sums.weight = sums.weight * factor + weight;
      sums.time = sums.time - time > WRONG_CLOCK_MS ? time : Math.max(sums.time, time);
    }
  }

  protected override score({ user, now }: Request, streams: readonly CatalogStream[], scores: Float64Array): void {
    const worth = new Map<string, number>();
    for (let i = 0; i < streams.length; i++) {
      const { category, viewers } = streams[i]!;
      const known = worth.get(category) ?? this.#worth(user, category, now);
      worth.set(category, known);
      scores[i] = known * (1 + viewers);
    }
  }

  /** The contexts of an impression, the widest first. */
  #keys(user: Id, category: string, now: number): string[] {
    const part = Math.floor((now % DAY) / PART);
    const traits = this.#users.get(user);
    const group = this.options.segment.map((trait) => {
      const value = traits?.[trait];
      return typeof value === "number" ? Math.floor(value / 10) : value;
    });
    const wide = JSON.stringify([category]);
    const narrower = JSON.stringify([category, part]);
    return [wide, narrower, JSON.stringify([category, part, ...group.map((value) => value ?? null)])];
  }

  #worth(user: Id, category: string, now: number): number {
    const { prior, halfLifeMs } = this.options;
    let worth = UNKNOWN;
    for (const sums of [this.#everything, ...this.#keys(user, category, now).map((key) => this.#contexts.get(key))]) {
      if (sums === undefined) break;
      const factor = fade(now - sums.time, halfLifeMs);
      worth = shrink(sums.weight * factor, sums.impressions * factor, worth, prior);
    }
    return worth;
  }
}
