/** A key of 64 bits, in two halves. */
export type Key = readonly [low: number, high: number];

/** Words of an entry: the key, and its note. */
const WORDS = 3;
const LEAST = 1024;
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
  #ring: Uint32Array;
  /** Place in the ring, plus 1; 0: free. */
  #table: Uint32Array;
  #size = 0;
  /** Place of the next entry. */
  #next = 0;

  /** @param max - Most keys remembered, an integer in [1, 2^28]. */
  constructor(max: number) {
    this.max = max;
    const capacity = Math.min(max, LEAST);
    this.#ring = new Uint32Array(WORDS * capacity);
    this.#table = new Uint32Array(tableSize(capacity));
  }

  get size(): number {
    return this.#size;
  }

  /** The note of a key; undefined for a key that is not remembered. */
  get([low, high]: Key): number | undefined {
    const slot = this.#slot(low, high);
    const place = slot < 0 ? 0 : this.#table[slot]!;
    return place === 0 ? undefined : this.#ring[WORDS * (place - 1) + 2]!;
  }

  /** Adds a key that is not remembered; a full window forgets the oldest. */
  add([low, high]: Key, note = 0): void {
    if (this.#size === this.#capacity && this.#size < this.max) this.#grow();
    if (this.#size === this.#capacity) this.#free(this.#next);
    else this.#size++;
    const at = WORDS * this.#next;
    this.#ring[at] = low;
    this.#ring[at + 1] = high;
    this.#ring[at + 2] = note;
    const slot = this.#slot(low, high);
    if (slot >= 0) this.#table[slot] = this.#next + 1;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** All entries, three words each, the oldest first. */
  save(): Uint32Array {
    const words = new Uint32Array(WORDS * this.#size);
    const first = this.#size === this.#capacity ? this.#next : 0;
    const tail = this.#ring.subarray(WORDS * first, WORDS * this.#size);
    words.set(tail);
    words.set(this.#ring.subarray(0, WORDS * first), tail.length);
    return words;
  }

  /** Adds the entries of `save`; of more than `max` the latest. Keys that come twice count once. */
  load(words: Uint32Array): void {
    for (let at = 0; at + WORDS <= words.length; at += WORDS) {
      const key: Key = [words[at]!, words[at + 1]!];
      if (this.get(key) === undefined) this.add(key, words[at + 2]!);
    }
  }

  get #capacity(): number {
    return this.#ring.length / WORDS;
  }

  /** The slot of a key, or the free one where it belongs; -1 where there is none within reach. */
  #slot(low: number, high: number): number {
    const mask = this.#table.length - 1;
    let slot = (low ^ high) & mask;
    let reach = REACH;
    for (let place = this.#table[slot]!; place !== 0; place = this.#table[slot]!) {
      const at = WORDS * (place - 1);
      if (this.#ring[at] === low && this.#ring[at + 1] === high) break;
      if (--reach === 0) return -1;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Takes the entry of a place out of the table, and moves later ones of its run up, so that none is cut off. */
  #free(place: number): void {
    const mask = this.#table.length - 1;
    let hole = this.#slot(this.#ring[WORDS * place]!, this.#ring[WORDS * place + 1]!);
    // It was beyond reach, or came again since.
    if (hole < 0 || this.#table[hole] !== place + 1) return;
    this.#table[hole] = 0;
    // Entries from further away than their reach do not belong before it.
    for (let slot = (hole + 1) & mask; this.#table[slot] !== 0; slot = (slot + 1) & mask) {
      if (((slot - hole) & mask) >= REACH) return;
      const at = WORDS * (this.#table[slot]! - 1);
      const home = (this.#ring[at]! ^ this.#ring[at + 1]!) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      this.#table[hole] = this.#table[slot]!;
      this.#table[slot] = 0;
      hole = slot;
    }
  }

  /** Doubles the ring, which is full. */
  #grow(): void {
    const words = this.save();
    const capacity = Math.min(this.max, 2 * this.#capacity);
    this.#ring = new Uint32Array(WORDS * capacity);
    this.#table = new Uint32Array(tableSize(capacity));
    this.#size = 0;
    this.#next = 0;
    this.load(words);
  }
}

/** A power of two, at most half of it in use. */
function tableSize(capacity: number): number {
  let size = 1;
  while (size < 2 * capacity) size *= 2;
  return size;
}
