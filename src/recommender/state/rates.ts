import { boolean, fields, integer, numbers, requireShape, type Shape } from "../../check/index.js";
import { type Key, Seen } from "../../collections/index.js";
import type { Part, PartReader } from "../../engine/index.js";
import { log1p } from "../../numeric/index.js";
import { type FeedbackEvent, type Id, MINUTE } from "../../protocol/index.js";
import type { CatalogStream, Follower } from "./catalogue.js";
import { ByteWriter } from "./packed/bytes.js";
import { framedPart, framedReader, wordsIn } from "./packed/parts.js";
import { doubleRows } from "./packed/rows.js";

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
/** Above log(1 + viewers) for any number of viewers. */
const VIEWERS_MAX = 40;

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
}

/** The latest step, by the last time of a `Date`. */
const STEP_LAST = 8.64e15 / STEP;

const SAVED: Shape = fields<SavedRates>({ step: integer(0, STEP_LAST), known: numbers(RATES.length, boolean) });

/** A row: the latest step with a count, NEVER before the first; the trend; counts by rate and step modulo `STEPS`. */
const [STEP_AT, TREND_AT, CELLS_AT] = [0, 1, 1 + TREND] as const;
const ROW = CELLS_AT + CELLS;

/** Most actions of a step; those beyond count as seen. [set by hand] */
const SEEN_MAX = 524_288;

/** Frames of a part. */
const [SEEN_FRAME, ROW_FRAME] = [0, 1] as const;

/**
 * Current rates of each stream: entries, comments, gifts and likes a minute, and the trend of its viewers.
 *
 * Counts are kept in steps of 10 s, six of which are a window that ends now: every event and every reading takes O(1)
 * and allocates nothing. A user counts once a step for each stream and rate, so that a user who floods a
 * stream counts at most six times in its window. Rows stand at the streams' index in the catalogue.
 */
export class Rates implements Follower {
  readonly #rows = doubleRows(ROW);
  /** Actions of users in the current step; what finds no room counts as seen. */
  readonly #seen = new Seen(SEEN_MAX);
  /** Whether an event of each rate has ever come: platforms differ in the events that they send. */
  readonly #isKnown: boolean[] = RATES.map(() => false);
  /** The current step. */
  #step = 0;

  /** Begins an empty row. */
  entered({ index }: Pick<CatalogStream, "index">): void {
    const at = this.#rows.at(index);
    this.#rows
      .write(index)
      .fill(0, at, at + ROW)
      .fill(NEVER, at, at + CELLS_AT);
  }

  changed(): void {}

  /** The row at `from`, the last one, now stands at `to`. */
  left(to: number, from: number): void {
    if (from !== to) this.#rows.move(from, to);
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
    if (!this.#isNew(actionOf(rate, user, stream))) return;
    const row = this.#rows.write(index);
    const start = this.#rows.at(index);
    const since = this.#step - row[start + STEP_AT]!;
    // Counts of a time that has not come yet are of a clock that was wrong.
    const passed = since < 0 ? STEPS : Math.min(since, STEPS);
    const cells = start + CELLS_AT;
    for (let i = 0; i < passed; i++) {
      const cell = cells + ((this.#step - i) % STEPS);
      for (let r = 0; r < CELLS; r += STEPS) row[cell + r] = 0;
    }
    row[start + STEP_AT] = this.#step;
    row[cells + rate * STEPS + (this.#step % STEPS)]!++;
  }

  /** Updates the number of viewers of the stream at `index`. */
  viewers(index: number, viewers: number, now: number): void {
    const trends = this.#rows.write(index);
    const at = this.#rows.at(index) + TREND_AT;
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
    const row = this.#rows.of(index);
    const latest = row[this.#rows.at(index) + STEP_AT]!;
    const held = latest === NEVER ? 0 : STEPS - Math.max(step - latest, 0);
    const start = this.#rows.at(index) + CELLS_AT + rate * STEPS;
    let sum = 0;
    for (let back = 0; back < held; back++) sum += row[start + ((latest + STEPS - back) % STEPS)]!;
    const from = Math.max((step - STEPS + 1) * STEP, startedAt);
    return (sum * MINUTE) / Math.max(now - from, STEP);
  }

  /**
   * Growth of log(1 + viewers) a minute, from a mark at least 30 s before the latest; undefined until there are two
   * marks. Without a new number of viewers it fades with time.
   */
  trend(index: number, now: number): number | undefined {
    const trends = this.#rows.of(index);
    const at = this.#rows.at(index) + TREND_AT;
    const from = trends[at + OLD_TIME]!;
    if (from === NEVER) return undefined;
    const until = Math.max(now, trends[at + MARK_TIME]!);
    return ((trends[at + LAST]! - trends[at + OLD]!) * MINUTE) / (until - from);
  }

  /** Plain values beside those of `part`. */
  save(): SavedRates {
    return { step: this.#step, known: [...this.#isKnown] };
  }

  /** Restores the values of `save`. */
  load(saved: SavedRates): void {
    requireShape(SAVED, saved, "moments");
    this.#step = saved.step;
    this.#isKnown.splice(0, RATES.length, ...saved.known);
  }

  /** The part of a save: the actions of the current step, then the first `size` rows, as they are now. */
  part(name: string, size: number): Part {
    const [seen, rows] = [this.#seen.picture(), this.#rows.share()];
    function* frames() {
      const out = new ByteWriter();
      for (const words of seen()) {
        out.clear().u8(SEEN_FRAME);
        out.raw(words);
        yield out.bytes.subarray(0, out.length);
      }
      for (let index = 0; index < size; index++) {
        const row = rows.of(index);
        const at = rows.at(index);
        if (row[at + STEP_AT] === NEVER && row[at + TREND_AT + MARK_TIME] === NEVER) continue;
        out.clear().u8(ROW_FRAME);
        out.varint(index);
        out.varint(row[at + STEP_AT]! + 1);
        for (let i = TREND_AT; i < CELLS_AT; i++) out.f64(row[at + i]!);
        for (let i = CELLS_AT; i < ROW; i++) out.varint(row[at + i]!);
        yield out.bytes.subarray(0, out.length);
      }
    }
    return framedPart(name, frames);
  }

  /** Reads such a part. @param sizeOf - The number of open rows. */
  reader(name: string, sizeOf: () => number): PartReader {
    let from = 0;
    return framedReader(name, (frame) => {
      const kind = frame.count(ROW_FRAME, "kind");
      if (kind === SEEN_FRAME) {
        this.#seen.load(wordsIn(frame));
        return;
      }
      frame.what = `${name}.${from}`;
      const index = frame.count(sizeOf() - 1, "index");
      if (index < from) frame.fail("rows in ascending order");
      from = index + 1;
      const row = this.#rows.write(index);
      const at = this.#rows.at(index);
      row[at + STEP_AT] = frame.count(STEP_LAST + 1, "step") - 1;
      for (let i = 0; i < TREND; i++) {
        const isTime = i === OLD_TIME || i === MARK_TIME;
        row[at + TREND_AT + i] = frame.number(NEVER, isTime ? Number.MAX_VALUE : VIEWERS_MAX, "trend");
      }
      for (let i = CELLS_AT; i < ROW; i++) row[at + i] = frame.count(0xffffffff, "count");
      const [old, mark] = [row[at + TREND_AT + OLD_TIME]!, row[at + TREND_AT + MARK_TIME]!];
      // Nothing is divided by 0.
      if (old !== NEVER && !(mark - old >= TREND_GAP)) frame.fail(`of two marks at least ${TREND_GAP} ms apart`);
    });
  }

  /** Whether an action is new in the current step. */
  #isNew(action: Key): boolean {
    const seen = this.#seen;
    if (seen.size === SEEN_MAX || seen.get(action) !== undefined) return false;
    seen.add(action);
    return seen.get(action) !== undefined;
  }
}

/** An action as 64 bits. */
function actionOf(rate: number, user: Id, stream: Id): Key {
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
  return [low >>> 0, (high ^ (high >>> 12)) >>> 0];
}
