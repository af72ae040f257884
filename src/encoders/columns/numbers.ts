import { above, checked, integer, type Rule, type Rules, rules } from "../../check/index.js";
import { fade, log1p } from "../../numeric/index.js";
import { Dense, within, writeOne } from "./encoder.js";

/** (x - mean) / deviation of the training values; beyond 8 deviations, 8. Of values that never differ, 0. */
export interface StandardEncoding {
  kind: "standard";
  /** Measured by `fit` where they are not given. */
  mean?: number;
  deviation?: number;
}

/** The same over all values so far, while it serves: `FeatureSet.learn` adds to it. 0 before the second value. */
export interface RunningEncoding {
  kind: "running";
  /** What was measured so far. Default: nothing. */
  count?: number;
  mean?: number;
  /** Sum of the squared distances from the mean. */
  squares?: number;
}

/** (x - low) / (high - low) of the training values, in [0, 1]: values outside count as the nearest that was seen. */
export interface MinMaxEncoding {
  kind: "minmax";
  /** Measured by `fit` where they are not given. */
  low?: number;
  high?: number;
}

/** log(1 + x) / scale for counts, x >= 0; at most 8. */
export interface LogEncoding {
  kind: "log";
  /** > 0. Default 1. */
  scale?: number;
}

/** 1 for the bucket that the value is in, 0 for the others. */
export interface BucketsEncoding {
  kind: "buckets";
  /** Where buckets begin, but for the first one: 1 to 64 numbers, ascending. */
  edges: readonly number[];
}

/** Buckets that hold about as many of the training values each. */
export interface QuantilesEncoding {
  kind: "quantiles";
  /** [2, 64]. Default 8. */
  buckets?: number;
  /** Measured by `fit` where they are not given. */
  edges?: readonly number[];
}

/** Buckets of years: below 13, 18, 25, 35, 45, 55, 65, and above. */
export interface AgeEncoding {
  kind: "age";
}

/**
 * Log counts of what happened, faded at several half-lives: log(1 + sum of 2^(-age / halfLife)) / scale, at most 8.
 * The value is how long ago each was, in milliseconds.
 */
export interface RatesEncoding {
  kind: "rates";
  /** 1 to 16. Default 1 hour, 6 hours, 1 day and 1 week, as DRN (Zheng et al. 2018). */
  halfLivesMs?: readonly number[];
  /** > 0. Default 3. */
  scale?: number;
}

const finite: Rule = [(value) => Number.isFinite(value), "a finite number"];
const maybeFinite: Rule = [(value) => value === undefined || Number.isFinite(value), "a finite number"];
const maybeNonNegative: Rule = [(value) => value === undefined || rules.nonNegative[0](value), "a finite number >= 0"];
const kind: Rule = [() => true, "a kind"];
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

abstract class OfNumber extends Dense {
  readonly must: string = finite[1];

  accepts(value: unknown): boolean {
    return finite[0](value);
  }
}

const STANDARD: Rules<StandardEncoding> = { kind, mean: maybeFinite, deviation: maybeNonNegative };

export class Standard extends OfNumber {
  readonly names = [""];
  #mean: number | undefined;
  #deviation: number | undefined;

  constructor(encoding: StandardEncoding, path: string) {
    super();
    const { mean, deviation } = checked(encoding, STANDARD, {}, path);
    this.#mean = mean;
    this.#deviation = deviation;
  }

  override get fitted(): boolean {
    return this.#mean !== undefined && this.#deviation !== undefined;
  }

  override fit(values: readonly unknown[]): void {
    const running = new Running({ kind: "running" });
    for (const value of values) running.learn(value);
    const { mean, deviation } = running;
    this.#mean = mean;
    this.#deviation = deviation;
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    row[offset] = scored(value as number, this.#mean!, this.#deviation!);
  }

  save(): StandardEncoding {
    return { kind: "standard", ...(this.fitted && { mean: this.#mean!, deviation: this.#deviation! }) };
  }
}

function scored(value: number, mean: number, deviation: number): number {
  return deviation > 0 ? within((value - mean) / deviation) : 0;
}

const RUNNING: Rules<RunningEncoding> = {
  kind,
  count: rules.count,
  mean: finite,
  squares: rules.nonNegative,
};

/** Values beyond this count as this: their squares are finite. */
const VALUE_MAX = 1e100;

/** Mean and deviation by Welford 1962: no large sums to cancel. */
export class Running extends OfNumber {
  readonly names = [""];
  #count: number;
  #mean: number;
  #squares: number;

  constructor(encoding: RunningEncoding, path = "") {
    super();
    const resolved = checked(encoding, RUNNING, { count: 0, mean: 0, squares: 0 }, path);
    const { count, mean, squares } = resolved as Required<RunningEncoding>;
    this.#count = count;
    this.#mean = mean;
    this.#squares = squares;
  }

  get mean(): number {
    return this.#mean;
  }

  /** Standard deviation of the values so far; 0 before the second. */
  get deviation(): number {
    return this.#count < 2 ? 0 : Math.sqrt(this.#squares / this.#count);
  }

  override fit(values: readonly unknown[]): void {
    this.#count = this.#mean = this.#squares = 0;
    for (const value of values) this.learn(value);
  }

  override learn(value: unknown): void {
    const x = Math.min(Math.max(value as number, -VALUE_MAX), VALUE_MAX);
    const from = x - this.#mean;
    this.#count++;
    this.#mean += from / this.#count;
    this.#squares += from * (x - this.#mean);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    row[offset] = scored(value as number, this.#mean, this.deviation);
  }

  save(): RunningEncoding {
    return { kind: "running", count: this.#count, mean: this.#mean, squares: this.#squares };
  }
}

const MINMAX: Rules<MinMaxEncoding> = { kind, low: maybeFinite, high: maybeFinite };

export class MinMax extends OfNumber {
  readonly names = [""];
  #low: number | undefined;
  #high: number | undefined;

  constructor(encoding: MinMaxEncoding, path: string) {
    super();
    const { low, high } = checked(encoding, MINMAX, {}, path);
    this.#low = low;
    this.#high = high;
  }

  override get fitted(): boolean {
    return this.#low !== undefined && this.#high !== undefined;
  }

  override fit(values: readonly unknown[]): void {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values as number[]) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    this.#low = values.length > 0 ? low : 0;
    this.#high = values.length > 0 ? high : 0;
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    const [low, high] = [this.#low!, this.#high!];
    // Halves, as the whole range may be too large for a number.
    const share = (value as number) / 2 - low / 2;
    row[offset] = high > low ? Math.min(Math.max(share / (high / 2 - low / 2), 0), 1) : 0;
  }

  save(): MinMaxEncoding {
    return { kind: "minmax", ...(this.fitted && { low: this.#low!, high: this.#high! }) };
  }
}

const scale: Rule = above(0, 1e6);
const LOG: Rules<LogEncoding> = { kind, scale };

export class Log extends OfNumber {
  readonly names = [""];
  override readonly must: string = rules.nonNegative[1];
  readonly #scale: number;

  constructor(encoding: LogEncoding, path: string) {
    super();
    this.#scale = checked(encoding, LOG, { scale: 1 }, path).scale!;
  }

  override accepts(value: unknown): boolean {
    return rules.nonNegative[0](value);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    row[offset] = within(log1p(value as number) / this.#scale);
  }

  save(): LogEncoding {
    return { kind: "log", scale: this.#scale };
  }
}

/** The first bucket holds what is below all edges, the last what is at or above the last one. */
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
const AGE_EDGES = [13, 18, 25, 35, 45, 55, 65];

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

const HALF_LIVES = [3_600_000, 21_600_000, 86_400_000, 604_800_000];

const RATES: Rules<RatesEncoding> = {
  kind,
  halfLivesMs: [
    (value) => Array.isArray(value) && value.length >= 1 && value.length <= 16 && value.every(rules.positive[0]),
    "1 to 16 finite numbers > 0",
  ],
  scale,
};

export class Rates extends Dense {
  readonly names: readonly string[];
  readonly must = "an array of finite numbers >= 0";
  readonly #halfLives: readonly number[];
  readonly #scale: number;

  constructor(encoding: RatesEncoding, path: string) {
    super();
    const resolved = checked(encoding, RATES, { halfLivesMs: HALF_LIVES, scale: 3 }, path) as Required<RatesEncoding>;
    this.#halfLives = [...resolved.halfLivesMs];
    this.#scale = resolved.scale;
    this.names = this.#halfLives.map((halfLife) => `${halfLife}ms`);
  }

  accepts(value: unknown): boolean {
    return Array.isArray(value) && value.every(rules.nonNegative[0]);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    for (const [i, halfLife] of this.#halfLives.entries()) {
      let sum = 0;
      for (const age of value as number[]) sum += fade(age, halfLife);
      row[offset + i] = within(log1p(sum) / this.#scale);
    }
  }

  save(): RatesEncoding {
    return { kind: "rates", halfLivesMs: this.#halfLives, scale: this.#scale };
  }
}
