import { checked, integer, type Rule, type Rules } from "../../check/index.js";
import { kind, writeOne } from "./encoder.js";
import { OfNumber } from "./numbers.js";

/** 1 for the bucket of the value, 0 for the others. */
export interface BucketsEncoding {
  kind: "buckets";
  /** Lower bounds of all buckets but the first: 1 to 64 numbers, ascending. */
  edges: readonly number[];
}

/** Buckets with about equally many training values each. */
export interface QuantilesEncoding {
  kind: "quantiles";
  /** Number of buckets, [2, 64]. Default 8, or one more than `edges`. */
  buckets?: number;
  /** Lower bounds of all buckets but the first, ascending. Default: measured by `fit`. */
  edges?: readonly number[];
}

/** Buckets of ages in years, with edges 13, 18, 25, 35, 45, 55 and 65. */
export interface AgeEncoding {
  kind: "age";
}

const BUCKETS = 64;

function ascending(most: number): Rule {
  return [
    (value) =>
      Array.isArray(value) &&
      value.length >= 1 &&
      value.length <= most &&
      value.every((edge, i) => Number.isFinite(edge) && (i === 0 || edge >= value[i - 1])),
    `1 to ${most} finite numbers, ascending`,
  ];
}

const edges = ascending(BUCKETS);

/** The first bucket is below all edges, the last is at or above the last edge. */
function bucketAt(edges: readonly number[], value: number): number {
  let bucket = 0;
  while (bucket < edges.length && value >= edges[bucket]!) bucket++;
  return bucket;
}

function bucketNames(edges: readonly number[]): string[] {
  return [`<${edges[0]}`, ...edges.map((edge) => `>=${edge}`)];
}

const BUCKETS_TABLE: Rules<BucketsEncoding> = { kind, edges };

export class Buckets extends OfNumber {
  readonly names: readonly string[];
  readonly #edges: readonly number[];

  constructor(encoding: BucketsEncoding, path: string) {
    super();
    this.#edges = [...checked(encoding, BUCKETS_TABLE, {}, path).edges];
    this.names = bucketNames(this.#edges);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    writeOne(row, offset, this.width, bucketAt(this.#edges, value as number));
  }

  save(): BucketsEncoding | AgeEncoding {
    return { kind: "buckets", edges: this.#edges };
  }
}

const AGE: Rules<AgeEncoding> = { kind };
/** The first year of each group of ages but the youngest. */
export const AGE_EDGES: readonly number[] = [13, 18, 25, 35, 45, 55, 65];

export class Age extends Buckets {
  override readonly must = "a number of years in [0, 150]";

  constructor(encoding: AgeEncoding, path: string) {
    checked(encoding, AGE, {}, path);
    super({ kind: "buckets", edges: AGE_EDGES }, path);
  }

  override accepts(value: unknown): boolean {
    return super.accepts(value) && (value as number) >= 0 && (value as number) <= 150;
  }

  override save(): AgeEncoding {
    return { kind: "age" };
  }
}

const QUANTILES: Rules<QuantilesEncoding> = {
  kind,
  buckets: integer(2, BUCKETS),
  edges: [(value) => value === undefined || edges[0](value), edges[1]],
};

export class Quantiles extends OfNumber {
  readonly names: readonly string[];
  readonly #buckets: number;
  #edges: readonly number[] | undefined;

  constructor(encoding: QuantilesEncoding, path: string) {
    super();
    const { buckets, edges } = checked(encoding, QUANTILES, { buckets: (encoding.edges?.length ?? 7) + 1 }, path);
    this.#buckets = buckets!;
    this.#edges = edges?.slice(0, this.#buckets - 1);
    this.names = Array.from({ length: this.#buckets }, (_, i) => `q${i}`);
  }

  override get fitted(): boolean {
    return this.#edges !== undefined;
  }

  override fit(values: readonly unknown[]): void {
    const sorted = Float64Array.from(values as number[]).sort();
    this.#edges = Array.from({ length: this.#buckets - 1 }, (_, i) => {
      return sorted[Math.floor(((i + 1) * sorted.length) / this.#buckets)] ?? 0;
    });
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    writeOne(row, offset, this.width, bucketAt(this.#edges!, value as number));
  }

  save(): QuantilesEncoding {
    return { kind: "quantiles", buckets: this.#buckets, ...(this.#edges && { edges: this.#edges }) };
  }
}
