import { checked, integer, mustBe, nonNegativeInteger, oneOf, type Rule, type Rules } from "../../check/index.js";
import { BagOfWords, tokenize } from "../text.js";
import { Dense, kind } from "./encoder.js";

/** A text, or several, as a hashed bag of words: a vector of length 1. */
export interface WordsEncoding {
  kind: "words";
  /** Buckets, [1, 65536]. Default 64. */
  size?: number;
  /** `count`: weigh a word by its count; `tfidf`: also by its rarity in training. Default `tfidf`. */
  weighting?: "count" | "tfidf";
  /** Number of training texts. Default: measured by `fit`. */
  documents?: number;
  /** For each bucket the number of training texts with a word in it. Default: measured by `fit`. */
  frequencies?: readonly number[];
}

const TABLE: Rules<WordsEncoding> = {
  kind,
  size: integer(1, 65_536),
  weighting: oneOf("count", "tfidf"),
  documents: [(value) => value === undefined || nonNegativeInteger[0](value), nonNegativeInteger[1]],
  frequencies: [
    (value) => value === undefined || (Array.isArray(value) && value.every(nonNegativeInteger[0])),
    "integers >= 0",
  ],
};

/** Text: one string, or several. */
export const texts: Rule = [
  (value) => typeof value === "string" || (Array.isArray(value) && value.every((text) => typeof text === "string")),
  "a string or an array of strings",
];

/** The words of a text, or of several. */
export function wordsOf(value: unknown): string[] {
  return tokenize(typeof value === "string" ? value : (value as string[]).join(" "));
}

export class Words extends Dense {
  readonly must: string = texts[1];
  readonly names: readonly string[];
  readonly #weighting: "count" | "tfidf";
  readonly #vectors: BagOfWords;
  #fitted: boolean;

  constructor(encoding: WordsEncoding, path: string) {
    super();
    const resolved = checked(encoding, TABLE, { size: 64, weighting: "tfidf" }, path);
    const { size, weighting, documents, frequencies } = resolved;
    this.#weighting = weighting!;
    this.#vectors = new BagOfWords(size!);
    this.names = Array.from({ length: size! }, (_, i) => `#${i}`);
    this.#fitted = weighting === "count";
    if (documents === undefined && frequencies === undefined) return;
    if (documents === undefined || frequencies === undefined || frequencies.length !== size) {
      throw mustBe(`${path}frequencies`, `${size} integers >= 0, and with documents`, frequencies);
    }
    this.#vectors.load({ documents, frequencies: frequencies.map((n) => Math.min(n, documents)) });
    this.#fitted = true;
  }

  override get fitted(): boolean {
    return this.#fitted;
  }

  accepts(value: unknown): boolean {
    return texts[0](value);
  }

  override fit(values: readonly unknown[]): void {
    this.#vectors.load({ documents: 0, frequencies: new Array<number>(this.#vectors.size).fill(0) });
    if (this.#weighting === "tfidf") for (const value of values) this.#vectors.learn(wordsOf(value));
    this.#fitted = true;
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    this.#vectors.write(wordsOf(value), row, offset, this.#weighting);
  }

  save(): WordsEncoding {
    const declared: WordsEncoding = { kind: "words", size: this.#vectors.size, weighting: this.#weighting };
    return this.#weighting === "tfidf" && this.#fitted ? { ...declared, ...this.#vectors.save() } : declared;
  }
}
