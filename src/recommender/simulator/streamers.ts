import { exp } from "../../math.js";
import { Random } from "../../random.js";
import { DAY, MINUTE } from "../decay.js";
import type { Id } from "../events.js";
import { CATEGORIES, type Content, TOPICS } from "./content.js";
import { activityAt, drawHabit, type Habit } from "./schedule.js";

/**
 * Log of the mean number of viewers per channel: mean 2.31, deviation 1.61; deviation within a channel 0.51.
 *
 * Measured on 217 429 Twitch broadcasts. Quality explains a part of it.
 */
const LOG_AUDIENCE = 2.31;
const LOG_AUDIENCE_OF_QUALITY = 0.5;
const LOG_AUDIENCE_REST = 1.53;
const LOG_AUDIENCE_WITHIN = 0.51;
/** Share of broadcasts in the streamer's home category: that of the first category being the same twice, measured. */
const AT_HOME = 0.672;
/** Mean time as a streamer. Set by hand. */
const CAREER = 150 * DAY;
/** A new streamer's audience grows to its size in about this time. Set by hand. */
const GROWTH = 7 * DAY;
/** The audience of a broadcast gathers in this time. Set by hand. */
const GATHERING = 20 * MINUTE;

/** Time constant of excitement, chance of a highlight at a tick (one in 20 min), and its height. Set by hand. */
const CALM_DOWN = 30 * MINUTE;
const HIGHLIGHT_CHANCE = 0.25;
const HIGHLIGHT = 1;
const AUDIENCE_OF_EXCITEMENT = 0.12;

/** Time between two looks at a stream: excitement moves, the number of viewers is published. */
export const TICK = 5 * MINUTE;

/** Somebody who goes on air. All but `id` is hidden from policies. */
export interface Streamer {
  readonly index: number;
  readonly id: Id;
  /** Home category, an index into CATEGORIES. */
  readonly category: number;
  /** Own topic, an index into TOPICS. */
  readonly topic: number;
  /** Standard normal. */
  readonly quality: number;
  /** In [0, 1]: how much more the stream promises than it gives. */
  readonly clickbait: number;
  /** Natural logarithm of the mean number of viewers from outside the simulation. */
  readonly logAudience: number;
  readonly habit: Habit;
  readonly born: number;
  readonly retires: number;
}

/** The streamer of this index; `born` is -Infinity for those of the start. */
export function drawStreamer(seed: number, index: number, born: number, content: Content): Streamer {
  const random = Random.named(seed, "streamer", index);
  const quality = random.normal();
  const clickbait = Math.min(1, Math.max(0, 0.5 - 0.25 * quality + 0.2 * random.normal()));
  return {
    index,
    id: `streamer-${index}`,
    category: random.weighted(content.shares),
    topic: random.below(TOPICS.length),
    quality,
    clickbait,
    logAudience: LOG_AUDIENCE + LOG_AUDIENCE_OF_QUALITY * quality + LOG_AUDIENCE_REST * random.normal(),
    habit: drawHabit(random),
    born,
    retires: Math.max(0, born) + random.exponential(CAREER),
  };
}

/** One broadcast. All but `id`, `streamer.id`, `category` and its tags is hidden from policies. */
export class Stream {
  readonly id: Id;
  readonly streamer: Streamer;
  readonly start: number;
  readonly end: number;
  /** An index into CATEGORIES. */
  readonly category: number;
  /** What it is about: a vector of length 1 over TOPICS. */
  readonly topics: Float64Array;
  /** What happens now: about standard normal, above 0 while there is something to see. */
  excitement = 0;
  /** Viewers of the simulation who are in it. */
  watchers = 0;
  /** Viewers as last published. */
  published = 0;
  /** Whether it was ever shown. */
  shown = false;
  readonly #random: Random;
  readonly #size: number;
  #mood = 0;

  constructor(streamer: Streamer, serial: number, start: number, end: number, random: Random, content: Content) {
    this.id = `${streamer.id}-${serial}`;
    this.streamer = streamer;
    this.start = start;
    this.end = end;
    this.category = random.bernoulli(AT_HOME) ? streamer.category : random.weighted(content.shares);
    this.topics = content.topics(this.category, streamer.topic);
    this.#size = streamer.logAudience + LOG_AUDIENCE_WITHIN * random.normal();
    this.#random = random;
    this.#mood = random.normal();
  }

  get categoryName(): string {
    return CATEGORIES[this.category]!;
  }

  /** Moves excitement on by one tick and returns the number of viewers to publish. */
  tick(now: number): number {
    const keep = exp(-TICK / CALM_DOWN);
    this.#mood = keep * this.#mood + Math.sqrt(1 - keep * keep) * this.#random.normal();
    this.excitement = this.#mood + (this.#random.bernoulli(HIGHLIGHT_CHANCE) ? HIGHLIGHT : 0);
    return Math.floor(this.#audience(now)) + this.watchers;
  }

  /** Viewers from outside the simulation. */
  #audience(now: number): number {
    const gathered = 1 - exp(-(now - this.start + TICK) / GATHERING);
    const grown = this.streamer.born < 0 ? 1 : 1 - exp(-(now - this.streamer.born + DAY) / GROWTH);
    const moment = exp(this.#size + AUDIENCE_OF_EXCITEMENT * this.excitement);
    return moment * gathered * grown * activityAt(now);
  }
}
