import { abortSignal, above, callback, checked, integer, oneOf, optional, type Rules } from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import type { DQN, LayerWeights } from "../index.js";
import { type ValueAgreement, type Valuer, valuesOf } from "./agreement.js";
import { Distillation, judged, type Lessons, type Method } from "./distillation.js";
import { type AgentState, requireStates } from "./state.js";

/** How a student learns from a teacher. */
export interface DistillOptions {
  /**
   * What it learns: `values`, the squared difference of values, or `policy`, the divergence of the softmax of its values
   * from that of the teacher's (Hinton et al. 2015, Rusu et al. 2016), beside values of what that chooses. Where the
   * actions of a state differ little, as in control, the policy keeps more of the return. Default `policy`.
   */
  loss?: "values" | "policy";
  /**
   * Temperature of that softmax, (0, 100], as a multiple of the standard deviation of the teacher's values within a
   * state. Default 0.5.
   */
  temperature?: number;
  /** The most updates, [1, 1e7]. Default 10000. */
  updates?: number;
  /** Values in an update, [1, 65536]. Default 128. */
  batchSize?: number;
  /** Adam's at the start, (0, 1]; it falls to a twentieth along a cosine. Default 1e-3. */
  learningRate?: number;
  /** Share of the states that it does not learn from, (0, 0.9]: agreement there ends the learning. Default 0.2. */
  holdOut?: number;
  /** Updates between two looks at the agreement, [1, 1e6]. Default 250. */
  every?: number;
  /** Looks in a row without a better agreement that end the learning, [1, 1e6]. Default 10. */
  patience?: number;
  /** Of everything random, [0, 2^53 - 1]. Default 0. */
  seed?: number;
  /** Called at each look. */
  onProgress?: (progress: DistillProgress) => void;
  /** Ends the learning at the next look; the student keeps the best so far. */
  signal?: AbortSignal;
}

/** Where a distillation is. */
export interface DistillProgress {
  /** Updates done, an integer >= 0. */
  updates: number;
  /** On the states that were held out. */
  agreement: ValueAgreement;
}

/** What came of a distillation: of the best look, whose weights the student has. */
export interface DistillResult extends DistillProgress {
  /** Why it ended: all updates were done, nothing got better, or the signal. */
  ended: "updates" | "patience" | "signal";
}

/** @internal */
export const distillRules: Rules<DistillOptions> = {
  loss: oneOf("values", "policy"),
  temperature: above(0, 100),
  updates: integer(1, 1e7),
  batchSize: integer(1, 65536),
  learningRate: above(0, 1),
  holdOut: above(0, 0.9),
  every: integer(1, 1e6),
  patience: integer(1, 1e6),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  onProgress: optional(callback),
  signal: optional(abortSignal),
};

/** @internal */
export const DISTILL_DEFAULTS: DistillOptions = {
  loss: "policy",
  temperature: 0.5,
  updates: 10_000,
  batchSize: 128,
  learningRate: 1e-3,
  holdOut: 0.2,
  every: 250,
  patience: 10,
  seed: 0,
};

type Resolved = Required<Omit<DistillOptions, "onProgress" | "signal">> &
  Pick<DistillOptions, "onProgress" | "signal"> &
  Pick<Method, "project">;

/**
 * Teaches an agent the values of another one, on states of a replay or a log; the student keeps its replay, counters and
 * options, and may go on learning by itself. By `seed` it is the same everywhere.
 *
 * ```ts
 * const student = new DQN({ ...shape, hidden: [32, 32] });
 * const { agreement } = await distill(teacher, student, states);
 * ```
 *
 * @param teacher - An agent, or anything else that values the actions of a state.
 * @param student - It begins with the weights that it has.
 * @param states - At least two, in which an action is available.
 * @throws TypeError or RangeError for wrong options, for states that either does not take, for values that are not finite
 *   or not one for each action, and for a student with slates or batch normalisation; the student is unchanged then.
 */
export async function distill(
  teacher: Valuer,
  student: DQN,
  states: readonly AgentState[],
  options: DistillOptions = {},
): Promise<DistillResult> {
  const resolved = checked<DistillOptions>(options, distillRules, DISTILL_DEFAULTS) as Resolved;
  return taught(teacher, student, states, resolved);
}

/** @internal The same with layers that are projected. */
export async function taught(
  teacher: Valuer,
  student: DQN,
  states: readonly AgentState[],
  given: DistillOptions & Pick<Method, "project">,
): Promise<DistillResult> {
  const options = given as Resolved;
  requireStudent(student);
  const random = Random.named(options.seed, "distill");
  const [learned, held] = split(lessonsOf(teacher, student, states), options.holdOut, random);
  const run = new Distillation(student.options, student.weights(), learned, options, random);
  const before = student.weights();
  const isMasked = student.options.masked;
  let best: { layers: LayerWeights[]; progress: DistillProgress } | undefined;
  let [worse, ended] = [0, "updates" as DistillResult["ended"]];
  const project = options.project ?? ((layers: readonly LayerWeights[]) => layers);
  try {
    for (;;) {
      const layers = run.layers();
      student.setWeights(project(layers));
      const progress = { updates: run.updates, agreement: judged(student, held, isMasked) };
      if (best === undefined || isBetter(progress.agreement, best.progress.agreement)) {
        best = { layers, progress };
        worse = 0;
      } else worse++;
      options.onProgress?.(progress);
      if (options.signal?.aborted) ended = "signal";
      else if (worse >= options.patience) ended = "patience";
      else if (run.updates < options.updates) {
        run.learn(Math.min(options.every, options.updates - run.updates));
        await new Promise((resolve) => setTimeout(resolve, 0));
        continue;
      }
      student.setWeights(project(best.layers));
      return { ...best.progress, ended };
    }
  } catch (error) {
    student.setWeights(before);
    throw error;
  } finally {
    run.dispose();
  }
}

function requireStudent({ options }: DQN): void {
  if (options.slate) throw new TypeError('"slate": a student of slates is not taught: its choices have no teacher');
  if (options.normalizeObservations) {
    throw new TypeError('"normalizeObservations": a student takes observations as they are: give it false');
  }
  if (options.normalization !== "batch") return;
  throw new TypeError('"normalization": "batch" takes no plain layers: give the student "layer" or "none"');
}

/** What the teacher values in states that the student takes. */
function lessonsOf(teacher: Valuer, student: DQN, states: readonly AgentState[]): Lessons {
  requireStates("states", states);
  if (states.length < 2) throw new RangeError('"states" must hold at least two states: some are held out');
  const isMasked = student.options.masked;
  const own = valuesOf(student, "states", states, isMasked);
  const values = valuesOf(teacher, "states", states, isMasked);
  for (const [s, { length }] of own.entries()) {
    if (length === 0) throw new RangeError(`"states[${s}]" must have an action that is available`);
    const bad = values[s]!.length !== length || !values[s]!.every((q) => Math.abs(q) <= VALUE_MAX);
    if (bad) throw new RangeError(`the teacher must give ${length} values in [-1e6, 1e6] for "states[${s}]"`);
  }
  return { states, values };
}

const VALUE_MAX = 1e6;

/** Lessons to learn from, and others. */
function split({ states, values }: Lessons, share: number, random: Random): [learned: Lessons, held: Lessons] {
  const order = Array.from(states, (_, s) => s);
  random.shuffle(order);
  const count = Math.min(states.length - 1, Math.max(1, Math.round(share * states.length)));
  const part = (indices: number[]): Lessons => ({
    states: indices.map((s) => states[s]!),
    values: indices.map((s) => values[s]!),
  });
  return [part(order.slice(count)), part(order.slice(0, count))];
}

/** By ranks and the best actions; of equals by the error. */
function isBetter(a: ValueAgreement, b: ValueAgreement): boolean {
  const score = ({ sameBest, tau }: ValueAgreement) => sameBest + (Number.isNaN(tau) ? 0 : tau);
  return score(a) > score(b) || (score(a) === score(b) && a.error < b.error);
}
