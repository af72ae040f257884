import { checked, group, oneOf, optional, positiveInteger, type Rules } from "../../check/index.js";
import { Diversity, type DiversityOptions, type Embedded } from "./diversity.js";
import { deviation, type Explorer } from "./explorer.js";

/** Limits of a slate, and its diversity. */
export interface SlateOptions {
  /** At most this many streams of one streamer in a slate. Default 1. */
  perStreamer: number;
  /** At most this many streams of one category in a slate. Default: no limit. */
  perCategory: number;
  /**
   * Streamers that the user was shown at least this often in this session, and entered never, come after all others;
   * they still fill a slate that would be shorter. Default: no limit.
   */
  seenMax: number;
  /**
   * What streams are ranked by. `optimum`: the value of the best slate as a whole, which depends on how often users enter
   * nothing. `product`: weight in the choice times value (the top-k of Ie et al. 2019, arXiv:1905.12767), for learning
   * from visits alone, which do not say that. Default `optimum`.
   */
  order: "optimum" | "product";
  /** How a slate is kept from being more of the same. Default: not at all. */
  diversity?: Partial<DiversityOptions>;
}

const DEFAULTS: SlateOptions = {
  perStreamer: 1,
  perCategory: Number.MAX_SAFE_INTEGER,
  seenMax: Number.MAX_SAFE_INTEGER,
  order: "optimum",
};

const TABLE: Rules<SlateOptions> = {
  perStreamer: positiveInteger,
  perCategory: positiveInteger,
  seenMax: positiveInteger,
  order: oneOf("optimum", "product"),
  diversity: optional(group),
};

/** The fields that the limits of a slate, and its diversity, read. */
export interface Grouped extends Embedded {
  readonly streamer: string;
  readonly category: string;
}

/** A score set of some candidates. */
export interface Ranked {
  /** One score for each candidate. */
  readonly scores: Float32Array;
  /** Indices of the candidates, the best score first, from `SlateBuilder.rank`. */
  readonly ranked: Int32Array;
}

/** Candidates to choose from, with their scores. */
export interface Among {
  readonly candidates: readonly Grouped[];
  /** At least one score set: a slate follows one of them, each as likely as the others. */
  readonly heads: readonly Ranked[];
  /** A row of features for each candidate, one after the other; read for diversity. Default: none. */
  readonly rows?: Float32Array;
  /** How often the user was shown a candidate in this session and did not enter it; for `seenMax`. Default: never. */
  readonly ignored?: (index: number) => number;
}

/** Indices of the chosen candidates, in the order of their positions, and the probability of each. */
export interface Slate {
  readonly indices: number[];
  readonly propensities: number[];
}

/** One score set while a slate is chosen. */
interface Head {
  given: Ranked;
  /** One over the deviation of the scores; 0 where all are the same. */
  unit: number;
  /** The probability that the slate so far follows this set. */
  weight: number;
  /** The candidates that the next position may take by this set, best first, and the probability of each. */
  readonly pool: Int32Array;
  readonly chances: Float64Array;
}

/** The states of a candidate: a position takes an open one, or if there are none a late one. */
const OPEN = 0;
const LATE = 1;
const TAKEN = 2;

/**
 * Chooses k of C streams: position by position, the best remaining ones within the limits form a pool, from which one
 * is drawn.
 *
 * With several score sets the distribution of a position is that over all of them, so that it is exact whichever the
 * slate follows: the sum of w(h) * p(a | h), where w, 1 / H at first, is multiplied by p(chosen | h) after each
 * position, and normalised. By Bayes' rule this is the distribution of a slate that follows one set from the start.
 */
export class SlateBuilder {
  readonly options: Readonly<SlateOptions>;
  readonly #explorer: Explorer;
  readonly #diversity: Diversity | undefined;
  readonly #keys: Float64Array;
  readonly #bits = new Uint32Array(1);
  readonly #float = new Float32Array(this.#bits.buffer);
  readonly #states: Uint8Array;
  readonly #diverse: Float32Array;
  readonly #buffers: Head[] = [];
  #heads: readonly Head[] = [];
  #among: Among = { candidates: [], heads: [] };
  #chosen: number[] = [];

  /** @throws TypeError or RangeError when an option is unknown or out of its range. */
  constructor(maxCandidates: number, explorer: Explorer, options: Partial<SlateOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS, "slate.");
    const { diversity } = this.options;
    this.#explorer = explorer;
    this.#diversity = diversity && new Diversity(diversity);
    this.#keys = new Float64Array(maxCandidates);
    this.#states = new Uint8Array(maxCandidates);
    this.#diverse = new Float32Array(maxCandidates);
  }

  /** Draws up to k candidates; takes one random number for each. */
  draw(among: Among, k: number): Slate {
    this.#begin(among);
    const slate: Slate = { indices: [], propensities: [] };
    while (slate.indices.length < k) {
      const size = this.#next();
      if (size === 0) break;
      const index = this.#pick(size);
      slate.indices.push(index);
      slate.propensities.push(this.#add(index, size));
    }
    return slate;
  }

  /**
   * For each position of a slate, the probability that `draw` chooses each candidate there, given the slate's earlier
   * positions. Takes no random number. Earlier positions that no score set would choose tell nothing about the set.
   *
   * @param slate - Indices of candidates; -1 for a stream that is no candidate.
   */
  chances(among: Among, slate: readonly number[]): Map<number, number>[] {
    this.#begin(among);
    return slate.map((index) => {
      const size = this.#next();
      const at = new Map<number, number>();
      for (const { weight, pool, chances } of this.#heads) {
        for (let i = 0; i < size; i++) at.set(pool[i]!, (at.get(pool[i]!) ?? 0) + weight * chances[i]!);
      }
      if (index >= 0) this.#add(index, size);
      return at;
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

  #begin(among: Among): void {
    const { candidates, heads, rows, ignored } = among;
    this.#among = among;
    this.#chosen = [];
    this.#states.fill(OPEN, 0, candidates.length);
    if (this.options.seenMax !== DEFAULTS.seenMax && ignored !== undefined) {
      for (let i = 0; i < candidates.length; i++) if (this.isLate(i, ignored)) this.#states[i] = LATE;
    }
    this.#diversity?.begin(candidates, rows);
    const top = Math.min(this.#explorer.options.top, this.#states.length);
    this.#heads = heads.map((given, h) => {
      // A request may say how many are in the pool.
      if (this.#buffers[h]?.pool.length !== top) {
        this.#buffers[h] = { given, unit: 0, weight: 0, pool: new Int32Array(top), chances: new Float64Array(top) };
      }
      const spread = deviation(given.scores);
      return Object.assign(this.#buffers[h]!, { given, unit: spread > 0 ? 1 / spread : 0, weight: 1 / heads.length });
    });
  }

  /** Writes each score set's distribution of the next position; returns the number of candidates in it. */
  #next(): number {
    let size = 0;
    for (const head of this.#heads) {
      const { scores, ranked } = this.#scored(head);
      size = this.#fill(head.pool, ranked, OPEN) || this.#fill(head.pool, ranked, LATE);
      if (size === 0) return 0;
      const unit = scores === head.given.scores ? head.unit : 1;
      this.#explorer.weigh(scores, unit, head.pool, size, head.chances);
    }
    return size;
  }

  /** The scores of a position; with diversity in deviations of the given ones. */
  #scored({ given, unit }: Head): Ranked {
    // The first has no slate to differ from.
    if (this.#diversity === undefined || this.#chosen.length === 0) return given;
    const { terms, options } = this.#diversity;
    const best = given.scores[given.ranked[0]!]!;
    const scores = this.#diverse.subarray(0, given.scores.length);
    for (let i = 0; i < scores.length; i++) {
      scores[i] = (1 - options.weight) * (given.scores[i]! - best) * unit + options.weight * terms[i]!;
    }
    return { scores, ranked: this.rank(scores) };
  }

  /** Fills the pool with the best candidates of a state that may join the chosen ones; returns their number. */
  #fill(pool: Int32Array, ranked: Int32Array, state: number): number {
    const { candidates } = this.#among;
    let size = 0;
    for (let r = 0; r < ranked.length && size < pool.length; r++) {
      const index = ranked[r]!;
      if (this.#states[index] !== state) continue;
      if (this.limitOf(candidates[index]!, candidates, this.#chosen) === undefined) pool[size++] = index;
    }
    return size;
  }

  /** A candidate by the distribution of the position. */
  #pick(size: number): number {
    let left = this.#explorer.uniform();
    let drawn = -1;
    for (const { weight, pool, chances } of this.#heads) {
      if (weight === 0) continue;
      // Rounding may leave a remainder after the last of all: it goes to the best.
      if (drawn < 0) drawn = pool[0]!;
      for (let i = 0; i < size; i++) {
        const p = weight * chances[i]!;
        if (left < p) return pool[i]!;
        left -= p;
      }
    }
    return drawn;
  }

  /** The slate goes on with a candidate; returns its probability. */
  #add(index: number, size: number): number {
    this.#states[index] = TAKEN;
    this.#chosen.push(index);
    this.#diversity?.add(index);
    const joint = this.#heads.map(({ weight, pool, chances }) => {
      const at = pool.subarray(0, size).indexOf(index);
      return at < 0 ? 0 : weight * chances[at]!;
    });
    const chance = joint.reduce((sum, each) => sum + each, 0);
    if (chance > 0) for (const [h, head] of this.#heads.entries()) head.weight = joint[h]! / chance;
    return chance;
  }

  /** Whether a candidate comes after all others, as the user was shown it too often. */
  isLate(index: number, ignored: Among["ignored"]): boolean {
    return ignored !== undefined && ignored(index) >= this.options.seenMax;
  }

  /** The option that keeps a candidate from joining chosen ones; undefined where it may. */
  limitOf(
    candidate: Grouped,
    candidates: readonly Grouped[],
    chosen: readonly number[],
  ): "perStreamer" | "perCategory" | undefined {
    let streamers = 0;
    let categories = 0;
    for (const index of chosen) {
      const other = candidates[index]!;
      if (other.streamer === candidate.streamer) streamers++;
      // Streams without a category share none.
      if (other.category && other.category === candidate.category) categories++;
    }
    if (streamers >= this.options.perStreamer) return "perStreamer";
    return categories >= this.options.perCategory ? "perCategory" : undefined;
  }
}
