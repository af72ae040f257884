import {
  between,
  boolean,
  distinct,
  fields,
  integer,
  list,
  numbers,
  requireShape,
  type Shape,
  tuple,
  where,
  word,
} from "../../check/index.js";
import { log1p } from "../../numeric/index.js";
import { type FeedbackEvent, type Id, MINUTE } from "../../protocol/index.js";
import type { CatalogStream, Follower } from "./catalogue.js";

/** Windows move on in steps of this. [set by hand] */
const STEP = 10_000;
/** Steps in a window, the current one included: a window is 50 to 60 s long. */
const STEPS = 6;
/** Two numbers of viewers must lie this far apart to show a trend. [set by hand] */
const TREND_GAP = 30_000;

/** The counted actions of a stream; a follow is a like that lasts. */
const RATES = ["join", "comment", "gift", "like"] as const;
export type RateName = (typeof RATES)[number];
const JOIN = 0;
const COMMENT = 1;
const GIFT = 2;
const LIKE = 3;
const CELLS = RATES.length * STEPS;

/** Numbers of a stream's trend: time and log(1 + viewers) at two marks, and the latest number of viewers. */
const TREND = 5;
const [OLD_TIME, OLD, MARK_TIME, MARK, LAST] = [0, 1, 2, 3, 4] as const;
const NEVER = -1;

/** Index of the rate that counts an event; -1 for none. */
function rateOf(kind: FeedbackEvent["kind"]): number {
  switch (kind) {
    case "click":
      return JOIN;
    case "comment":
      return COMMENT;
    case "gift":
      return GIFT;
    case "like":
    case "follow":
      return LIKE;
    default:
      return -1;
  }
}

/** The plain values of `Rates.save`. */
export interface SavedRates {
  step: number;
  known: boolean[];
  seen: [high: number, low: number][];
  /** For each stream with counts or a trend: its index, its latest step, its counts and its trend. */
  rows: [index: number, step: number, counts: number[], trend: number[]][];
}

/** The latest step, by the last time of a `Date`. */
const STEP_LAST = 8.64e15 / STEP;

/** A trend has two marks that lie apart, so that nothing is divided by 0. */
const trendShape = where<number[]>(
  numbers(TREND, between(NEVER, Number.MAX_VALUE)),
  (trend) => trend[OLD_TIME] === NEVER || trend[MARK_TIME]! - trend[OLD_TIME]! >= TREND_GAP,
  `two marks at least ${TREND_GAP} ms apart`,
);

const savedShape = (size: number): Shape =>
  fields<SavedRates>({
    step: integer(0, STEP_LAST),
    known: numbers(RATES.length, boolean),
    seen: list(tuple(word, word), 0, SEEN_MAX),
    rows: distinct<SavedRates["rows"][number]>(
      list(tuple(integer(0, size - 1), integer(NEVER, STEP_LAST), numbers(CELLS, word), trendShape)),
      ([index]) => index,
    ),
  });

/**
 * Current rates of each stream: entries, comments, gifts and likes a minute, and the trend of its viewers.
 *
 * Counts are kept in steps of 10 s, six of which are a window that ends now: every event and every reading takes O(1)
 * and allocates nothing. A user counts once a step for each stream and rate, so that a user who floods a
 * stream counts at most six times in its window. Rows stand at the streams' index in the catalogue.
 */
export class Rates implements Follower {
  /** By stream, rate and step modulo `STEPS`. */
  #counts = new Uint32Array(0);
  /** By stream: the latest step with a count; NEVER before the first. */
  #steps = new Float64Array(0);
  #trends = new Float64Array(0);
  readonly #seen = new Seen();
  /** Whether an event of each rate has ever come: platforms differ in the events that they send. */
  readonly #isKnown: boolean[] = RATES.map(() => false);
  /** The current step. */
  #step = 0;

  /** Begins an empty row. */
  entered({ index }: Pick<CatalogStream, "index">): void {
    if (index >= this.#steps.length) this.#grow(2 * index + 16);
    this.#counts.fill(0, index * CELLS, (index + 1) * CELLS);
    this.#steps[index] = NEVER;
    this.#trends.fill(NEVER, index * TREND, (index + 1) * TREND);
  }

  changed(): void {}

  /** The row at `from`, the last one, now stands at `to`. */
  left(to: number, from: number): void {
    if (from === to) return;
    this.#counts.copyWithin(to * CELLS, from * CELLS, (from + 1) * CELLS);
    this.#steps[to] = this.#steps[from]!;
    this.#trends.copyWithin(to * TREND, from * TREND, (from + 1) * TREND);
  }

  /** Moves the time to `now`: the host's, which may go back. */
  advance(now: number): void {
    // A host whose clock is wrong may say any time.
    const step = Math.min(Math.max(Math.floor(now / STEP), 0), STEP_LAST);
    if (step === this.#step) return;
    this.#step = step;
    this.#seen.clear();
  }

  /** Counts an event of a user at the stream at `index`; an event outside all rates changes nothing. */
  add(index: number, kind: FeedbackEvent["kind"], user: Id, stream: Id): void {
    const rate = rateOf(kind);
    if (rate < 0) return;
    this.#isKnown[rate] = true;
    if (!this.#seen.add(rate, user, stream)) return;
    const start = index * CELLS;
    const since = this.#step - this.#steps[index]!;
    // Counts of a time that has not come yet are of a clock that was wrong.
    const passed = since < 0 ? STEPS : Math.min(since, STEPS);
    for (let i = 0; i < passed; i++) {
      const cell = start + ((this.#step - i) % STEPS);
      for (let r = 0; r < CELLS; r += STEPS) this.#counts[cell + r] = 0;
    }
    this.#steps[index] = this.#step;
    this.#counts[start + rate * STEPS + (this.#step % STEPS)]!++;
  }

  /** Updates the number of viewers of the stream at `index`. */
  viewers(index: number, viewers: number, now: number): void {
    const at = index * TREND;
    const trends = this.#trends;
    if (trends[at + MARK_TIME]! > now + MINUTE) trends.fill(NEVER, at, at + TREND);
    trends[at + LAST] = log1p(viewers);
    if (trends[at + MARK_TIME] !== NEVER && now - trends[at + MARK_TIME]! < TREND_GAP) return;
    trends[at + OLD_TIME] = trends[at + MARK_TIME]!;
    trends[at + OLD] = trends[at + MARK]!;
    trends[at + MARK_TIME] = now;
    trends[at + MARK] = trends[at + LAST]!;
  }

  /**
   * Events a minute in the window that ends at `now`; undefined in a stream's first 10 s, and before any event of the
   * kind.
   */
  rate(index: number, name: RateName, startedAt: number, now: number): number | undefined {
    const rate = RATES.indexOf(name);
    if (!this.#isKnown[rate] || !(now - startedAt >= STEP)) return undefined;
    const step = Math.floor(now / STEP);
    const latest = this.#steps[index]!;
    const held = latest === NEVER ? 0 : STEPS - Math.max(step - latest, 0);
    const start = index * CELLS + rate * STEPS;
    let sum = 0;
    for (let back = 0; back < held; back++) sum += this.#counts[start + ((latest + STEPS - back) % STEPS)]!;
    const from = Math.max((step - STEPS + 1) * STEP, startedAt);
    return (sum * MINUTE) / Math.max(now - from, STEP);
  }

  /**
   * Growth of log(1 + viewers) a minute, from a mark at least 30 s before the latest; undefined until there are two
   * marks. Without a new number of viewers it fades with time.
   */
  trend(index: number, now: number): number | undefined {
    const at = index * TREND;
    const from = this.#trends[at + OLD_TIME]!;
    if (from === NEVER) return undefined;
    const until = Math.max(now, this.#trends[at + MARK_TIME]!);
    return ((this.#trends[at + LAST]! - this.#trends[at + OLD]!) * MINUTE) / (until - from);
  }

  /** Plain values of the first `size` rows, for `JSON.stringify`; `load` restores them. */
  save(size: number): SavedRates {
    const rows: SavedRates["rows"] = [];
    for (let i = 0; i < size; i++) {
      const step = this.#steps[i]!;
      const trend = [...this.#trends.subarray(i * TREND, (i + 1) * TREND)];
      if (step === NEVER && trend[MARK_TIME] === NEVER) continue;
      rows.push([i, step, [...this.#counts.subarray(i * CELLS, (i + 1) * CELLS)], trend]);
    }
    return { step: this.#step, known: [...this.#isKnown], seen: this.#seen.save(), rows };
  }

  /** Restores the values of `save`; the first `size` rows must be open. */
  load(saved: SavedRates, size: number): void {
    requireShape(savedShape(size), saved, "moments");
    this.#step = saved.step;
    this.#isKnown.splice(0, RATES.length, ...saved.known);
    this.#seen.load(saved.seen);
    for (const [index, step, counts, trend] of saved.rows) {
      this.#steps[index] = step;
      this.#counts.set(counts, index * CELLS);
      this.#trends.set(trend, index * TREND);
    }
  }

  #grow(rows: number): void {
    this.#counts = enlarged(this.#counts, new Uint32Array(rows * CELLS));
    this.#steps = enlarged(this.#steps, new Float64Array(rows));
    this.#trends = enlarged(this.#trends, new Float64Array(rows * TREND));
  }
}

function enlarged<A extends Uint32Array | Float64Array>(from: A, into: A): A {
  into.set(from);
  return into;
}

/** Most entries of a set, in a table of twice as many places; entries beyond count as seen. [set by hand] */
const SEEN_MAX = 524_288;
/**
 * Places from its own in which an entry may stand. The longest run of half a million chosen by chance is about 70; names
 * made to collide beyond it count as seen, so that none costs more than this.
 */
const REACH = 256;

/**
 * Actions of users in the current step: a set of 64-bit hashes in a table that is never wiped, as each entry bears the
 * number of its set.
 */
class Seen {
  #high = new Uint32Array(256);
  #low = new Uint32Array(256);
  #made = new Uint32Array(256);
  #set = 1;
  #size = 0;

  clear(): void {
    this.#size = 0;
    this.#set++;
    if (this.#set < 0xffffffff) return;
    this.#made.fill(0);
    this.#set = 1;
  }

  /** Adds an action. Returns whether it is new. */
  add(rate: number, user: Id, stream: Id): boolean {
    let high = Math.imul(rate + 1, 0x9e3779b1);
    let low = high ^ 0x85ebca6b;
    for (let part = 0; part < 2; part++) {
      const name = part === 0 ? user : stream;
      high = Math.imul(high ^ name.length, 0x27d4eb2f);
      low = Math.imul(low ^ name.length, 0x165667b1);
      for (let i = 0; i < name.length; i++) {
        const unit = name.charCodeAt(i);
        high = Math.imul(high ^ unit, 0x01000193);
        low = Math.imul((low << 5) ^ (low >>> 27) ^ unit, 0xcc9e2d51);
      }
    }
    high = Math.imul(high ^ (high >>> 15), 0x2c1b3c6d);
    return this.#insert((high ^ (high >>> 12)) >>> 0, low >>> 0);
  }

  /** The hashes in ascending order: their places in the table depend on how it grew. */
  save(): [high: number, low: number][] {
    return this.#entries().sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  }

  load(hashes: readonly [high: number, low: number][]): void {
    this.clear();
    for (const [high, low] of hashes) this.#insert(high, low);
  }

  #entries(): [high: number, low: number][] {
    const hashes: [number, number][] = [];
    for (let i = 0; i < this.#made.length; i++) {
      if (this.#made[i] === this.#set) hashes.push([this.#high[i]!, this.#low[i]!]);
    }
    return hashes;
  }

  #insert(high: number, low: number): boolean {
    const mask = this.#made.length - 1;
    let at = high & mask;
    let reach = REACH;
    for (; this.#made[at] === this.#set; at = (at + 1) & mask) {
      if ((this.#high[at] === high && this.#low[at] === low) || --reach === 0) return false;
    }
    if (this.#size === SEEN_MAX) return false;
    this.#made[at] = this.#set;
    this.#high[at] = high;
    this.#low[at] = low;
    this.#size++;
    if (2 * this.#size > this.#made.length) this.#grow();
    return true;
  }

  #grow(): void {
    const hashes = this.#entries();
    const places = 2 * this.#made.length;
    this.#high = new Uint32Array(places);
    this.#low = new Uint32Array(places);
    this.#made = new Uint32Array(places);
    this.load(hashes);
  }
}
