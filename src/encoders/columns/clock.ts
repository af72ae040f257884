import { between, checked, integer, nonNegative, oneOf, type Rules } from "../../check/index.js";
import { cos, sin } from "../../numeric/index.js";
import { DAY, WEEK } from "../../protocol/index.js";
import { Dense, kind } from "./encoder.js";

/** The position of a time in the day or the week: sines and cosines, and buckets. */
export interface ClockEncoding {
  kind: "clock";
  /** The period. */
  of: "day" | "week";
  /** Pairs of sine and cosine, with periods of the whole turn, its half, its third ..., [0, 8]. Default 2. */
  harmonics?: number;
  /** One-hot buckets of equal length, [0, 168]: 24 of a day are its hours. Default 0. */
  buckets?: number;
  /** Milliseconds by which local time is ahead; [-1 day, 1 day]. Default 0. */
  offsetMs?: number;
}

const TABLE: Rules<ClockEncoding> = {
  kind,
  of: oneOf("day", "week"),
  harmonics: integer(0, 8),
  buckets: integer(0, 168),
  offsetMs: between(-DAY, DAY),
};

const TWO_PI = 6.283185307179586;

export class Clock extends Dense {
  readonly must: string = nonNegative[1];
  readonly names: readonly string[];
  readonly #declared: Required<ClockEncoding>;

  constructor(encoding: ClockEncoding, path: string) {
    super();
    const resolved = checked(encoding, TABLE, { harmonics: 2, buckets: 0, offsetMs: 0 }, path);
    this.#declared = { ...(resolved as Required<ClockEncoding>) };
    const { harmonics, buckets } = this.#declared;
    const turns = Array.from({ length: harmonics }, (_, i) => [`sin${i + 1}`, `cos${i + 1}`]);
    this.names = [...turns.flat(), ...Array.from({ length: buckets }, (_, i) => `#${i}`)];
  }

  accepts(value: unknown): boolean {
    return nonNegative[0](value);
  }

  write(value: unknown, row: Float32Array, offset: number): void {
    const { of, harmonics, buckets, offsetMs } = this.#declared;
    const length = of === "day" ? DAY : WEEK;
    // A negative offset may give a time before the origin.
    const turn = ((((value as number) + offsetMs) % length) + length) % length;
    let i = offset;
    for (let n = 1; n <= harmonics; n++) {
      row[i++] = sin((turn / length) * n * TWO_PI);
      row[i++] = cos((turn / length) * n * TWO_PI);
    }
    row.fill(0, i, i + buckets);
    if (buckets > 0) row[i + Math.floor((turn / length) * buckets)] = 1;
  }

  save(): ClockEncoding {
    return this.#declared;
  }
}
