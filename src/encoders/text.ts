import { hashText, log } from "../numeric/index.js";

/** Scripts without spaces between words, or searched by parts of words: their runs become pairs of characters. */
const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー`;
/** A run of an unspaced script; or a run of other letters, marks and digits; or one pictograph. */
const PIECES = new RegExp(
  String.raw`([${UNSPACED}](?:[${UNSPACED}]|\p{M})*)|(?:(?![${UNSPACED}])[\p{L}\p{M}\p{N}])+|\p{Extended_Pictographic}`,
  "gu",
);
/** Accents of Latin, Greek and Cyrillic letters; marks of other scripts distinguish letters, and stay. */
const ACCENTS = /[\u0300-\u036f]/g;
/** Most tokens of one text: more than the longest description of the schema has. */
const TOKENS_MAX = 8192;

/**
 * The words of a text, in order: lower case, without accents, with wide forms made narrow. Digits count as letters, and
 * each pictograph is a word. In scripts without spaces each pair of neighbouring characters is a word, as is a single
 * character. Letters unknown to the runtime's version of Unicode are left out.
 */
export function tokenize(text: string): string[] {
  const plain = text.toLowerCase().normalize("NFKD").replace(ACCENTS, "").normalize("NFC");
  const found: string[] = [];
  for (const [piece, unspaced] of plain.matchAll(PIECES)) {
    if (found.length >= TOKENS_MAX) break;
    if (unspaced === undefined) found.push(piece);
    else {
      const characters = [...piece];
      if (characters.length === 1) found.push(piece);
      for (let i = 1; i < characters.length; i++) found.push(characters[i - 1]! + characters[i]!);
    }
  }
  return found.slice(0, TOKENS_MAX);
}

/** The bucket of a name among `size`. */
export function bucketOf(name: string, size: number): number {
  return hashText(name) % size;
}

/** The cosine of two rows of `size` numbers, in [-1, 1]; 0 if either is all zeros. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>, size: number = a.length, atA = 0, atB = 0): number {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < size; i++) {
    const [x, y] = [a[atA + i]!, b[atB + i]!];
    dot += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  // Two roots: the product of the squares may underflow.
  const length = Math.sqrt(squaresA) * Math.sqrt(squaresB);
  return length === 0 ? 0 : Math.min(Math.max(dot / length, -1), 1);
}

/** The state of a `BagOfWords`: plain data. */
export interface SavedBagOfWords {
  documents: number;
  frequencies: number[];
}

/**
 * Texts as vectors of length 1: hashed bags of words, optionally weighted by how rare each word is (TF-IDF).
 *
 * The hash of a word selects its bucket and its sign, so that words in one bucket cancel rather than add up, and inner
 * products stay right on average (Weinberger et al. 2009, arXiv:0902.2206). The weight is
 * 1 + ln((1 + texts) / (1 + texts with this bucket)), as the smooth one of scikit-learn.
 */
export class BagOfWords {
  /** Numbers in a vector. */
  readonly size: number;
  #documents = 0;
  readonly #frequencies: Float64Array;
  /** For each bucket the number of the text that counted it last. */
  readonly #counted: Float64Array;
  readonly #sums: Float64Array;

  /** @param size - Numbers in a vector, at least 1. */
  constructor(size: number) {
    this.size = size;
    this.#frequencies = new Float64Array(size);
    this.#counted = new Float64Array(size);
    this.#sums = new Float64Array(size);
  }

  /** Number of texts learned. */
  get documents(): number {
    return this.#documents;
  }

  /** Counts the words of a text, so that common words weigh less from now on. */
  learn(words: readonly string[]): void {
    this.#documents++;
    for (const word of words) {
      const bucket = bucketOf(word, this.size);
      if (this.#counted[bucket] === this.#documents) continue;
      this.#counted[bucket] = this.#documents;
      this.#frequencies[bucket]!++;
    }
  }

  /**
   * Writes a text's vector, `size` numbers in [-1, 1] from `offset`; all 0 for a text without words.
   * @param weighting - `count` weighs all words equally, `tfidf` rare words more. Default `tfidf`.
   */
  write(words: readonly string[], out: Float32Array, offset: number, weighting: "count" | "tfidf" = "tfidf"): void {
    const { size } = this;
    const sums = this.#sums.fill(0);
    for (const word of words) {
      const h = hashText(word);
      const weight = weighting === "tfidf" ? 1 + log((1 + this.#documents) / (1 + this.#frequencies[h % size]!)) : 1;
      sums[h % size]! += signOf(h) * weight;
    }
    let squares = 0;
    for (let i = 0; i < size; i++) squares += sums[i]! * sums[i]!;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < size; i++) out[offset + i] = sums[i]! * scale;
  }

  save(): SavedBagOfWords {
    return { documents: this.#documents, frequencies: [...this.#frequencies] };
  }

  /** Restores a saved state. */
  load({ documents, frequencies }: SavedBagOfWords): void {
    this.#documents = documents;
    this.#frequencies.set(frequencies);
    this.#counted.fill(0);
  }
}

/** The sign comes from a product of all bits, since the low bits select the bucket. */
function signOf(h: number): number {
  return Math.imul(h, 0x9e3779b1) < 0 ? -1 : 1;
}
