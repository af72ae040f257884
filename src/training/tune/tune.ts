import {
  abortSignal,
  callback,
  checked,
  group,
  integer,
  mustBe,
  oneOf,
  optional,
  positiveInteger,
  type Rules,
} from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import { seedRule } from "../evaluate.js";
import { checkSpace, drawPoint, gridOf, type SearchPoint, type SearchSpace } from "./space.js";

/** A trial that is to be scored. */
export interface TuneTask<S extends SearchSpace = SearchSpace> {
  /** Number of the point, from 0; the same on every rung. */
  id: number;
  point: SearchPoint<S>;
  /** Share of a whole training that this trial may take, (0, 1]: of its steps, data or worlds. 1 without halving. */
  budget: number;
}

/** A trial that has ended. */
export interface TuneTrial<S extends SearchSpace = SearchSpace> extends TuneTask<S> {
  /** What was returned for it; NaN for one that failed. */
  value: number;
  /** Why it failed. */
  error?: unknown;
}

export interface TuneOptions<S extends SearchSpace = SearchSpace> {
  /** By name of an option, a list of values or a range of numbers. */
  space: S;
  /**
   * How points are chosen: `random`; `grid`, all combinations; or `halving`: random points get a small budget, and the best
   * of them ever larger ones (successive halving, Jamieson & Talwalkar 2016). Default `random`.
   */
  search?: "random" | "grid" | "halving";
  /** Number of points, at least 1; of a grid at most so many, the first. Default 16, of a grid all. */
  trials?: number;
  /** Numbers that a grid takes of each range, [1, 1000]. Default 4. */
  steps?: number;
  /** With `halving`, factor of the budget from rung to rung; one in so many points goes on. [2, 16]. Default 3. */
  eta?: number;
  /** Number of rungs of `halving`, [1, 10]; the last has the whole budget. Default 3. */
  rungs?: number;
  /** Points to try before all others, such as `[{}]` for the defaults. Default: none. */
  first?: readonly Partial<SearchPoint<S>>[];
  /** Trials that run side by side, at least 1: the result is the same for any number. Default 1. */
  jobs?: number;
  /** Seed of the points, a safe integer. Default 0. */
  seed?: number;
  /** Begins no further trial; those that run are awaited. */
  signal?: AbortSignal;
  /** Called at the end of each trial. */
  onTrial?: (trial: TuneTrial<S>) => void;
}

export interface TuneResult<S extends SearchSpace = SearchSpace> {
  /** The trial with the highest value among those with the largest budget; undefined where none ended. */
  best: TuneTrial<S> | undefined;
  /** All that ended: of each rung in the order of their ids, the first rung first. */
  trials: TuneTrial<S>[];
  /** Whether all trials took place: false after `signal`. */
  isComplete: boolean;
}

type Resolved<S extends SearchSpace> = Required<Omit<TuneOptions<S>, "signal" | "onTrial" | "trials">> &
  Pick<TuneOptions<S>, "signal" | "onTrial" | "trials">;

const RULES: Rules<TuneOptions> = {
  space: group,
  search: oneOf("random", "grid", "halving"),
  trials: optional(positiveInteger),
  steps: integer(1, 1000),
  eta: integer(2, 16),
  rungs: integer(1, 10),
  first: [Array.isArray, "an array of points"],
  jobs: positiveInteger,
  seed: seedRule,
  signal: optional(abortSignal),
  onTrial: optional(callback),
};

const DEFAULTS = { search: "random", steps: 4, eta: 3, rungs: 3, first: [], jobs: 1, seed: 0 } as const;
const TRIALS = 16;
/** Draws for one new point, before the space is taken for exhausted. Set by hand. */
const DRAWS = 100;

/** The points of a search, those of `first` before the others, none twice. */
function pointsOf(options: Resolved<SearchSpace>): SearchPoint[] {
  const { space, search, steps, seed, first } = options;
  const points = new Map<string, SearchPoint>();
  const take = (point: SearchPoint) => void (points.has(keyOf(point)) || points.set(keyOf(point), point));
  for (const point of first) take({ ...point });
  if (search === "grid") {
    for (const point of gridOf(space, steps)) take(point);
    return [...points.values()].slice(0, options.trials);
  }
  const count = options.trials ?? TRIALS;
  for (let i = 0; points.size < count; i++) {
    // A generator for each point: more trials do not change the earlier ones.
    const random = Random.named(seed, "tune", String(i));
    const size = points.size;
    for (let draw = 0; draw < DRAWS && points.size === size; draw++) take(drawPoint(space, random));
    if (points.size === size) break;
  }
  return [...points.values()].slice(0, count);
}

function keyOf(point: SearchPoint): string {
  return JSON.stringify(Object.entries(point).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Higher first, failed trials last, of equal ones the lower id. */
function byValue(a: TuneTrial, b: TuneTrial): number {
  if (Number.isNaN(a.value) || Number.isNaN(b.value)) {
    return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) || a.id - b.id;
  }
  return b.value - a.value || a.id - b.id;
}

/**
 * Looks for the options with the highest score: by random draws, a grid, or successive halving. It has no clock and no files:
 * with the same options and scores it does the same trials, so that a program that keeps its scores can go on where it ended.
 *
 * ```ts
 * const space = { learningRate: { min: 1e-4, max: 1e-2, log: true }, batchSize: [32, 64, 128] };
 * const { best } = await tune(({ point, budget }) => score(point, budget), { space, search: "halving", trials: 27 });
 * ```
 *
 * The best of many noisy scores is better by luck too: judge it once more on what no trial has seen.
 *
 * @param score - The score of a trial, higher is better. Where it throws or returns NaN, the trial has failed.
 * @throws TypeError or RangeError for unknown or wrong options; the error of the last trial where all failed.
 */
export async function tune<const S extends SearchSpace>(
  score: (task: TuneTask<S>) => number | Promise<number>,
  options: TuneOptions<S>,
): Promise<TuneResult<S>> {
  const resolved = checked<TuneOptions>(options, RULES, DEFAULTS) as Resolved<SearchSpace>;
  checkSpace(resolved.space);
  const unknown = resolved.first.flatMap((point) => Object.keys(point)).find((name) => !(name in resolved.space));
  if (unknown !== undefined) throw mustBe("first", "points with names of the space", unknown);
  const run = new Search(score as (task: TuneTask) => number | Promise<number>, resolved);
  return (await run.result()) as unknown as TuneResult<S>;
}

class Search {
  readonly #score: (task: TuneTask) => number | Promise<number>;
  readonly #options: Resolved<SearchSpace>;
  readonly #trials: TuneTrial[] = [];
  #isComplete = true;

  constructor(score: (task: TuneTask) => number | Promise<number>, options: Resolved<SearchSpace>) {
    this.#score = score;
    this.#options = options;
  }

  async result(): Promise<TuneResult> {
    const { search, eta, rungs } = this.#options;
    const count = search === "halving" ? rungs : 1;
    let entered: TuneTask[] = pointsOf(this.#options).map((point, id) => ({ id, point, budget: 1 }));
    let budget = 1;
    for (let rung = 1; rung < count; rung++) budget /= eta;
    let ended: TuneTrial[] = [];
    for (let rung = 0; rung < count && this.#isComplete; rung++) {
      const share = rung === count - 1 ? 1 : budget;
      const now = await this.#rung(entered.map((task) => ({ ...task, budget: share })));
      if (now.length > 0) ended = now;
      const passed = ended.filter(({ value }) => !Number.isNaN(value)).sort(byValue);
      entered = passed.slice(0, Math.max(1, Math.floor(entered.length / eta)));
      budget *= eta;
    }
    const best = [...ended].sort(byValue)[0];
    if (best !== undefined && Number.isNaN(best.value)) throw this.#trials.at(-1)!.error;
    return { best, trials: this.#trials, isComplete: this.#isComplete };
  }

  /** Does the trials of one rung, the most promising first; returns those that ended, by id. */
  async #rung(tasks: readonly TuneTask[]): Promise<TuneTrial[]> {
    const { jobs, signal, onTrial } = this.#options;
    const ended: TuneTrial[] = [];
    let next = 0;
    const work = async () => {
      while (next < tasks.length) {
        if (signal?.aborted) {
          this.#isComplete = false;
          return;
        }
        const trial = await this.#trial(tasks[next++]!);
        if (trial === undefined) continue;
        ended.push(trial);
        onTrial?.(trial);
      }
    };
    await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
    ended.sort((a, b) => a.id - b.id);
    this.#trials.push(...ended);
    return ended;
  }

  /** Undefined for a trial that the signal ended. */
  async #trial({ id, point, budget }: TuneTask): Promise<TuneTrial | undefined> {
    const task = { id, point, budget };
    try {
      const value = await this.#score(task);
      return Number.isNaN(value)
        ? { ...task, value, error: new Error(`the score of trial ${id} is NaN`) }
        : { ...task, value };
    } catch (error) {
      if (!this.#options.signal?.aborted) return { ...task, value: Number.NaN, error };
      this.#isComplete = false;
      return undefined;
    }
  }
}
