import { type Part, type PartReader, SnapshotError } from "../../engine/index.js";
import type { Id } from "../../protocol/index.js";
import {
  ByteReader,
  ByteWriter,
  DEAD,
  framedPart,
  framedReader,
  Names,
  newId,
  PackedMap,
  words,
} from "./packed/index.js";

/** Largest weight of a user. */
const WEIGHT_MAX = 1e30;

/**
 * The latest streamers that each user liked, and a weight: the data of neighbourhoods. A record is the weight, then the
 * numbers of the streamers' names, the latest last: three bytes a streamer.
 */
export class Visits {
  readonly #users: PackedMap;
  readonly #names = new Names();
  readonly #perUser: number;
  readonly #out = new ByteWriter(256);

  /**
   * @param users - Users remembered; the ones without a visit for longest are forgotten first.
   * @param perUser - Streamers remembered of each; likewise.
   */
  constructor(users: number, perUser: number) {
    this.#users = new PackedMap(users, (record) => {
      for (const number of numbersOf(record)) this.#names.drop(number);
    });
    this.#perUser = perUser;
  }

  /** Adds a visit. Returns whether it is the first remembered one of this user to this streamer. */
  add(user: Id, streamer: Id): boolean {
    const record = this.#users.get(user);
    const own = this.of(user);
    const at = own.indexOf(streamer);
    if (at >= 0) own.splice(at, 1);
    own.push(streamer);
    // A full list drops a sixteenth at once, as `Latest` does.
    if (own.length > this.#perUser) own.splice(0, own.length - this.#perUser + (this.#perUser >> 4));
    this.#users.set(user, this.#pack(record === undefined ? 0 : weightOf(record), own));
    return at < 0;
  }

  /** The streamers of a user, the latest last. */
  of(user: Id): Id[] {
    const record = this.#users.get(user);
    return record === undefined ? [] : this.#streamersOf(record);
  }

  /** The weight of a user; 0 before it was set. */
  weight(user: Id): number {
    const record = this.#users.get(user);
    return record === undefined ? 0 : weightOf(record);
  }

  /** Sets the weight of a user who has visits. */
  setWeight(user: Id, weight: number): void {
    const slot = this.#users.directory.get(user);
    if (slot >= 0) this.#users.replace(slot, this.#pack(weight, this.of(user)));
  }

  /** Multiplies all weights. */
  scale(factor: number): void {
    for (const user of this.#users.keys()) this.setWeight(user, this.weight(user) * factor);
  }

  /** Forgets a user. */
  delete(user: Id): void {
    this.#users.delete(user);
  }

  /** Forgets a streamer in the visits of all users. */
  deleteStreamer(streamer: Id): void {
    this.#names.forget(streamer);
  }

  /** The streamers of each user. */
  *all(): IterableIterator<Id[]> {
    for (const user of this.#users.keys()) yield this.of(user);
  }

  /** All memory of records, for tests that search it. */
  memory(): Generator<Uint8Array> {
    return this.#users.memory();
  }

  /** The part of a save: for each user id, weight and streamers, each name in full at its first use. */
  part(name: string): Part {
    const picture = this.#users.picture();
    const moment = this.#names.hold();
    const names = this.#names;
    function* frames() {
      /** By number here, that of the file, plus 1. */
      const numbers = words();
      let known = 0;
      const out = new ByteWriter();
      for (const slot of picture.listing.slots()) {
        const record = picture.record(slot);
        const streamers = numbersOf(record).filter((number) => names.nameAt(number, moment) !== undefined);
        out.clear().text(picture.listing.id(slot));
        out.f64(weightOf(record));
        out.varint(streamers.length);
        for (const streamer of streamers) {
          const own = numbers.made(streamer);
          out.varint(own > 0 ? own - 1 : known);
          if (own > 0) continue;
          out.text(names.nameAt(streamer, moment)!);
          numbers.set(streamer, ++known);
        }
        yield out.bytes.subarray(0, out.length);
      }
    }
    return framedPart(name, frames, picture, names);
  }

  /** Reads such a part into an empty table. */
  reader(name: string): PartReader {
    const texts: string[] = [];
    return framedReader(name, (frame) => {
      frame.what = `${name}.${this.#users.size}`;
      const user = newId(frame, this.#users.directory);
      const weight = frame.number(0, WEIGHT_MAX, "weight");
      const streamers: string[] = [];
      for (let n = frame.count(this.#perUser, "streamers"); n > 0; n--) {
        const number = frame.count(texts.length, "name");
        if (number === texts.length) {
          const text = frame.text();
          if (text === "" || this.#names.has(text)) throw new SnapshotError(`"${frame.what}" must have new names`);
          texts.push(text);
        }
        streamers.push(texts[number]!);
      }
      if (new Set(streamers).size < streamers.length) frame.fail("of streamers that differ");
      this.#users.set(user, this.#pack(weight, streamers));
    });
  }

  #pack(weight: number, streamers: readonly Id[]): Uint8Array {
    const out = this.#out.clear();
    out.f64(weight);
    for (const streamer of streamers) {
      const number = this.#names.intern(streamer);
      this.#names.refer(number);
      out.u24(number);
    }
    return out.bytes.subarray(0, out.length);
  }

  #streamersOf(record: Uint8Array): Id[] {
    return numbersOf(record).flatMap((number) => (number === DEAD ? [] : (this.#names.name(number) ?? [])));
  }
}

function weightOf(record: Uint8Array): number {
  return new ByteReader(record).f64();
}

function numbersOf(record: Uint8Array): number[] {
  const bytes = new ByteReader(record);
  bytes.skip(8);
  return Array.from({ length: (record.length - 8) / 3 }, () => bytes.u24());
}
