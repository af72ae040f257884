import { type Part, SnapshotError } from "../../../engine/index.js";
import { type ByteReader, ByteWriter } from "./bytes.js";
import { Directory, type Listing } from "./directory.js";
import { framedPart } from "./parts.js";
import { words } from "./rows.js";
import { Slabs } from "./slabs.js";

/** A picture of a map. */
export interface MapPicture {
  readonly listing: Listing;
  /** By slot, the record: a view. */
  record(slot: number): Uint8Array;
  /** Frees what only the picture holds, bit by bit: then `release` takes no time. */
  drain(): Iterable<void>;
  release(): void;
}

/** A map from ids to records of bytes, in the order of their last `set`; a full one drops the one set longest ago. */
export class PackedMap {
  readonly directory: Directory;
  readonly #slabs = new Slabs();
  /** By slot, the address of the record; 0 before the first. */
  readonly #records = words();
  readonly #dropped: (record: Uint8Array) => void;

  /** @param dropped - Gets a record that leaves, by drop, deletion or change. Default: nobody asks. */
  constructor(max: number, dropped: (record: Uint8Array) => void = () => {}) {
    this.directory = new Directory(max);
    this.#dropped = dropped;
  }

  get size(): number {
    return this.directory.size;
  }

  /** All memory of records, for tests that search it. */
  memory(): Generator<Uint8Array> {
    return this.#slabs.memory();
  }

  /** A view of a record, until the next change; undefined for an unknown id. */
  get(id: string): Uint8Array | undefined {
    const slot = this.directory.get(id);
    return slot < 0 ? undefined : this.#slabs.get(this.#records.get(slot));
  }

  /** Sets a record, of which a copy is kept, and makes it the latest. */
  set(id: string, record: Uint8Array): void {
    const isNew = this.directory.get(id) < 0;
    const slot = this.directory.touch(id);
    if (isNew) this.#records.set(slot, 0);
    this.replace(slot, record);
    const { first, size, max } = this.directory;
    if (size > max) this.delete(this.directory.id(first));
  }

  /** Sets the record of a slot, in its place in the order. */
  replace(slot: number, record: Uint8Array): void {
    const address = this.#slabs.add(record);
    const before = this.#records.get(slot);
    this.#records.set(slot, address);
    if (before > 0) this.#free(before);
  }

  delete(id: string): boolean {
    const slot = this.directory.delete(id);
    if (slot < 0) return false;
    this.#free(this.#records.get(slot));
    return true;
  }

  /** Ids, the one set longest ago first. */
  keys(): Generator<string> {
    return this.directory.keys();
  }

  /** A picture of this moment. */
  picture(): MapPicture {
    this.#slabs.hold();
    const addressOf = this.#records.picture();
    return {
      listing: this.directory.listing(),
      record: (slot) => this.#slabs.get(addressOf(slot)),
      drain: () => this.#slabs.drain(),
      release: () => this.#slabs.release(),
    };
  }

  /** The part of a save: a frame of id and record for each entry. */
  part(name: string): Part {
    const picture = this.picture();
    return framedPart(name, () => frames(picture), picture);
  }

  /** Takes a frame of such a part. @throws SnapshotError for an id that is not new, or one too many. */
  take(frame: ByteReader, check: (record: ByteReader) => void): void {
    const id = newId(frame, this.directory);
    const from = frame.at;
    check(frame);
    frame.done();
    this.set(id, frame.bytes.subarray(from, frame.end));
  }

  #free(address: number): void {
    this.#dropped(this.#slabs.get(address));
    this.#slabs.free(address);
  }
}

/** Reads an id that a directory does not hold, and has room for. */
export function newId(frame: ByteReader, directory: Directory): string {
  const { what } = frame;
  const id = frame.text();
  if (directory.get(id) >= 0) throw new SnapshotError(`"${what}" must have new ids, got ${JSON.stringify(id)}`);
  if (directory.size >= directory.max) throw new SnapshotError(`"${what}" must have at most ${directory.max} entries`);
  return id;
}

function* frames({ listing, record }: MapPicture): Generator<Uint8Array, void, undefined> {
  const out = new ByteWriter();
  for (const slot of listing.slots()) {
    out.clear().text(listing.id(slot));
    out.raw(record(slot));
    yield out.bytes.subarray(0, out.length);
  }
}
