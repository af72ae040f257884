import { above, between, checked, nonNegative, oneOf, type Rule, type Rules } from "../../check/index.js";
import { log1p } from "../../numeric/index.js";
import { BOUNCE_MS, ENGAGED_MS, type FeedbackEvent, MINUTE } from "../../protocol/index.js";
import type { WatchTime } from "../state/index.js";

/** A user's actions so far in one shown stream. */
export interface Outcome {
  clicked: boolean;
  /** Milliseconds watched; undefined until a watch ends. */
  watchMs: number | undefined;
  /** The stream went off air before the user left: the full length of the watch is unknown. */
  cut: boolean;
  likes: number;
  comments: number;
  shares: number;
  follows: number;
  dislikes: number;
  /** Sum over the ratings of 2 * rating - 1: each from -1, the worst, to 1, the best. */
  ratings: number;
  /** Sum of the gifts, in the platform's currency. */
  gifts: number;
}

/** Weights of the reward, all in [0, 1000]. */
export interface RewardOptions {
  /** For the click itself. Default 0: a click is little evidence of staying, and clickbait must not pay. */
  click: number;
  /** For the transformed minutes watched. Default 1. */
  watch: number;
  /**
   * `log1p`: log(1 + minutes), for watch times with a 99th percentile a thousand times the median; `linear`:
   * minutes / 10, when the sum of minutes is the goal. Default `log1p`.
   */
  transform: "log1p" | "linear";
  /** Minutes beyond which a watch adds no reward. Default 240. */
  capMinutes: number;
  /** For each like. Default 0.2. */
  like: number;
  /** For each comment. Default 0.2. */
  comment: number;
  /** For each share. Default 0.5. */
  share: number;
  /** For each follow. Default 1. */
  follow: number;
  /** For the best rating, and subtracted for the worst. Default 0.5. */
  rating: number;
  /** For log(1 + amount of the gifts). Default 0.2. */
  gift: number;
  /** Subtracted when the user left within `bounceMs` while the stream was on air. Default 1. */
  bounce: number;
  /** Milliseconds below which a watch is a bounce. Default 5000. */
  bounceMs: number;
  /** Subtracted for each dislike. Default 1. */
  dislike: number;
}

const DEFAULTS: RewardOptions = {
  click: 0,
  watch: 1,
  transform: "log1p",
  capMinutes: 240,
  like: 0.2,
  comment: 0.2,
  share: 0.5,
  follow: 1,
  rating: 0.5,
  gift: 0.2,
  bounce: 1,
  bounceMs: BOUNCE_MS,
  dislike: 1,
};

const weight: Rule = between(0, 1000);

const TABLE: Rules<RewardOptions> = {
  click: weight,
  watch: weight,
  transform: oneOf("log1p", "linear"),
  capMinutes: above(0, 1e6),
  like: weight,
  comment: weight,
  share: weight,
  follow: weight,
  rating: weight,
  gift: weight,
  bounce: weight,
  bounceMs: nonNegative,
  dislike: weight,
};

/** Linear watch time is counted in tens of minutes, so that both transforms give values of a similar size. */
const LINEAR_UNIT = 10;

/** Most likes, comments, shares or dislikes of one user in one stream that count: only a script sends more. */
const REPEATS_MAX = 10;
const GIFT_MAX = 1e9;

const TALLY = { like: "likes", comment: "comments", share: "shares", follow: "follows", dislike: "dislikes" } as const;

function capped(times: number): number {
  return Math.min(times, REPEATS_MAX);
}

/** A watch that the end of the stream cut below this tells nothing of it, milliseconds. */
export const ENGAGED_UNKNOWN: number = ENGAGED_MS;

/** An outcome without actions. */
export function emptyOutcome(): Outcome {
  return {
    clicked: false,
    watchMs: undefined,
    cut: false,
    likes: 0,
    comments: 0,
    shares: 0,
    follows: 0,
    dislikes: 0,
    ratings: 0,
    gifts: 0,
  };
}

/**
 * Records an event in the outcome of a shown stream.
 *
 * @param watch - The length of a watch, and whether it was cut. Default: the event's `watchMs`, not cut.
 */
export function record(outcome: Outcome, event: FeedbackEvent, watch?: WatchTime): void {
  switch (event.kind) {
    case "impression":
      break;
    case "click":
      outcome.clicked = true;
      break;
    case "watch":
      // Two visits of one stream count as one of their summed length.
      outcome.clicked = true;
      outcome.watchMs = (outcome.watchMs ?? 0) + (watch?.watchMs ?? event.watchMs);
      outcome.cut = watch?.isCut ?? false;
      break;
    case "rating":
      outcome.ratings += 2 * event.rating - 1;
      break;
    case "gift":
      outcome.gifts += event.amount;
      break;
    default:
      outcome[TALLY[event.kind]]++;
  }
}

/**
 * Whether the user left at once while the stream was on air: a watch cut short by the end of the stream is no bounce.
 */
export function isBounce(outcome: Outcome, bounceMs: number): boolean {
  return outcome.watchMs !== undefined && outcome.watchMs < bounceMs && !outcome.cut;
}

/** Turns outcomes into rewards by declared weights. */
export class Reward {
  readonly options: Readonly<RewardOptions>;

  /** @throws {RangeError} when an option is unknown or out of its range. */
  constructor(options: Partial<RewardOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "reward.");
  }

  /** The reward of one shown stream: 0 without actions, always finite. */
  of(outcome: Outcome): number {
    const w = this.options;
    const minutes = Math.min((outcome.watchMs ?? 0) / MINUTE, w.capMinutes);
    let reward = w.watch * (w.transform === "log1p" ? log1p(minutes) : minutes / LINEAR_UNIT);
    if (outcome.clicked) reward += w.click;
    if (isBounce(outcome, w.bounceMs)) reward -= w.bounce;
    reward += w.like * capped(outcome.likes) + w.comment * capped(outcome.comments);
    reward += w.share * capped(outcome.shares) + w.follow * capped(outcome.follows);
    reward += w.rating * Math.max(-REPEATS_MAX, capped(outcome.ratings));
    reward += w.gift * log1p(Math.min(outcome.gifts, GIFT_MAX)) - w.dislike * capped(outcome.dislikes);
    return reward;
  }
}
