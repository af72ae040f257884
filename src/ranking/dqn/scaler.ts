/** What an agent takes at most. */
const INPUT_MAX = 1e6;

/** Scales each column to mean 0 and standard deviation 1 of a sample. */
export class Scaler {
  /** Mean, and inverse standard deviation, of each column. */
  readonly mean: Float64Array;
  readonly inverse: Float64Array;

  constructor(mean: Float64Array, inverse: Float64Array) {
    this.mean = mean;
    this.inverse = inverse;
  }

  /** @param sample - Rows of `width` numbers, at least one. A column that is constant in it becomes 0. */
  static fit(sample: Float32Array, width: number): Scaler {
    const rows = sample.length / width;
    const mean = new Float64Array(width);
    const inverse = new Float64Array(width);
    for (let i = 0; i < sample.length; i++) mean[i % width]! += sample[i]! / rows;
    for (let i = 0; i < sample.length; i++) {
      const deviation = sample[i]! - mean[i % width]!;
      inverse[i % width]! += (deviation * deviation) / rows;
    }
    for (let column = 0; column < width; column++) {
      const variance = inverse[column]!;
      inverse[column] = variance > 1e-12 ? 1 / Math.sqrt(variance) : 0;
    }
    return new Scaler(mean, inverse);
  }

  /** Scales rows in place. */
  apply(rows: Float32Array): void {
    const { mean, inverse } = this;
    for (let at = 0; at < rows.length; at += mean.length) {
      for (let column = 0; column < mean.length; column++) {
        const scaled = (rows[at + column]! - mean[column]!) * inverse[column]!;
        rows[at + column] = Math.min(Math.max(scaled, -INPUT_MAX), INPUT_MAX);
      }
    }
  }
}
