/** A key of 64 bits, in two halves. */
export type Key = readonly [low: number, high: number];

/** Words of an entry: the key, and its note. */
const WORDS = 3;
/** Entries of a piece of the ring, a power of two, and of the smallest table. */
const PIECE = 1024;
const PIECE_BITS = 10;
/**
 * Slots from its own in which a key may stand. With half of the table free the longest run of a million chosen by chance
 * is about 70; keys made to collide beyond it are not remembered, so that none costs more than this.
 */
const REACH = 256;

/**
 * The keys added last, at most `max`, each with a note of 32 bits. 20 bytes a key, allocated as keys come.
 *
 * A ring of entries in the order of their adding, and a table of places in it with linear probing.
 */
export class Seen {
  readonly max: number;
  /** Entries in pieces, so that growing copies nothing. */
  #ring: Uint32Array[] = [];
  /** Whether pictures share a piece: it is copied before it changes. */
  #isShared: boolean[] = [];
  /** Place in the ring, plus 1; 0: free. */
  #table: Uint32Array;
  #size = 0;
  /** Place of the next entry. */
  #next = 0;

  /** @param max - Most keys remembered, an integer in [1, 2^28]. */
  constructor(max: number) {
    this.max = max;
    this.#table = new Uint32Array(tableSize(Math.min(max, PIECE)));
  }

  get size(): number {
    return this.#size;
  }

  /** The note of a key; undefined for a key that is not remembered. */
  get([low, high]: Key): number | undefined {
    const slot = this.#slot(low, high);
    const place = slot < 0 ? 0 : this.#table[slot]!;
    return place === 0 ? undefined : this.#ring[(place - 1) >>> PIECE_BITS]![at(place - 1) + 2]!;
  }

  /** Adds a key that is not remembered; a full window forgets the oldest. */
  add([low, high]: Key, note = 0): void {
    if (this.#size === this.max) this.#free(this.#next);
    else if (2 * ++this.#size > this.#table.length) this.#grow();
    const place = this.#next;
    const words = this.#piece(place >>> PIECE_BITS);
    words[at(place)] = low;
    words[at(place) + 1] = high;
    words[at(place) + 2] = note;
    this.#put(low, high, place);
    this.#next = place + 1 === this.max ? 0 : place + 1;
  }

  /** Forgets all keys. */
  clear(): void {
    if (this.#size === 0) return;
    this.#size = this.#next = 0;
    this.#ring.length = this.#isShared.length = Math.min(this.#ring.length, 1);
    const least = tableSize(Math.min(this.max, PIECE));
    if (this.#table.length > least) this.#table = new Uint32Array(least);
    else this.#table.fill(0);
  }

  /** The bytes of all entries of now, three words each, the oldest first, in pieces; later changes leave them alone. */
  picture(): () => Generator<Uint8Array, void, undefined> {
    this.#isShared.fill(true);
    const [ring, size, first] = [this.#ring.slice(), this.#size, this.#size === this.max ? this.#next : 0];
    return function* () {
      for (const [from, end] of [
        [first, size],
        [0, first],
      ] as const) {
        for (let place = from; place < end; ) {
          const until = Math.min(end, ((place >>> PIECE_BITS) + 1) << PIECE_BITS);
          const words = ring[place >>> PIECE_BITS]!;
          yield new Uint8Array(words.buffer, words.byteOffset + 4 * at(place), 4 * WORDS * (until - place));
          place = until;
        }
      }
    };
  }

  /** All entries, three words each, the oldest first. */
  save(): Uint32Array {
    const bytes = new Uint8Array(4 * WORDS * this.#size);
    let end = 0;
    for (const piece of this.picture()()) {
      bytes.set(piece, end);
      end += piece.length;
    }
    return new Uint32Array(bytes.buffer);
  }

  /** Adds the entries of `save`; of more than `max` the latest. Keys that come twice count once. */
  load(words: Uint32Array): void {
    for (let i = 0; i + WORDS <= words.length; i += WORDS) {
      const key: Key = [words[i]!, words[i + 1]!];
      if (this.get(key) === undefined) this.add(key, words[i + 2]!);
    }
  }

  /** A piece of the ring, to be written. */
  #piece(index: number): Uint32Array {
    const piece = this.#ring[index];
    if (piece === undefined || this.#isShared[index]) {
      this.#ring[index] = piece?.slice() ?? new Uint32Array(WORDS * Math.min(PIECE, this.max));
      this.#isShared[index] = false;
    }
    return this.#ring[index]!;
  }

  /** The slot of a key, or the free one where it belongs; -1 where there is none within reach. */
  #slot(low: number, high: number): number {
    const mask = this.#table.length - 1;
    let slot = (low ^ high) & mask;
    let reach = REACH;
    for (let place = this.#table[slot]!; place !== 0; place = this.#table[slot]!) {
      const words = this.#ring[(place - 1) >>> PIECE_BITS]!;
      const i = at(place - 1);
      if (words[i] === low && words[i + 1] === high) break;
      if (--reach === 0) return -1;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #put(low: number, high: number, place: number): void {
    const slot = this.#slot(low, high);
    if (slot >= 0) this.#table[slot] = place + 1;
  }

  /** Takes the entry of a place out of the table, and moves later ones of its run up, so that none is cut off. */
  #free(place: number): void {
    const mask = this.#table.length - 1;
    const words = this.#ring[place >>> PIECE_BITS]!;
    let hole = this.#slot(words[at(place)]!, words[at(place) + 1]!);
    // It was beyond reach, or came again since.
    if (hole < 0 || this.#table[hole] !== place + 1) return;
    this.#table[hole] = 0;
    // Entries from further away than their reach do not belong before it.
    for (let slot = (hole + 1) & mask; this.#table[slot] !== 0; slot = (slot + 1) & mask) {
      if (((slot - hole) & mask) >= REACH) return;
      const own = this.#table[slot]! - 1;
      const piece = this.#ring[own >>> PIECE_BITS]!;
      const home = (piece[at(own)]! ^ piece[at(own) + 1]!) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#table[hole] = this.#table[slot]!;
      this.#table[slot] = 0;
      hole = slot;
    }
  }

  /** Doubles the table, before the ring has come round. */
  #grow(): void {
    this.#table = new Uint32Array(2 * this.#table.length);
    for (let place = 0; place < this.#next; place++) {
      const words = this.#ring[place >>> PIECE_BITS]!;
      this.#put(words[at(place)]!, words[at(place) + 1]!, place);
    }
  }
}

/** Where the words of an entry begin in their piece. */
function at(place: number): number {
  return WORDS * (place & (PIECE - 1));
}

/** A power of two, at most half of it in use. */
function tableSize(capacity: number): number {
  let size = 1;
  while (size < 2 * capacity) size *= 2;
  return size;
}
