const NONE = -1;

/** A picture of a directory. */
export interface Listing {
  /** By slot. */
  readonly ids: readonly string[];
  /** Slots, the one touched longest ago first. */
  slots(): Generator<number, void, undefined>;
  readonly size: number;
}

/**
 * Ids with a dense slot each, for data in arrays, in the order of their last touch. Each step takes the same time however
 * many there are: no map is walked, and only new and dropped ids change one.
 */
export class Directory {
  readonly max: number;
  readonly #slots = new Map<string, number>();
  #ids: string[] = [];
  /** Neighbours in the order of touches, by slot; NONE at the ends. */
  #before = new Int32Array(16);
  #after = new Int32Array(16);
  #first = NONE;
  #last = NONE;
  readonly #free: number[] = [];

  /** @param max - Most ids, for the caller, who drops `first` above it. */
  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Slots so far, free ones too. */
  get capacity(): number {
    return this.#ids.length;
  }

  /** The slot of an id; -1 for an unknown one. */
  get(id: string): number {
    return this.#slots.get(id) ?? NONE;
  }

  /** The slot touched longest ago; -1 without any. */
  get first(): number {
    return this.#first;
  }

  id(slot: number): string {
    return this.#ids[slot]!;
  }

  /** Makes an id the latest. Returns its slot, a new one for a new id. */
  touch(id: string): number {
    let slot = this.#slots.get(id) ?? NONE;
    if (slot === this.#last && slot !== NONE) return slot;
    if (slot === NONE) slot = this.#add(id);
    else this.#unlink(slot);
    this.#before[slot] = this.#last;
    this.#after[slot] = NONE;
    if (this.#last === NONE) this.#first = slot;
    else this.#after[this.#last] = slot;
    this.#last = slot;
    return slot;
  }

  /** Returns the freed slot; -1 for an unknown id. */
  delete(id: string): number {
    const slot = this.#slots.get(id) ?? NONE;
    if (slot === NONE) return NONE;
    this.#slots.delete(id);
    this.#unlink(slot);
    this.#ids[slot] = "";
    this.#free.push(slot);
    return slot;
  }

  /** Slots, the one touched longest ago first. */
  *slots(): Generator<number, void, undefined> {
    for (let slot = this.#first; slot !== NONE; slot = this.#after[slot]!) yield slot;
  }

  /** Ids, the one touched longest ago first. */
  *keys(): Generator<string, void, undefined> {
    for (const slot of this.slots()) yield this.#ids[slot]!;
  }

  /** A copy, which later changes leave alone: three arrays are copied. */
  listing(): Listing {
    const [ids, after, first] = [this.#ids.slice(), this.#after.slice(0, this.#ids.length), this.#first];
    return {
      ids,
      size: this.size,
      *slots() {
        for (let slot = first; slot !== NONE; slot = after[slot]!) yield slot;
      },
    };
  }

  #add(id: string): number {
    const slot = this.#free.pop() ?? this.#ids.length;
    this.#ids[slot] = id;
    this.#slots.set(id, slot);
    if (slot < this.#before.length) return slot;
    const grown = (from: Int32Array) => {
      const into = new Int32Array(2 * from.length);
      into.set(from);
      return into;
    };
    this.#before = grown(this.#before);
    this.#after = grown(this.#after);
    return slot;
  }

  #unlink(slot: number): void {
    const [before, after] = [this.#before[slot]!, this.#after[slot]!];
    if (before === NONE) this.#first = after;
    else this.#after[before] = after;
    if (after === NONE) this.#last = before;
    else this.#before[after] = before;
  }
}
