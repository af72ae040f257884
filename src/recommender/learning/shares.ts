import { mustBe, positiveInteger } from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import type { FeedbackEvent, Id, LiveEvent, LoggedDecision } from "../../protocol/index.js";
import { Watches, type WatchTime, watchTimeOf } from "../state/index.js";
import { enteredOf, taughtBy } from "./objective.js";
import {
  type ClosedDecision,
  type NextState,
  Pending,
  type PendingOptions,
  type ShownStream,
  TIMES_LIMIT,
} from "./pending.js";

/** In the simulator, learning far more often from the few visits of rare users makes a worse policy. [set by hand] */
const TIMES_MAX = 3;
const NOTHING = new Float32Array(0);
const NOWHERE: NextState = { time: 0, observation: NOTHING, candidates: NOTHING };

/**
 * Number of times to learn from each decision of a log so that all users have an equal share in learning, as if each
 * update drew a user, then one of the user's transitions. Otherwise frequent users own the model.
 *
 * It needs two passes over the log: first `count` pairs decisions with their feedback as a recommender does, and counts
 * the transitions of each user; then `times` gives the number for each decision. A user with n of the N transitions of
 * U users has N / (U n) of each on average, at most `timesMax`: users with less than a share of 1 / timesMax have less.
 * Fractions are drawn by the name of the decision, so that a resumed run draws the same. The bound on decisions of one
 * user in a window (`profile.decisionsPerWindow`) is not counted here.
 */
export class UserShares {
  readonly #seed: number;
  readonly #timesMax: number;
  readonly #pending: Pending;
  readonly #watches: Watches;
  readonly #onAir = new Set<Id>();
  /** Each user's place in `#transitions`. */
  readonly #places = new Map<Id, number>();
  readonly #transitions: number[] = [];
  #total = 0;
  #users = 0;

  /**
   * @param seed - Seed of the draws, a safe integer.
   * @param pending - The `pending` options of the recommender that will learn. Default: the defaults.
   * @param timesMax - Most times to learn from a decision, an integer >= 1; Infinity for as many as the recommender takes. Default 3.
   * @throws RangeError when one of these is out of its range, TypeError for an unknown option of `pending`.
   */
  constructor(seed: number, pending: Partial<PendingOptions> = {}, timesMax: number = TIMES_MAX) {
    if (timesMax !== Infinity && !positiveInteger[0](timesMax)) throw mustBe("timesMax", positiveInteger[1], timesMax);
    this.#seed = seed;
    this.#timesMax = timesMax;
    // The observation of a decision is only the place of its user.
    this.#pending = new Pending(pending);
    this.#watches = new Watches(this.#pending.options.beatTimeoutMs);
  }

  /** Transitions counted, and users with at least one. */
  get counted(): { transitions: number; users: number } {
    return { transitions: this.#total, users: this.#users };
  }

  /**
   * Counts an event or a decision; call it in order of time.
   *
   * @param now - The time at its place in the log, as for `Recommender.feedback`. Default: the entry's.
   */
  count(entry: LiveEvent | LoggedDecision, now: number = entry.time): void {
    for (const ended of this.#watches.expire(now)) this.#take(ended, now);
    if ("kind" in entry) {
      const { ended, isTaken } = this.#watches.take(entry, now);
      for (const watch of ended) this.#take(watch, now);
      this.#add(this.#pending.expire(now));
      if ("user" in entry && "stream" in entry) {
        if (isTaken) this.#take(entry, now);
      } else if (entry.kind === "on_air") this.#onAir.add(entry.stream);
      else if (entry.kind === "off_air") this.#onAir.delete(entry.stream);
      return;
    }
    const { id, user, time } = entry;
    if (this.#pending.has(id)) return;
    for (const ended of this.#watches.leave(user)) this.#take(ended, time);
    this.#add(this.#pending.expire(now));
    this.#add(this.#pending.next(user, NOWHERE));
    const slate = entry.slate.filter((stream) => this.#onAir.has(stream));
    const observation = Float32Array.of(this.#placeOf(user));
    if (slate.length > 0) this.#add(this.#pending.add({ id, user, time, slate, observation, candidates: NOTHING }));
  }

  /** Number of times to learn from a counted decision, an integer >= 0, for `Recommender.recordDecision`. */
  times({ id, user }: Pick<LoggedDecision, "id" | "user">): number {
    const place = this.#places.get(user);
    const own = place === undefined ? 0 : this.#transitions[place]!;
    if (own === 0) return 1;
    const mean = Math.min(this.#total / (this.#users * own), this.#timesMax, TIMES_LIMIT);
    const whole = Math.floor(mean);
    return whole + (Random.named(this.#seed, "draw", user, id).bernoulli(mean - whole) ? 1 : 0);
  }

  #take(event: FeedbackEvent, now: number): void {
    const shown = this.#pending.find(event);
    if (shown === undefined || event.kind === "heartbeat") return;
    this.#add(this.#pending.take(shown, event, this.#watchOf(event, shown), now));
  }

  #watchOf(event: FeedbackEvent, { decision }: ShownStream): WatchTime | undefined {
    return event.kind === "watch" ? watchTimeOf(event, decision.time, this.#onAir.has(event.stream)) : undefined;
  }

  #placeOf(user: Id): number {
    const known = this.#places.get(user);
    if (known !== undefined) return known;
    this.#places.set(user, this.#transitions.length);
    return this.#transitions.push(0) - 1;
  }

  #add(closed: readonly ClosedDecision[]): void {
    for (const { decision } of closed) {
      const place = decision.observation[0]!;
      const transitions = taughtBy(enteredOf(decision.outcomes, this.#pending.options.awaitWatch)).length;
      if (transitions === 0) continue;
      if (this.#transitions[place] === 0) this.#users++;
      this.#transitions[place]! += transitions;
      this.#total += transitions;
    }
  }
}
