import {
  above,
  between,
  callback,
  checked,
  group,
  mustBe,
  nonNegative,
  oneOf,
  optional,
  type Rule,
  type Rules,
} from "../../check/index.js";
import { log1p, tanh } from "../../numeric/index.js";
import { BOUNCE_MS, ENGAGED_MS, type FeedbackEvent, MINUTE } from "../../protocol/index.js";
import type { WatchTime } from "../state/index.js";

/** A user's actions so far in one shown stream. */
export interface Outcome {
  /** The user entered it: clicked or watched it, or did anything else in it but dislike it. */
  clicked: boolean;
  /** A click came, and no watch yet. */
  waits: boolean;
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
  /** Sum of the purchases, in the platform's currency. */
  purchases: number;
  /** Sum of the values of each signal, by name: of the signals that the reward declares, as far as they came. */
  signals: Readonly<Record<string, number>>;
}

/** How a signal of the platform's own counts in the reward. */
export interface SignalOptions {
  /** For the transformed sum of its values, in [-1000, 1000]; 0: known to a function of your own alone. Default 1. */
  weight: number;
  /**
   * Of the sum s of its values: `linear`: s; `log1p`: sign(s) * log(1 + |s|), for amounts; `tanh`: tanh(s), in (-1, 1).
   * Default `linear`.
   */
  transform: "linear" | "log1p" | "tanh";
  /** Largest absolute sum that counts, in (0, 1e6]. Default 100. */
  cap: number;
}

/** Weights of the reward, all in [0, 1000]. */
export interface RewardOptions {
  /** For the entry itself. Default 0: a click is little evidence of staying, and clickbait must not pay. */
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
  /** For log(1 + amount of the purchases). Default 1. */
  purchase: number;
  /** How each signal counts, by name, 32 at most; signals without a name here count nowhere. Default none. */
  signals: Readonly<Record<string, Partial<SignalOptions>>>;
  /**
   * A function of your own: its result for an outcome, in [-1e6, 1e6], is added to the declared sum. It must give the
   * same for the same outcome. A file cannot hold it: `Recommender.load` must be given it. Default none.
   */
  of?: ((outcome: Readonly<Outcome>) => number) | undefined;
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
  purchase: 1,
  signals: {},
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
  purchase: weight,
  signals: group,
  of: optional(callback),
  bounce: weight,
  bounceMs: nonNegative,
  dislike: weight,
};

const SIGNAL_DEFAULTS: SignalOptions = { weight: 1, transform: "linear", cap: 100 };

const SIGNAL_TABLE: Rules<SignalOptions> = {
  weight: between(-1000, 1000),
  transform: oneOf("linear", "log1p", "tanh"),
  cap: above(0, 1e6),
};

const SIGNALS_MAX = 32;
const NAME_MAX = 64;
/** Largest absolute result of a function of one's own: beyond it no network learns anything. */
const OWN_MAX = 1e6;

/** Linear watch time is counted in tens of minutes, so that both transforms give values of a similar size. */
const LINEAR_UNIT = 10;

/** Most likes, comments, shares or dislikes of one user in one stream that count: only a script sends more. */
const REPEATS_MAX = 10;
const AMOUNT_MAX = 1e9;

const TALLY = { like: "likes", comment: "comments", share: "shares", follow: "follows", dislike: "dislikes" } as const;

function capped(times: number): number {
  return Math.min(times, REPEATS_MAX);
}

/** A watch that the end of the stream cut below this tells nothing of it, milliseconds. */
export const ENGAGED_UNKNOWN: number = ENGAGED_MS;
/** The signals of most outcomes: shared, and replaced, not written, by `record`. */
const NONE: Outcome["signals"] = Object.freeze({});

/** An outcome without actions. */
export function emptyOutcome(): Outcome {
  return {
    clicked: false,
    waits: false,
    watchMs: undefined,
    cut: false,
    likes: 0,
    comments: 0,
    shares: 0,
    follows: 0,
    dislikes: 0,
    ratings: 0,
    gifts: 0,
    purchases: 0,
    signals: NONE,
  };
}

const EMPTY = Object.freeze(emptyOutcome());

/** What an outcome has that the empty one has not. */
export function changedOf(outcome: Outcome): Partial<Outcome> {
  const changed: Partial<Record<keyof Outcome, unknown>> = {};
  for (const name in outcome) {
    const key = name as keyof Outcome;
    if (outcome[key] !== EMPTY[key]) changed[key] = outcome[key];
  }
  return changed as Partial<Outcome>;
}

/** A sum of amounts that stays finite, as a file holds finite numbers only. */
function added(sum: number, amount: number): number {
  return Math.min(sum + amount, Number.MAX_VALUE);
}

/** Whether the user did more in a stream than enter, watch and dislike it, of any worth. */
export function hasActed(outcome: Outcome): boolean {
  const { likes, comments, shares, follows, ratings, gifts, purchases, signals } = outcome;
  for (const _ in signals) return true;
  return likes + comments + shares + follows + gifts + purchases > 0 || ratings !== 0;
}

/**
 * Records an event in the outcome of a shown stream. Of signals give it those alone that the reward counts.
 *
 * Whoever buys, likes, comments, shares, follows, rates, gives or signals has entered, with or without a click; a
 * dislike may be of the mere title.
 *
 * @param watch - The length of a watch, and whether it was cut. Default: the event's `watchMs`, not cut.
 */
export function record(outcome: Outcome, event: FeedbackEvent, watch?: WatchTime): void {
  if (event.kind === "impression" || event.kind === "heartbeat") return;
  if (event.kind !== "dislike") outcome.clicked = true;
  switch (event.kind) {
    case "click":
      outcome.waits = outcome.watchMs === undefined;
      break;
    case "watch":
      // Two visits of one stream count as one of their summed length.
      outcome.waits = false;
      outcome.watchMs = (outcome.watchMs ?? 0) + (watch?.watchMs ?? event.watchMs);
      outcome.cut = watch?.isCut ?? false;
      break;
    case "rating":
      outcome.ratings += 2 * event.rating - 1;
      break;
    case "gift":
      outcome.gifts = added(outcome.gifts, event.amount);
      break;
    case "purchase":
      outcome.purchases = added(outcome.purchases, event.amount);
      break;
    case "signal": {
      const sum = Object.hasOwn(outcome.signals, event.name) ? outcome.signals[event.name]! : 0;
      outcome.signals = { ...outcome.signals, [event.name]: sum + event.value };
      break;
    }
    default:
      outcome[TALLY[event.kind]]++;
  }
}

/**
 * Whether the user left at once while the stream was on air: a watch cut short by the end of the stream is no bounce,
 * nor is one in which the user bought.
 */
export function isBounce(outcome: Outcome, bounceMs: number): boolean {
  return outcome.watchMs !== undefined && outcome.watchMs < bounceMs && !outcome.cut && outcome.purchases === 0;
}

function transformed(sum: number, { transform, cap }: SignalOptions): number {
  const value = Math.max(-cap, Math.min(sum, cap));
  if (transform === "tanh") return tanh(value);
  return transform === "linear" ? value : Math.sign(value) * log1p(Math.abs(value));
}

/** The declared signals with their defaults, in the order of their declaration. */
function checkedSignals(signals: RewardOptions["signals"]): Map<string, SignalOptions> {
  const entries = Object.entries(signals);
  if (Array.isArray(signals) || entries.length > SIGNALS_MAX) {
    const got = Array.isArray(signals) ? signals : entries.length;
    throw mustBe("reward.signals", `an object of at most ${SIGNALS_MAX} signals by name`, got);
  }
  return new Map(
    entries.map(([name, given]) => {
      if (name.length < 1 || name.length > NAME_MAX) {
        throw mustBe("reward.signals", `an object with names of 1 to ${NAME_MAX} characters`, name);
      }
      return [name, checked<SignalOptions>(given, SIGNAL_TABLE, SIGNAL_DEFAULTS, `reward.signals.${name}.`)];
    }),
  );
}

/** Turns outcomes into rewards by declared weights, and a function of one's own. */
export class Reward {
  readonly options: Readonly<RewardOptions>;
  readonly #signals: ReadonlyMap<string, SignalOptions>;

  /** @throws TypeError or RangeError when an option is unknown or out of its range. */
  constructor(options: Partial<RewardOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "reward.");
    this.#signals = checkedSignals(this.options.signals);
  }

  /** Whether an event is part of outcomes: signals are if they are declared, so that an outcome stays small. */
  counts(event: FeedbackEvent): boolean {
    return event.kind !== "signal" || this.#signals.has(event.name);
  }

  /**
   * The reward of one shown stream: always finite, and 0 without actions, a function of one's own apart.
   * @throws RangeError when that function returns anything but a number in [-1e6, 1e6].
   */
  of(outcome: Outcome): number {
    const w = this.options;
    const minutes = Math.min((outcome.watchMs ?? 0) / MINUTE, w.capMinutes);
    let reward = w.watch * (w.transform === "log1p" ? log1p(minutes) : minutes / LINEAR_UNIT);
    if (outcome.clicked) reward += w.click;
    if (isBounce(outcome, w.bounceMs)) reward -= w.bounce;
    reward += w.like * capped(outcome.likes) + w.comment * capped(outcome.comments);
    reward += w.share * capped(outcome.shares) + w.follow * capped(outcome.follows);
    reward += w.rating * Math.max(-REPEATS_MAX, capped(outcome.ratings));
    reward += w.gift * log1p(Math.min(outcome.gifts, AMOUNT_MAX)) - w.dislike * capped(outcome.dislikes);
    reward += w.purchase * log1p(Math.min(outcome.purchases, AMOUNT_MAX));
    for (const [name, signal] of this.#signals) {
      if (Object.hasOwn(outcome.signals, name)) reward += signal.weight * transformed(outcome.signals[name]!, signal);
    }
    return w.of === undefined ? reward : reward + this.#own(w.of, outcome);
  }

  /** The result of a function of one's own, which sees a copy: it cannot change what is learned from later. */
  #own(of: (outcome: Readonly<Outcome>) => number, outcome: Outcome): number {
    const result: unknown = of({ ...outcome, signals: { ...outcome.signals } });
    if (!between(-OWN_MAX, OWN_MAX)[0](result)) {
      throw mustBe("reward.of", `a function to numbers in [-${OWN_MAX}, ${OWN_MAX}]`, result);
    }
    return result as number;
  }
}
