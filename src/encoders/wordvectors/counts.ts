/**
 * Counts of keys, in a table of at most `max` keys.
 *
 * Exact until the table is full; then the median count is subtracted from every count, and keys without a positive count
 * are dropped. No count is too low by more than 2 / max of all additions. Misra & Gries 1982, "Finding repeated
 * elements", with the median of Anderson et al. 2017, arXiv:1705.07001.
 */
export class Frequent<K> {
  readonly max: number;
  readonly #counts = new Map<K, number>();
  /** The sum subtracted so far. */
  #subtracted = 0;

  /** @param max - Keys, at least 1. */
  constructor(max: number) {
    this.max = max;
  }

  /** The largest amount by which a count may be too low. */
  get error(): number {
    return this.#subtracted;
  }

  /** Counts a key. Returns whether keys, this one included, were dropped. */
  add(key: K): boolean {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    if (this.#counts.size <= this.max) return false;
    const counts = Float64Array.from(this.#counts.values()).sort();
    const median = counts[counts.length >> 1]!;
    this.#subtracted += median;
    for (const [kept, count] of this.#counts) {
      if (count > median) this.#counts.set(kept, count - median);
      else this.#counts.delete(kept);
    }
    return true;
  }

  has(key: K): boolean {
    return this.#counts.has(key);
  }

  delete(key: K): void {
    this.#counts.delete(key);
  }

  entries(): IterableIterator<[K, number]> {
    return this.#counts.entries();
  }
}

/** Words counted for each one that is kept: only the end shows which words are frequent. [set by hand] */
const WORDS_HELD = 4;

/** Counts of a vocabulary: words by falling frequency, equally frequent words in order of their UTF-16 units. */
export interface Counted {
  words: string[];
  /** The number of texts with each word. */
  counts: number[];
  /** The places of two words, the lower first, and the number of texts in which they are near each other. */
  pairs: [number, number, number][];
}

/** Counts the texts with each word and with each pair of words near each other, in bounded memory. */
export class WordCounts {
  readonly #window: number;
  readonly #words: Frequent<string>;
  readonly #pairs: Frequent<number>;
  /** A number for each word held, below `#base`; numbers of dropped words are used again. */
  readonly #numbers = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #base: number;

  /**
   * @param words - Number of words that `count` will keep; four times as many are held.
   * @param pairs - Most pairs held.
   * @param window - Number of following words that are near a word.
   */
  constructor(words: number, pairs: number, window: number) {
    this.#window = window;
    this.#words = new Frequent(WORDS_HELD * words);
    this.#pairs = new Frequent(pairs);
    this.#base = WORDS_HELD * words + 1;
  }

  /** Counts a text: each of its words once, and each pair once. */
  learn(text: readonly string[]): void {
    const words = [...new Set(text)];
    let dropped = false;
    for (const word of words) dropped = this.#words.add(word) || dropped;
    if (dropped) this.#forget();
    const numbers = words.map((word) => this.#numberOf(word));
    for (const [i, a] of numbers.entries()) {
      const end = Math.min(i + this.#window, numbers.length - 1);
      for (let j = i + 1; j <= end; j++) {
        const b = numbers[j]!;
        if (a >= 0 && b >= 0) this.#pairs.add(Math.min(a, b) * this.#base + Math.max(a, b));
      }
    }
  }

  /** The most frequent words, at most `max` of them, each in at least `minCount` texts. */
  count(max: number, minCount: number): Counted {
    const kept = [...this.#words.entries()]
      .filter(([, count]) => count >= minCount)
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .slice(0, max);
    const places = new Map(kept.map(([word], place) => [this.#numbers.get(word)!, place]));
    const pairs: Counted["pairs"] = [];
    for (const [key, count] of this.#pairs.entries()) {
      const a = places.get(Math.floor(key / this.#base));
      const b = places.get(key % this.#base);
      if (a !== undefined && b !== undefined) pairs.push([Math.min(a, b), Math.max(a, b), count]);
    }
    pairs.sort(([a, b], [c, d]) => a - c || b - d);
    return { words: kept.map(([word]) => word), counts: kept.map(([, count]) => count), pairs };
  }

  /** The number of a word; -1 for a word that was dropped at once. */
  #numberOf(word: string): number {
    const known = this.#numbers.get(word);
    if (known !== undefined || !this.#words.has(word)) return known ?? -1;
    const number = this.#free.pop() ?? this.#numbers.size;
    this.#numbers.set(word, number);
    return number;
  }

  /** Frees the numbers of dropped words, and drops their pairs. */
  #forget(): void {
    const gone = new Set<number>();
    for (const [word, number] of this.#numbers) {
      if (this.#words.has(word)) continue;
      this.#numbers.delete(word);
      gone.add(number);
    }
    for (const [key] of this.#pairs.entries()) {
      if (gone.has(Math.floor(key / this.#base)) || gone.has(key % this.#base)) this.#pairs.delete(key);
    }
    this.#free.push(...gone);
  }
}
