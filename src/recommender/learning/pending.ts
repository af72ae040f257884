import { checked, oneOf, type Rules, rules } from "../../check/index.js";
import type { Transition } from "../../engine/index.js";
import { pow } from "../../numeric/index.js";
import { DAY, type FeedbackEvent, type Id, MINUTE } from "../../protocol/index.js";
import { possibleWatchMs } from "../state/index.js";
import { emptyOutcome, type Outcome, type Reward, record } from "./reward.js";

export interface PendingOptions {
  /**
   * Which shown streams become transitions. `clicked`: those that were entered. Their values are those of SlateQ (Ie et
   * al. 2019, arXiv:1905.12767): what it is worth that the user is in this stream, whichever way it came about, so that
   * a lure that is left at once ranks below what holds. `examined`: also those that were seen and left, with reward 0;
   * their values count the chance of the click in. Default `clicked`.
   */
  evidence: "clicked" | "examined";
  /** Discount of the value of the next request, in [0, 1); 0 looks at the reward alone. Default 0.9. */
  gamma: number;
  /** Milliseconds away that discount as much as one more request does, > 0. Default 24 hours. */
  gapScaleMs: number;
  /** Milliseconds without a request after which a user has left for good, > 0. Default 14 days. */
  timeoutMs: number;
  /** Decisions kept waiting; beyond them the oldest are dropped unlearned. Default 50 000. */
  decisions: number;
}

const DEFAULTS: PendingOptions = {
  evidence: "clicked",
  gamma: 0.9,
  gapScaleMs: DAY,
  timeoutMs: 14 * DAY,
  decisions: 50_000,
};

const TABLE: Rules<PendingOptions> = {
  evidence: oneOf("clicked", "examined"),
  gamma: rules.unit,
  gapScaleMs: rules.positive,
  timeoutMs: rules.positive,
  decisions: rules.atLeastOne,
};

/** Decisions of one user that may wait for the end of a watch at the same time: tabs. */
const IN_FLIGHT = 8;

/** A user's next request: its time, its state, and one row for each stream to choose from. */
export interface NextState {
  time: number;
  observation: Float32Array;
  candidates: Float32Array;
}

/** A slate whose outcome is not known yet. */
export interface PendingDecision {
  readonly id: Id;
  readonly user: Id;
  readonly time: number;
  readonly slate: readonly Id[];
  readonly observation: Float32Array;
  /** One row for each stream of the slate. */
  readonly candidates: Float32Array;
  /** How often each of its transitions is emitted, an integer >= 0. Default 1. */
  readonly times?: number | undefined;
}

interface Entry extends PendingDecision {
  readonly outcomes: Outcome[];
  /** Positions that the platform reported as shown; undefined when it reports none: then all are. */
  seen: boolean[] | undefined;
  /** Set when the user came back while a watch of this decision still lasts, in another tab. */
  next: NextState | undefined;
}

/**
 * How many positions from the top are taken as examined: all down to the last click, and all when nothing was clicked. The cascade model (Craswell et al. 2008): users read from the top and what
 * lies below what they chose may not have been looked at, so that its being left is no evidence against it.
 */
export function examined(outcomes: readonly Outcome[]): number {
  for (let position = outcomes.length - 1; position >= 0; position--) {
    if (outcomes[position]!.clicked) return position + 1;
  }
  return outcomes.length;
}

/** A float array's place in the block of floats that a save holds. */
type Saved<T> = { [K in keyof T]: T[K] extends Float32Array ? number : T[K] };

/** What `Pending.save` gives: plain values, in which each float array stands for its length, and the floats in order. */
export interface SavedPending {
  entries: (Omit<Saved<Entry>, "next"> & { next: Saved<NextState> | undefined })[];
  expiresAt: number;
  dropped: number;
  untold: number;
}

const NOTHING = new Float32Array(0);

/** Enters what a user did since a stream was shown: that is the longest that the user can have been there. */
function recordSince(time: number, outcome: Outcome, event: FeedbackEvent, cut: boolean): void {
  record(outcome, event, cut);
  if (event.kind !== "watch") return;
  const watchMs = possibleWatchMs(outcome.watchMs!, event.time - time);
  outcome.cut ||= watchMs < outcome.watchMs!;
  outcome.watchMs = watchMs;
}

function isOpen(outcome: Outcome): boolean {
  return outcome.clicked && outcome.watchMs === undefined;
}

/** A transition of the recommender: all its inputs are dense, and it is known whose it is. */
export type DenseTransition = Transition &
  Record<"observation" | "candidate" | "nextObservation" | "nextCandidates", ArrayLike<number>> & { user?: Id };

/**
 * Decisions whose feedback is still to come.
 *
 * A decision closes at the user's next request, which is its next state, across the end of a session too: coming back
 * is part of the value. A user who does not come back within the timeout has left, and the value after is 0. A click
 * whose watch has not ended keeps its decision waiting; if the end is never told, the click yields nothing, neither
 * good nor bad.
 */
export class Pending {
  readonly options: Readonly<PendingOptions>;
  /** Decisions dropped unlearned because there were too many: of all, or of one user. */
  dropped = 0;
  /** Clicked streams dropped unlearned because the end of the watch was never told. */
  untold = 0;
  readonly #reward: Reward;
  readonly #emit: (transition: DenseTransition) => void;
  readonly #admits: (user: Id) => boolean;
  /** In order of time. */
  readonly #entries = new Map<Id, Entry>();
  readonly #ofUser = new Map<Id, Entry[]>();
  #expiresAt = 0;

  /**
   * @param emit - Called with each transition; its arrays are views that are valid during the call.
   * @param admits - Whether one more decision of a user is learned from; asked of each that would be. Default: all are.
   * @throws {RangeError} when an option is unknown or out of its range.
   */
  constructor(
    reward: Reward,
    emit: (transition: DenseTransition) => void,
    options: Partial<PendingOptions> = {},
    admits: (user: Id) => boolean = () => true,
  ) {
    this.options = checked(options, TABLE, DEFAULTS, "pending.");
    this.#reward = reward;
    this.#emit = emit;
    this.#admits = admits;
  }

  /** Decisions waiting. */
  get size(): number {
    return this.#entries.size;
  }

  /** Decisions come in order of time. */
  add(decision: PendingDecision): void {
    this.#insert({ ...decision, outcomes: decision.slate.map(emptyOutcome), seen: undefined, next: undefined });
    const { decisions } = this.options;
    if (this.#entries.size <= decisions) return;
    // A sixteenth at once, as `Latest` does.
    for (const oldest of this.#entries.values()) {
      if (this.#entries.size <= decisions - (decisions >> 4)) break;
      if (oldest.next === undefined) this.dropped++;
      else this.#learn(oldest);
      this.#remove(oldest);
    }
  }

  /**
   * Takes what a user did, into the decision it names, or else the latest one that showed the stream to the user (last
   * touch). `cut`: the stream was off air when the watch ended. A watch counts for no longer than since the decision; what
   * is left of a longer one is taken as cut. Returns whether there is such a decision.
   */
  take(event: FeedbackEvent, cut: boolean): boolean {
    const decision = "decision" in event ? event.decision : undefined;
    const entries = this.#ofUser.get(event.user) ?? [];
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i]!;
      if (decision !== undefined && entry.id !== decision) continue;
      const position = entry.slate.indexOf(event.stream);
      if (position < 0) continue;
      if (event.kind === "impression") {
        entry.seen ??= new Array<boolean>(entry.slate.length).fill(false);
        entry.seen[position] = true;
      } else recordSince(entry.time, entry.outcomes[position]!, event, cut);
      if (entry.next !== undefined && !entry.outcomes.some(isOpen)) this.#close(entry);
      return true;
    }
    return false;
  }

  has(decision: Id): boolean {
    return this.#entries.has(decision);
  }

  /** The user came back: the state is the next one of what is pending, and asked for only when something is. */
  next(user: Id, state: () => NextState): void {
    const entries = this.#ofUser.get(user);
    if (entries === undefined) return;
    const next = state();
    for (const entry of [...entries]) {
      entry.next ??= next;
      if (!entry.outcomes.some(isOpen)) this.#close(entry);
    }
    if (entries.length > IN_FLIGHT) this.#close(entries[0]!);
  }

  /** Closes what has waited longer than the timeout; looks once a minute. */
  expire(now: number): void {
    if (now < this.#expiresAt) return;
    this.#expiresAt = now + MINUTE;
    for (const entry of this.#entries.values()) {
      if (now - entry.time < this.options.timeoutMs) break;
      this.#close(entry);
    }
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
    return { entries, expiresAt: this.#expiresAt, dropped: this.dropped, untold: this.untold };
  }

  /** Takes back what `save` gave, into an empty table; `floats`: all of them, one after the other. */
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
      // JSON leaves out what is undefined: in its old place again, a later save is the same bytes.
      const outcomes = entry.outcomes.map((outcome) => ({ ...emptyOutcome(), ...outcome }));
      this.#insert({ id, user, time, slate, observation, candidates, times, outcomes, seen, next });
    }
    this.#expiresAt = saved.expiresAt;
    this.dropped = saved.dropped;
    this.untold = saved.untold;
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

  #close(entry: Entry): void {
    this.#remove(entry);
    this.#learn(entry);
  }

  /** Emits one transition, or as many as `times` says, for each stream that is evidence and whose outcome is known. */
  #learn(entry: Entry): void {
    const { outcomes, seen, next, times = 1 } = entry;
    const size = entry.candidates.length / Math.max(outcomes.length, 1);
    const { evidence } = this.options;
    const depth = examined(outcomes);
    const discount = next === undefined ? 0 : this.#discount(entry, next);
    let isAdmitted: boolean | undefined;
    for (const [position, outcome] of outcomes.entries()) {
      if (!outcome.clicked && (evidence === "clicked" || position >= depth || seen?.[position] === false)) continue;
      if (isOpen(outcome)) {
        this.untold++;
        continue;
      }
      // What is not learned from takes no place of what is.
      if (times === 0) continue;
      isAdmitted ??= this.#admits(entry.user);
      if (!isAdmitted) {
        this.dropped++;
        return;
      }
      const transition = {
        user: entry.user,
        observation: entry.observation,
        candidate: entry.candidates.subarray(position * size, (position + 1) * size),
        reward: this.#reward.of(outcome),
        terminated: next === undefined,
        nextObservation: next?.observation ?? entry.observation,
        nextCandidates: next?.candidates ?? NOTHING,
        discount,
      };
      for (let n = 0; n < times; n++) this.#emit(transition);
    }
  }

  /** gamma ** (1 + time away / scale): a semi-Markov step, in which a watch itself costs nothing (Sutton et al. 1999). */
  #discount(entry: Entry, next: NextState): number {
    let away = next.time - entry.time;
    for (const outcome of entry.outcomes) away -= outcome.watchMs ?? 0;
    return pow(this.options.gamma, 1 + Math.max(away, 0) / this.options.gapScaleMs);
  }
}
