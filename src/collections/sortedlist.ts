/** Items in a run; a run of twice as many is cut in two. From half to twice of it cost the same [measured]. */
const RUN = 256;

/**
 * Items in a total order, kept through additions and deletions, for walks from the first that stop early.
 *
 * The order is a list of sorted runs: adding and deleting take two binary searches and a move of at most one run. A
 * walk depends on the items alone, never on the order of their arrival.
 */
export class SortedList<T> {
  readonly #before: (a: T, b: T) => boolean;
  /** Sorted runs, none empty, every item of one before every item of the next. */
  readonly #runs: T[][] = [];
  #size = 0;

  /** @param before - Whether `a` comes before `b`; of two different items exactly one comes before the other. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a new item. */
  add(item: T): void {
    this.#size++;
    if (this.#runs.length === 0) {
      this.#runs.push([item]);
      return;
    }
    const at = Math.min(this.#runOf(item), this.#runs.length - 1);
    const run = this.#runs[at]!;
    run.splice(this.#placeIn(run, item), 0, item);
    if (run.length === 2 * RUN) this.#runs.splice(at + 1, 0, run.splice(RUN));
  }

  /** Removes an item. It must still sort as when it was added: change the fields that order it afterwards.
   * @throws Error for an item out of its sorted place. */
  delete(item: T): void {
    const at = this.#runOf(item);
    const run = this.#runs[at];
    const place = run === undefined ? -1 : this.#placeIn(run, item);
    if (run?.[place] !== item) throw new Error("the item is not in its sorted place");
    this.#size--;
    run.splice(place, 1);
    if (run.length === 0) this.#runs.splice(at, 1);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const run of this.#runs) for (const item of run) yield item;
  }

  /** Index of the first run whose last item is not before `item`; the number of runs without one. */
  #runOf(item: T): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const run = this.#runs[middle]!;
      if (this.#before(run[run.length - 1]!, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the first item of a run that is not before `item`. */
  #placeIn(run: readonly T[], item: T): number {
    let low = 0;
    let high = run.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#before(run[middle]!, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
