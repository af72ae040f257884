/**
 * The latest time of each key, of those set within a span before the present. Times never fall. Keys set before it are
 * forgotten a generation at once, which keeps the table small: a large one costs a miss of the cache at each look.
 */
export class Recent {
  readonly #span: number;
  readonly #max: number;
  #now = new Map<string, number>();
  #before = new Map<string, number>();
  #turned = -Infinity;

  /**
   * @param span - Milliseconds; 0 holds nothing.
   * @param max - The most keys of the span that are held; of more, those set first are forgotten.
   */
  constructor(span: number, max: number) {
    this.#span = span;
    this.#max = max;
  }

  /** The time of a key; -Infinity of one that is not held. */
  get(key: string): number {
    return this.#now.get(key) ?? this.#before.get(key) ?? -Infinity;
  }

  set(key: string, time: number): void {
    if (time - this.#turned >= this.#span || this.#now.size >= this.#max) {
      this.#before = time - this.#turned >= 2 * this.#span ? new Map() : this.#now;
      this.#now = new Map();
      this.#turned = time;
    }
    this.#now.set(key, time);
  }
}
