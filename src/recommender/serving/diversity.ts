import { between, checked, oneOf, type Rules } from "../../check/index.js";
import { log } from "../../numeric/index.js";

/** A candidate with the platform's vectors of it, where it gave any. */
export interface Embedded {
  readonly embeddings?: {
    readonly text?: Float32Array | undefined;
    readonly image?: Float32Array | undefined;
    readonly audio?: Float32Array | undefined;
  };
}

/** How a slate is kept from being more of the same. */
export interface DiversityOptions {
  /**
   * `mmr`: a candidate loses its largest likeness to a stream of the slate (maximal marginal relevance, Carbonell &
   * Goldstein 1998). `dpp`: it gains the log of the volume that it adds to the slate's (greedy MAP inference of a
   * determinantal point process, Chen, Zhang & Zhou 2018, "Fast greedy MAP inference for determinantal point process to
   * improve recommendation diversity"), so that all streams of the slate count and not the nearest alone. Default
   * `mmr`.
   */
  method: "mmr" | "dpp";
  /**
   * Weight of diversity, in [0, 1]; 1 - weight is that of the score, in standard deviations of the candidates' scores.
   * It is 1 - lambda of Carbonell & Goldstein, and 1 - theta of Chen et al. The first position goes by the score alone.
   * Default 0.3. [set by hand]
   */
  weight: number;
  /**
   * What makes streams alike: `rows`, their features for this user; `embeddings`, the platform's vectors of their text,
   * or of their image, or of their audio, whichever a candidate has first; without any, their rows. Likeness is (1 +
   * cosine) / 2 of the differences from the candidates' mean, in [0, 1]; a stream without a vector is half like any.
   * Default `rows`.
   */
  by: "rows" | "embeddings";
}

const DEFAULTS: DiversityOptions = { method: "mmr", weight: 0.3, by: "rows" };

const TABLE: Rules<DiversityOptions> = {
  method: oneOf("mmr", "dpp"),
  weight: between(0, 1),
  by: oneOf("rows", "embeddings"),
};

/** A squared volume below this is none: the slate spans the candidate, but for rounding. */
const VOLUME_MIN = 1e-10;
/** A row this much nearer to the mean than to 0 is the mean, but for rounding. */
const NEAR = 1e-9;

/** What each candidate adds to the diversity of the slate so far. */
export class Diversity {
  readonly options: Readonly<DiversityOptions>;
  /** For each candidate, its term: minus its likeness to the nearest of the slate, or the log of the volume it adds. */
  terms = new Float64Array(0);
  /** (n, size): the candidates' vectors, less their mean, of length 1 or 0. */
  #vectors = new Float64Array(0);
  #volumes = new Float64Array(0);
  #mean = new Float64Array(0);
  /** Rows of the Cholesky factor, a position each; (n). */
  readonly #factor: Float64Array[] = [];
  #n = 0;
  #size = 0;
  #rank = 0;

  /** @throws TypeError or RangeError when an option is unknown or out of its range. */
  constructor(options: Partial<DiversityOptions>) {
    this.options = checked(options, TABLE, DEFAULTS, "slate.diversity.");
  }

  /**
   * An empty slate.
   * @param rows - A row of features for each candidate, one after the other. Default: none, and all are alike.
   */
  begin(candidates: readonly Embedded[], rows?: Float32Array): void {
    const n = candidates.length;
    if (this.terms.length < n) {
      this.terms = new Float64Array(n);
      this.#volumes = new Float64Array(n);
      this.#factor.length = 0;
    }
    this.#n = n;
    this.#rank = 0;
    this.terms.fill(0, 0, n);
    this.#volumes.fill(1, 0, n);
    if (this.options.by === "rows" || !this.#readEmbeddings(candidates)) this.#readRows(rows);
    this.#normalize();
  }

  /** The slate goes on with a candidate. */
  add(index: number): void {
    if (this.options.method === "mmr") this.#nearer(index);
    else this.#project(index);
  }

  /** Likeness of two candidates, in [0, 1]: the cosine moved into the range in which 0 is opposite (Chen et al. 2018). */
  likeness(a: number, b: number): number {
    if (a === b) return 1;
    const size = this.#size;
    const [vectors, startA, startB] = [this.#vectors, a * size, b * size];
    let dot = 0;
    for (let f = 0; f < size; f++) dot += vectors[startA + f]! * vectors[startB + f]!;
    return Math.min(Math.max((1 + dot) / 2, 0), 1);
  }

  #nearer(index: number): void {
    for (let i = 0; i < this.#n; i++) this.terms[i] = Math.min(this.terms[i]!, -this.likeness(index, i));
  }

  /** One more row of the factor: algorithm 1 of Chen et al., with the log of each volume as a term of the score. */
  #project(index: number): void {
    // The slate spans this candidate: it takes no volume from others.
    if (this.#volumes[index]! < VOLUME_MIN) return;
    const root = Math.sqrt(this.#volumes[index]!);
    this.#factor[this.#rank] ??= new Float64Array(this.terms.length);
    const row = this.#factor[this.#rank]!;
    for (let i = 0; i < this.#n; i++) row[i] = this.likeness(index, i);
    for (let p = 0; p < this.#rank; p++) {
      const earlier = this.#factor[p]!;
      const own = earlier[index]!;
      for (let i = 0; i < this.#n; i++) row[i]! -= own * earlier[i]!;
    }
    for (let i = 0; i < this.#n; i++) {
      const part = row[i]! / root;
      row[i] = part;
      const volume = this.#volumes[i]! - part * part;
      this.#volumes[i] = volume;
      this.terms[i] = log(Math.max(volume, VOLUME_MIN));
    }
    this.#rank++;
  }

  /** Reads the first modality that a candidate has; false without any. Vectors of other lengths count as missing. */
  #readEmbeddings(candidates: readonly Embedded[]): boolean {
    for (const modality of ["text", "image", "audio"] as const) {
      const size = candidates.find(({ embeddings }) => embeddings?.[modality])?.embeddings?.[modality]?.length ?? 0;
      if (size === 0) continue;
      this.#resize(size);
      for (let i = 0; i < candidates.length; i++) {
        const vector = candidates[i]!.embeddings?.[modality];
        if (vector?.length === size) this.#vectors.set(vector, i * size);
        else this.#vectors.fill(Number.NaN, i * size, (i + 1) * size);
      }
      return true;
    }
    return false;
  }

  #readRows(rows: Float32Array = new Float32Array(0)): void {
    this.#resize(this.#n === 0 ? 0 : rows.length / this.#n);
    this.#vectors.set(rows.subarray(0, this.#n * this.#size));
  }

  #resize(size: number): void {
    this.#size = size;
    if (this.#vectors.length < this.#n * size) this.#vectors = new Float64Array(this.#n * size);
    if (this.#mean.length < size) this.#mean = new Float64Array(size);
  }

  /** Takes the mean from the vectors, as what all candidates share tells none apart, and makes them of length 1. */
  #normalize(): void {
    const [n, size, vectors, mean] = [this.#n, this.#size, this.#vectors, this.#mean];
    mean.fill(0, 0, size);
    let known = 0;
    for (let i = 0; i < n; i++) if (!Number.isNaN(vectors[i * size]!)) known++;
    for (let i = 0; i < n; i++) {
      if (Number.isNaN(vectors[i * size]!)) continue;
      for (let f = 0; f < size; f++) mean[f]! += vectors[i * size + f]! / known;
    }
    for (let i = 0; i < n; i++) {
      const start = i * size;
      let whole = 0;
      let squares = 0;
      for (let f = 0; f < size; f++) {
        whole += vectors[start + f]! * vectors[start + f]!;
        vectors[start + f]! -= mean[f]!;
        squares += vectors[start + f]! * vectors[start + f]!;
      }
      const length = Math.sqrt(squares);
      if (!(length > NEAR * Math.sqrt(whole))) vectors.fill(0, start, start + size);
      else for (let f = 0; f < size; f++) vectors[start + f]! /= length;
    }
  }
}
