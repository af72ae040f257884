import { checked, group, type Rules } from "../../check/index.js";
import { WordVectorTrainer, type WordVectorTrainerOptions } from "../wordvectors/trainer.js";
import { type SavedWordVectors, savedWordVectorsRule, WordVectors } from "../wordvectors/wordvectors.js";
import { Dense, kind } from "./encoder.js";
import { texts, wordsOf } from "./words.js";

/** A text, or several, as the mean of its words' vectors: 1 if any word is known, then the vector, of length 1. */
export interface WordVectorsEncoding {
  kind: "wordvectors";
  /** Options for training vectors on the training texts. */
  training?: Partial<WordVectorTrainerOptions>;
  /** Vectors trained elsewhere, such as by `liveq train --titles`. Default: trained by `fit`. */
  vectors?: SavedWordVectors;
}

const TABLE: Rules<WordVectorsEncoding> = {
  kind,
  training: group,
  vectors: savedWordVectorsRule,
};

export class Embedded extends Dense {
  readonly must: string = texts[1];
  readonly names: readonly string[];
  readonly #training: Readonly<WordVectorTrainerOptions>;
  #vectors: WordVectors | undefined;

  constructor(encoding: WordVectorsEncoding, path: string) {
    super();
    const { training, vectors } = checked(encoding, TABLE, { training: {} }, path);
    this.#training = new WordVectorTrainer(training, `${path}training.`).options;
    if (vectors !== undefined) this.#vectors = new WordVectors(vectors, `${path}vectors`);
    const size = this.#vectors?.size ?? this.#training.size;
    this.names = ["known", ...Array.from({ length: size }, (_, i) => `#${i}`)];
  }

  override get fitted(): boolean {
    return this.#vectors !== undefined;
  }

  accepts(value: unknown): boolean {
    return texts[0](value);
  }

  override fit(values: readonly unknown[]): void {
    const trainer = new WordVectorTrainer({ ...this.#training, size: this.width - 1 });
    for (const value of values) trainer.learn(wordsOf(value));
    this.#vectors = trainer.vectors();
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    row[offset] = this.#vectors!.write(wordsOf(value), row, offset + 1) ? 1 : 0;
  }

  save(): WordVectorsEncoding {
    const declared: WordVectorsEncoding = { kind: "wordvectors", training: { ...this.#training } };
    return this.#vectors === undefined ? declared : { ...declared, vectors: this.#vectors.save() };
  }
}
