import {
  above,
  any,
  between,
  boolean,
  checked,
  distinct,
  fields,
  finite,
  group,
  integer,
  list,
  nonNegative,
  nonNegativeInteger,
  or,
  positive,
  positiveInteger,
  type Rule,
  type Rules,
  requireFloats,
  requireShape,
  type Shape,
  where,
} from "../../check/index.js";
import { Album, type AlbumPicture, type Picture, Pictures, PriorityQueue } from "../../collections/index.js";
import { FloatsReader, floatsPart, LinesReader, linesPart, type Part, type PartReader } from "../../engine/index.js";
import { BEAT_TIMEOUT_MS, DAY, type FeedbackEvent, type Id, idRule, MINUTE } from "../../protocol/index.js";
import { type WatchTime, watchTimeOf } from "../state/index.js";
import { changedOf, emptyOutcome, type Outcome, record, savedOutcome } from "./reward.js";

export interface PendingOptions {
  /** Milliseconds that a decision waits after the user's next request for late feedback, >= 0. Default 0. */
  delayMs: number;
  /** Milliseconds without a request after which a user has left for good, at the latest, > 0. Default 14 days. */
  timeoutMs: number;
  /** Decisions kept waiting; beyond them the oldest are dropped unlearned. Default 50 000. */
  decisions: number;
  /** Decisions of a user whose rewards a target sums before it bootstraps, in [1, 16]. Default 1. */
  nStep: number;
  /**
   * Whether a click waits for its watch, and teaches nothing if the watch never ends and the user did nothing else.
   * false, for shops and the like: a click needs no watch. Default true.
   */
  awaitWatch: boolean;
  /** Milliseconds without a heartbeat after which a running watch has ended, (0, 86400000]. Default 5 minutes. */
  beatTimeoutMs: number;
}

const DEFAULTS: PendingOptions = {
  delayMs: 0,
  timeoutMs: 14 * DAY,
  decisions: 50_000,
  nStep: 1,
  awaitWatch: true,
  beatTimeoutMs: BEAT_TIMEOUT_MS,
};

const TABLE: Rules<PendingOptions> = {
  delayMs: nonNegative,
  timeoutMs: positive,
  decisions: positiveInteger,
  nStep: integer(1, 16),
  awaitWatch: boolean,
  beatTimeoutMs: above(0, DAY),
};

/** Most streams of a slate, and of others that were on offer. */
const ROWS_MAX = 65_536;
/** Decisions of one user that may wait for the end of a watch at the same time, in tabs. */
const IN_FLIGHT = 8;

/** A user's next request: its time, its state, and one row for each stream to choose from. */
export interface NextState {
  time: number;
  observation: Float32Array;
  candidates: Float32Array;
  /** Most streams of the slate asked for. Default: the agent's. */
  slate?: number;
  /** How late the user returned, if the request begins a session: log(gap / usual gap). Default 0: no return. */
  lateness?: number;
}

/** The rows that a decision was computed from, and what a learner needs of them. */
export interface DecisionRows {
  /** (observation size): the state. */
  readonly observation: Float32Array;
  /** (streams of the slate + `offered`, candidate size): one row for each stream of the slate, then those of others. */
  readonly candidates: Float32Array;
  /** How many rows of others that were on offer. */
  readonly offered: number;
  /** What the user's earlier decisions lead to; undefined where none waited. Time and state are those of the decision. */
  readonly next?: Omit<NextState, "time" | "observation"> | undefined;
}

/** A slate without a known outcome yet. */
export interface PendingDecision {
  readonly id: Id;
  readonly user: Id;
  readonly time: number;
  readonly slate: readonly Id[];
  readonly observation: Float32Array;
  /** One row for each stream of the slate; then rows of other streams that were on offer, if the learner needs them. */
  readonly candidates: Float32Array;
  /** How many rows of others. Default 0. */
  readonly offered?: number | undefined;
  /** Number of times to learn from it, an integer >= 0. Default 1. */
  readonly times?: number | undefined;
}

/** A decision, and what came of each stream of its slate. */
export interface KnownDecision extends PendingDecision {
  readonly outcomes: readonly Outcome[];
  /** Positions that the platform reported as shown; undefined without reports: then all count as shown. */
  readonly seen: readonly boolean[] | undefined;
  /** The state at the user's next request; undefined for a user who did not come back in time. */
  readonly next: NextState | undefined;
}

/** A decision with a known outcome, and the user's decisions that followed it, fewer than `nStep`. */
export interface ClosedDecision {
  readonly decision: KnownDecision;
  readonly followers: readonly KnownDecision[];
}

/** The pending decision that an event belongs to, and the stream's position in its slate. */
export interface ShownStream {
  readonly decision: PendingDecision;
  readonly position: number;
}

interface Entry extends KnownDecision {
  readonly outcomes: Outcome[];
  seen: boolean[] | undefined;
  next: NextState | undefined;
}

/** The decisions of one user, in order of time. */
interface OfUser {
  entries: Entry[];
  /** The time at which the queue of deadlines holds the user; undefined: not at all. Its other items of the user are void. */
  queuedAt: number | undefined;
}

/** When decisions of a user may close by themselves. */
interface Deadline {
  time: number;
  user: Id;
}

/** T with the length of each float array in its place. */
type Saved<T> = { [K in keyof T]: T[K] extends Float32Array ? number : T[K] };

/** A decision as it is saved: each float array is replaced by its length; the floats follow in order. */
type SavedEntry = Omit<Saved<Entry>, "next"> & { next: Saved<NextState> | undefined };

/** The plain values of `Pending.parts`. */
export interface SavedPending {
  entries: SavedEntry[];
  deadlines: Deadline[];
  dropped: number;
}

/** What the floats of a saved decision must be, from the rows of the features and the agent. */
export interface RowSizes {
  /** Numbers in an observation and in the row of a candidate. */
  readonly observation: number;
  readonly candidate: number;
  /** Most rows of a next state, and most streams of its slate. */
  readonly next: number;
  readonly slate: number;
}

/** Times to learn from a decision, at most: a number from outside must not keep a call busy. */
export const TIMES_LIMIT = 10_000;
export const TIMES: Rule = integer(0, TIMES_LIMIT);

/** The shape of a saved decision. */
function entryShape({ observation, candidate, next, slate }: RowSizes): Shape {
  const rows = (most: number): Rule => [
    (value) =>
      nonNegativeInteger[0](value) && (value as number) % candidate === 0 && (value as number) <= most * candidate,
    `the numbers of at most ${most} rows of ${candidate}`,
  ];
  const entry = fields<SavedEntry>({
    id: idRule,
    user: idRule,
    time: finite,
    slate: list(idRule, 1, ROWS_MAX),
    observation: integer(observation, observation),
    candidates: rows(2 * ROWS_MAX),
    offered: or(undefined, integer(0, ROWS_MAX)),
    times: or(undefined, TIMES),
    outcomes: list(savedOutcome),
    seen: or(undefined, list(boolean)),
    next: or(
      undefined,
      fields<Saved<NextState>>({
        time: finite,
        observation: integer(observation, observation),
        candidates: rows(next),
        slate: or(undefined, integer(0, slate)),
        lateness: or(undefined, between(-100, 100)),
      }),
    ),
  });
  return where<SavedEntry>(
    entry,
    ({ slate, candidates, offered = 0, outcomes, seen = outcomes }) =>
      [outcomes.length, seen.length, candidates / candidate - offered].every((length) => length === slate.length),
    "a decision whose rows and outcomes are as many as its streams",
  );
}

/** The shape of all of them, each of which has its own. */
function savedShape(decisions: number): Shape {
  return where<SavedPending>(
    fields<SavedPending>({
      entries: distinct<SavedEntry>(list(any, 0, decisions), ({ id }) => id),
      deadlines: list(fields<Deadline>({ time: finite, user: idRule })),
      dropped: nonNegativeInteger,
    }),
    ({ entries, deadlines }) => {
      const users = new Set(entries.map(({ user }) => user));
      return deadlines.every(({ user }) => users.has(user));
    },
    "without deadlines of users who have no decision",
  );
}

/** Void items in the queue of deadlines that are always kept. */
const VOID_MAX = 64;

/** No closed decisions. */
const NONE: ClosedDecision[] = [];

/** A decision that changes no more. Float arrays never change, so they are not copied. */
function copied(entry: Entry): Entry {
  return { ...entry, outcomes: entry.outcomes.map((each) => ({ ...each })), seen: entry.seen?.slice() };
}

/** All that waits at one moment, while events and requests go on. */
class FrozenPending implements Picture {
  readonly #entries: AlbumPicture<Id, Entry>;
  readonly #deadlines: PriorityQueue<Deadline>;
  readonly #queuedAt: (user: Id) => number | undefined;
  /** Times of users in the queue, as they were before they changed. */
  readonly #queuedBefore = new Map<Id, number | undefined>();
  /** Parts that are not released. */
  readonly #open = new Set(["decisions", "deadlines", "pending"]);

  constructor(
    entries: AlbumPicture<Id, Entry>,
    deadlines: PriorityQueue<Deadline>,
    queuedAt: (user: Id) => number | undefined,
  ) {
    this.#entries = entries;
    this.#deadlines = deadlines;
    this.#queuedAt = queuedAt;
  }

  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** The time of a user in the queue is about to change. */
  keepQueued(user: Id): void {
    if (!this.#queuedBefore.has(user)) this.#queuedBefore.set(user, this.#queuedAt(user));
  }

  parts(): Part[] {
    const release = (name: string) => () => {
      this.#open.delete(name);
      if (!this.isOpen) this.#entries.close();
    };
    return [
      linesPart("decisions", () => this.#saved(), release("decisions")),
      linesPart("deadlines", () => this.#held(), release("deadlines")),
      floatsPart("pending", () => this.#floats(), release("pending")),
    ];
  }

  /** Most outcomes are empty: what is not in a line is so. */
  *#saved(): Generator<Omit<SavedEntry, "outcomes"> & { outcomes: Partial<Outcome>[] }, void> {
    for (const [, { observation, candidates, next, ...entry }] of this.#entries.entries()) {
      yield {
        ...entry,
        outcomes: entry.outcomes.map(changedOf),
        observation: observation.length,
        candidates: candidates.length,
        next: next && { ...next, observation: next.observation.length, candidates: next.candidates.length },
      };
    }
  }

  *#floats(): Generator<Float32Array, void> {
    for (const [, { observation, candidates, next }] of this.#entries.entries()) {
      yield observation;
      yield candidates;
      if (next === undefined) continue;
      yield next.observation;
      yield next.candidates;
    }
  }

  /** The deadlines that count, in order, and undefined for others; sorted item by item, as the caller takes them. */
  *#held(): Generator<Deadline | undefined, void> {
    const queue = this.#deadlines.copy();
    while (queue.size > 0) {
      const { time, user } = queue.pop();
      const queuedAt = this.#queuedBefore.has(user) ? this.#queuedBefore.get(user) : this.#queuedAt(user);
      yield queuedAt === time ? { time, user } : undefined;
    }
  }
}

/** The lengths of the float arrays of saved decisions, in their order. */
function lengthsOf(entries: readonly SavedEntry[]): number[] {
  return entries.flatMap(({ observation, candidates, next }) =>
    next == null ? [observation, candidates] : [observation, candidates, next.observation, next.candidates],
  );
}

/** A saved decision with what its outcomes leave out, in the places of an empty one: later saves are the same bytes. */
function filled(record: unknown): unknown {
  const { outcomes } = (record ?? {}) as { outcomes?: unknown };
  if (!Array.isArray(outcomes)) return record;
  const whole = outcomes.map((each: unknown) => (group[0](each) ? { ...emptyOutcome(), ...(each as object) } : each));
  return { ...(record as object), outcomes: whole };
}

/** Reads the parts of `Pending.parts`. */
export class PendingReader {
  readonly entries: SavedEntry[] = [];
  readonly deadlines: Deadline[] = [];
  readonly #shape: Shape;
  #floats: FloatsReader | undefined;

  /** @param sizes - What the rows of the decisions must be. */
  constructor(sizes: RowSizes) {
    this.#shape = entryShape(sizes);
  }

  /** By name, in the order of the file: what reads a part of so many bytes. */
  readonly readers: ReadonlyMap<string, (bytes: number) => PartReader> = new Map<string, (bytes: number) => PartReader>(
    [
      ["decisions", () => new LinesReader("decisions", (record) => this.#take(filled(record)))],
      ["deadlines", () => new LinesReader("deadlines", (item) => this.deadlines.push(item as Deadline))],
      [
        "pending",
        (bytes: number) => {
          this.#floats = new FloatsReader("pending", lengthsOf(this.entries), bytes);
          return this.#floats;
        },
      ],
    ],
  );

  #take(entry: unknown): void {
    requireShape(this.#shape, entry, `pending.entries.${this.entries.length}`);
    this.entries.push(entry as SavedEntry);
  }

  /** The next float array. */
  take(length: number): Float32Array {
    return this.#floats!.take(length);
  }
}

/**
 * Decisions that wait for their feedback.
 *
 * A decision closes at the user's next request, which is its next state, also in a later session: coming back is part
 * of the value. A click without an ended watch keeps its decision waiting (`awaitWatch`). A user who does not come back by a deadline
 * has left: all decisions of the user close then.
 */
export class Pending {
  readonly options: Readonly<PendingOptions>;
  /** Decisions dropped unlearned because there were too many. */
  dropped = 0;
  readonly #deadline: (user: Id, since: number) => number;
  /** In order of time. */
  readonly #entries = new Album<Id, Entry>(Infinity, copied);
  readonly #ofUser = new Map<Id, OfUser>();
  /** Each user with decisions, at a time no later than the first at which one of them may close by itself. */
  #deadlines = new PriorityQueue<Deadline>();
  readonly #pictures = new Pictures<FrozenPending>();

  /**
   * @param deadline - When a user who shows no sign since a time counts as gone, milliseconds; `timeoutMs` later at the
   *   latest. Default: then.
   * @throws TypeError or RangeError when an option is unknown or out of its range.
   */
  constructor(options: Partial<PendingOptions> = {}, deadline?: (user: Id, since: number) => number) {
    this.options = checked(options, TABLE, DEFAULTS, "pending.");
    const { timeoutMs } = this.options;
    this.#deadline = (user, since) => Math.min(deadline?.(user, since) ?? Infinity, since + timeoutMs);
  }

  /** Decisions waiting. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds a decision, in order of time. Returns the decisions that it removes to make room. */
  add(decision: PendingDecision): ClosedDecision[] {
    const outcomes = decision.slate.map(emptyOutcome);
    this.#insert({ ...decision, outcomes, seen: undefined, next: undefined });
    this.#enqueue(decision.user, decision.time);
    const { decisions } = this.options;
    if (this.#entries.size <= decisions) return NONE;
    const closed: ClosedDecision[] = [];
    // Drop a sixteenth at once, as `Latest` does.
    for (const oldest of this.#entries.values()) {
      if (this.#entries.size <= decisions - (decisions >> 4)) break;
      if (oldest.next === undefined) this.dropped++;
      else closed.push(this.#closed(oldest));
      this.#remove(oldest);
    }
    return closed;
  }

  /** The decision that an event belongs to: the named one, or else the latest that showed the stream (last touch). */
  find(event: FeedbackEvent): ShownStream | undefined {
    const id = "decision" in event ? event.decision : undefined;
    const entries = this.#ofUser.get(event.user)?.entries ?? [];
    for (let i = entries.length - 1; i >= 0; i--) {
      const decision = entries[i]!;
      if (id !== undefined && decision.id !== id) continue;
      const position = decision.slate.indexOf(event.stream);
      if (position >= 0) return { decision, position };
    }
    return undefined;
  }

  /**
   * Records an event in the decision found by `find`. Returns the decisions that close.
   *
   * @param watch - The length of a watch; all watches of one stream together are at most as long as the time since the
   *   decision.
   * @param now - The latest time. Default: the event's.
   */
  take(
    { decision, position }: ShownStream,
    event: FeedbackEvent,
    watch?: WatchTime,
    now: number = event.time,
  ): ClosedDecision[] {
    const entry = decision as Entry;
    this.#entries.keep(entry.id);
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
    return this.#settle(entry.user, now);
  }

  has(decision: Id): boolean {
    return this.#entries.has(decision);
  }

  /** Whether decisions of a user wait for the user's next request. */
  waits(user: Id): boolean {
    return this.#ofUser.has(user);
  }

  /** What waits of a user, as plain values. */
  of(user: Id): Pick<KnownDecision, "id" | "time" | "slate" | "outcomes">[] {
    const entries = this.#ofUser.get(user)?.entries ?? [];
    return structuredClone(entries.map(({ id, time, slate, outcomes }) => ({ id, time, slate, outcomes })));
  }

  /** The user came back: `next` is the next state of all waiting decisions. Returns the decisions that close. */
  next(user: Id, next: NextState): ClosedDecision[] {
    const own = this.#ofUser.get(user);
    if (own === undefined) return NONE;
    for (const entry of own.entries) {
      if (entry.next !== undefined) continue;
      this.#entries.keep(entry.id);
      entry.next = next;
    }
    if (this.options.delayMs > 0) this.#enqueue(user, next.time);
    const closed = this.#settle(user, next.time);
    for (let over = own.entries.length - IN_FLIGHT - this.options.nStep; over >= 0; over--) {
      closed.push(this.#close(own.entries[0]!));
    }
    return closed;
  }

  /**
   * Closes and returns the decisions whose user has not come back by the deadline, or whose wait is over.
   *
   * @param most - Most users whose decisions are looked at; the others' close later. Default: no bound.
   */
  expire(now: number, most: number = Infinity): ClosedDecision[] {
    const closed: ClosedDecision[] = [];
    for (let left = most; left > 0 && this.#deadlines.first !== undefined && this.#deadlines.first.time <= now; ) {
      const item = this.#deadlines.pop();
      if (!this.#holds(item)) continue;
      left--;
      const { user } = item;
      const own = this.#ofUser.get(user)!;
      this.#pictures.tell((picture) => picture.keepQueued(user));
      own.queuedAt = undefined;
      closed.push(...this.#settle(user, now));
      const last = own.entries.at(-1);
      if (last !== undefined && this.#deadline(user, last.next?.time ?? last.time) <= now) {
        while (own.entries.length > 0) closed.push(this.#close(own.entries[0]!, true));
      }
      if (own.entries.length > 0) this.#enqueue(user, now);
    }
    return closed;
  }

  /** Drops all decisions of a user, unlearned. */
  forget(user: Id): void {
    for (const entry of [...(this.#ofUser.get(user)?.entries ?? [])]) this.#remove(entry);
  }

  /** All that waits now, in parts of a file. It goes on meanwhile: what changes is copied before. Release each. */
  parts(): Part[] {
    const queuedAt = (user: Id) => this.#ofUser.get(user)?.queuedAt;
    const picture = new FrozenPending(this.#entries.picture(), this.#deadlines.copy(), queuedAt);
    this.#pictures.add(picture);
    return picture.parts();
  }

  /**
   * Restores saved values into an empty table. `take` gives the float arrays, one after the other.
   * @throws RangeError that names what is wrong.
   */
  load(saved: SavedPending, take: (length: number) => Float32Array): void {
    requireShape(savedShape(this.options.decisions), saved, "pending");
    const floats = (length: number) => {
      const array = take(length);
      requireFloats(array, length, "pending.floats");
      return array;
    };
    for (const entry of saved.entries) {
      const observation = floats(entry.observation);
      const candidates = floats(entry.candidates);
      const next = entry.next && {
        ...entry.next,
        observation: floats(entry.next.observation),
        candidates: floats(entry.next.candidates),
      };
      const { id, user, time, slate, times, offered, outcomes, seen } = entry;
      this.#insert({
        id,
        user,
        time,
        slate,
        observation,
        candidates,
        times,
        offered,
        outcomes,
        seen,
        next,
      });
    }
    for (const item of saved.deadlines) {
      const own = this.#ofUser.get(item.user);
      if (own !== undefined) own.queuedAt = item.time;
      this.#deadlines.push(item);
    }
    this.dropped = saved.dropped;
  }

  #insert(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    const own = this.#ofUser.get(entry.user);
    if (own === undefined) this.#ofUser.set(entry.user, { entries: [entry], queuedAt: undefined });
    else own.entries.push(entry);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.id);
    const { entries } = this.#ofUser.get(entry.user)!;
    entries.splice(entries.indexOf(entry), 1);
    if (entries.length > 0) return;
    this.#pictures.tell((picture) => picture.keepQueued(entry.user));
    this.#ofUser.delete(entry.user);
  }

  /** Whether an item of the queue of deadlines is the one that counts for its user. */
  #holds({ user, time }: Deadline): boolean {
    return this.#ofUser.get(user)?.queuedAt === time;
  }

  /** Puts a user into the queue, or earlier into it; checks of one user are a minute apart at least. */
  #enqueue(user: Id, now: number): void {
    const own = this.#ofUser.get(user)!;
    const { delayMs } = this.options;
    const last = own.entries.at(-1)!;
    const since = last.next?.time ?? last.time;
    let time = Math.max(this.#deadline(user, since), since + MINUTE);
    for (const { next } of delayMs > 0 ? own.entries : []) {
      // What still waits after its delay waits for the end of a watch.
      if (next && next.time + delayMs > now) time = Math.min(time, next.time + delayMs);
    }
    if (own.queuedAt !== undefined && own.queuedAt <= time) return;
    this.#pictures.tell((picture) => picture.keepQueued(user));
    own.queuedAt = time;
    this.#deadlines.push({ time, user });
    if (this.#deadlines.size > 2 * this.#ofUser.size + VOID_MAX) this.#tidy();
  }

  /** Rebuilds the queue without void items, so that it grows with the users who have decisions, not with decisions. */
  #tidy(): void {
    const all = this.#deadlines.sorted();
    this.#deadlines = new PriorityQueue();
    for (const item of all) if (this.#holds(item)) this.#deadlines.push(item);
  }

  /** Closes the decisions of a user whose outcomes are known. */
  #settle(user: Id, now: number): ClosedDecision[] {
    const entries = this.#ofUser.get(user)?.entries;
    if (entries === undefined) return NONE;
    const closed: ClosedDecision[] = [];
    for (let i = 0; i < entries.length; ) {
      // With more steps, decisions close in order.
      if (this.#isComplete(entries, i, now)) closed.push(this.#close(entries[i]!));
      else if (this.options.nStep > 1) break;
      else i++;
    }
    return closed;
  }

  /** Whether the user has entered a stream of a decision, and not left it as far as is known. */
  #isOpen({ outcomes }: Entry): boolean {
    return this.options.awaitWatch && outcomes.some(({ waits }) => waits);
  }

  /** Whether the outcomes of a decision, and of those that its target sums, are known. */
  #isComplete(entries: readonly Entry[], first: number, now: number): boolean {
    const { nStep, delayMs } = this.options;
    for (let i = first; i < first + nStep; i++) {
      const entry = entries[i];
      if (entry?.next === undefined || now < entry.next.time + delayMs || this.#isOpen(entry)) return false;
    }
    return true;
  }

  #close(entry: Entry, isGone = false): ClosedDecision {
    const closed = this.#closed(entry, isGone);
    this.#remove(entry);
    return closed;
  }

  /**
   * The decision with those after it whose outcomes are known, as far as its target sums them. Where the user has left
   * for good, the last of them has no next state.
   */
  #closed(entry: Entry, isGone = false): ClosedDecision {
    const { entries } = this.#ofUser.get(entry.user)!;
    const followers: Entry[] = [];
    for (let i = entries.indexOf(entry) + 1; i < entries.length && followers.length < this.options.nStep - 1; i++) {
      const follower = entries[i]!;
      if (this.#isOpen(follower) || (follower.next === undefined && !isGone)) break;
      followers.push(follower);
    }
    return { decision: entry, followers };
  }
}
