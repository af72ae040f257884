import { Stat } from "../../assembly/abi.js";

/** Health figures of agents of all kinds. */
export interface CommonStats {
  /** Transitions observed, an integer >= 0. */
  steps: number;
  /** Updates committed, an integer >= 0; with an actor, those of the critics. */
  updates: number;
  /** Updates dropped, as their loss, gradient or statistics were not finite or beyond their bounds; an integer >= 0. */
  skippedUpdates: number;
  /** `steps` at the last update that was dropped; 0 if none was. */
  skippedStep: number;
  /** How often `act`, `evaluate` and `observe` refused their input, by the wrong field; of this object. */
  refused: Readonly<Record<string, number>>;
  /** Transitions in the replay, [0, capacity], and their share of the capacity, [0, 1]. */
  replaySize: number;
  replayFill: number;
  /** Adam's learning rate now, [0, 1]. */
  learningRate: number;
  /** Bytes of WebAssembly memory; constant. */
  memoryBytes: number;
  /** Kernels in use: "simd128 rolled" or "simd128 unrolled", fixed-width SIMD of 128 bits. */
  build: string;
  /** Whether its memory was damaged from outside, as far as counters and addresses show; the weights are seen by `save`. */
  damaged: boolean;
}

/** Health figures of an agent. Figures of updates belong to this object: they are not saved, and restart after `load`. */
export interface AgentStats extends CommonStats {
  /** Loss of the last update, dropped or not; >= 0, with `cqlAlpha` any number. NaN before the first. */
  loss: number;
  /** Mean loss of committed updates, each weighted 0.99 times the one after it. NaN before the first. */
  lossMean: number;
  /** Mean and maximum of the last batch's predictions for the actions taken, in units of return. NaN before the first. */
  qMean: number;
  qMax: number;
  /** Quantiles of the last batch's TD errors, prediction minus target, in units of return. NaN before the first. */
  tdErrorP10: number;
  tdErrorP50: number;
  tdErrorP90: number;
  /** Global L2 norm of the last update's gradient before clipping, >= 0. NaN before the first, and without a finite loss. */
  gradientNorm: number;
  /** Share of committed updates whose gradient was clipped, [0, 1], weighted as `lossMean`. NaN before the first. */
  clippedShare: number;
  /** Largest priority so far, which new transitions get, > 0. NaN without `priorityExponent`. */
  maxPriority: number;
  /**
   * Effective sample size of the last batch, [1, batchSize]: the square of the sum of its importance weights over the
   * sum of their squares; `batchSize` where all weigh the same. NaN before the first.
   */
  effectiveBatch: number;
  /** Probability of a random action now, [0, 1]. */
  epsilon: number;
  /** Threads that `learn` uses now, [1, threads]. */
  threads: number;
  /** Why there are fewer than requested; empty without a known reason, such as while workers start. */
  threadsReason: string;
}

/** The figures from the last update's batch and the running sums. */
export type UpdateFigures = Pick<
  AgentStats,
  | "loss"
  | "lossMean"
  | "qMean"
  | "qMax"
  | "tdErrorP10"
  | "tdErrorP50"
  | "tdErrorP90"
  | "gradientNorm"
  | "clippedShare"
  | "effectiveBatch"
>;

/** Views of an update's results in Wasm memory. */
export interface UpdateViews {
  /** By Stat. */
  stats: Float64Array;
  /** (batch, parts, quantiles) */
  predictions: Float32Array;
  /** (batch) */
  tdErrors: Float32Array;
  /** (batch): importance weights, where prioritized. */
  weights: Float32Array;
  /** Parts of a prediction. */
  parts: number;
}

/** Reads the figures of the last update; takes one array, at its first use. */
export class UpdateMeter {
  readonly #views: UpdateViews;
  #sorted: Float32Array | undefined;

  constructor(views: UpdateViews) {
    this.#views = views;
  }

  read(): UpdateFigures {
    const { stats, tdErrors } = this.#views;
    const weight = stats[Stat.WeightSum]!;
    this.#sorted ??= new Float32Array(tdErrors.length);
    const sorted = this.#sorted;
    sorted.set(tdErrors);
    sorted.sort();
    const figures = {
      loss: stats[Stat.Loss]!,
      lossMean: stats[Stat.LossSum]! / weight,
      gradientNorm: stats[Stat.GradientNorm]!,
      clippedShare: stats[Stat.ClippedSum]! / weight,
      effectiveBatch: this.#effectiveBatch(),
      ...this.#predicted(),
      tdErrorP10: quantile(sorted, 0.1),
      tdErrorP50: quantile(sorted, 0.5),
      tdErrorP90: quantile(sorted, 0.9),
    };
    if (stats[Stat.Tried] === 0) for (const name in figures) figures[name as keyof UpdateFigures] = Number.NaN;
    return figures;
  }

  #predicted(): Pick<UpdateFigures, "qMean" | "qMax"> {
    const { predictions, tdErrors, parts } = this.#views;
    const width = predictions.length / tdErrors.length;
    const quantiles = width / parts;
    let total = 0;
    let qMax = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < predictions.length; ) {
      let sum = 0;
      for (const end = at + width; at < end; at++) sum += predictions[at]!;
      total += sum;
      qMax = Math.max(qMax, sum / quantiles);
    }
    return { qMean: total / quantiles / tdErrors.length, qMax };
  }

  #effectiveBatch(): number {
    const { stats, weights } = this.#views;
    if (stats[Stat.IsWeighted] === 0) return weights.length;
    let sum = 0;
    let squares = 0;
    for (const weight of weights) {
      sum += weight;
      squares += weight * weight;
    }
    return (sum * sum) / squares;
  }
}

/** The quantile of sorted numbers, between two of them in a straight line: NumPy's default. */
function quantile(sorted: Float32Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const value = sorted[low]!;
  return low === at ? value : value + (at - low) * (sorted[low + 1]! - value);
}

/** Counts refusals by field. */
export class Refusals {
  readonly #counts = new Map<string, number>();

  /** Counts an error that refuses input, by the first name in its message, and gives it back to be thrown. */
  counted(error: unknown): unknown {
    if (error instanceof RangeError || error instanceof TypeError) {
      const field = /"(\w+)/.exec(error.message)?.[1] ?? "other";
      this.#counts.set(field, (this.#counts.get(field) ?? 0) + 1);
    }
    return error;
  }

  get counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
