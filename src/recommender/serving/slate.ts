import { checked, type Rules, rules } from "../../check/index.js";
import type { Explorer } from "./explorer.js";

/** What a slate may hold. */
export interface SlateOptions {
  /** At most this many streams of one streamer in a slate. Default 1. */
  perStreamer: number;
  /** At most this many streams of one category in a slate. Default: no limit. */
  perCategory: number;
}

const DEFAULTS: SlateOptions = { perStreamer: 1, perCategory: Number.MAX_SAFE_INTEGER };

const TABLE: Rules<SlateOptions> = {
  perStreamer: rules.atLeastOne,
  perCategory: rules.atLeastOne,
};

/** What the limits of a slate look at. */
export interface Grouped {
  readonly streamer: string;
  readonly category: string;
}

/**
 * Chooses k of C streams: position by position, the best ones left within the limits are a pool, of which the explorer
 * draws one. A choice model over whole slates (SlateQ, Ie et al. 2019, arXiv:1905.12767) would replace `draw`.
 */
export class SlateBuilder {
  readonly options: Readonly<SlateOptions>;
  /** Indices of the candidates, best score first; of equal scores the lower index first. Valid after `draw` or `rank`. */
  readonly ranked: Int32Array;
  /** Indices of the chosen candidates, in the order of their positions, and the probability of each. */
  readonly chosen: number[] = [];
  readonly propensities: number[] = [];
  readonly #explorer: Explorer;
  readonly #keys: Float64Array;
  readonly #bits = new Uint32Array(1);
  readonly #float = new Float32Array(this.#bits.buffer);
  readonly #taken: Uint8Array;
  readonly #pool: Int32Array;

  /** @throws {RangeError} when an option is unknown or out of its range. */
  constructor(maxCandidates: number, explorer: Explorer, options: Partial<SlateOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "slate.");
    this.#explorer = explorer;
    this.ranked = new Int32Array(maxCandidates);
    this.#keys = new Float64Array(maxCandidates);
    this.#taken = new Uint8Array(maxCandidates);
    this.#pool = new Int32Array(explorer.options.top);
  }

  /** Draws up to k of the n candidates into `chosen` and `propensities`. */
  draw(scores: Float32Array, n: number, k: number, candidates: readonly Grouped[]): void {
    this.#begin(scores, n);
    while (this.chosen.length < k) {
      const size = this.#fillPool(n, candidates);
      if (size === 0) break;
      const index = this.#pool[this.#explorer.draw(this.#pool, size)]!;
      this.#choose(index);
      this.propensities.push(this.#explorer.propensity);
    }
  }

  /**
   * For each position of a slate, the probability with which `draw` would choose each candidate there, given the slate's
   * positions before it. Takes no random number.
   *
   * @param slate - Indices of candidates; -1 for what is none of them.
   */
  chances(
    scores: Float32Array,
    n: number,
    slate: readonly number[],
    candidates: readonly Grouped[],
  ): Map<number, number>[] {
    this.#begin(scores, n);
    return slate.map((index) => {
      const size = this.#fillPool(n, candidates);
      const chances = this.#explorer.chances(this.#pool, size);
      if (index >= 0) this.#choose(index);
      // The pool is overwritten at the next position.
      return new Map(chances.map((chance, i) => [this.#pool[i]!, chance]));
    });
  }

  #begin(scores: Float32Array, n: number): void {
    this.rank(scores, n);
    this.#taken.fill(0, 0, n);
    this.chosen.length = 0;
    this.propensities.length = 0;
    if (n > 0) this.#explorer.begin(scores, n, scores[this.ranked[0]!]!);
  }

  #choose(index: number): void {
    this.#taken[index] = 1;
    this.chosen.push(index);
  }

  /**
   * Orders the candidates into `ranked`, drawing none. Sorts numbers instead of calling a comparator: the score's bits in
   * an order-preserving form, then the index.
   */
  rank(scores: Float32Array, n: number): void {
    for (let i = 0; i < n; i++) {
      this.#float[0] = scores[i]! + 0;
      const bits = this.#bits[0]!;
      const ascending = bits >= 0x80000000 ? ~bits >>> 0 : bits + 0x80000000;
      this.#keys[i] = (0xffffffff - ascending) * 65_536 + i;
    }
    const keys = this.#keys.subarray(0, n).sort();
    for (let i = 0; i < n; i++) this.ranked[i] = keys[i]! % 65_536;
  }

  #fillPool(n: number, candidates: readonly Grouped[]): number {
    let size = 0;
    for (let r = 0; r < n && size < this.#pool.length; r++) {
      const index = this.ranked[r]!;
      if (this.#taken[index] === 0 && this.#allowed(candidates[index]!, candidates)) this.#pool[size++] = index;
    }
    return size;
  }

  #allowed(candidate: Grouped, candidates: readonly Grouped[]): boolean {
    let streamers = 0;
    let categories = 0;
    for (const index of this.chosen) {
      const other = candidates[index]!;
      if (other.streamer === candidate.streamer) streamers++;
      if (other.category === candidate.category) categories++;
    }
    return streamers < this.options.perStreamer && categories < this.options.perCategory;
  }
}
