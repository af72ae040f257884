function isLower(a: number, b: number): boolean {
  return a < b;
}

/**
 * Keeps the k best of the items it is offered, in a heap whose root is the worst one kept: O(log k) an item, and no
 * memory beyond k. The result does not depend on the order of the offers.
 */
export class TopK {
  /** An item with a score below this need not be offered: it would not be kept. */
  least = -Infinity;
  readonly #precedes: (a: number, b: number) => boolean;
  readonly #items: Int32Array;
  readonly #scores: Float64Array;
  #size = 0;

  /**
   * @param k - An integer >= 1.
   * @param precedes - Whether item `a` comes before item `b` of the same score: a total order. Default the lower first.
   */
  constructor(k: number, precedes: (a: number, b: number) => boolean = isLower) {
    this.#precedes = precedes;
    this.#items = new Int32Array(k);
    this.#scores = new Float64Array(k);
  }

  get isFull(): boolean {
    return this.#size === this.#items.length;
  }

  /** @param score - Higher is better; not NaN. */
  offer(item: number, score: number): void {
    if (!this.isFull) {
      this.#items[this.#size] = item;
      this.#scores[this.#size++] = score;
      if (!this.isFull) return;
      this.#heapify();
    } else if (this.#isWorse(this.#items[0]!, this.#scores[0]!, item, score)) this.#sink(0, item, score);
    else return;
    this.least = this.#scores[0]!;
  }

  /** The kept items, best first; empties the heap. */
  take(): Int32Array {
    if (!this.isFull) this.#heapify();
    const best = new Int32Array(this.#size);
    while (this.#size > 0) {
      const last = --this.#size;
      best[last] = this.#items[0]!;
      this.#sink(0, this.#items[last]!, this.#scores[last]!);
    }
    this.least = -Infinity;
    return best;
  }

  #heapify(): void {
    for (let i = (this.#size >> 1) - 1; i >= 0; i--) this.#sink(i, this.#items[i]!, this.#scores[i]!);
  }

  /** Puts an item at position `i` of the heap, or below it. */
  #sink(i: number, item: number, score: number): void {
    const [items, scores, size] = [this.#items, this.#scores, this.#size];
    let at = i;
    for (let child = 2 * i + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#isWorse(items[child + 1]!, scores[child + 1]!, items[child]!, scores[child]!)) {
        child++;
      }
      if (!this.#isWorse(items[child]!, scores[child]!, item, score)) break;
      items[at] = items[child]!;
      scores[at] = scores[child]!;
      at = child;
    }
    items[at] = item;
    scores[at] = score;
  }

  #isWorse(a: number, scoreA: number, b: number, scoreB: number): boolean {
    return scoreA === scoreB ? this.#precedes(b, a) : scoreA < scoreB;
  }
}

/**
 * Positions of the k highest scores, highest first.
 *
 * @param scores - None is NaN.
 * @param precedes - Whether position `a` comes before `b` where their scores are equal: a total order. Default the
 *   lower first.
 */
export function topK(scores: ArrayLike<number>, k: number, precedes?: (a: number, b: number) => boolean): Int32Array {
  const size = Math.min(k, scores.length);
  if (size < 1) return new Int32Array(0);
  const top = new TopK(size, precedes);
  for (let i = 0; i < scores.length; i++) if (scores[i]! >= top.least) top.offer(i, scores[i]!);
  return top.take();
}
