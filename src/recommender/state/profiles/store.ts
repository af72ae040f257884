import { type Part, type PartReader, SnapshotError } from "../../../engine/index.js";
import type { Id } from "../../../protocol/index.js";
import { ByteReader, ByteWriter } from "../packed/bytes.js";
import { Directory, type Listing } from "../packed/directory.js";
import { DEAD } from "../packed/names.js";
import { newId } from "../packed/packedmap.js";
import { framedPart, framedReader } from "../packed/parts.js";
import { doubles, words } from "../packed/rows.js";
import { Slabs } from "../packed/slabs.js";
import { NAMED, NAMES_OF, ProfileCodec, STREAMERS, TRAITS, USERS } from "./codec.js";
import type { ProfileOptions } from "./options.js";
import type { UserProfile, UserTraits } from "./profile.js";

/** A picture of all profiles at one moment. */
interface Picture {
  readonly listing: Listing;
  /** By slot, the address of the record: of now, and of those written since. */
  readonly record: (slot: number) => number;
  readonly written: Map<number, number>;
  /** By slot, when the user was last touched. */
  readonly time: (slot: number) => number;
  /** Slots of profiles that were active at the moment, and have no record of it yet. */
  readonly unwritten: Set<number>;
  /** For each table of names the number of the moment. */
  readonly moments: readonly number[];
}

/**
 * The profiles of users: packed, but for those used last, which are objects. A profile is packed as it leaves them, and
 * unpacked as it comes back; nothing but memory and speed depends on when.
 */
export class ProfileStore {
  /** Users dropped to make room. */
  dropped = 0;
  readonly #codec: ProfileCodec;
  readonly #directory: Directory;
  readonly #slabs = new Slabs();
  /** By slot, the address of the record; 0 for a profile that has only been active so far. */
  readonly #records = words();
  /** By slot, when the user was last touched. */
  readonly #times = doubles();
  /** Active profiles by slot, the one used last at the end. */
  readonly #active = new Map<number, UserProfile>();
  readonly #activeMax: number;
  #latest = -1;
  readonly #pictures = new Set<Picture>();

  constructor(options: ProfileOptions) {
    this.#codec = new ProfileCodec(options);
    this.#directory = new Directory(options.users);
    this.#activeMax = options.active;
  }

  /** Users remembered. */
  get size(): number {
    return this.#directory.size;
  }

  /** All memory of packed profiles, for tests that search it. */
  memory(): Generator<Uint8Array> {
    return this.#slabs.memory();
  }

  /** Names that profiles refer to, for tests: by table. */
  get namesKnown(): Record<string, number> {
    return Object.fromEntries(NAMES_OF.map((name, i) => [name, this.#codec.names[i]!.size]));
  }

  /** The profile, which becomes active; undefined for an unknown user. */
  get(user: Id): UserProfile | undefined {
    const slot = this.#directory.get(user);
    if (slot < 0) return undefined;
    const active = this.#active.get(slot);
    if (active === undefined) {
      const profile = this.#codec.unpack(this.#slabs.get(this.#records.get(slot)));
      this.#activate(slot, profile);
      return profile;
    }
    if (this.#pictures.size > 0) this.#settle(slot);
    if (slot !== this.#latest) {
      this.#active.delete(slot);
      this.#active.set(slot, active);
      this.#latest = slot;
    }
    return active;
  }

  /** A copy of a profile, which stays as active as it was; undefined for an unknown user. */
  copy(user: Id): UserProfile | undefined {
    const slot = this.#directory.get(user);
    if (slot < 0) return undefined;
    const codec = this.#codec;
    const active = this.#active.get(slot);
    if (active === undefined) return codec.unpack(this.#slabs.get(this.#records.get(slot)));
    const record = codec.pack(active);
    // Names that only the active profile has must not stay behind.
    codec.referPacked(1);
    const profile = codec.unpack(record);
    codec.referPacked(-1);
    return profile;
  }

  /** Adds a new profile, or makes a known one the latest; drops the one touched longest ago to make room. */
  touch(user: Id, profile: UserProfile, now: number): void {
    const size = this.#directory.size;
    const slot = this.#directory.touch(user);
    this.#times.set(slot, now);
    if (this.#directory.size === size) return;
    this.#records.set(slot, 0);
    this.#activate(slot, profile);
    if (this.size <= this.#directory.max) return;
    this.dropped++;
    this.#drop(this.#directory.id(this.#directory.first));
  }

  /** The user touched longest ago, if before a time; undefined without one. */
  oldest(before: number): Id | undefined {
    const slot = this.#directory.first;
    return slot >= 0 && this.#times.get(slot) < before ? this.#directory.id(slot) : undefined;
  }

  /** Forgets a user, also as a friend of others. Returns whether there was a profile. */
  delete(user: Id): boolean {
    this.#codec.names[USERS]!.forget(user);
    for (const [slot, profile] of this.#active) {
      if (!profile.friends?.has(user)) continue;
      this.#settle(slot);
      profile.friends.delete(user);
    }
    return this.#drop(user);
  }

  /** Forgets a streamer in all profiles. */
  deleteStreamer(streamer: Id): void {
    for (const [slot, profile] of this.#active) {
      this.#settle(slot);
      profile.pairs.delete(streamer);
      profile.follows?.delete(streamer);
      profile.session.shown.delete(streamer);
      profile.influence.streamers.delete(streamer);
      profile.recent = profile.recent.filter((visit) => visit.streamer !== streamer);
      if (profile.watching?.streamer === streamer) profile.watching = null;
    }
    this.#codec.names[STREAMERS]!.forget(streamer);
  }

  /** Whether any user has a trait. */
  hasTrait(trait: keyof UserTraits, value: string): boolean {
    const table = NAMED.indexOf(trait as (typeof NAMED)[number]);
    if (table >= 0 && this.#codec.names[TRAITS + table]!.has(value)) return true;
    for (const { traits } of this.#active.values()) if (traits[trait] === value) return true;
    return false;
  }

  /** The stream that a user watches, without making the profile active. */
  watching(user: Id): UserProfile["watching"] {
    const slot = this.#directory.get(user);
    if (slot < 0) return null;
    const active = this.#active.get(slot);
    return active ? active.watching : this.#codec.watching(this.#slabs.get(this.#records.get(slot)));
  }

  /** The streamers whom a user follows, likewise; undefined for an unknown user and before the first. */
  follows(user: Id): ReadonlyMap<Id, true> | undefined {
    const slot = this.#directory.get(user);
    if (slot < 0) return undefined;
    const active = this.#active.get(slot);
    if (active) return active.follows ?? undefined;
    const streamers = this.#codec.follows(this.#slabs.get(this.#records.get(slot)));
    return streamers.length > 0 ? new Map(streamers.map((streamer) => [streamer, true])) : undefined;
  }

  /** The part of a save: a picture of this moment. */
  part(name: string): Part {
    const { names } = this.#codec;
    this.#slabs.hold();
    const picture: Picture = {
      listing: this.#directory.listing(),
      record: this.#records.picture(),
      written: new Map(),
      time: this.#times.picture(),
      unwritten: new Set(this.#active.keys()),
      moments: names.map((table) => table.hold()),
    };
    this.#pictures.add(picture);
    return framedPart(name, () => this.#frames(picture), {
      drain: () => this.#slabs.drain(),
      release: () => {
        this.#pictures.delete(picture);
        this.#slabs.release();
        for (const table of names) table.release();
      },
    });
  }

  /** Reads such a part into an empty store. @param isOld - Whether it is of version 8 of files. Default false. */
  reader(name: string, isOld = false): PartReader {
    const { names, reader } = this.#codec;
    // Names come at their first use: the numbers of this store are those of the file.
    const used = names.map((table) => table.size);
    let users = 0;
    return framedReader(name, (frame) => {
      const what = `${name}.${users++}`;
      frame.what = what;
      const id = newId(frame, this.#directory);
      const touched = frame.number(-Number.MAX_VALUE, Number.MAX_VALUE, "touched");
      const length = frame.u24();
      let record = frame.bytes.subarray(frame.skip(length), frame.at);
      let bytes = new ByteReader(record, what);
      reader.open(bytes, isOld);
      bytes.done();
      reader.check(what, DEAD);
      if (reader.counts[1] !== 1) throw new SnapshotError(`"${what}.profile" is missing`);
      if (isOld) record = this.#codec.again();
      bytes = new ByteReader(record, what);
      reader.walk(bytes, (table, number) => {
        if (number === DEAD || number < used[table]!) return;
        if (number > used[table]!) throw new SnapshotError(`"${what}" has a name ${number} of ${used[table]}`);
        const text = frame.text();
        // The category of streams without one is "".
        if (names[table]!.intern(text) !== number) {
          throw new SnapshotError(`"${what}" must have new names of ${NAMES_OF[table]}, got ${JSON.stringify(text)}`);
        }
        used[table]!++;
      });
      this.#codec.refer(record, 1);
      const slot = this.#directory.touch(id);
      this.#times.set(slot, touched);
      this.#records.set(slot, this.#slabs.add(record));
    });
  }

  /** For each user: id, time, record with the names' numbers in order of their first use, and names used first. */
  *#frames({
    listing,
    record: of,
    written,
    time,
    unwritten,
    moments,
  }: Picture): Generator<Uint8Array, void, undefined> {
    const { names, reader } = this.#codec;
    // By number here, that of the file, plus 1. A map of many names would stop everything where it grows.
    const numbers = names.map(() => ({ of: words(), size: 0 }));
    const [out, own, texts] = [new ByteWriter(), new ByteWriter(), new ByteWriter()];
    const bytes = new ByteReader();
    const rename = (table: number, number: number) => {
      const text = names[table]!.nameAt(number, moments[table]!);
      if (text === undefined) return DEAD;
      const known = numbers[table]!;
      const seen = known.of.made(number);
      if (seen > 0) return seen - 1;
      texts.text(text);
      known.of.set(number, known.size + 1);
      return known.size++;
    };
    for (const slot of listing.slots()) {
      if (unwritten.has(slot)) this.#settle(slot);
      bytes.over(this.#slabs.get(written.get(slot) ?? of(slot)));
      texts.clear();
      reader.renamed(bytes, own.clear(), rename);
      out.clear().text(listing.id(slot));
      out.f64(time(slot));
      out.u24(own.length);
      for (const { bytes, length } of [own, texts]) out.raw(bytes.subarray(0, length));
      yield out.bytes.subarray(0, out.length);
    }
  }

  #activate(slot: number, profile: UserProfile): void {
    this.#active.set(slot, profile);
    this.#latest = slot;
    if (this.#active.size <= this.#activeMax) return;
    for (const [oldest, idle] of this.#active) {
      this.#settle(oldest);
      this.#write(oldest, idle);
      this.#active.delete(oldest);
      break;
    }
  }

  /** Writes an active profile for the pictures that need it as it is: it may change now. */
  #settle(slot: number): void {
    let isWritten = false;
    for (const { unwritten, written } of this.#pictures) {
      if (!unwritten.delete(slot)) continue;
      if (!isWritten) this.#write(slot, this.#active.get(slot)!);
      isWritten = true;
      written.set(slot, this.#records.get(slot));
    }
  }

  /** Packs a profile; an unchanged one keeps its record. */
  #write(slot: number, profile: UserProfile): void {
    const codec = this.#codec;
    const record = codec.pack(profile);
    const before = this.#records.get(slot);
    if (before > 0) {
      const old = this.#slabs.get(before);
      if (areEqual(old, record)) return;
      codec.referPacked(1);
      codec.refer(old, -1);
      this.#slabs.free(before);
    } else codec.referPacked(1);
    this.#records.set(slot, this.#slabs.add(record));
  }

  #drop(user: Id): boolean {
    const slot = this.#directory.get(user);
    if (slot < 0) return false;
    if (this.#active.has(slot)) this.#settle(slot);
    this.#active.delete(slot);
    if (this.#latest === slot) this.#latest = -1;
    const address = this.#records.get(slot);
    if (address > 0) {
      this.#codec.refer(this.#slabs.get(address), -1);
      this.#slabs.free(address);
    }
    this.#directory.delete(user);
    return true;
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
