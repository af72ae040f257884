import { checked, positiveInteger, type Rules } from "../../check/index.js";
import type { Explorer } from "./explorer.js";

/** Limits of a slate. */
export interface SlateOptions {
  /** At most this many streams of one streamer in a slate. Default 1. */
  perStreamer: number;
  /** At most this many streams of one category in a slate. Default: no limit. */
  perCategory: number;
}

const DEFAULTS: SlateOptions = { perStreamer: 1, perCategory: Number.MAX_SAFE_INTEGER };

const TABLE: Rules<SlateOptions> = {
  perStreamer: positiveInteger,
  perCategory: positiveInteger,
};

/** The fields that the limits of a slate check. */
export interface Grouped {
  readonly streamer: string;
  readonly category: string;
}

/** Candidates to choose from, with their scores. */
export interface Ranked {
  /** One score for each candidate. */
  readonly scores: Float32Array;
  /** Indices of the candidates, the best score first, from `SlateBuilder.rank`. */
  readonly ranked: Int32Array;
  readonly candidates: readonly Grouped[];
}

/** Indices of the chosen candidates, in the order of their positions, and the probability of each. */
export interface Slate {
  readonly indices: number[];
  readonly propensities: number[];
}

/**
 * Chooses k of C streams: position by position, the best remaining ones within the limits form a pool, from which the
 * explorer draws one. A choice model over whole slates (SlateQ, Ie et al. 2019, arXiv:1905.12767) would replace `draw`.
 */
export class SlateBuilder {
  readonly options: Readonly<SlateOptions>;
  readonly #explorer: Explorer;
  readonly #keys: Float64Array;
  readonly #bits = new Uint32Array(1);
  readonly #float = new Float32Array(this.#bits.buffer);
  readonly #taken: Uint8Array;
  readonly #pool: Int32Array;

  /** @throws TypeError or RangeError when an option is unknown or out of its range. */
  constructor(maxCandidates: number, explorer: Explorer, options: Partial<SlateOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "slate.");
    this.#explorer = explorer;
    this.#keys = new Float64Array(maxCandidates);
    this.#taken = new Uint8Array(maxCandidates);
    this.#pool = new Int32Array(explorer.options.top);
  }

  /** Draws up to k candidates. */
  draw(among: Ranked, k: number): Slate {
    this.#begin(among);
    const slate: Slate = { indices: [], propensities: [] };
    while (slate.indices.length < k) {
      const size = this.#fillPool(among, slate.indices);
      if (size === 0) break;
      const index = this.#pool[this.#explorer.draw(this.#pool, size)]!;
      this.#taken[index] = 1;
      slate.indices.push(index);
      slate.propensities.push(this.#explorer.propensity);
    }
    return slate;
  }

  /**
   * For each position of a slate, the probability that `draw` chooses each candidate there, given the slate's earlier
   * positions. Takes no random number.
   *
   * @param slate - Indices of candidates; -1 for a stream that is no candidate.
   */
  chances(among: Ranked, slate: readonly number[]): Map<number, number>[] {
    this.#begin(among);
    const chosen: number[] = [];
    return slate.map((index) => {
      const size = this.#fillPool(among, chosen);
      const chances = this.#explorer.chances(this.#pool, size);
      if (index >= 0) {
        this.#taken[index] = 1;
        chosen.push(index);
      }
      // The pool is overwritten at the next position.
      return new Map(chances.map((chance, i) => [this.#pool[i]!, chance]));
    });
  }

  /**
   * Indices of scores, the best first, ties by the lower index. Sorts numbers instead of calling a
   * comparator: the score's bits in an order-preserving form, then the index.
   */
  rank(scores: Float32Array): Int32Array {
    const n = scores.length;
    for (let i = 0; i < n; i++) {
      this.#float[0] = scores[i]! + 0;
      const bits = this.#bits[0]!;
      const ascending = bits >= 0x80000000 ? ~bits >>> 0 : bits + 0x80000000;
      this.#keys[i] = (0xffffffff - ascending) * 65_536 + i;
    }
    const keys = this.#keys.subarray(0, n).sort();
    const ranked = new Int32Array(n);
    for (let i = 0; i < n; i++) ranked[i] = keys[i]! % 65_536;
    return ranked;
  }

  #begin({ scores, ranked }: Ranked): void {
    const n = scores.length;
    this.#taken.fill(0, 0, n);
    if (n > 0) this.#explorer.begin(scores, n, scores[ranked[0]!]!);
  }

  /** Fills the pool with the best candidates that may join the chosen ones; returns their number. */
  #fillPool({ ranked, candidates }: Ranked, chosen: readonly number[]): number {
    let size = 0;
    for (let r = 0; r < ranked.length && size < this.#pool.length; r++) {
      const index = ranked[r]!;
      if (this.#taken[index] === 0 && this.#allowed(candidates[index]!, candidates, chosen)) this.#pool[size++] = index;
    }
    return size;
  }

  #allowed(candidate: Grouped, candidates: readonly Grouped[], chosen: readonly number[]): boolean {
    let streamers = 0;
    let categories = 0;
    for (const index of chosen) {
      const other = candidates[index]!;
      if (other.streamer === candidate.streamer) streamers++;
      if (other.category === candidate.category) categories++;
    }
    return streamers < this.options.perStreamer && categories < this.options.perCategory;
  }
}
