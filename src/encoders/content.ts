import { mustBe } from "../check/index.js";
import { Latest } from "../collections/index.js";
import { Random } from "../numeric/index.js";
import type { Id, OnAir, StreamUpdate } from "../protocol/index.js";
import { BagOfWords, tokenize } from "./text.js";
import { type SavedWordVectors, WordVectors } from "./wordvectors/wordvectors.js";

/** What of a stream can be compared: its words, and what the platform has computed. */
export const MODALITIES = ["words", "text", "image", "audio"] as const;
const [WORDS, TEXT] = [0, 1] as const;

/** Numbers of each modality. */
export const CONTENT_SIZE = 32;

/** Streams remembered after they went off air, for the watches that are still to be told. */
const GONE = 16_384;

/** What is in a stream. */
export interface Content {
  language: string | undefined;
  mature: boolean | undefined;
  title: string;
  tags: readonly string[];
  /** Whether the platform told an embedding of the text; undefined where it did not. */
  embedded?: boolean | undefined;
  /** By modality, `CONTENT_SIZE` numbers of length 1; null where the platform told nothing. */
  rows: (Float32Array | null)[];
}

/** What `Contents.save` gives, beside the numbers of all rows. */
export interface SavedContents {
  words: ReturnType<BagOfWords["save"]>;
  live: [Id, SavedContent][];
  gone: [Id, SavedContent][];
}

interface SavedContent extends Omit<Content, "rows"> {
  /** Which modalities there are. */
  rows: boolean[];
}

/**
 * What is in the streams on air, each modality as 32 numbers whose inner products say how alike two streams are.
 *
 * Titles and tags are hashed words weighted by how rare they are among the streams so far; embeddings are projected on
 * random signs, which keeps cosines to within about 1 / sqrt(32) whatever their length (Achlioptas 2003). Where the
 * platform tells no embedding of a text, word vectors make one of the title and the tags, if there are any.
 */
export class Contents {
  readonly #words = new BagOfWords(CONTENT_SIZE);
  readonly #vectors: WordVectors | undefined;
  readonly #live = new Map<Id, Content>();
  readonly #gone = new Latest<Id, Content>(GONE);
  readonly #seed: number;
  /** Of each modality, 32 signs of each input as one word, as far as inputs were met. */
  readonly #signs = new Map<string, number[]>();
  readonly #sums = new Float64Array(CONTENT_SIZE);

  /**
   * @param seed - Of the signs, an integer.
   * @param words - Word vectors for titles and tags, of at most 32 numbers.
   * @throws RangeError for word vectors that are none, or longer.
   */
  constructor(seed: number, words?: SavedWordVectors) {
    this.#seed = seed;
    if (words === undefined) return;
    this.#vectors = new WordVectors(words);
    if (words.size > CONTENT_SIZE) throw mustBe("words.size", `at most ${CONTENT_SIZE}`, words.size);
  }

  /** What is in a stream on air, or in one that went off air not long ago; undefined when it is not known. */
  get(stream: Id): Content | undefined {
    return this.#live.get(stream) ?? this.#gone.get(stream);
  }

  onAir({ stream, title = "", tags = [], language, mature, embeddings = {} }: OnAir): void {
    this.#gone.delete(stream);
    const words = tokenize([title, ...tags].join(" "));
    const rows = MODALITIES.map((modality) => {
      if (modality === "words") return this.#wordsOf(words);
      const embedding = embeddings[modality];
      if (embedding !== undefined) return this.#projected(modality, embedding);
      return modality === "text" ? this.#embedded(words) : null;
    });
    const embedded = embeddings.text === undefined ? undefined : true;
    this.#live.set(stream, { language, mature, title, tags, embedded, rows });
  }

  update({ stream, title, tags }: StreamUpdate): void {
    const content = this.#live.get(stream);
    if (content === undefined || (title === undefined && tags === undefined)) return;
    content.title = title ?? content.title;
    content.tags = tags ?? content.tags;
    const words = tokenize([content.title, ...content.tags].join(" "));
    content.rows[WORDS] = this.#wordsOf(words);
    if (!content.embedded) content.rows[TEXT] = this.#embedded(words);
  }

  offAir(stream: Id): void {
    const content = this.#live.get(stream);
    if (content === undefined) return;
    this.#live.delete(stream);
    this.#gone.set(stream, content);
  }

  /** Forgets a stream that has gone off air. */
  delete(stream: Id): void {
    this.#gone.delete(stream);
  }

  /** Plain values; the numbers of all rows go to the end of `floats`. */
  save(floats: Float32Array[]): SavedContents {
    const saved = ([id, { rows, ...rest }]: [Id, Content]): [Id, SavedContent] => {
      for (const row of rows) if (row !== null) floats.push(row);
      return [id, { ...rest, rows: rows.map((row) => row !== null) }];
    };
    return { words: this.#words.save(), live: [...this.#live].map(saved), gone: [...this.#gone].map(saved) };
  }

  /** Takes what `save` gave, and the numbers that it gave away. */
  load({ words, live, gone }: SavedContents, floats: Float32Array): void {
    this.#words.load(words);
    let at = 0;
    const loaded = ({ language, mature, title, tags, embedded, rows }: SavedContent): Content => ({
      language,
      mature,
      title,
      tags,
      embedded,
      rows: rows.map((there) => (there ? floats.slice(at, (at += CONTENT_SIZE)) : null)),
    });
    for (const [id, content] of live) this.#live.set(id, loaded(content));
    for (const [id, content] of gone) this.#gone.set(id, loaded(content));
  }

  #wordsOf(words: readonly string[]): Float32Array | null {
    if (words.length === 0) return null;
    this.#words.learn(words);
    const row = new Float32Array(CONTENT_SIZE);
    this.#words.write(words, row, 0);
    return row;
  }

  /** Null where no word has a vector. */
  #embedded(words: readonly string[]): Float32Array | null {
    if (this.#vectors === undefined) return null;
    const row = new Float32Array(CONTENT_SIZE);
    return this.#vectors.write(words, row, 0) ? row : null;
  }

  /** Null for an embedding of zeros, which has no direction. */
  #projected(modality: string, embedding: readonly number[]): Float32Array | null {
    const signs = this.#signsOf(modality, embedding.length);
    const sums = this.#sums.fill(0);
    for (let i = 0; i < embedding.length; i++) {
      for (let j = 0; j < CONTENT_SIZE; j++) sums[j]! += (signs[i]! >>> j) & 1 ? embedding[i]! : -embedding[i]!;
    }
    let squares = 0;
    for (let j = 0; j < CONTENT_SIZE; j++) squares += sums[j]! * sums[j]!;
    if (squares === 0) return null;
    return Float32Array.from(sums, (sum) => sum / Math.sqrt(squares));
  }

  #signsOf(modality: string, inputs: number): readonly number[] {
    const known = this.#signs.get(modality) ?? [];
    this.#signs.set(modality, known);
    // By place, so that they do not depend on which length came first.
    for (let i = known.length; i < inputs; i++) known.push(Random.named(this.#seed, "signs", modality, i).uint32());
    return known;
  }
}

/** Adds a stream's content to fading sums by modality. */
export function addContent(sums: (number[] | null)[], { rows }: Content, weight: number): void {
  for (const [m, row] of rows.entries()) {
    if (row === null) continue;
    const sum = (sums[m] ??= new Array<number>(CONTENT_SIZE).fill(0));
    for (let i = 0; i < CONTENT_SIZE; i++) sum[i]! += weight * row[i]!;
  }
}
