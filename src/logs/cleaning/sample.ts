/** 32 bits of an id, well mixed: FNV-1a with the finaliser of MurmurHash3. */
function hash(id: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * Values by id, of all ids while there is room, then of an even sample of them: an id belongs to it when the last
 * `level` bits of its hash are 0, and the level rises by one whenever the sample is full. Which ids remain depends on
 * nothing but the ids. Wegman's adaptive sampling (Flajolet 1990, "On adaptive sampling"); the relative error of `total` is about
 * 1.2 / sqrt(max) once it samples.
 */
export class Sample<V> {
  readonly values = new Map<string, V>();
  readonly #max: number;
  #mask = 0;

  /** @param max The most ids kept. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Whether all ids so far are in it. */
  get exact(): boolean {
    return this.#mask === 0;
  }

  /** How many ids there have been: the number of those kept, times what each stands for. */
  get total(): number {
    return this.values.size * (this.#mask + 1);
  }

  get(id: string): V | undefined {
    return this.values.get(id);
  }

  has(id: string): boolean {
    return this.values.has(id);
  }

  /** Whether an id belongs to the sample, present or not. */
  takes(id: string): boolean {
    return this.#mask === 0 || (hash(id) & this.#mask) === 0;
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
