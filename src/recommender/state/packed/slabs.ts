/** Bytes of a page, which holds blocks of one size. */
const PAGE = 32_768;
/** Blocks begin at multiples of this, and addresses count them. */
const UNIT = 16;
const UNITS = PAGE / UNIT;
/** Records above this have memory of their own. */
const BLOCK_MAX = 8192;
/** Pages come in regions of an eighth of those so far, at most this many: little is taken ahead. */
const REGION_MAX = 128;
/** The first address of a record with memory of its own. */
const LARGE = 0xf0000000;
const NONE = -1;
/** Records that one step of `drain` wipes. */
const WIPED = 2048;
/** Bytes of the length before each record. */
const HEAD = 3;

/** Units of the block for so many bytes: the most of which a page holds as many. */
function unitsFor(bytes: number): number {
  return Math.floor(UNITS / Math.floor(UNITS / Math.ceil(bytes / UNIT)));
}

interface Page {
  readonly bytes: Uint8Array;
  readonly index: number;
  units: number;
  used: number;
  /** Number of the first free block; each free one names the next, plus 1. */
  free: number;
  /** Blocks that were never used begin here. */
  fresh: number;
  /** Place in the list of pages with room; NONE for a full page. */
  place: number;
}

/**
 * Records of bytes at addresses, in pages of blocks of one size. A record never changes: a change is another record.
 * Freed bytes are wiped. While someone holds the records (a save), freed ones stay until the last one lets go.
 */
export class Slabs {
  readonly #pages: Page[] = [];
  readonly #empty: Page[] = [];
  /** By units: the pages that have room. */
  readonly #listed: Page[][] = [];
  readonly #large = new Map<number, Uint8Array>();
  #nextLarge = LARGE;
  #holders = 0;
  #limbo: number[] = [];
  #records = 0;
  #region: Uint8Array = new Uint8Array();
  #regionAt = 0;

  /** Records that are not freed. */
  get records(): number {
    return this.#records;
  }

  /** All memory, for tests that search it. */
  *memory(): Generator<Uint8Array> {
    for (const page of this.#pages) yield page.bytes;
    yield* this.#large.values();
  }

  /** Stores a copy of bytes, fewer than 2^24. Returns its address, above 0. */
  add(record: Uint8Array): number {
    this.#records++;
    const length = record.length + HEAD;
    const address = length > BLOCK_MAX ? this.#addLarge(length) : this.#addBlock(unitsFor(length));
    const bytes = this.#bytesAt(address);
    const at = placeOf(address);
    bytes[at] = record.length;
    bytes[at + 1] = record.length >>> 8;
    bytes[at + 2] = record.length >>> 16;
    bytes.set(record, at + HEAD);
    return address;
  }

  /** A view of a record: do not keep it. */
  get(address: number): Uint8Array {
    const bytes = this.#bytesAt(address);
    const at = placeOf(address);
    const from = at + HEAD;
    return bytes.subarray(from, from + bytes[at]! + (bytes[at + 1]! << 8) + (bytes[at + 2]! << 16));
  }

  free(address: number): void {
    this.#records--;
    if (this.#holders > 0) this.#limbo.push(address);
    else this.#wipe(address);
  }

  /** From now on freed records stay where they are, until `release`. */
  hold(): void {
    this.#holders++;
  }

  /** Wipes what was freed so far, in steps, if one holds the records: little is left for `release`. */
  *drain(): Generator<void, void, undefined> {
    // What is freed meanwhile must not keep it busy for ever.
    for (let left = this.#limbo.length; left > 0 && this.#holders === 1; left -= WIPED) {
      for (const address of this.#limbo.splice(-WIPED)) this.#wipe(address);
      yield;
    }
  }

  release(): void {
    if (--this.#holders > 0) return;
    for (const address of this.#limbo) this.#wipe(address);
    this.#limbo = [];
  }

  /** The memory in which a record stands, from `placeOf` on. */
  #bytesAt(address: number): Uint8Array {
    return address >= LARGE ? this.#large.get(address)! : this.#pages[Math.floor((address - 1) / UNITS)]!.bytes;
  }

  #addLarge(length: number): number {
    const address = this.#nextLarge++;
    this.#large.set(address, new Uint8Array(length));
    return address;
  }

  #addBlock(units: number): number {
    const listed = (this.#listed[units] ??= []);
    let page = listed.at(-1);
    if (page === undefined) {
      page = this.#empty.pop() ?? this.#newPage();
      Object.assign(page, { units, used: 0, free: NONE, fresh: 0, place: listed.length });
      listed.push(page);
    }
    const at = page.free === NONE ? page.fresh++ * units : page.free;
    if (at === page.free) page.free = next(page, at);
    page.used++;
    if (page.free === NONE && (page.fresh + 1) * units > UNITS) {
      listed.pop();
      page.place = NONE;
    }
    return page.index * UNITS + at + 1;
  }

  #newPage(): Page {
    if (this.#regionAt === this.#region.length) {
      this.#region = new Uint8Array(PAGE * Math.min(1 + (this.#pages.length >>> 3), REGION_MAX));
      this.#regionAt = 0;
    }
    const bytes = this.#region.subarray(this.#regionAt, (this.#regionAt += PAGE));
    const page = { bytes, index: this.#pages.length, units: 0, used: 0, free: NONE, fresh: 0, place: NONE };
    this.#pages.push(page);
    return page;
  }

  #wipe(address: number): void {
    if (address >= LARGE) {
      this.#large.get(address)!.fill(0);
      this.#large.delete(address);
      return;
    }
    const unit = address - 1;
    const page = this.#pages[Math.floor(unit / UNITS)]!;
    const at = unit % UNITS;
    page.bytes.fill(0, at * UNIT, (at + page.units) * UNIT);
    const listed = this.#listed[page.units]!;
    if (--page.used === 0) {
      if (page.place !== NONE) unlist(listed, page);
      page.bytes.fill(0);
      this.#empty.push(page);
      return;
    }
    const link = page.free + 1;
    page.bytes[at * UNIT] = link;
    page.bytes[at * UNIT + 1] = link >>> 8;
    page.free = at;
    if (page.place !== NONE) return;
    page.place = listed.length;
    listed.push(page);
  }
}

function placeOf(address: number): number {
  return address >= LARGE ? 0 : ((address - 1) % UNITS) * UNIT;
}

/** The free block after one; its link is wiped. */
function next({ bytes }: Page, at: number): number {
  const from = at * UNIT;
  const link = bytes[from]! + (bytes[from + 1]! << 8);
  bytes[from] = bytes[from + 1] = 0;
  return link - 1;
}

function unlist(listed: Page[], page: Page): void {
  const last = listed.pop()!;
  if (last !== page) {
    listed[page.place] = last;
    last.place = page.place;
  }
  page.place = NONE;
}
