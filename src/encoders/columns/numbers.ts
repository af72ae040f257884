import { above, between, checked, nonNegative, nonNegativeInteger, type Rule, type Rules } from "../../check/index.js";
import { log1p } from "../../numeric/index.js";
import { Dense, kind, within } from "./encoder.js";

/** (x - mean) / deviation of the training values, clipped to [-8, 8]; 0 if all training values are equal. */
export interface StandardEncoding {
  kind: "standard";
  /** Mean of the training values. Default: measured by `fit`. */
  mean?: number;
  /** Standard deviation of the training values. Default: measured by `fit`. */
  deviation?: number;
}

/** (x - mean) / deviation of all values so far; `FeatureSet.learn` adds one while serving. 0 before the second value. */
export interface RunningEncoding {
  kind: "running";
  /** Values measured so far. Default 0. */
  count?: number;
  /** Their mean. Default 0. */
  mean?: number;
  /** Sum of their squared distances from the mean. Default 0. */
  squares?: number;
}

/** (x - low) / (high - low) of the training values, clipped to [0, 1]. */
export interface MinMaxEncoding {
  kind: "minmax";
  /** Least training value. Default: measured by `fit`. */
  low?: number;
  /** Largest training value. Default: measured by `fit`. */
  high?: number;
}

/** log(1 + x) / scale for counts, x >= 0; at most 8. */
export interface LogEncoding {
  kind: "log";
  /** Divides the logarithm, > 0. Default 1. */
  scale?: number;
}

const finite: Rule = [(value) => Number.isFinite(value), "a finite number"];
const maybeFinite: Rule = [(value) => value === undefined || Number.isFinite(value), "a finite number"];
const maybeNonNegative: Rule = [(value) => value === undefined || nonNegative[0](value), "a finite number >= 0"];
/** The base of encoders of one number. */
export abstract class OfNumber extends Dense {
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

/** Larger values count as this, so that squares stay finite: as many as one can count add up to less than the most. */
const VALUE_MAX = 1e100;
const SQUARES_MAX = 1e300;

const RUNNING: Rules<RunningEncoding> = {
  kind,
  count: nonNegativeInteger,
  mean: between(-VALUE_MAX, VALUE_MAX),
  squares: between(0, SQUARES_MAX),
};

/** Mean and deviation by Welford 1962, without large sums that cancel. */
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
    // Halves, since the whole range may overflow.
    const share = (value as number) / 2 - low / 2;
    row[offset] = high > low ? Math.min(Math.max(share / (high / 2 - low / 2), 0), 1) : 0;
  }

  save(): MinMaxEncoding {
    return { kind: "minmax", ...(this.fitted && { low: this.#low!, high: this.#high! }) };
  }
}

export const scale: Rule = above(0, 1e6);
const LOG: Rules<LogEncoding> = { kind, scale };

export class Log extends OfNumber {
  readonly names = [""];
  override readonly must: string = nonNegative[1];
  readonly #scale: number;

  constructor(encoding: LogEncoding, path: string) {
    super();
    this.#scale = checked(encoding, LOG, { scale: 1 }, path).scale!;
  }

  override accepts(value: unknown): boolean {
    return nonNegative[0](value);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    row[offset] = within(log1p(value as number) / this.#scale);
  }

  save(): LogEncoding {
    return { kind: "log", scale: this.#scale };
  }
}
