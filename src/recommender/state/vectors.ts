import {
  above,
  between,
  checked,
  integer,
  mustBe,
  nonNegative,
  positiveInteger,
  type Rules,
} from "../../check/index.js";
import { Latest } from "../../collections/index.js";
import { Random, sigmoid } from "../../numeric/index.js";
import type { Id } from "../../protocol/index.js";

/** How collaborative vectors are learned, and how many are kept. */
export interface VectorOptions {
  /** Numbers in a vector, [1, 1024]. Default 16. */
  size: number;
  /** Users remembered; those not heard of for longest are forgotten first. Default 50 000. */
  users: number;
  /** Streamers remembered; those not heard of for longest are forgotten first. Default 200 000. */
  streamers: number;
  /** Categories remembered, as many tags, and as many traits of users. Default 16 384. */
  names: number;
  /** Step size, (0, 1]. Default 0.03. */
  learningRate: number;
  /** Weight of the squared length of the parts that a step touches, [0, 1]. Default 0.01. */
  regularization: number;
  /** Streamers that each watch is compared with, [1, 64]. Default 8. */
  negatives: number;
  /** Offers among which these are drawn, the latest, [1, 65536]. Default 1024. */
  window: number;
  /** Of the first vectors and the negatives, [0, 2^53 - 1]. Default 1. */
  seed: number;
}

const DEFAULTS: VectorOptions = {
  size: 16,
  users: 50_000,
  streamers: 200_000,
  names: 16_384,
  learningRate: 0.03,
  regularization: 0.01,
  negatives: 8,
  window: 1024,
  seed: 1,
};

const TABLE: Rules<VectorOptions> = {
  size: integer(1, 1024),
  users: positiveInteger,
  streamers: positiveInteger,
  names: positiveInteger,
  learningRate: above(0, 1),
  regularization: between(0, 1),
  negatives: integer(1, 64),
  window: integer(1, 65_536),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

/** No number of a part leaves [-LIMIT, LIMIT]: no sequence of watches makes a vector infinite. [set by hand] */
const LIMIT = 4;
/** Heavier watches count as this heavy: a single one must not throw a vector across the room. [set by hand] */
const WEIGHT_MAX = 8;
/** Standard deviation of the first numbers of a part, times the square root of the size: 0.1 for 16. [set by hand] */
const SPREAD = 0.4;

const NO_NAMES: readonly string[] = [];

/** A streamer that could have been watched. */
interface Offer {
  streamer: Id;
  category: string;
  tags: readonly string[];
}

/** What `CollaborativeVectors.save` gives: plain values, and the numbers of all parts one after the other. */
export interface SavedVectors {
  users: Id[];
  traits: string[];
  streamers: Id[];
  categories: string[];
  tags: string[];
  offers: [Id, string, readonly string[]][];
  next: number;
  offered: boolean;
  random: number[];
  /** (1 + users + traits + streamers + categories + tags, size): first the part of everybody. */
  rows: ArrayLike<number>;
}

/** The parts whose weighted sum is somebody's vector. */
class Sum {
  readonly vector: Float64Array;
  readonly #rows: Float32Array[] = [];
  readonly #scales: number[] = [];

  constructor(size: number) {
    this.vector = new Float64Array(size);
  }

  clear(): void {
    this.#rows.length = 0;
    this.#scales.length = 0;
    this.vector.fill(0);
  }

  /** Adds a part; one that does not exist adds nothing. */
  add(row: Float32Array | undefined, scale: number): void {
    if (row === undefined) return;
    const { vector } = this;
    this.#rows.push(row);
    this.#scales.push(scale);
    for (let f = 0; f < vector.length; f++) vector[f]! += scale * row[f]!;
  }

  /** Moves each part by `gain` in the direction of its gradient, and towards zero. */
  move(gain: number, direction: Float64Array, keep: number): void {
    for (const [p, row] of this.#rows.entries()) {
      const step = gain * this.#scales[p]!;
      for (let f = 0; f < row.length; f++) {
        row[f] = Math.min(Math.max(keep * row[f]! + step * direction[f]!, -LIMIT), LIMIT);
      }
    }
  }
}

function dotOf(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let f = 0; f < a.length; f++) sum += a[f]! * b[f]!;
  return sum;
}

/** Adds a part to a vector; one that does not exist adds nothing. */
function plus(out: Float32Array, offset: number, row: Float32Array | undefined, scale: number): void {
  if (row !== undefined) for (let f = 0; f < row.length; f++) out[offset + f]! += scale * row[f]!;
}

/**
 * Vectors of users and of streamers whose inner product says who would watch whom, learned watch by watch.
 *
 * A user's vector is the sum of a part of everybody's, of one of each trait and of one of the user's own; a streamer's
 * of its category's, its tags' and its own (Kula 2015, LightFM, arXiv:1507.08439). So whoever was never seen has a
 * vector at once: that of what is known of them, and parts of their own take over as they are learned. Each watch is
 * a few steps of BPR (Rendle et al. 2009) against streamers drawn from the latest that were offered. On logs of the
 * simulator, drawing from what others had watched, and learning from watches one by one without pairs, did not tell
 * better which stream of a slate was watched; the differences were within noise.
 */
export class CollaborativeVectors {
  readonly options: Readonly<VectorOptions>;
  readonly #everybody: Float32Array;
  readonly #users: Latest<Id, Float32Array>;
  readonly #traits: Latest<string, Float32Array>;
  readonly #streamers: Latest<Id, Float32Array>;
  readonly #categories: Latest<string, Float32Array>;
  readonly #tags: Latest<string, Float32Array>;
  /** The latest, in a ring. */
  readonly #offers: Offer[] = [];
  /** Where the next one goes. */
  #next = 0;
  #offered = false;
  readonly #random: Random;
  readonly #user: Sum;
  readonly #positive: Sum;
  readonly #negative: Sum;
  readonly #difference: Float64Array;

  /** @throws TypeError for an unknown option, RangeError for one out of its range. */
  constructor(options: Partial<VectorOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "vectors.");
    const { size, users, streamers, names, seed } = this.options;
    this.#users = new Latest(users);
    this.#traits = new Latest(names);
    this.#streamers = new Latest(streamers);
    this.#categories = new Latest(names);
    this.#tags = new Latest(names);
    this.#random = Random.named(seed, "vectors");
    this.#user = new Sum(size);
    this.#positive = new Sum(size);
    this.#negative = new Sum(size);
    this.#difference = new Float64Array(size);
    this.#everybody = this.#firstRow("everybody", "");
  }

  /** Numbers in a vector. */
  get size(): number {
    return this.options.size;
  }

  /** Users and streamers that have a part of their own. */
  get known(): { users: number; streamers: number } {
    return { users: this.#users.size, streamers: this.#streamers.size };
  }

  /**
   * A streamer can be watched: went on air, or was shown. Watches are compared with the latest offers; as long as there
   * are none, with the latest watches.
   */
  offer(streamer: Id, category: string, tags: readonly string[] = NO_NAMES): void {
    this.#offered = true;
    this.#keep({ streamer, category, tags });
  }

  /**
   * A user watched a streamer, and stayed.
   * @param weight - How much it counts, >= 0; from 8 on, 8. Such as log(1 + minutes).
   * @param tags - Of the stream.
   * @param traits - Of the user, such as `language:en`.
   * @throws RangeError when `weight` is not finite or below 0.
   */
  learn(
    user: Id,
    streamer: Id,
    category: string,
    weight: number,
    tags: readonly string[] = NO_NAMES,
    traits: readonly string[] = NO_NAMES,
  ): void {
    if (!nonNegative[0](weight)) throw mustBe("weight", nonNegative[1], weight);
    const { negatives, learningRate, regularization } = this.options;
    const rate = learningRate * Math.min(weight, WEIGHT_MAX);
    this.#openUser(user, traits);
    this.#openStreamer(streamer, category, tags, this.#positive);
    for (let n = 0; n < negatives && this.#offers.length > 0; n++) {
      const other = this.#offers[this.#random.below(this.#offers.length)]!;
      if (other.streamer === streamer) continue;
      this.#sumStreamer(other.streamer, other.category, other.tags, this.#negative);
      this.#step(rate, 1 - learningRate * regularization);
      this.#sumUser(user, traits);
      this.#sumStreamer(streamer, category, tags, this.#positive);
    }
    if (!this.#offered) this.#keep({ streamer, category, tags });
  }

  /**
   * Writes a user's vector, `size` numbers from `offset`.
   * @returns Whether it has a part of the user's own; without, it is that of everybody and of the traits.
   */
  readUser(user: Id, out: Float32Array, offset: number, traits: readonly string[] = NO_NAMES): boolean {
    const own = this.#users.get(user);
    out.set(this.#everybody, offset);
    for (const trait of traits) plus(out, offset, this.#traits.get(trait), 1 / traits.length);
    plus(out, offset, own, 1);
    return own !== undefined;
  }

  /**
   * Writes a streamer's vector, `size` numbers from `offset`.
   * @returns Whether it has a part of the streamer's own; without, it is that of the category and of the tags.
   */
  readStreamer(
    streamer: Id,
    category: string,
    out: Float32Array,
    offset: number,
    tags: readonly string[] = NO_NAMES,
  ): boolean {
    const own = this.#streamers.get(streamer);
    out.fill(0, offset, offset + this.size);
    plus(out, offset, this.#categories.get(category), 1);
    for (const tag of tags) plus(out, offset, this.#tags.get(tag), 1 / tags.length);
    plus(out, offset, own, 1);
    return own !== undefined;
  }

  /** The inner product of the vectors of a user and a streamer: above 0, rather than what others watch. */
  dot(
    user: Id,
    streamer: Id,
    category: string,
    tags: readonly string[] = NO_NAMES,
    traits: readonly string[] = NO_NAMES,
  ): number {
    this.#sumUser(user, traits);
    this.#sumStreamer(streamer, category, tags, this.#positive);
    return dotOf(this.#user.vector, this.#positive.vector);
  }

  /** Forgets a user's own part. Returns whether there was one. */
  forget(user: Id): boolean {
    return this.#users.delete(user);
  }

  /** Forgets a streamer's own part and offers. Returns whether there was a part. */
  forgetStreamer(streamer: Id): boolean {
    // From the oldest on, so that the places of the ring keep their order.
    const oldest = this.#offers.length < this.options.window ? 0 : this.#next;
    const order = [...this.#offers.slice(oldest), ...this.#offers.slice(0, oldest)];
    const kept = order.filter((offer) => offer.streamer !== streamer);
    this.#offers.splice(0, this.#offers.length, ...kept);
    this.#next = kept.length % this.options.window;
    return this.#streamers.delete(streamer);
  }

  /** All that was learned; `load` takes it back. */
  save(): SavedVectors {
    const tables = [this.#users, this.#traits, this.#streamers, this.#categories, this.#tags];
    const rows = [this.#everybody, ...tables.flatMap((table) => [...table.values()])];
    const numbers = new Float32Array(rows.length * this.size);
    for (const [i, row] of rows.entries()) numbers.set(row, i * this.size);
    return {
      users: [...this.#users.keys()],
      traits: [...this.#traits.keys()],
      streamers: [...this.#streamers.keys()],
      categories: [...this.#categories.keys()],
      tags: [...this.#tags.keys()],
      offers: this.#offers.map(({ streamer, category, tags }) => [streamer, category, tags]),
      next: this.#next,
      offered: this.#offered,
      random: [...this.#random.state()],
      rows: numbers,
    };
  }

  /**
   * Takes what `save` gave, in place of what was learned.
   * @throws RangeError when the rows are not as many as the names, or not finite; nothing changes then.
   */
  load(saved: SavedVectors): void {
    const { rows } = saved;
    const tables = [
      [this.#users, saved.users],
      [this.#traits, saved.traits],
      [this.#streamers, saved.streamers],
      [this.#categories, saved.categories],
      [this.#tags, saved.tags],
    ] as const;
    const count = tables.reduce((sum, [, keys]) => sum + keys.length, 1) * this.size;
    const must = `${count} numbers in [-${LIMIT}, ${LIMIT}]`;
    if (rows.length !== count) throw mustBe("rows", must, `${rows.length} numbers`);
    for (let i = 0; i < count; i++) if (!(Math.abs(rows[i]!) <= LIMIT)) throw mustBe("rows", must, rows[i]);
    let at = 0;
    const take = (): Float32Array => {
      const row = new Float32Array(this.size);
      for (let f = 0; f < this.size; f++) row[f] = rows[at++]!;
      return row;
    };
    this.#everybody.set(take());
    for (const [table, keys] of tables) {
      table.clear();
      for (const key of keys) table.set(key, take());
    }
    this.#offers.length = 0;
    for (const [streamer, category, tags] of saved.offers) this.#offers.push({ streamer, category, tags });
    this.#next = saved.next;
    this.#offered = saved.offered;
    this.#random.restore(Uint32Array.from(saved.random));
  }

  #keep(offer: Offer): void {
    this.#offers[this.#next] = { ...offer, tags: [...offer.tags] };
    this.#next = (this.#next + 1) % this.options.window;
  }

  /** One ascent of ln sigmoid(u · (i - j)): each part follows its own gradient. */
  #step(rate: number, keep: number): void {
    const [user, positive, negative] = [this.#user, this.#positive, this.#negative];
    const difference = this.#difference;
    for (let f = 0; f < difference.length; f++) difference[f] = positive.vector[f]! - negative.vector[f]!;
    const gain = rate * sigmoid(-dotOf(user.vector, difference));
    // The streamers' parts first: they need the user as it was.
    positive.move(gain, user.vector, keep);
    negative.move(-gain, user.vector, keep);
    user.move(gain, difference, keep);
  }

  #sumUser(user: Id, traits: readonly string[]): void {
    const sum = this.#user;
    sum.clear();
    sum.add(this.#everybody, 1);
    for (const trait of traits) sum.add(this.#traits.get(trait), 1 / traits.length);
    sum.add(this.#users.get(user), 1);
  }

  #sumStreamer(streamer: Id, category: string, tags: readonly string[], sum: Sum): void {
    sum.clear();
    sum.add(this.#categories.get(category), 1);
    for (const tag of tags) sum.add(this.#tags.get(tag), 1 / tags.length);
    sum.add(this.#streamers.get(streamer), 1);
  }

  #openUser(user: Id, traits: readonly string[]): void {
    this.#open(this.#users, "user", user);
    for (const trait of traits) this.#open(this.#traits, "trait", trait);
    this.#sumUser(user, traits);
  }

  #openStreamer(streamer: Id, category: string, tags: readonly string[], sum: Sum): void {
    this.#open(this.#streamers, "streamer", streamer);
    this.#open(this.#categories, "category", category);
    for (const tag of tags) this.#open(this.#tags, "tag", tag);
    this.#sumStreamer(streamer, category, tags, sum);
  }

  /** Makes a part the latest of its table, and makes it when there is none. */
  #open(table: Latest<string, Float32Array>, kind: string, name: string): void {
    table.set(name, table.get(name) ?? this.#firstRow(kind, name));
  }

  /** The first numbers of a part: by its name, so that they do not depend on who came before. */
  #firstRow(kind: string, name: string): Float32Array {
    const random = Random.named(this.options.seed, "vectors", kind, name);
    const scale = SPREAD / Math.sqrt(this.size);
    return Float32Array.from({ length: this.size }, () => scale * random.normal());
  }
}
