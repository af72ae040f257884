import { mustBe, type Rule, show } from "../../check/index.js";
import { Age, type AgeEncoding, Buckets, type BucketsEncoding, Quantiles, type QuantilesEncoding } from "./buckets.js";
import { Clock, type ClockEncoding } from "./clock.js";
import { Embedded, type WordVectorsEncoding } from "./embedded.js";
import type { Encoder } from "./encoder.js";
import {
  Hashed,
  type HashedEncoding,
  Indices,
  type IndicesEncoding,
  Label,
  type LabelEncoding,
  OneHot,
  type OneHotEncoding,
  Tags,
  type TagsEncoding,
} from "./names.js";
import {
  Log,
  type LogEncoding,
  MinMax,
  type MinMaxEncoding,
  Running,
  type RunningEncoding,
  Standard,
  type StandardEncoding,
} from "./numbers.js";
import { Rates, type RatesEncoding } from "./rates.js";
import { Words, type WordsEncoding } from "./words.js";

/** How to encode a value as numbers. Measurements of `fit` can also be given; `FeatureSet.save` adds them. */
export type FeatureEncoding =
  | StandardEncoding
  | RunningEncoding
  | MinMaxEncoding
  | LogEncoding
  | BucketsEncoding
  | QuantilesEncoding
  | AgeEncoding
  | RatesEncoding
  | OneHotEncoding
  | LabelEncoding
  | TagsEncoding
  | HashedEncoding
  | IndicesEncoding
  | WordsEncoding
  | WordVectorsEncoding
  | ClockEncoding;

/** One value of a record, and its encoding. */
export interface FeatureColumn {
  /** Unique name of the column; prefix of the names of its numbers. */
  name: string;
  /** Path of the value in a record, such as `user.age`. Default `name`. */
  from?: string;
  encode: FeatureEncoding;
  /**
   * Whether the value may be missing (undefined or null). If so, the column first writes 1 if the value is present, else 0
   * and zeros. If not, a missing value is refused. Default true.
   */
  optional?: boolean;
}

type Maker = (encoding: never, path: string) => Encoder;

const MAKERS: Readonly<Record<FeatureEncoding["kind"], Maker>> = {
  standard: (encoding, path) => new Standard(encoding, path),
  running: (encoding, path) => new Running(encoding, path),
  minmax: (encoding, path) => new MinMax(encoding, path),
  log: (encoding, path) => new Log(encoding, path),
  buckets: (encoding, path) => new Buckets(encoding, path),
  quantiles: (encoding, path) => new Quantiles(encoding, path),
  age: (encoding, path) => new Age(encoding, path),
  rates: (encoding, path) => new Rates(encoding, path),
  onehot: (encoding, path) => new OneHot(encoding, path),
  label: (encoding, path) => new Label(encoding, path),
  tags: (encoding, path) => new Tags(encoding, path),
  hashed: (encoding, path) => new Hashed(encoding, path),
  indices: (encoding, path) => new Indices(encoding, path),
  words: (encoding, path) => new Words(encoding, path),
  wordvectors: (encoding, path) => new Embedded(encoding, path),
  clock: (encoding, path) => new Clock(encoding, path),
};

const COLUMNS = 256;
const FIELDS = Object.keys({ name: "", from: "", encode: "", optional: "" } satisfies Record<
  keyof FeatureColumn,
  string
>);

/** Rule for an option that is a list of columns; `FeatureSet` checks each column. */
const featureColumnsRule: Rule = [
  (value) => Array.isArray(value) && value.length <= COLUMNS,
  `an array of at most ${COLUMNS} columns`,
];

interface Place {
  readonly name: string;
  readonly keys: readonly string[];
  readonly optional: boolean;
  readonly kind: FeatureEncoding["kind"];
  readonly encoder: Encoder;
  /** Offset of its numbers in a row: first its flag if it is optional. */
  readonly at: number;
  /** Offset of its indices. */
  readonly slot: number;
  /** Added to its indices. */
  readonly base: number;
}

/** Encodes declared columns of records as one row of numbers and one of indices. */
export class FeatureSet {
  #places: readonly Place[];
  /** Numbers in a row. */
  readonly width: number;
  /** Index inputs, as the engine's option `sparse`; undefined if no column has any. */
  readonly sparse: { slots: number; size: number } | undefined;
  /** Values of the current record, checked but not yet written. */
  readonly #values: unknown[];

  /** @throws TypeError or RangeError for an invalid column: `"columns.0.encode.edges" must be ...`. */
  constructor(given: readonly FeatureColumn[], path = "columns") {
    if (!featureColumnsRule[0](given)) throw mustBe(path, featureColumnsRule[1], given);
    const names = new Set<string>();
    let [width, slots, size] = [0, 0, 0];
    this.#places = given.map((column, i) => {
      const place = placed(column, `${path}.${i}`, width, slots, size);
      if (names.has(place.name)) throw mustBe(`${path}.${i}.name`, "a name of its own", place.name);
      names.add(place.name);
      width += place.encoder.width + Number(place.optional);
      slots += place.encoder.slots;
      size += place.encoder.size;
      return place;
    });
    this.width = width;
    this.sparse = slots > 0 ? { slots, size } : undefined;
    this.#values = new Array<unknown>(given.length);
  }

  /** Names of the numbers in a row, by column: `age.present`, `age.>=18`. */
  get names(): readonly string[] {
    return this.#places.flatMap(({ name, optional, encoder }) => [
      ...(optional ? [`${name}.present`] : []),
      ...encoder.names.map((part) => (part === "" ? name : `${name}.${part}`)),
    ]);
  }

  /** Names of the columns that must be fitted before anything is written. */
  get unfitted(): readonly string[] {
    return this.#places.filter(({ encoder }) => !encoder.fitted).map(({ name }) => name);
  }

  /**
   * Measures training records. Never pass test records, except for the vocabularies of labels.
   * @throws TypeError for a value that its column cannot encode; then nothing is measured.
   */
  fit(records: readonly unknown[]): void {
    const values = this.#places.map<unknown[]>(() => []);
    for (const record of records) {
      this.#read(record);
      for (const [i, value] of this.#values.entries()) if (value !== undefined) values[i]!.push(value);
    }
    for (const [i, { encoder }] of this.#places.entries()) encoder.fit(values[i]!);
  }

  /**
   * Adds a record to the measurements of `running` columns.
   * @throws TypeError for a value that its column cannot encode; then nothing changes.
   */
  learn(record: unknown): void {
    this.#read(record);
    for (const [i, { encoder }] of this.#places.entries()) {
      if (this.#values[i] !== undefined) encoder.learn(this.#values[i]);
    }
  }

  /**
   * Writes a record: `width` finite numbers in [-8, 8] from `offset`.
   * @throws TypeError for a value that its column cannot encode, Error if a column must be fitted first; then nothing is
   *   written.
   */
  write(record: unknown, row: Float32Array, offset: number): void {
    this.#read(record);
    this.#mustBeFitted();
    for (const [i, { optional, encoder, at }] of this.#places.entries()) {
      const value = this.#values[i];
      let from = offset + at;
      if (optional) row[from++] = value === undefined ? 0 : 1;
      if (value === undefined) row.fill(0, from, from + encoder.width);
      else encoder.write(value, row, from);
    }
  }

  /**
   * Writes the index inputs of a record: `sparse.slots` indices in [0, sparse.size - 1] from `offset`, -1 for unused slots.
   * @throws As `write`.
   */
  writeIndices(record: unknown, indices: Int32Array, offset: number): void {
    this.#read(record);
    this.#mustBeFitted();
    for (const [i, { encoder, slot, base }] of this.#places.entries()) {
      const from = offset + slot;
      const end = from + encoder.slots;
      if (this.#values[i] === undefined) indices.fill(-1, from, end);
      else encoder.writeIndices(this.#values[i], indices, from);
      for (let at = from; at < end; at++) if (indices[at]! >= 0) indices[at]! += base;
    }
  }

  /** The columns with all measurements, as plain values, for `load` or `new FeatureSet(saved)`. */
  save(): FeatureColumn[] {
    return this.#places.map(({ name, keys, optional, encoder }) => ({
      name,
      from: keys.join("."),
      encode: encoder.save() as FeatureEncoding,
      optional,
    }));
  }

  /**
   * Restores the saved state of the same columns.
   * @throws TypeError or RangeError for other columns; then nothing changes.
   */
  load(saved: readonly FeatureColumn[]): void {
    const other = new FeatureSet(saved, "saved");
    const shape = (set: FeatureSet) =>
      set.#places
        .map(({ name, keys, kind, at, slot, base }) => [name, keys, kind, at, slot, base].join("\0"))
        .join("\n");
    if (shape(other) !== shape(this) || other.width !== this.width || other.sparse?.size !== this.sparse?.size) {
      throw mustBe("saved", "of the same columns", saved);
    }
    this.#places = other.#places;
  }

  #read(record: unknown): void {
    for (const [i, { name, keys, optional, encoder }] of this.#places.entries()) {
      let value = record;
      for (const key of keys) value = value === undefined || value === null ? undefined : own(value, key);
      value ??= undefined;
      this.#values[i] = value;
      if (value === undefined ? optional : encoder.accepts(value)) continue;
      throw new TypeError(`"${name}" must be ${encoder.must}, got ${show(value)}`);
    }
  }

  #mustBeFitted(): void {
    const place = this.#places.find(({ encoder }) => !encoder.fitted);
    if (place !== undefined) throw new Error(`"${place.name}" must be fitted before it is written`);
  }
}

function own(value: unknown, key: string): unknown {
  return typeof value === "object" && Object.hasOwn(value as object, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function placed(column: FeatureColumn, path: string, at: number, slot: number, base: number): Place {
  if (typeof column !== "object" || column === null) throw mustBe(path, "{ name, from, encode, optional }", column);
  for (const key of Object.keys(column)) {
    if (!FIELDS.includes(key)) throw new TypeError(`"${path}.${key}" is not an option; there are ${FIELDS.join(", ")}`);
  }
  const { name, from = name, encode, optional = true } = column;
  if (typeof name !== "string" || name === "") throw mustBe(`${path}.name`, "a string that is not empty", name);
  if (typeof from !== "string" || from === "") throw mustBe(`${path}.from`, "a path such as user.age", from);
  if (typeof optional !== "boolean") throw mustBe(`${path}.optional`, "true or false", optional);
  const kind = (encode as FeatureEncoding | undefined)?.kind;
  if (typeof encode !== "object" || encode === null || !Object.hasOwn(MAKERS, String(kind))) {
    throw mustBe(`${path}.encode.kind`, `one of ${Object.keys(MAKERS).join(", ")}`, kind);
  }
  const encoder = MAKERS[encode.kind](encode as never, `${path}.encode.`);
  return { name, keys: from.split("."), optional, kind: encode.kind, encoder, at, slot, base };
}
