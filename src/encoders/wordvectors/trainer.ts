import { between, checked, integer, positiveInteger, type Rules } from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import { type Counted, WordCounts } from "./counts.js";
import { mutualInformation, singular } from "./svd.js";
import { ROW_MAX, SIZE_MAX, WordVectors, weightsOf } from "./wordvectors.js";

/** How to train word vectors. */
export interface WordVectorTrainerOptions {
  /** Numbers in a vector, [1, 256]. Default 32, as many as the recommender uses. */
  size: number;
  /** Most words with a vector, the most frequent ones, [1, 1e6]. Default 10 000. */
  words: number;
  /** Least number of texts with a word for it to get a vector, >= 1. Default 3. */
  minCount: number;
  /** Number of following words in a text that count as near, [1, 1024]. Default 16: a whole title with its tags. */
  window: number;
  /** Most pairs of words held, [1, 1e7]. Default 1 000 000, about 40 MB. */
  pairs: number;
  /** Exponent of the counts of neighbours, [0, 1]. Default 0.75 (Levy et al. 2015). */
  smoothing: number;
  /** Seed of the initial vectors, [0, 2^53 - 1]. Default 1. */
  seed: number;
}

const TABLE: Rules<WordVectorTrainerOptions> = {
  size: integer(1, SIZE_MAX),
  words: integer(1, 1e6),
  minCount: positiveInteger,
  window: integer(1, 1024),
  pairs: integer(1, 1e7),
  smoothing: between(0, 1),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

const DEFAULTS: WordVectorTrainerOptions = {
  size: 32,
  words: 10_000,
  minCount: 3,
  window: 16,
  pairs: 1_000_000,
  smoothing: 0.75,
  seed: 1,
};

/**
 * Trains word vectors on texts that come one by one: counts words that are near each other, and factorises how much more
 * often than by chance they are (PPMI and SVD, Levy et al. 2015, who found it as good as skip-grams).
 *
 * Memory is bounded: at most four times `words` distinct words and `pairs` pairs are counted. Up to there counts are
 * exact; beyond, the rarest are forgotten first, and no count is too low by more than 2 / `pairs` of all pairs. The same
 * texts in the same order give the same vectors, to the bit.
 */
export class WordVectorTrainer {
  readonly options: Readonly<WordVectorTrainerOptions>;
  readonly #counts: WordCounts;
  #texts = 0;

  /**
   * @param path - Prefix of the names of options in messages.
   * @throws TypeError for an unknown option, RangeError for one out of its range.
   */
  constructor(options: Partial<WordVectorTrainerOptions> = {}, path = "") {
    this.options = checked(options, TABLE, DEFAULTS, path);
    const { words, pairs, window } = this.options;
    this.#counts = new WordCounts(words, pairs, window);
  }

  /** Number of texts learned. */
  get texts(): number {
    return this.#texts;
  }

  /**
   * Learns from a text, such as a title followed by its tags. A repeated word counts once.
   * @param words - As `tokenize` returns them.
   */
  learn(words: readonly string[]): void {
    this.#texts++;
    this.#counts.learn(words);
  }

  /** The vectors learned so far; learning can go on. */
  vectors(): WordVectors {
    const { size, words, minCount, smoothing, seed } = this.options;
    const counted = this.#counts.count(words, minCount);
    const matrix = mutualInformation(counted, smoothing);
    const { values, vectors } = singular(matrix, size, Random.named(seed, "words"));
    // Roots of the singular values: Levy et al. 2015 found them better than the values, and than none.
    const rows = new Float64Array(counted.words.length * size);
    for (const [f, vector] of vectors.entries()) {
      const scale = Math.sqrt(values[f]!);
      for (let word = 0; word < vector.length; word++) rows[word * size + f] = scale * vector[word]!;
    }
    return new WordVectors({ size, ...placed(counted, rows, size) });
  }
}

/** Words with a non-zero row; rows are centred on the mean text and scaled to integers. */
function placed({ words, counts }: Counted, rows: Float64Array, size: number) {
  const isPlaced = words.map((_, word) => rows.subarray(word * size, (word + 1) * size).some((x) => x !== 0));
  const kept = [...words.keys()].filter((word) => isPlaced[word]);
  const keptCounts = kept.map((word) => counts[word]!);
  const weights = weightsOf(keptCounts);
  const mean = new Float64Array(size);
  let total = 0;
  for (const [place, word] of kept.entries()) {
    const share = keptCounts[place]! * weights[place]!;
    total += share;
    for (let f = 0; f < size; f++) mean[f]! += share * rows[word * size + f]!;
  }
  const centred = kept.flatMap((word) => Array.from(mean, (sum, f) => rows[word * size + f]! - sum / total));
  let largest = 0;
  for (const x of centred) largest = Math.max(largest, Math.abs(x));
  const scale = largest > 0 ? ROW_MAX / largest : 0;
  // No negative zero: JSON has none.
  const integers = centred.map((x) => Math.round(x * scale) + 0);
  return { words: kept.map((word) => words[word]!), counts: keptCounts, rows: integers };
}
