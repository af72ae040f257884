import { checked, integer, oneOf, type Rule, type Rules } from "../../check/index.js";
import { bucketOf } from "../text.js";
import { Dense, type Encoder, kind, writeOne } from "./encoder.js";

/** 1 at the place of the name, for the names most frequent in training; 1 at `unknown` for any other. */
export interface OneHotEncoding {
  kind: "onehot";
  /** Names with a place of their own, [1, 4096]. Default 16, or the size of `vocabulary`. */
  max?: number;
  /** The names. Default: measured by `fit`. */
  vocabulary?: readonly string[];
}

/**
 * A code for each name: 0 unknown, then 1, 2, ... in the order of the vocabulary. Fit it before data are split, so that a
 * name has one code in all parts.
 */
export interface LabelEncoding {
  kind: "label";
  /** Names with a code of their own, [1, 2^20]. Default 4096, or the size of `vocabulary`. */
  max?: number;
  /** The names. Default: measured by `fit`, the most frequent names in alphabetical order. */
  vocabulary?: readonly string[];
  /** `index`: the code is an index input of the engine; `number`: code / max, in [0, 1]. Default `index`. */
  as?: "index" | "number";
}

/** 1 for each present tag among those most frequent in training; at `unknown` the share of other tags. */
export interface TagsEncoding {
  kind: "tags";
  /** Tags with a place of their own, [1, 4096]. Default 32, or the size of `vocabulary`. */
  max?: number;
  /** The tags. Default: measured by `fit`. */
  vocabulary?: readonly string[];
}

/** 1 in the hash bucket of each name: needs no vocabulary; colliding names share a bucket. One name or several. */
export interface HashedEncoding {
  kind: "hashed";
  /** Buckets, [1, 65536]. Default 32. */
  size?: number;
}

/** Hash buckets as index inputs of the engine: for any number of ids and tags. */
export interface IndicesEncoding {
  kind: "indices";
  /** Buckets, [1, 2^24]. Default 4096. */
  size?: number;
  /** Number of names used, the first ones, [1, 256]. Default 1. */
  slots?: number;
}

const PLACES = 4096;
const CODES = 1_048_576;

function vocabulary(most: number): Rule {
  return [
    (value) =>
      value === undefined ||
      (Array.isArray(value) &&
        value.length <= most &&
        new Set(value).size === value.length &&
        value.every((name) => typeof name === "string")),
    `at most ${most} strings, all different`,
  ];
}

const NAMES = "a string or an array of strings";

function isNames(value: unknown): value is string | readonly string[] {
  return typeof value === "string" || (Array.isArray(value) && value.every((name) => typeof name === "string"));
}

function listed(value: unknown): readonly string[] {
  return typeof value === "string" ? [value] : (value as readonly string[]);
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The `max` most frequent names, most frequent first; equally frequent names in alphabetical order. */
function mostFrequent(names: Iterable<string>, max: number): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const order = [...counts].sort(([a, n], [b, m]) => m - n || byCodeUnits(a, b));
  return order.slice(0, max).map(([name]) => name);
}

/** The number of names in a vocabulary; `otherwise` without one. */
function roomFor(vocabulary: readonly string[] | undefined, otherwise: number): number {
  return Array.isArray(vocabulary) ? Math.max(vocabulary.length, 1) : otherwise;
}

/** The places of a vocabulary's names, from 1 on; 0 is for other names. */
class Vocabulary {
  readonly max: number;
  #places: Map<string, number> | undefined;

  constructor(max: number, names: readonly string[] | undefined) {
    this.max = max;
    if (names !== undefined) this.names = names;
  }

  get names(): readonly string[] | undefined {
    return this.#places && [...this.#places.keys()];
  }

  set names(names: readonly string[]) {
    this.#places = new Map(names.slice(0, this.max).map((name, i) => [name, i + 1]));
  }

  get fitted(): boolean {
    return this.#places !== undefined;
  }

  place(name: string): number {
    return this.#places!.get(name) ?? 0;
  }

  /** The name of each place; its number if no name has taken it. */
  placeNames(): string[] {
    const names = this.names ?? [];
    return ["unknown", ...Array.from({ length: this.max }, (_, i) => names[i] ?? `#${i + 1}`)];
  }

  saved(): { max: number; vocabulary?: readonly string[] } {
    const names = this.names;
    return { max: this.max, ...(names && { vocabulary: names }) };
  }
}

/** An encoder with one place for unknown names, then one for each name of a vocabulary. */
abstract class Places extends Dense {
  protected readonly vocabulary: Vocabulary;

  constructor(max: number, vocabulary: readonly string[] | undefined) {
    super();
    this.vocabulary = new Vocabulary(max, vocabulary);
  }

  get names(): readonly string[] {
    return this.vocabulary.placeNames();
  }

  override get width(): number {
    return this.vocabulary.max + 1;
  }

  override get fitted(): boolean {
    return this.vocabulary.fitted;
  }
}

const ONE_HOT: Rules<OneHotEncoding> = { kind, max: integer(1, PLACES), vocabulary: vocabulary(PLACES) };

export class OneHot extends Places {
  readonly must = "a string";

  constructor(encoding: OneHotEncoding, path: string) {
    const { max, vocabulary } = checked(encoding, ONE_HOT, { max: roomFor(encoding.vocabulary, 16) }, path);
    super(max!, vocabulary);
  }

  accepts(value: unknown): boolean {
    return typeof value === "string";
  }

  override fit(values: readonly unknown[]): void {
    this.vocabulary.names = mostFrequent(values as string[], this.vocabulary.max);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    writeOne(row, offset, this.width, this.vocabulary.place(value as string));
  }

  save(): OneHotEncoding {
    return { kind: "onehot", ...this.vocabulary.saved() };
  }
}

const LABEL: Rules<LabelEncoding> = {
  kind,
  max: integer(1, CODES),
  vocabulary: vocabulary(CODES),
  as: oneOf("index", "number"),
};

export class Label implements Encoder {
  readonly must = "a string";
  readonly width: number;
  readonly names: readonly string[];
  readonly slots: number;
  readonly size: number;
  readonly #vocabulary: Vocabulary;
  readonly #as: "index" | "number";

  constructor(encoding: LabelEncoding, path: string) {
    const defaults: Partial<LabelEncoding> = { max: roomFor(encoding.vocabulary, PLACES), as: "index" };
    const { max, vocabulary, as } = checked(encoding, LABEL, defaults, path);
    this.#vocabulary = new Vocabulary(max!, vocabulary);
    this.#as = as!;
    this.names = as === "number" ? [""] : [];
    this.width = this.names.length;
    this.slots = as === "index" ? 1 : 0;
    this.size = as === "index" ? max! + 1 : 0;
  }

  get fitted(): boolean {
    return this.#vocabulary.fitted;
  }

  accepts(value: unknown): boolean {
    return typeof value === "string";
  }

  fit(values: readonly unknown[]): void {
    this.#vocabulary.names = mostFrequent(values as string[], this.#vocabulary.max).sort(byCodeUnits);
  }

  learn(): void {}

  write(value: unknown, row: Float32Array, offset: number): void {
    if (this.#as === "number") row[offset] = this.#vocabulary.place(value as string) / this.#vocabulary.max;
  }

  writeIndices(value: unknown, indices: Int32Array, offset: number): void {
    if (this.#as === "index") indices[offset] = this.#vocabulary.place(value as string);
  }

  save(): LabelEncoding {
    return { kind: "label", ...this.#vocabulary.saved(), as: this.#as };
  }
}

const TAGS: Rules<TagsEncoding> = { kind, max: integer(1, PLACES), vocabulary: vocabulary(PLACES) };

export class Tags extends Places {
  readonly must: string = NAMES;

  constructor(encoding: TagsEncoding, path: string) {
    const { max, vocabulary } = checked(encoding, TAGS, { max: roomFor(encoding.vocabulary, 32) }, path);
    super(max!, vocabulary);
  }

  accepts(value: unknown): boolean {
    return isNames(value);
  }

  override fit(values: readonly unknown[]): void {
    this.vocabulary.names = mostFrequent(values.flatMap(listed), this.vocabulary.max);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    const names = listed(value);
    row.fill(0, offset, offset + this.width);
    let unknown = 0;
    for (const name of names) {
      const place = this.vocabulary.place(name);
      if (place === 0) unknown++;
      else row[offset + place] = 1;
    }
    if (unknown > 0) row[offset] = unknown / names.length;
  }

  save(): TagsEncoding {
    return { kind: "tags", ...this.vocabulary.saved() };
  }
}

const HASHED: Rules<HashedEncoding> = { kind, size: integer(1, 65_536) };

export class Hashed extends Dense {
  readonly must: string = NAMES;
  readonly names: readonly string[];
  readonly #buckets: number;

  constructor(encoding: HashedEncoding, path: string) {
    super();
    this.#buckets = checked(encoding, HASHED, { size: 32 }, path).size!;
    this.names = Array.from({ length: this.#buckets }, (_, i) => `#${i}`);
  }

  accepts(value: unknown): boolean {
    return isNames(value);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    row.fill(0, offset, offset + this.#buckets);
    for (const name of listed(value)) row[offset + bucketOf(name, this.#buckets)] = 1;
  }

  save(): HashedEncoding {
    return { kind: "hashed", size: this.#buckets };
  }
}

const INDICES: Rules<IndicesEncoding> = { kind, size: integer(1, 2 ** 24), slots: integer(1, 256) };

export class Indices implements Encoder {
  readonly must: string = NAMES;
  readonly width = 0;
  readonly names: readonly string[] = [];
  readonly slots: number;
  readonly size: number;
  readonly fitted = true;

  constructor(encoding: IndicesEncoding, path: string) {
    const { size, slots } = checked(encoding, INDICES, { size: 4096, slots: 1 }, path);
    this.size = size!;
    this.slots = slots!;
  }

  accepts(value: unknown): boolean {
    return isNames(value);
  }

  fit(): void {}
  learn(): void {}
  write(): void {}

  writeIndices(value: unknown, indices: Int32Array, offset: number): void {
    const names = listed(value);
    indices.fill(-1, offset, offset + this.slots);
    for (let i = 0; i < Math.min(names.length, this.slots); i++) {
      const index = bucketOf(names[i]!, this.size);
      // A repeated name counts once.
      if (!indices.subarray(offset, offset + i).includes(index)) indices[offset + i] = index;
    }
  }

  save(): IndicesEncoding {
    return { kind: "indices", size: this.size, slots: this.slots };
  }
}
