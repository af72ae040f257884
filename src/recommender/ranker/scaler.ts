/** Brings each column of rows to mean 0 and standard deviation 1, as measured on a sample. */
export class Scaler {
  private readonly mean: Float64Array;
  private readonly inverse: Float64Array;

  /** @param sample Rows of `width` numbers, at least one. A column that never varies there becomes 0. */
  constructor(sample: Float32Array, width: number) {
    const rows = sample.length / width;
    this.mean = new Float64Array(width);
    this.inverse = new Float64Array(width);
    for (let i = 0; i < sample.length; i++) this.mean[i % width]! += sample[i]! / rows;
    for (let i = 0; i < sample.length; i++) {
      const deviation = sample[i]! - this.mean[i % width]!;
      this.inverse[i % width]! += (deviation * deviation) / rows;
    }
    for (let column = 0; column < width; column++) {
      const variance = this.inverse[column]!;
      this.inverse[column] = variance > 1e-12 ? 1 / Math.sqrt(variance) : 0;
    }
  }

  /** Scales rows in place. */
  apply(rows: Float32Array): void {
    const { mean, inverse } = this;
    for (let at = 0; at < rows.length; at += mean.length) {
      for (let column = 0; column < mean.length; column++) {
        rows[at + column] = (rows[at + column]! - mean[column]!) * inverse[column]!;
      }
    }
  }
}
