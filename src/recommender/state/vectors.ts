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
import type { Part, PartReader } from "../../engine/index.js";
import { Random, sigmoid } from "../../numeric/index.js";
import type { Id } from "../../protocol/index.js";
import {
  type ByteReader,
  ByteWriter,
  Directory,
  fault,
  floatRows,
  framedPart,
  framedReader,
  jsonOf,
  type NumberRows,
  newId,
} from "./packed/index.js";

/** Learning and size of collaborative vectors. */
export interface VectorOptions {
  /** Numbers in a vector, [1, 1024]. Default 16. */
  size: number;
  /** Users remembered; the ones without a watch for longest are forgotten first. Default 50 000. */
  users: number;
  /** Streamers remembered; the ones without a watch for longest are forgotten first. Default 200 000. */
  streamers: number;
  /** Categories remembered, as many tags, and as many traits of users. Default 16 384. */
  names: number;
  /** Step size, (0, 1]. Default 0.03. */
  learningRate: number;
  /** Weight of the squared length of the parts that a step touches, [0, 1]. Default 0.01. */
  regularization: number;
  /** Streamers that each watch is compared with, [1, 64]. Default 8. */
  negatives: number;
  /** Latest offers from which `negatives` are drawn, [1, 65536]. Default 1024. */
  window: number;
  /** Seed of the first vectors and the negatives, [0, 2^53 - 1]. Default 1. */
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

/** A streamer that a user could have watched. */
interface Offer {
  streamer: Id;
  category: string;
  tags: readonly string[];
}

/** A row, wherever it stands. */
interface Part32 {
  readonly rows: NumberRows<Float32Array>;
  readonly slot: number;
}

/** Parts by name, the ones learned last at the end; the ones learned longest ago are forgotten first. */
class Parts {
  readonly directory: Directory;
  readonly rows: NumberRows<Float32Array>;

  constructor(max: number, size: number) {
    this.directory = new Directory(max);
    this.rows = floatRows(size);
  }

  get(name: string): Part32 | undefined {
    const slot = this.directory.get(name);
    return slot < 0 ? undefined : { rows: this.rows, slot };
  }

  /** Makes a part the latest; a missing one gets `first`. */
  open(name: string, first: () => ArrayLike<number>): void {
    const { directory, rows } = this;
    const isNew = directory.get(name) < 0;
    const slot = directory.touch(name);
    if (isNew) rows.write(slot).set(first(), rows.at(slot));
    if (directory.size > directory.max) this.delete(directory.id(directory.first));
  }

  delete(name: string): boolean {
    const slot = this.directory.delete(name);
    if (slot >= 0) this.rows.clear(slot);
    return slot >= 0;
  }
}

/** What a save holds beside the parts. */
interface SavedRest {
  offers: [Id, string, readonly string[]][];
  next: number;
  offered: boolean;
  random: number[];
}

/** A weighted sum of parts: the vector of a user or a streamer. */
class Sum {
  readonly vector: Float64Array;
  readonly #rows: Part32[] = [];
  readonly #scales: number[] = [];

  constructor(size: number) {
    this.vector = new Float64Array(size);
  }

  clear(): void {
    this.#rows.length = 0;
    this.#scales.length = 0;
    this.vector.fill(0);
  }

  /** Adds a part; a missing part adds nothing. */
  add(row: Part32 | undefined, scale: number): void {
    if (row === undefined) return;
    const { vector } = this;
    this.#rows.push(row);
    this.#scales.push(scale);
    const numbers = row.rows.of(row.slot);
    const at = row.rows.at(row.slot);
    for (let f = 0; f < vector.length; f++) vector[f]! += scale * numbers[at + f]!;
  }

  /** Moves each part by `gain` in the direction of its gradient, and towards zero. */
  move(gain: number, direction: Float64Array, keep: number): void {
    for (const [p, { rows, slot }] of this.#rows.entries()) {
      const step = gain * this.#scales[p]!;
      const numbers = rows.write(slot);
      const at = rows.at(slot);
      for (let f = 0; f < direction.length; f++) {
        numbers[at + f] = Math.min(Math.max(keep * numbers[at + f]! + step * direction[f]!, -LIMIT), LIMIT);
      }
    }
  }
}

function dotOf(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let f = 0; f < a.length; f++) sum += a[f]! * b[f]!;
  return sum;
}

/** Adds a part to a vector; a missing part adds nothing. */
function plus(out: Float32Array, offset: number, row: Part32 | undefined, scale: number): void {
  if (row === undefined) return;
  const { rows, slot } = row;
  const numbers = rows.of(slot);
  const at = rows.at(slot);
  for (let f = 0; f < rows.size; f++) out[offset + f]! += scale * numbers[at + f]!;
}

/**
 * Vectors of users and streamers, learned watch by watch; the larger their inner product, the likelier a watch.
 *
 * A user's vector is the sum of a part that all users share, of one part for each trait and of an own part; a
 * streamer's is the sum of parts of its category, its tags and its own (Kula 2015, LightFM, arXiv:1507.08439). So new
 * users and streamers have a vector at once, from their traits, category and tags; own parts take over as they are
 * learned. Each watch is a few steps of BPR (Rendle et al. 2009) against streamers drawn from the latest offers. On
 * logs of the simulator, drawing from streamers that others had watched, and learning from watches one by one without
 * pairs, predicted the watched stream of a slate no better; the differences were within noise.
 */
export class CollaborativeVectors {
  readonly options: Readonly<VectorOptions>;
  /** The part that all users share, alone under the name "". */
  readonly #shared: Parts;
  readonly #everybody: Part32;
  readonly #users: Parts;
  readonly #traits: Parts;
  readonly #streamers: Parts;
  readonly #categories: Parts;
  readonly #tags: Parts;
  /** The latest offers, in a ring. */
  readonly #offers: Offer[] = [];
  /** Place of the next offer. */
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
    this.#users = new Parts(users, size);
    this.#traits = new Parts(names, size);
    this.#streamers = new Parts(streamers, size);
    this.#categories = new Parts(names, size);
    this.#tags = new Parts(names, size);
    this.#random = Random.named(seed, "vectors");
    this.#user = new Sum(size);
    this.#positive = new Sum(size);
    this.#negative = new Sum(size);
    this.#difference = new Float64Array(size);
    this.#shared = new Parts(1, size);
    this.#open(this.#shared, "everybody", "");
    this.#everybody = this.#shared.get("")!;
  }

  /** Numbers in a vector. */
  get size(): number {
    return this.options.size;
  }

  /** Users and streamers that have a part of their own. */
  get known(): { users: number; streamers: number } {
    return { users: this.#users.directory.size, streamers: this.#streamers.directory.size };
  }

  /**
   * Adds an offer: a streamer went on air, or was shown. Watches are compared with the latest offers; before the first,
   * with the latest watches.
   */
  offer(streamer: Id, category: string, tags: readonly string[] = NO_NAMES): void {
    this.#offered = true;
    this.#keep({ streamer, category, tags });
  }

  /**
   * A user watched a streamer, and stayed.
   * @param weight - Weight of the watch, such as log(1 + minutes), >= 0; at most 8 counts.
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
   * @returns Whether it has an own part; otherwise it is the sum of the shared part and of the traits.
   */
  readUser(user: Id, out: Float32Array, offset: number, traits: readonly string[] = NO_NAMES): boolean {
    const own = this.#users.get(user);
    out.fill(0, offset, offset + this.size);
    plus(out, offset, this.#everybody, 1);
    for (const trait of traits) plus(out, offset, this.#traits.get(trait), 1 / traits.length);
    plus(out, offset, own, 1);
    return own !== undefined;
  }

  /**
   * Writes a streamer's vector, `size` numbers from `offset`.
   * @returns Whether it has an own part; otherwise it is the sum of the parts of category and tags.
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

  /** The inner product of the vectors of a user and a streamer: the larger, the likelier a watch. */
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
    // Start at the oldest, so that the places of the ring keep their order.
    const oldest = this.#offers.length < this.options.window ? 0 : this.#next;
    const order = [...this.#offers.slice(oldest), ...this.#offers.slice(0, oldest)];
    const kept = order.filter((offer) => offer.streamer !== streamer);
    this.#offers.splice(0, this.#offers.length, ...kept);
    this.#next = kept.length % this.options.window;
    return this.#streamers.delete(streamer);
  }

  /** Forgets the part of a trait that no user has any more. */
  forgetTrait(trait: string): void {
    this.#traits.delete(trait);
  }

  /** The part of a save: what stands beside the parts, then each with its table and name. */
  part(name: string): Part {
    const rest: SavedRest = {
      offers: this.#offers.map(({ streamer, category, tags }) => [streamer, category, tags]),
      next: this.#next,
      offered: this.#offered,
      random: [...this.#random.state()],
    };
    const tables = this.#tables().map(({ directory, rows }) => ({ listing: directory.listing(), rows: rows.share() }));
    const { size } = this;
    function* frames() {
      const out = new ByteWriter();
      yield new TextEncoder().encode(JSON.stringify(rest));
      for (const [table, { listing, rows }] of tables.entries()) {
        for (const slot of listing.slots()) {
          out.clear().u8(table);
          out.text(listing.id(slot));
          for (let f = 0; f < size; f++) out.f32(rows.of(slot)[rows.at(slot) + f]!);
          yield out.bytes.subarray(0, out.length);
        }
      }
    }
    return framedPart(name, frames);
  }

  /** Reads such a part, in place of all parts and offers. */
  reader(name: string): PartReader {
    let isFirst = true;
    const tables = this.#tables();
    return framedReader(name, (frame) => {
      if (isFirst) {
        isFirst = false;
        for (const table of tables.slice(1)) for (const key of [...table.directory.keys()]) table.delete(key);
        this.#loadRest(frame, name);
        return;
      }
      const table = tables[frame.count(tables.length - 1, "table")]!;
      frame.what = `${name}.${table.directory.size}`;
      const key = table === this.#shared ? frame.text() : newId(frame, table.directory);
      const row = new Float32Array(this.size);
      for (let f = 0; f < this.size; f++) {
        row[f] = frame.f32();
        if (!(Math.abs(row[f]!) <= LIMIT)) frame.fail(`numbers in [-${LIMIT}, ${LIMIT}], got ${row[f]}`);
      }
      if (table === this.#shared) table.rows.write(this.#everybody.slot).set(row, table.rows.at(this.#everybody.slot));
      else table.open(key, () => row);
    });
  }

  #tables(): readonly Parts[] {
    return [this.#shared, this.#users, this.#traits, this.#streamers, this.#categories, this.#tags];
  }

  #loadRest(frame: ByteReader, name: string): void {
    const { offers, next, offered, random } = jsonOf<SavedRest>(frame);
    const { window } = this.options;
    const isText = (value: unknown) => typeof value === "string";
    const isOffer = (offer: unknown) =>
      Array.isArray(offer) && isText(offer[0]) && isText(offer[1]) && Array.isArray(offer[2]) && offer[2].every(isText);
    const isWord = (value: unknown) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
    if (!Array.isArray(offers) || offers.length > window || !offers.every(isOffer)) throw fault(name, "offers");
    if (next !== offers.length % window && !(offers.length === window && integer(0, window - 1)[0](next))) {
      throw fault(name, "next");
    }
    if (typeof offered !== "boolean") throw fault(name, "offered");
    if (!Array.isArray(random) || random.length !== this.#random.state().length || !random.every(isWord)) {
      throw fault(name, "random");
    }
    this.#offers.length = 0;
    for (const [streamer, category, tags] of offers) this.#offers.push({ streamer, category, tags });
    this.#next = next;
    this.#offered = offered;
    this.#random.restore(Uint32Array.from(random));
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

  /** Marks a part as the latest of its table; creates a missing one. */
  #open(table: Parts, kind: string, name: string): void {
    table.open(name, () => this.#firstRow(kind, name));
  }

  /** The first numbers of a part, drawn by its name: they do not depend on the order of arrival. */
  #firstRow(kind: string, name: string): Float32Array {
    const random = Random.named(this.options.seed, "vectors", kind, name);
    const scale = SPREAD / Math.sqrt(this.size);
    return Float32Array.from({ length: this.size }, () => scale * random.normal());
  }
}
