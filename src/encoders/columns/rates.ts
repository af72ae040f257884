import { checked, nonNegative, positive, type Rules } from "../../check/index.js";
import { fade, log1p } from "../../numeric/index.js";
import { Dense, kind, within } from "./encoder.js";
import { scale } from "./numbers.js";

/**
 * Log counts of past events, faded at several half-lives: log(1 + sum of 2^(-age / halfLife)) / scale, at most 8.
 * The value is the age of each event, in milliseconds.
 */
export interface RatesEncoding {
  kind: "rates";
  /** 1 to 16 half-lives. Default 1 hour, 6 hours, 1 day and 1 week, as DRN (Zheng et al. 2018). */
  halfLivesMs?: readonly number[];
  /** Divides the logarithm, > 0. Default 3. */
  scale?: number;
}

const HALF_LIVES = [3_600_000, 21_600_000, 86_400_000, 604_800_000];

const RATES: Rules<RatesEncoding> = {
  kind,
  halfLivesMs: [
    (value) => Array.isArray(value) && value.length >= 1 && value.length <= 16 && value.every(positive[0]),
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
    return Array.isArray(value) && value.every(nonNegative[0]);
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
