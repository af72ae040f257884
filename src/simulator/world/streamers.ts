import { exp, exponential, log1p, lognormal, Random, weightedIndex } from "../../numeric/index.js";
import { DAY, type Id, MINUTE } from "../../protocol/index.js";
import { type Content, LANGUAGE_SHARES, LANGUAGES, TOPICS } from "./content.js";
import { crowdAt, drawHabit, type Habit } from "./schedule.js";

/**
 * Log of the mean number of viewers per channel: mean 2.31, deviation 1.61, deviation within a channel 0.51.
 *
 * Measured on 217 429 Twitch broadcasts. The upper quantiles (25, 87 and 1337 viewers at 75, 90 and 99 %) are those of an
 * exponential tail and not of a normal one, so it is a normal plus an exponential. Quality explains a part of it.
 */
const LOG_AUDIENCE = 1.15;
const LOG_AUDIENCE_OF_QUALITY = 0.2;
const LOG_AUDIENCE_REST = 0.85;
const LOG_AUDIENCE_TAIL = 1.25;
/** Correlation of the tail's rank with quality. */
const LOG_AUDIENCE_TAIL_OF_QUALITY = 0.17;
const LOG_AUDIENCE_MAX = 10.5;
/** The rest of the deviation within a channel comes from the hours and from excitement. */
const LOG_AUDIENCE_WITHIN = 0.42;
/**
 * The next broadcast begins in the category of the last with this chance, and else in one drawn from the streamer's own
 * by these weights: together in the same with 0.672, as measured; median of 3 categories a channel.
 */
const STAYS = 0.47;
const REPERTOIRE = [0.55, 0.25, 0.12, 0.08] as const;
/** Mean time on air until the category changes: 1.3 of them a broadcast, measured. */
const SWITCHES = 500 * MINUTE;
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
/** By how much excitement moves the audience differs: its largest is 1.4 times its mean, 2.0 at the 90th percentile. */
const VOLATILITY_MEDIAN = 0.12;
const VOLATILITY_SIGMA = 0.6;

/** Time between two looks at a stream: excitement moves, the number of viewers is published. */
export const TICK = 5 * MINUTE;

/** Somebody who goes on air. All but `id` and `language` is hidden from policies. */
export interface Streamer {
  readonly index: number;
  readonly id: Id;
  /** Own categories, indices into those of the world; the home first. */
  readonly repertoire: readonly number[];
  /** Own topic, an index into TOPICS. */
  readonly topic: number;
  readonly language: string;
  /** Standard normal. */
  readonly quality: number;
  /** In [0, 1]: how much more the stream promises than it gives. */
  readonly clickbait: number;
  /** Natural logarithm of the mean number of viewers from outside the simulation. */
  readonly logAudience: number;
  readonly habit: Habit;
  readonly born: number;
  readonly retires: number;
  /** The latest broadcast that went on air, while it lasts. */
  live: Stream | undefined;
}

/** The known traits of a streamer whose broadcasts are replayed. */
export interface Given {
  id: Id;
  repertoire: readonly number[];
  logAudience: number;
  /** How far the audience stands out among the channels, in deviations of its logarithm. */
  standing: number;
}

/** Share of the audience's deviation that is quality. */
const QUALITY_OF_STANDING = 0.31;

function repertoireOf(content: Content, random: Random): number[] {
  const weights = Float64Array.from(content.shares);
  const size = Math.min(REPERTOIRE.length, weights.length);
  return Array.from({ length: size }, () => {
    const category = weightedIndex(random, weights);
    weights[category] = 0;
    return category;
  });
}

/** An exponential of mean 1 whose rank goes along with quality. */
function drawTail(quality: number, random: Random): number {
  const rho = LOG_AUDIENCE_TAIL_OF_QUALITY;
  const z = rho * quality + Math.sqrt(1 - rho * rho) * random.normal();
  // -log(1 - P(Z < z)) by the logistic approximation of P (Bowling et al. 2009).
  return log1p(exp(z * (1.5976 + 0.07056 * z * z)));
}

/** The streamer of this index; `born` is -Infinity for streamers who are there from the start. */
export function drawStreamer(seed: number, index: number, born: number, content: Content, given?: Given): Streamer {
  const random = Random.named(seed, "streamer", index);
  const own = random.normal();
  const rest = Math.sqrt(1 - QUALITY_OF_STANDING * QUALITY_OF_STANDING);
  const quality = given ? QUALITY_OF_STANDING * given.standing + rest * own : own;
  const clickbait = Math.min(1, Math.max(0, 0.5 - 0.25 * quality + 0.2 * random.normal()));
  const repertoire = repertoireOf(content, random);
  const near = LOG_AUDIENCE + LOG_AUDIENCE_OF_QUALITY * quality + LOG_AUDIENCE_REST * random.normal();
  const logAudience = Math.min(LOG_AUDIENCE_MAX, near + LOG_AUDIENCE_TAIL * drawTail(quality, random));
  return {
    index,
    id: given?.id ?? `streamer-${index}`,
    repertoire: given?.repertoire ?? repertoire,
    topic: random.below(TOPICS.length),
    language: LANGUAGES[weightedIndex(random, LANGUAGE_SHARES)]!,
    quality,
    clickbait,
    logAudience: given?.logAudience ?? logAudience,
    habit: drawHabit(random),
    born,
    retires: Math.max(0, born) + exponential(random, CAREER),
    live: undefined,
  };
}

/** The category in which a streamer begins after a broadcast in `last`. */
export function nextCategory({ repertoire }: Streamer, last: number | undefined, random: Random): number {
  const stays = random.bernoulli(STAYS);
  const other = repertoire[weightedIndex(random, REPERTOIRE.slice(0, repertoire.length))]!;
  return stays && last !== undefined ? last : other;
}

/** Logarithm of the audience of one broadcast. */
export function drawSize({ logAudience }: Streamer, random: Random): number {
  return logAudience + LOG_AUDIENCE_WITHIN * random.normal();
}

/** The plan of one broadcast. */
export interface StreamPlan {
  streamer: Streamer;
  /** Number of the streamer's earlier broadcasts. */
  serial: number;
  start: number;
  end: number;
  /** Index into the categories of the world. */
  category: number;
  /** Natural logarithm of the number of viewers from outside, once gathered. */
  size: number;
  /** Whether that number is the mean of a day, which hours and the streamer's age change, and the category can too. */
  varies: boolean;
}

/** One broadcast. All but `id`, `streamer.id`, `category`, language, title and tags is hidden from policies. */
export class Stream {
  readonly id: Id;
  readonly streamer: Streamer;
  readonly start: number;
  readonly end: number;
  /** Its category at the moment: an index into the categories of the world. */
  category: number;
  /** A vector of length 1 over TOPICS. */
  topics: Float64Array;
  /** Excitement now: about standard normal, above 0 while there is something to see. */
  excitement = 0;
  /** Viewers of the simulation who are in it. */
  watchers = 0;
  /** Viewers as last published. */
  published = 0;
  /** Whether it was ever shown. */
  shown = false;
  /** Whether its chat is in a lively phase; false where viewers do not follow the chat. */
  isLively = false;
  readonly #random: Random;
  readonly #content: Content;
  readonly #size: number;
  readonly #varies: boolean;
  readonly #volatility: number;
  #mood: number;

  constructor(plan: StreamPlan, random: Random, content: Content) {
    this.id = `${plan.streamer.id}-${plan.serial}`;
    this.streamer = plan.streamer;
    this.start = plan.start;
    this.end = plan.end;
    this.category = plan.category;
    this.topics = content.topics(this.category, this.streamer.topic);
    this.#random = random;
    this.#content = content;
    this.#size = plan.size;
    this.#varies = plan.varies;
    this.#volatility = lognormal(random, VOLATILITY_MEDIAN, VOLATILITY_SIGMA);
    this.#mood = random.normal();
  }

  get categoryName(): string {
    return this.#content.categories[this.category]!;
  }

  /** Moves excitement on by one tick, and sometimes switches to another category. Returns whether it switched. */
  tick(): boolean {
    const keep = exp(-TICK / CALM_DOWN);
    this.#mood = keep * this.#mood + Math.sqrt(1 - keep * keep) * this.#random.normal();
    this.excitement = this.#mood + (this.#random.bernoulli(HIGHLIGHT_CHANCE) ? HIGHLIGHT : 0);
    if (!this.#varies || !this.#random.bernoulli(TICK / SWITCHES)) return false;
    const { repertoire, topic } = this.streamer;
    const category = this.#random.pick(repertoire);
    if (category === this.category) return false;
    this.category = category;
    this.topics = this.#content.topics(category, topic);
    return true;
  }

  /** The number of viewers to publish. */
  audience(now: number): number {
    return Math.floor(this.#outside(now)) + this.watchers;
  }

  /** Viewers from outside the simulation. */
  #outside(now: number): number {
    const gathered = 1 - exp(-(now - this.start + TICK) / GATHERING);
    const moment = exp(this.#size + this.#volatility * this.excitement) * gathered;
    if (!this.#varies) return moment;
    const grown = this.streamer.born < 0 ? 1 : 1 - exp(-(now - this.streamer.born + DAY) / GROWTH);
    return moment * grown * crowdAt(now);
  }
}
