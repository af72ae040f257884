import {
  boolean,
  entries,
  fields,
  list,
  mustBe,
  nonNegativeInteger,
  numbers,
  or,
  requireFloats,
  requireShape,
  type Shape,
  text,
} from "../check/index.js";
import { Album, type AlbumPicture } from "../collections/index.js";
import { Random } from "../numeric/index.js";
import type { Id, OnAir, StreamUpdate } from "../protocol/index.js";
import { BagOfWords, tokenize } from "./text.js";
import type { WordVectors } from "./wordvectors/wordvectors.js";

/** The modalities by which streams are compared: their words, and the platform's embeddings of text, image and audio. */
export const MODALITIES = ["words", "text", "image", "audio"] as const;
const [WORDS, TEXT] = [0, 1] as const;

/** Length of the vector of each modality. */
export const CONTENT_SIZE = 32;

/** Most streams remembered after they went off air, for watches that arrive later. */
const GONE = 16_384;

/** The content of a stream. */
export interface Content {
  language: string | undefined;
  mature: boolean | undefined;
  title: string;
  tags: readonly string[];
  /** True if the platform sent an embedding of the text; else undefined. */
  embedded?: boolean | undefined;
  /** For each modality a vector of `CONTENT_SIZE` numbers and length 1; null if it is missing. */
  rows: (Float32Array | null)[];
}

/** The state of `Contents` without the numbers of rows: plain data. */
export interface SavedContents {
  words: ReturnType<BagOfWords["save"]>;
  live: [Id, SavedContent][];
  gone: [Id, SavedContent][];
}

interface SavedContent extends Omit<Content, "rows"> {
  /** For each modality whether it is present. */
  rows: boolean[];
}

const savedContent: Shape = fields<SavedContent>({
  language: or(undefined, text),
  mature: or(undefined, boolean),
  title: text,
  tags: list(text),
  embedded: or(undefined, boolean),
  rows: numbers(MODALITIES.length, boolean),
});

const savedWords: Shape = fields<SavedContents["words"]>({
  documents: nonNegativeInteger,
  frequencies: numbers(CONTENT_SIZE, nonNegativeInteger),
});

const SAVED: Shape = fields<SavedContents>({
  words: savedWords,
  live: entries(savedContent),
  gone: entries(savedContent, GONE),
});

/** Rows are replaced, not changed. */
function copied(content: Content): Content {
  return { ...content, rows: content.rows.slice() };
}

/**
 * The content of the streams on air: for each modality 32 numbers whose inner products are similarities of streams.
 *
 * Titles and tags become hashed words, weighted by their rarity among the streams so far. Embeddings are projected on
 * random signs, which keeps cosines to within about 1 / sqrt(32) for any length (Achlioptas 2003). If the platform sends
 * no embedding of the text, word vectors, if given, make one from title and tags.
 */
export class Contents {
  readonly #words = new BagOfWords(CONTENT_SIZE);
  readonly #vectors: WordVectors | undefined;
  readonly #live = new Album<Id, Content>(Infinity, copied);
  readonly #gone = new Album<Id, Content>(GONE);
  readonly #seed: number;
  /** For each modality one word of 32 signs for each input, up to the longest embedding so far. */
  readonly #signs = new Map<string, number[]>();
  readonly #sums = new Float64Array(CONTENT_SIZE);

  /**
   * @param seed - Seed of the signs, an integer.
   * @param words - Word vectors for titles and tags, of at most 32 numbers.
   * @throws RangeError for invalid or longer word vectors.
   */
  constructor(seed: number, words?: WordVectors) {
    this.#seed = seed;
    if (words === undefined) return;
    this.#vectors = words;
    if (words.size > CONTENT_SIZE) throw mustBe("words.size", `at most ${CONTENT_SIZE}`, words.size);
  }

  /** The content of a stream on air, or recently off air; undefined for other streams. */
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
    this.#live.keep(stream);
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

  /** The state as plain data; appends the rows to `floats`. */
  save(floats: Float32Array[]): SavedContents {
    const saved = ([id, { rows, ...rest }]: [Id, Content]): [Id, SavedContent] => {
      for (const row of rows) if (row !== null) floats.push(row);
      return [id, { ...rest, rows: rows.map((row) => row !== null) }];
    };
    return { words: this.#words.save(), live: [...this.#live].map(saved), gone: [...this.#gone].map(saved) };
  }

  /** Restores a saved state, with the rows that `save` appended. @throws RangeError that names what is wrong. */
  load(state: SavedContents, floats: Float32Array): void {
    requireShape(SAVED, state, "content");
    const { words, live, gone } = state;
    const present = [...live, ...gone].flatMap(([, { rows }]) => rows.filter(Boolean)).length;
    requireFloats(floats, CONTENT_SIZE * present, "content.rows");
    this.#words.load(words);
    let at = 0;
    const loaded = ({ language, mature, title, tags, embedded, rows }: SavedContent): Content => ({
      language,
      mature,
      title,
      tags,
      embedded,
      rows: rows.map((isPresent) => (isPresent ? floats.slice(at, (at += CONTENT_SIZE)) : null)),
    });
    for (const [id, content] of live) this.#live.set(id, loaded(content));
    for (const [id, content] of gone) this.#gone.set(id, loaded(content));
  }

  /** How often words were seen, as plain data: of `save`, all but the streams. */
  saveWords(): SavedContents["words"] {
    return this.#words.save();
  }

  /** Restores `saveWords`. @throws RangeError that names what is wrong. */
  loadWords(words: SavedContents["words"]): void {
    requireShape(savedWords, words, "content.words");
    this.#words.load(words);
  }

  /** The streams on air, and those that went off air, the latest last, as they are now. Close both. */
  pictures(): readonly [live: AlbumPicture<Id, Content>, gone: AlbumPicture<Id, Content>] {
    return [this.#live.picture(), this.#gone.picture()];
  }

  /** Adds a stream of such a picture. @returns Whether it is a new one, for which there is room. */
  restore(stream: Id, content: Content, isGone: boolean): boolean {
    const streams = isGone ? this.#gone : this.#live;
    const isNew = !streams.has(stream) && streams.size < streams.max;
    if (isNew) streams.set(stream, content);
    return isNew;
  }

  #wordsOf(words: readonly string[]): Float32Array | null {
    if (words.length === 0) return null;
    this.#words.learn(words);
    const row = new Float32Array(CONTENT_SIZE);
    this.#words.write(words, row, 0);
    return row;
  }

  /** Null if no word has a vector. */
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
    // Seeded by index, so that signs do not depend on which length came first.
    for (let i = known.length; i < inputs; i++) known.push(Random.named(this.#seed, "signs", modality, i).uint32());
    return known;
  }
}
