import { mustBe, type Rule } from "../../check/index.js";
import { cosine, tokenize } from "../text.js";

/** Largest absolute number of a row; rows are integers, which take few characters in a file. */
export const ROW_MAX = 32_767;
/** A word with this share of all words has weight 1/2. Arora et al. 2017 use 1e-4 to 1e-3. */
const COMMON = 1e-3;

/** The state of `WordVectors`: plain data. */
export interface SavedWordVectors {
  /** Numbers in a vector. */
  size: number;
  /** All different. */
  words: string[];
  /** The number of training texts with each word. */
  counts: number[];
  /** The words' vectors one after the other, up to a common factor: integers in [-32767, 32767]. */
  rows: number[];
}

const isIntegers = (value: unknown, low: number, high: number): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= low && n <= high);

/** Most numbers in a vector. */
export const SIZE_MAX = 256;

/** Rules for saved vectors, by field; each may use the fields before it. */
const RULES: readonly [keyof SavedWordVectors, (saved: SavedWordVectors) => boolean, must: string][] = [
  ["size", ({ size }) => isIntegers([size], 1, SIZE_MAX), `an integer in [1, ${SIZE_MAX}]`],
  [
    "words",
    ({ words }) =>
      Array.isArray(words) && words.every((word) => typeof word === "string") && new Set(words).size === words.length,
    "an array of different strings",
  ],
  [
    "counts",
    ({ words, counts }) => isIntegers(counts, 1, Number.MAX_SAFE_INTEGER) && counts.length === words.length,
    "an integer >= 1 for each word",
  ],
  [
    "rows",
    ({ size, words, rows }) => isIntegers(rows, -ROW_MAX, ROW_MAX) && rows.length === size * words.length,
    `"size" integers in [-${ROW_MAX}, ${ROW_MAX}] for each word`,
  ],
];

/** Rule for an option that is saved vectors; `WordVectors` checks each field. */
export const savedWordVectorsRule: Rule = [
  (value) => value === undefined || (typeof value === "object" && value !== null),
  "saved by WordVectors.save",
];

/**
 * Word vectors, whose cosines compare the contexts of words; a text is the mean of its words. `WordVectorTrainer` trains
 * them on titles and tags.
 *
 * A word has weight .001 / (.001 + its share of all words), so that common words count little, and the mean of the
 * training texts is at the origin (smooth inverse frequency, Arora et al. 2017, "A Simple but Tough-to-Beat Baseline for
 * Sentence Embeddings", which removes the first principal component in place of the mean). An unknown word has no vector,
 * and a text of unknown words has none: unknown is not the same as zero.
 */
export class WordVectors {
  /** Numbers in a vector, [1, 256]. */
  readonly size: number;
  readonly #places: ReadonlyMap<string, number>;
  readonly #counts: readonly number[];
  readonly #rows: Int16Array;
  readonly #weights: Float64Array;
  readonly #sums: Float64Array;

  /**
   * @param saved - As `save` returns it.
   * @throws RangeError for invalid vectors: `"words.size" must be ...`.
   */
  constructor(saved: SavedWordVectors, path = "words") {
    if (typeof saved !== "object" || saved === null) throw mustBe(path, savedWordVectorsRule[1], saved);
    for (const [field, holds, must] of RULES) if (!holds(saved)) throw mustBe(`${path}.${field}`, must, saved[field]);
    const { size, words, counts, rows } = saved;
    this.size = size;
    this.#places = new Map(words.map((word, place) => [word, place]));
    this.#counts = [...counts];
    this.#rows = Int16Array.from(rows);
    this.#weights = weightsOf(counts);
    this.#sums = new Float64Array(size);
  }

  /** The words with a vector, most frequent first. */
  get words(): string[] {
    return [...this.#places.keys()];
  }

  has(word: string): boolean {
    return this.#places.has(word);
  }

  /**
   * Writes the vector of a text: `size` numbers in [-1, 1] from `offset`, of length 1.
   * @param words - As `tokenize` returns them.
   * @returns False, after writing zeros, if no word is known or the known words cancel: then mask the vector.
   */
  write(words: readonly string[], out: Float32Array, offset: number): boolean {
    const sums = this.#sums.fill(0);
    for (const word of words) {
      const place = this.#places.get(word);
      if (place === undefined) continue;
      const weight = this.#weights[place]!;
      const row = place * this.size;
      for (let f = 0; f < this.size; f++) sums[f]! += weight * this.#rows[row + f]!;
    }
    let squares = 0;
    for (let f = 0; f < this.size; f++) squares += sums[f]! * sums[f]!;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let f = 0; f < this.size; f++) out[offset + f] = sums[f]! * scale;
    return squares > 0;
  }

  /** The vector of a text, of length 1; null if no word is known. */
  embed(text: string): Float32Array | null {
    const vector = new Float32Array(this.size);
    return this.write(tokenize(text), vector, 0) ? vector : null;
  }

  /** The cosine of two texts or words; undefined if either has no known word. */
  similarity(a: string, b: string): number | undefined {
    const [one, other] = [this.embed(a), this.embed(b)];
    return one === null || other === null ? undefined : cosine(one, other);
  }

  /**
   * The words nearest to a text or word, nearest first, equally near ones by frequency; without the words of the text.
   * @param count - Most words returned, an integer >= 0.
   */
  nearest(text: string, count: number): { word: string; similarity: number }[] {
    const vector = this.embed(text);
    if (vector === null) return [];
    const own = new Set(tokenize(text));
    const found: { word: string; similarity: number; place: number }[] = [];
    for (const [word, place] of this.#places) {
      if (own.has(word)) continue;
      found.push({ word, similarity: cosine(vector, this.#rows, this.size, 0, place * this.size), place });
    }
    found.sort((a, b) => b.similarity - a.similarity || a.place - b.place);
    return found.slice(0, count).map(({ word, similarity }) => ({ word, similarity }));
  }

  /** The state as plain data, for `new WordVectors(saved)`. */
  save(): SavedWordVectors {
    return { size: this.size, words: this.words, counts: [...this.#counts], rows: [...this.#rows] };
  }

  /** What `JSON.stringify` writes: the same as `save`. */
  toJSON(): SavedWordVectors {
    return this.save();
  }

  /** Other vectors, of the same class: a file is read with those that a program has. */
  with(saved: SavedWordVectors): WordVectors {
    return new WordVectors(saved);
  }
}

/** The weight of each word in a text, given the number of texts with each. */
export function weightsOf(counts: readonly number[]): Float64Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Float64Array.from(counts, (count) => COMMON / (COMMON + count / total));
}
