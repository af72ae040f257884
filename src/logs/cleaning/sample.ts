import { hashText } from "../../numeric/index.js";

/**
 * Values by id: of all ids while there is room, then of an even sample of them. An id belongs to the sample when the
 * last `level` bits of its hash are 0; the level rises by one whenever the sample is full. The sample depends on the ids
 * alone, not on their order. Wegman's adaptive sampling (Flajolet 1990, "On adaptive sampling"); once it samples, the
 * relative error of `total` is about 1.2 / sqrt(max).
 */
export class Sample<V> {
  readonly values = new Map<string, V>();
  readonly #max: number;
  #mask = 0;

  /** @param max The most ids kept. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Whether the sample holds all ids so far. */
  get exact(): boolean {
    return this.#mask === 0;
  }

  /** The number of ids so far: the number kept, times how many ids each stands for. */
  get total(): number {
    return this.values.size * (this.#mask + 1);
  }

  get(id: string): V | undefined {
    return this.values.get(id);
  }

  /** Whether an id belongs to the sample, seen or not. */
  takes(id: string): boolean {
    return this.#mask === 0 || (hashText(id) & this.#mask) === 0;
  }

  /** Keeps the value of an id if the id belongs to the sample. */
  set(id: string, value: V): void {
    if (!this.takes(id)) return;
    this.values.set(id, value);
    while (this.values.size > this.#max) this.thin();
  }

  /** Halves the sample. */
  thin(): void {
    this.#mask = 2 * this.#mask + 1;
    for (const id of this.values.keys()) if (!this.takes(id)) this.values.delete(id);
  }
}
