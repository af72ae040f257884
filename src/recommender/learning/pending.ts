import { checked, oneOf, positive, positiveInteger, type Rules } from "../../check/index.js";
import type { Transition } from "../../engine/index.js";
import { pow } from "../../numeric/index.js";
import { DAY, type FeedbackEvent, type Id, MINUTE } from "../../protocol/index.js";
import { type WatchTime, watchTimeOf } from "../state/index.js";
import { emptyOutcome, type Outcome, type Reward, record } from "./reward.js";

export interface PendingOptions {
  /**
   * The shown streams that become transitions. `clicked`: entered streams. As in SlateQ (Ie et al. 2019,
   * arXiv:1905.12767), a value is then the worth of a user's being in the stream, whatever the chance of the click, so
   * that a lure that users leave at once ranks below a stream that holds them. `examined`: also streams that were seen
   * and not entered, with reward 0; their values include the chance of the click. Default `clicked`.
   */
  evidence: "clicked" | "examined";
  /** Milliseconds away that discount as much as one more request does, > 0. Default 24 hours. */
  gapScaleMs: number;
  /** Milliseconds without a request after which a user has left for good, > 0. Default 14 days. */
  timeoutMs: number;
  /** Decisions kept waiting; beyond them the oldest are dropped unlearned. Default 50 000. */
  decisions: number;
}

const DEFAULTS: PendingOptions = {
  evidence: "clicked",
  gapScaleMs: DAY,
  timeoutMs: 14 * DAY,
  decisions: 50_000,
};

const TABLE: Rules<PendingOptions> = {
  evidence: oneOf("clicked", "examined"),
  gapScaleMs: positive,
  timeoutMs: positive,
  decisions: positiveInteger,
};

/** Decisions of one user that may wait for the end of a watch at the same time, in tabs. */
const IN_FLIGHT = 8;

/** A user's next request: its time, its state, and one row for each stream to choose from. */
export interface NextState {
  time: number;
  observation: Float32Array;
  candidates: Float32Array;
}

/** A slate without a known outcome yet. */
export interface PendingDecision {
  readonly id: Id;
  readonly user: Id;
  readonly time: number;
  readonly slate: readonly Id[];
  readonly observation: Float32Array;
  /** One row for each stream of the slate. */
  readonly candidates: Float32Array;
  /** Number of times to learn from it, an integer >= 0. Default 1. */
  readonly times?: number | undefined;
}

/** A transition of the recommender, all inputs dense. */
export type DenseTransition = Transition &
  Record<"observation" | "candidate" | "nextObservation" | "nextCandidates", ArrayLike<number>> & { user?: Id };

/** A decision with a known outcome. */
export interface ClosedDecision {
  readonly user: Id;
  /** One for each stream of the slate that is evidence, at least one. */
  readonly transitions: readonly DenseTransition[];
  /** Number of times to learn from each, an integer >= 1. */
  readonly times: number;
}

/** The pending decision that an event belongs to, and the stream's position in its slate. */
export interface ShownStream {
  readonly decision: PendingDecision;
  readonly position: number;
}

interface Entry extends PendingDecision {
  readonly outcomes: Outcome[];
  /** Positions that the platform reported as shown; undefined without reports: then all count as shown. */
  seen: boolean[] | undefined;
  /** The next state, when the user comes back while a watch of this decision lasts in another tab. */
  next: NextState | undefined;
}

/**
 * Number of positions from the top that count as examined: down to the last click, or all without a click. By the
 * cascade model (Craswell et al. 2008) users read from the top and may not look below their last choice.
 */
export function examined(outcomes: readonly Outcome[]): number {
  for (let position = outcomes.length - 1; position >= 0; position--) {
    if (outcomes[position]!.clicked) return position + 1;
  }
  return outcomes.length;
}

/** T with the length of each float array in its place. */
type Saved<T> = { [K in keyof T]: T[K] extends Float32Array ? number : T[K] };

/** The plain values of `Pending.save`: each float array is replaced by its length; the floats follow in order. */
export interface SavedPending {
  entries: (Omit<Saved<Entry>, "next"> & { next: Saved<NextState> | undefined })[];
  expiresAt: number;
  dropped: number;
  unfinished: number;
}

const NOTHING = new Float32Array(0);

/** No closed decisions. */
const NONE: ClosedDecision[] = [];

function isOpen(outcome: Outcome): boolean {
  return outcome.clicked && outcome.watchMs === undefined;
}

/**
 * Decisions that wait for their feedback.
 *
 * A decision closes at the user's next request, which is its next state, also in a later session: coming back is part
 * of the value. A user who does not come back within the timeout has left, and the value after is 0. A click without an
 * ended watch keeps its decision waiting; without an end, the click yields no transition, good or bad.
 */
export class Pending {
  readonly options: Readonly<PendingOptions>;
  /** Decisions dropped unlearned because there were too many. */
  dropped = 0;
  /** Entered streams dropped unlearned because their watch never ended. */
  unfinished = 0;
  readonly #reward: Reward;
  readonly #gamma: number;
  /** In order of time. */
  readonly #entries = new Map<Id, Entry>();
  readonly #ofUser = new Map<Id, Entry[]>();
  #expiresAt = 0;

  /**
   * @param gamma - Discount of the value of the next request, in [0, 1]; 0 counts the reward alone.
   * @throws TypeError or RangeError when an option is unknown or out of its range.
   */
  constructor(reward: Reward, gamma: number, options: Partial<PendingOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "pending.");
    this.#reward = reward;
    this.#gamma = gamma;
  }

  /** Decisions waiting. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds a decision, in order of time. Returns the decisions that it removes to make room. */
  add(decision: PendingDecision): ClosedDecision[] {
    this.#insert({ ...decision, outcomes: decision.slate.map(emptyOutcome), seen: undefined, next: undefined });
    const { decisions } = this.options;
    if (this.#entries.size <= decisions) return NONE;
    const closed: ClosedDecision[] = [];
    // Drop a sixteenth at once, as `Latest` does.
    for (const oldest of this.#entries.values()) {
      if (this.#entries.size <= decisions - (decisions >> 4)) break;
      this.#remove(oldest);
      if (oldest.next === undefined) this.dropped++;
      else closed.push(...this.#outcomeOf(oldest));
    }
    return closed;
  }

  /** The decision that an event belongs to: the named one, or else the latest that showed the stream (last touch). */
  find(event: FeedbackEvent): ShownStream | undefined {
    const id = "decision" in event ? event.decision : undefined;
    const entries = this.#ofUser.get(event.user) ?? [];
    for (let i = entries.length - 1; i >= 0; i--) {
      const decision = entries[i]!;
      if (id !== undefined && decision.id !== id) continue;
      const position = decision.slate.indexOf(event.stream);
      if (position >= 0) return { decision, position };
    }
    return undefined;
  }

  /**
   * Records an event in the decision found by `find`. Returns that decision if it closes.
   *
   * @param watch - The length of a watch; all watches of one stream together are at most as long as the time since the
   *   decision.
   */
  take({ decision, position }: ShownStream, event: FeedbackEvent, watch?: WatchTime): ClosedDecision[] {
    const entry = decision as Entry;
    if (event.kind === "impression") {
      entry.seen ??= new Array<boolean>(entry.slate.length).fill(false);
      entry.seen[position] = true;
    } else {
      const outcome = entry.outcomes[position]!;
      record(outcome, event, watch);
      if (event.kind === "watch") {
        const all = watchTimeOf({ ...event, watchMs: outcome.watchMs! }, entry.time, !outcome.cut);
        outcome.watchMs = all.watchMs;
        outcome.cut = all.isCut;
      }
    }
    return entry.next === undefined || entry.outcomes.some(isOpen) ? NONE : this.#close(entry);
  }

  has(decision: Id): boolean {
    return this.#entries.has(decision);
  }

  /** Whether decisions of a user wait for the user's next request. */
  waits(user: Id): boolean {
    return this.#ofUser.has(user);
  }

  /** The user came back: `next` is the next state of all waiting decisions. Returns the decisions that close. */
  next(user: Id, next: NextState): ClosedDecision[] {
    const entries = this.#ofUser.get(user);
    if (entries === undefined) return NONE;
    const closed: ClosedDecision[] = [];
    for (const entry of [...entries]) {
      entry.next ??= next;
      if (!entry.outcomes.some(isOpen)) closed.push(...this.#close(entry));
    }
    if (entries.length > IN_FLIGHT) closed.push(...this.#close(entries[0]!));
    return closed;
  }

  /** Closes and returns the decisions that have waited longer than the timeout; checks once a minute. */
  expire(now: number): ClosedDecision[] {
    if (now < this.#expiresAt) return NONE;
    this.#expiresAt = now + MINUTE;
    const closed: ClosedDecision[] = [];
    for (const entry of this.#entries.values()) {
      if (now - entry.time < this.options.timeoutMs) break;
      closed.push(...this.#close(entry));
    }
    return closed;
  }

  /** Drops all decisions of a user, unlearned. */
  forget(user: Id): void {
    for (const entry of [...(this.#ofUser.get(user) ?? [])]) this.#remove(entry);
  }

  /** Plain values; the floats are pushed to `floats`, in the order in which `load` takes them. */
  save(floats: Float32Array[]): SavedPending {
    const entries: SavedPending["entries"] = [];
    const put = (array: Float32Array) => floats.push(array) && array.length;
    for (const entry of this.#entries.values()) {
      const observation = put(entry.observation);
      const candidates = put(entry.candidates);
      const next = entry.next && {
        time: entry.next.time,
        observation: put(entry.next.observation),
        candidates: put(entry.next.candidates),
      };
      entries.push({ ...entry, observation, candidates, next });
    }
    return { entries, expiresAt: this.#expiresAt, dropped: this.dropped, unfinished: this.unfinished };
  }

  /** Restores the values of `save` into an empty table; `floats`: all of them, one after the other. */
  load(saved: SavedPending, floats: Float32Array): void {
    let at = 0;
    const take = (length: number) => {
      at += length;
      return floats.slice(at - length, at);
    };
    for (const entry of saved.entries) {
      const observation = take(entry.observation);
      const candidates = take(entry.candidates);
      const next = entry.next && {
        time: entry.next.time,
        observation: take(entry.next.observation),
        candidates: take(entry.next.candidates),
      };
      const { id, user, time, slate, times, seen } = entry;
      // JSON omits undefined fields: put back in their places, they keep later saves the same bytes.
      const outcomes = entry.outcomes.map((outcome) => ({ ...emptyOutcome(), ...outcome }));
      this.#insert({ id, user, time, slate, observation, candidates, times, outcomes, seen, next });
    }
    this.#expiresAt = saved.expiresAt;
    this.dropped = saved.dropped;
    this.unfinished = saved.unfinished;
  }

  #insert(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    const entries = this.#ofUser.get(entry.user);
    if (entries === undefined) this.#ofUser.set(entry.user, [entry]);
    else entries.push(entry);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.id);
    const entries = this.#ofUser.get(entry.user)!;
    entries.splice(entries.indexOf(entry), 1);
    if (entries.length === 0) this.#ofUser.delete(entry.user);
  }

  #close(entry: Entry): ClosedDecision[] {
    this.#remove(entry);
    return this.#outcomeOf(entry);
  }

  /**
   * The decision with a transition for each stream that is evidence with a known outcome; empty without transitions.
   */
  #outcomeOf(entry: Entry): ClosedDecision[] {
    const { user, outcomes, seen, next, times = 1 } = entry;
    const size = entry.candidates.length / Math.max(outcomes.length, 1);
    const isAll = this.options.evidence === "examined";
    const depth = examined(outcomes);
    const discount = next === undefined ? 0 : this.#discount(entry, next);
    const transitions: DenseTransition[] = [];
    for (const [position, outcome] of outcomes.entries()) {
      if (!outcome.clicked && (!isAll || position >= depth || seen?.[position] === false)) continue;
      if (isOpen(outcome)) {
        this.unfinished++;
        continue;
      }
      transitions.push({
        user,
        observation: entry.observation,
        candidate: entry.candidates.subarray(position * size, (position + 1) * size),
        reward: this.#reward.of(outcome),
        terminated: next === undefined,
        nextObservation: next?.observation ?? entry.observation,
        nextCandidates: next?.candidates ?? NOTHING,
        discount,
      });
    }
    return transitions.length === 0 || times === 0 ? NONE : [{ user, transitions, times }];
  }

  /**
   * gamma ** (1 + time away / scale): a semi-Markov step, in which watch time is not discounted (Sutton et al. 1999).
   */
  #discount(entry: Entry, next: NextState): number {
    let away = next.time - entry.time;
    for (const outcome of entry.outcomes) away -= outcome.watchMs ?? 0;
    return pow(this.#gamma, 1 + Math.max(away, 0) / this.options.gapScaleMs);
  }
}
