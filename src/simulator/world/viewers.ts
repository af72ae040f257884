import { exp, log, log1p, lognormal, Random, sigmoid, tanh } from "../../numeric/index.js";
import { DAY, HOUR, type Id, MINUTE } from "../../protocol/index.js";
import type { Causes } from "./causes.js";
import { TOPICS } from "./content.js";
import type { Returns } from "./returns.js";
import type { Stream, Streamer } from "./streamers.js";
import { drawTraits, type Traits } from "./traits.js";

/** Chance that a viewer looks at position p, given what stands before did not hold them: 0.85^p. */
const EXAMINATION = 0.85;

/**
 * Log-odds of a click on a stream that the viewer looks at. Set by hand, together, so that 27.9 % of these are clicked
 * (KuaiLive) where streams are drawn by popularity, as calibration does.
 */
const APPEAL = {
  base: -1.4,
  match: 1.0,
  loyalty: 0.8,
  audience: 0.15,
  clickbait: 0.5,
  excitement: 0.3,
  boredom: 0.7,
  foreign: -0.3,
  friend: 0.5,
  cause: 1.2,
} as const;
/** Mean of log(1 + viewers) on air, so that the audience adds nothing on average. */
const TYPICAL_LOG_AUDIENCE = 2.6;

/** Log-odds that a click becomes a visit, not a bounce: quality and match count, popularity and promises do not. */
const ENGAGEMENT = {
  base: -2.85,
  match: 1.3,
  quality: 0.7,
  loyalty: 0.5,
  excitement: 0.2,
  boredom: 0.4,
  foreign: -0.3,
  cause: 2.4,
} as const;

/**
 * Length of a visit, a mixture of two lognormals: fitted to the 4.9 million visits of KuaiLive (Qu et al. 2025,
 * arXiv:2508.05633), whose median is 4.87 s, 90th percentile 1026 s and 99th percentile 9231 s. The fit has medians of 3.5
 * and 849 s and deviations of 0.9 and 1.4; here bounces are shorter by what match adds, and visits spread further by what the
 * ends of streams cut.
 */
const BOUNCE_MEDIAN = 3200;
const BOUNCE_SIGMA = 0.9;
const ENGAGED_MEDIAN = 849_000;
const ENGAGED_SIGMA = 1.5;
const LENGTH_OF_MATCH = 0.25;
const WATCH_MAX = 600 * MINUTE;

/** Match of an interest of length 1 in exactly these topics. */
const MATCH_SCALE = 2.2;
/** Mean match of a random viewer with a random stream, taken off so that match is about 0 on average. */
const MATCH_MEAN = -0.1;

/**
 * Satisfaction: net positive exposure as in RecSim's long-term-satisfaction environment (Ie et al. 2019,
 * arXiv:1909.04847): NPE' = memory * NPE + experience + noise. A slate with nothing to click counts too, but fades less
 * of the past. Sizes set by hand.
 */
const MEMORY = 0.7;
const EXPERIENCE = { engaged: 0.35, bounce: -0.35, quality: 0.2, match: 0.5, clickbait: -1.3, noise: 0.1 } as const;
const MEMORY_OF_IGNORED = 0.9;
const EXPERIENCE_OF_IGNORED = -0.15;

/**
 * Temper: the patience of a session. Terms after KuaiSim (Zhao et al. 2023, arXiv:2309.12645), sizes by hand. Each stream
 * that is looked at costs, so that slates of any length tire alike: four of six are looked at when none is clicked, which
 * then come to 0.6 for the request and 1 for the ignored slate.
 */
const TEMPER = { least: 3, spread: 2, look: 0.15, ignored: 0.25, bounce: 0.5, minute: 1 / 12, engaged: 0.35 } as const;
/** An empty page tires as much as a slate of which nothing was clicked. */
const LOOKS_OF_NOTHING = 4;

/** How fast recent watching fades, as to the next return. Set by hand. */
const GAP_RECENCY = 12 * HOUR;
/** A viewer who stays away longer than this is lost. */
const CHURN_MIN = 14 * DAY;
const CHURN_SPREAD = 16 * DAY;

/** Boredom with a category: per hour watched, and how fast it passes. */
const BOREDOM_PER_MINUTE = 1 / 60;
const BOREDOM_MAX = 2;
const BOREDOM_TIME = 24 * HOUR;
/** Loyalty to a streamer is 0.5 log(1 + minutes / 10), and minutes fade with this time constant. */
const LOYALTY_MINUTES = 10;
const LOYALTY_TIME = 10 * DAY;
const LOYALTY_MAX = 2;
/** Minutes that a follow is worth. */
const FOLLOW_MINUTES = 60;
/**
 * Chance, per unit of loyalty, that a viewer who wants to watch goes straight to a favourite who is on air, without
 * looking at a slate; a favourite is one with at least so many minutes, as they fade. Set by hand to give the repeats and
 * the loyalty that were measured.
 */
const SEEKS = 1.5;
const FAVOURITE_MINUTES = 3;

/**
 * Gifts: how often viewers give, relative to the mean, and how much more often to the first streamer who got one than to
 * any other afterwards. Set by hand to give the concentration and the loyalty of KuaiLive.
 */
const GENEROSITY_MEDIAN = 0.2;
const GENEROSITY_SIGMA = 2.7;
/** Deviation of the logarithm of what viewers can give. */
const PURSE_SIGMA = 2;
const PATRON = 3;
const NOT_PATRON = 0.3;

/** Interests move by this much of the way in a session, at random and back to the viewer's nature. */
const DRIFT = 0.06;
const DRIFT_BACK = 0.1;
/** Interests move by alpha(x) = -0.3 |x| + 0.3 with a visit (RecSim's interest evolution), here scaled down. */
const DRIFT_OF_VISIT = 0.3;
const VISIT_STEP = 0.2;

/** Whether a click becomes a visit or a bounce. */
export type Outcome = "engaged" | "bounce";

/** The result of a click. */
export interface Visit {
  readonly outcome: Outcome;
  /** Milliseconds, before the end of the stream or of the day cuts it. */
  readonly wantedMs: number;
}

/** Something that fades since a time. */
interface Fading {
  level: number;
  time: number;
}

interface Affinity extends Fading {
  /** The session in which the streamer was last visited. */
  session: number;
}

function fading(elapsed: number, constant: number): number {
  return exp(-elapsed / constant);
}

/** Somebody who watches. All but `id` and `traits`, without their leaning, is hidden from policies. */
export class Viewer {
  readonly index: number;
  readonly id: Id;
  readonly traits: Traits;
  readonly friends: Viewer[] = [];
  /** The stream that the viewer is in at the moment. */
  watching: Stream | undefined;
  /** Scales how often they come; median 1. */
  readonly activity: number;
  /** A gap above this, milliseconds, is the last. */
  readonly churnsAfter: number;
  /** Scales how often they give. Heavy-tailed: a few viewers give most of the gifts. */
  readonly generosity: number;
  /** Scales the amounts of their gifts; median 1. */
  readonly purse: number;
  /** Present interest in each topic, [-1, 1]. */
  readonly interest: Float64Array;
  /** Patience left in this session, which ends at 0. */
  temper = 0;
  /** When the last session ended; undefined before. */
  leftAt: number | undefined;
  /** Whether the viewer will never come again. */
  isGone = false;
  /** Sessions so far. */
  sessions = 0;
  /** Times in this session that the viewer wanted something to watch. */
  wants = 0;
  readonly #causes: Causes;
  readonly #returns: Returns;
  readonly #nature: Float64Array;
  readonly #boredom = new Map<number, Fading>();
  readonly #affinities = new Map<Streamer, Affinity>();
  readonly #followed = new Set<Streamer>();
  #patronOf: Streamer | undefined;
  #exposure = 0;
  #recentMinutes = 0;
  #recentAt = 0;

  constructor(seed: number, index: number, causes: Causes, returns: Returns) {
    const random = Random.named(seed, "viewer", index);
    this.#causes = causes;
    this.#returns = returns;
    this.index = index;
    this.id = `viewer-${index}`;
    this.activity = lognormal(random, 1, returns.activitySigma);
    this.churnsAfter = CHURN_MIN + CHURN_SPREAD * random.uniform();
    this.generosity = lognormal(random, GENEROSITY_MEDIAN, GENEROSITY_SIGMA);
    this.traits = drawTraits(Random.named(seed, "traits", index));
    this.#nature = Float64Array.from(
      TOPICS,
      (_, topic) => -0.25 + 0.25 * random.normal() + this.traits.leaning[topic]!,
    );
    for (let liked = 0; liked < 3; liked++) this.#nature[random.below(TOPICS.length)] = 0.5 + 0.5 * random.uniform();
    for (let i = 0; i < TOPICS.length; i++) this.#nature[i] = Math.min(1, Math.max(-1, this.#nature[i]!));
    this.interest = Float64Array.from(this.#nature);
    this.purse = lognormal(random, 1, PURSE_SIGMA);
  }

  /** Satisfaction in (-2, 2). */
  get satisfaction(): number {
    return satisfactionOf(this.#exposure);
  }

  /** How well a stream fits, about 0 on average. */
  match(stream: Stream): number {
    let dot = 0;
    for (let i = 0; i < TOPICS.length; i++) dot += this.interest[i]! * stream.topics[i]!;
    return MATCH_SCALE * dot - MATCH_MEAN;
  }

  /** How attached the viewer is to a streamer, [0, 2]. */
  loyalty(streamer: Streamer, now: number): number {
    const affinity = this.#affinities.get(streamer);
    if (affinity === undefined) return 0;
    const minutes = affinity.level * fading(now - affinity.time, LOYALTY_TIME);
    return Math.min(LOYALTY_MAX, 0.5 * log1p(minutes / LOYALTY_MINUTES));
  }

  /** Whether the viewer has ever visited the streamer. */
  knows(streamer: Streamer): boolean {
    return this.#affinities.has(streamer);
  }

  /** How tired the viewer is of a category, [0, 2]. */
  boredom(category: number, now: number): number {
    const boredom = this.#boredom.get(category);
    return boredom === undefined ? 0 : boredom.level * fading(now - boredom.time, BOREDOM_TIME);
  }

  /** Whether the stream is in another language than the viewer's. */
  foreign(stream: Stream): number {
    return stream.streamer.language === this.traits.language ? 0 : 1;
  }

  /** Whether the stream fits now by every cause that the viewers of this platform follow; true where there is none. */
  fits(stream: Stream): boolean {
    return this.#causes.fits(this, stream);
  }

  /** Whether a friend is in the stream. */
  #friendIn(stream: Stream): number {
    for (const friend of this.friends) if (friend.watching === stream) return 1;
    return 0;
  }

  /** Chance of a click on a stream that the viewer looks at. */
  clickProbability(stream: Stream, now: number): number {
    return sigmoid(
      APPEAL.base +
        APPEAL.match * this.match(stream) +
        APPEAL.loyalty * this.loyalty(stream.streamer, now) +
        APPEAL.audience * (log1p(stream.published) - TYPICAL_LOG_AUDIENCE) +
        APPEAL.clickbait * (stream.streamer.clickbait - 0.5) +
        APPEAL.excitement * stream.excitement -
        APPEAL.boredom * this.boredom(stream.category, now) +
        APPEAL.foreign * this.foreign(stream) +
        APPEAL.friend * this.#friendIn(stream) +
        APPEAL.cause * this.#causes.inclination(this, stream),
    );
  }

  /** Chance that a click becomes a visit, not a bounce. */
  engagedProbability(stream: Stream, now: number): number {
    return sigmoid(
      ENGAGEMENT.base +
        ENGAGEMENT.match * this.match(stream) +
        ENGAGEMENT.quality * stream.streamer.quality +
        ENGAGEMENT.loyalty * this.loyalty(stream.streamer, now) +
        ENGAGEMENT.excitement * stream.excitement -
        ENGAGEMENT.boredom * this.boredom(stream.category, now) +
        ENGAGEMENT.foreign * this.foreign(stream) +
        ENGAGEMENT.cause * this.#causes.inclination(this, stream),
    );
  }

  /** Mean minutes of an engaged visit, cut by the end of the stream. */
  engagedMinutes(stream: Stream, now: number): number {
    const limit = Math.min(WATCH_MAX, stream.end - now);
    const median = ENGAGED_MEDIAN * exp(LENGTH_OF_MATCH * this.match(stream));
    const z = log(limit / median) / ENGAGED_SIGMA;
    const mean = median * exp((ENGAGED_SIGMA * ENGAGED_SIGMA) / 2);
    return (mean * normalBelow(z - ENGAGED_SIGMA) + limit * (1 - normalBelow(z))) / MINUTE;
  }

  /** By how much more a visit changes satisfaction than an ignored slate does, without its noise. */
  satisfactionChange(stream: Stream, outcome: Outcome): number {
    const visited = MEMORY * this.#exposure + this.#experience(stream, outcome);
    return satisfactionOf(visited) - satisfactionOf(this.#exposureIgnored());
  }

  /**
   * The favourite on air to whom the viewer goes without a slate, if any; each at most once a session. Draws one number for
   * each favourite who could be visited.
   */
  seek(now: number, random: Random): Stream | undefined {
    for (const [streamer, affinity] of this.#affinities) {
      const { live } = streamer;
      if (live === undefined || affinity.session === this.sessions || affinity.level < FAVOURITE_MINUTES) continue;
      if (random.bernoulli(SEEKS * this.loyalty(streamer, now))) return live;
    }
    return undefined;
  }

  /**
   * The position that the viewer clicks, or -1; each look costs temper. Draws two numbers for each position, clicked or
   * not.
   */
  examine(slate: readonly Stream[], now: number, random: Random): number {
    let clicked = -1;
    let seen = 1;
    let looked = slate.length === 0 ? LOOKS_OF_NOTHING : 0;
    for (let position = 0; position < slate.length; position++) {
      const looks = random.bernoulli(seen);
      const likes = random.uniform();
      if (clicked < 0 && looks) {
        looked++;
        if (likes < this.clickProbability(slate[position]!, now)) clicked = position;
      }
      seen *= EXAMINATION;
    }
    this.temper -= TEMPER.look * looked;
    if (clicked < 0) this.#ignore(looked);
    return clicked;
  }

  /** Draws the result of a click. */
  visit(stream: Stream, now: number, random: Random): Visit {
    const engaged = random.bernoulli(this.engagedProbability(stream, now));
    const length = engaged
      ? lognormal(random, ENGAGED_MEDIAN, ENGAGED_SIGMA)
      : lognormal(random, BOUNCE_MEDIAN, BOUNCE_SIGMA);
    const wantedMs = Math.min(WATCH_MAX, length * exp(LENGTH_OF_MATCH * this.match(stream)));
    return { outcome: engaged ? "engaged" : "bounce", wantedMs };
  }

  /** A session begins. */
  arrive(random: Random): void {
    this.sessions++;
    this.wants = 0;
    this.temper = TEMPER.least + TEMPER.spread * random.uniform();
    for (let i = 0; i < TOPICS.length; i++) {
      const back = DRIFT_BACK * (this.#nature[i]! - this.interest[i]!);
      this.#move(i, back + DRIFT * random.normal());
    }
  }

  /** The viewer clicked on nothing. */
  #ignore(looked: number): void {
    this.temper -= TEMPER.ignored * looked;
    this.#exposure = this.#exposureIgnored();
  }

  /** By how much more or less than `generosity` the viewer gives to this streamer. */
  devotion(streamer: Streamer): number {
    if (this.#patronOf === undefined) return this.generosity;
    return this.generosity * (this.#patronOf === streamer ? PATRON : NOT_PATRON);
  }

  give(streamer: Streamer): void {
    this.#patronOf ??= streamer;
  }

  follows(streamer: Streamer): boolean {
    return this.#followed.has(streamer);
  }

  /** Follows a streamer whom friends follow, without having watched: that attaches the viewer to nobody. */
  followFriends(streamer: Streamer): void {
    this.#followed.add(streamer);
  }

  follow(streamer: Streamer, now: number): void {
    this.#followed.add(streamer);
    this.#attach(streamer, FOLLOW_MINUTES, now);
  }

  /** Ends a visit: updates temper, satisfaction, loyalty, boredom and interests. */
  leave(stream: Stream, outcome: Outcome, watchMs: number, now: number, random: Random): void {
    const minutes = watchMs / MINUTE;
    this.#exposure = MEMORY * this.#exposure + this.#experience(stream, outcome) + EXPERIENCE.noise * random.normal();
    this.temper -= TEMPER.minute * minutes;
    if (outcome === "engaged") this.temper += TEMPER.engaged * (1 + 0.3 * tanh(this.satisfaction));
    else this.temper -= TEMPER.bounce;
    this.#attach(stream.streamer, minutes, now);
    this.#recentMinutes = this.#recentMinutes * fading(now - this.#recentAt, GAP_RECENCY) + minutes;
    this.#recentAt = now;
    const bored = this.boredom(stream.category, now) + BOREDOM_PER_MINUTE * minutes;
    this.#boredom.set(stream.category, { level: Math.min(BOREDOM_MAX, bored), time: now });
    if (outcome === "engaged") this.#evolve(stream, random);
  }

  /** Mean time, in milliseconds of mean activity, until the next session. */
  meanGap(now: number): number {
    const recent = this.#recentMinutes * fading(now - this.#recentAt, GAP_RECENCY);
    return this.#returns.meanGap(this.activity, this.satisfaction, recent);
  }

  /** The exposure that a visit adds. */
  #experience(stream: Stream, outcome: Outcome): number {
    const { quality, clickbait } = stream.streamer;
    const promise = EXPERIENCE.clickbait * (clickbait - 0.5);
    if (outcome === "bounce") return EXPERIENCE.bounce + promise;
    return EXPERIENCE.engaged + EXPERIENCE.quality * quality + EXPERIENCE.match * this.match(stream) + promise;
  }

  #exposureIgnored(): number {
    return MEMORY_OF_IGNORED * this.#exposure + EXPERIENCE_OF_IGNORED;
  }

  #attach(streamer: Streamer, minutes: number, now: number): void {
    const affinity = this.#affinities.get(streamer);
    if (affinity === undefined) {
      this.#affinities.set(streamer, { level: minutes, time: now, session: this.sessions });
      return;
    }
    affinity.level = affinity.level * fading(now - affinity.time, LOYALTY_TIME) + minutes;
    affinity.time = now;
    affinity.session = this.sessions;
  }

  /** Interest in what was watched grows or shrinks: towards where it is, more often than not. */
  #evolve(stream: Stream, random: Random): void {
    for (let i = 0; i < TOPICS.length; i++) {
      if (stream.topics[i] === 0) continue;
      const x = this.interest[i]!;
      const step = VISIT_STEP * DRIFT_OF_VISIT * (1 - Math.abs(x)) * stream.topics[i]!;
      this.#move(i, random.bernoulli((x + 1) / 2) ? step : -step);
    }
  }

  #move(topic: number, step: number): void {
    this.interest[topic] = Math.min(1, Math.max(-1, this.interest[topic]! + step));
  }
}

function satisfactionOf(exposure: number): number {
  return 4 * sigmoid(exposure) - 2;
}

/** P(Z < z) for a standard normal Z, by the logistic approximation; within 0.01 (Bowling et al. 2009). */
function normalBelow(z: number): number {
  return sigmoid(z * (1.5976 + 0.07056 * z * z));
}
