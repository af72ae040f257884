import { texts, words } from "./rows.js";

const NONE = -1;
/** Links are slots, plus 1. */
const END = 0;

/** A picture of a directory. */
export interface Listing {
  id(slot: number): string;
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
  readonly #ids = texts();
  /** Slots so far, free ones too. */
  #count = 0;
  /** Neighbours in the order of touches, by slot, plus 1; END at the ends. */
  readonly #before = words();
  readonly #after = words();
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

  /** The slot of an id; -1 for an unknown one. */
  get(id: string): number {
    return this.#slots.get(id) ?? NONE;
  }

  /** The slot touched longest ago; -1 without any. */
  get first(): number {
    return this.#first;
  }

  id(slot: number): string {
    return this.#ids.get(slot);
  }

  /** Makes an id the latest. Returns its slot, a new one for a new id. */
  touch(id: string): number {
    let slot = this.#slots.get(id) ?? NONE;
    if (slot === this.#last && slot !== NONE) return slot;
    if (slot === NONE) slot = this.#add(id);
    else this.#unlink(slot);
    this.#before.set(slot, this.#last + 1);
    this.#after.set(slot, END);
    if (this.#last === NONE) this.#first = slot;
    else this.#after.set(this.#last, slot + 1);
    this.#last = slot;
    return slot;
  }

  /** Returns the freed slot; -1 for an unknown id. */
  delete(id: string): number {
    const slot = this.#slots.get(id) ?? NONE;
    if (slot === NONE) return NONE;
    this.#slots.delete(id);
    this.#unlink(slot);
    this.#ids.set(slot, "");
    this.#free.push(slot);
    return slot;
  }

  /** Slots, the one touched longest ago first. */
  *slots(): Generator<number, void, undefined> {
    for (let slot = this.#first; slot !== NONE; slot = this.#after.get(slot) - 1) yield slot;
  }

  /** Ids, the one touched longest ago first. */
  *keys(): Generator<string, void, undefined> {
    for (const slot of this.slots()) yield this.#ids.get(slot);
  }

  /** A picture of now, which later changes leave alone: it shares what stays as it is. */
  listing(): Listing {
    const [id, after, first] = [this.#ids.picture(), this.#after.picture(), this.#first];
    return {
      id,
      size: this.size,
      *slots() {
        for (let slot = first; slot !== NONE; slot = after(slot) - 1) yield slot;
      },
    };
  }

  #add(id: string): number {
    const slot = this.#free.pop() ?? this.#count++;
    this.#ids.set(slot, id);
    this.#slots.set(id, slot);
    return slot;
  }

  #unlink(slot: number): void {
    const [before, after] = [this.#before.get(slot), this.#after.get(slot)];
    if (before === END) this.#first = after - 1;
    else this.#after.set(before - 1, after);
    if (after === END) this.#last = before - 1;
    else this.#before.set(after - 1, before);
  }
}
