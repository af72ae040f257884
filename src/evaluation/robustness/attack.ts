import { between, checked, integer, mustBe, oneOf, positive, type Rules } from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import { kendall } from "../../recommender/learning/index.js";
import { arithmeticMean } from "../../statistics/index.js";

/** Scores of candidates: (n) of n rows of features, for an observation. That of a row must depend on no other row. */
export type ScoreFunction = (observation: Float32Array, candidates: Float32Array) => ArrayLike<number>;

/** What a ranking was made from. */
export interface RankingState {
  /** (observation) */
  observation: ArrayLike<number>;
  /** (n, features) rows, n >= 2. */
  candidates: ArrayLike<number>;
}

export interface AttackOptions {
  /** Numbers in a candidate's row, an integer >= 1. */
  features: number;
  /** How far each input is moved, [0, 1e6]. */
  epsilon: number;
  /** Which inputs. Default `both`. */
  inputs: "observation" | "candidates" | "both";
  /** Half the distance of the two points of a slope, > 0. Default 0.001. */
  step: number;
  /** Of the random changes beside the attack, [0, 2^53 - 1]. Default 0. */
  seed: number;
}

/** What small changes of the inputs do to rankings; means over states. */
export interface AttackResult {
  /** Kendall's tau between the order before and behind the attack on the order, [-1, 1]. */
  tau: number;
  /** Share of states in which another candidate comes first behind the attack on the first. */
  topFlips: number;
  /** Largest change of a score by either attack, in standard deviations of the state's scores. */
  shift: number;
  /** The same where each input moves as far up or down by chance. */
  random: { tau: number; topFlips: number };
  states: number;
}

const DEFAULTS = { inputs: "both", step: 1e-3, seed: 0 } as const;

const RULES: Rules<AttackOptions> = {
  features: integer(1, 65_536),
  epsilon: between(0, 1e6),
  inputs: oneOf("observation", "candidates", "both"),
  step: positive,
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

/** A state with its scores, and how each follows from the inputs. */
interface Attacked {
  observation: Float32Array;
  candidates: Float32Array;
  scores: Float64Array;
  /** Indices of candidates, the best first; the first of equal ones. */
  order: number[];
  /** (observation, n) and (features, n): slopes of each score, of its own row. */
  slopes: { observation: Float64Array[]; candidates: Float64Array[] };
}

/**
 * Measures how far rankings hold when every input moves by at most `epsilon`: by the fast gradient sign method (Goodfellow,
 * Shlens & Szegedy 2015, arXiv:1412.6572), with slopes from differences, so that it takes whatever scores: an agent, an
 * ensemble, a student. One attack turns the order around: it lowers the better half and raises the other. One is on the first:
 * it lowers that, and raises all others. Random changes of the same size tell what the direction adds.
 *
 * ```ts
 * attackRanking((observation, rows) => agent.evaluate(observation, rows), states, { features: 8, epsilon: 0.05 });
 * ```
 *
 * It takes 2 (observation + features) + 4 calls a state.
 *
 * @throws RangeError or TypeError for options, states without two candidates, and scores that are not finite.
 */
export function attackRanking(
  score: ScoreFunction,
  states: readonly RankingState[],
  options: Pick<AttackOptions, "features" | "epsilon"> & Partial<AttackOptions>,
): AttackResult {
  const resolved = checked(options, RULES, DEFAULTS, "attack.");
  if (states.length === 0) throw mustBe("states", "at least one", states);
  const random = Random.named(resolved.seed, "attack");
  const figures = states.map((state, s) => attackOne(score, opened(score, state, s, resolved), resolved, random));
  const mean = (of: (each: Figures) => number) => arithmeticMean(figures.map(of));
  return {
    tau: mean(({ attacked }) => attacked.tau),
    topFlips: mean(({ attacked }) => attacked.flips),
    shift: Math.max(...figures.map(({ shift }) => shift)),
    random: { tau: mean(({ random }) => random.tau), topFlips: mean(({ random }) => random.flips) },
    states: states.length,
  };
}

interface Figures {
  attacked: { tau: number; flips: number };
  random: { tau: number; flips: number };
  shift: number;
}

function opened(
  score: ScoreFunction,
  state: RankingState,
  s: number,
  { features, inputs, step }: AttackOptions,
): Attacked {
  const observation = Float32Array.from(state.observation);
  const candidates = Float32Array.from(state.candidates);
  const n = candidates.length / features;
  if (!Number.isInteger(n) || n < 2) {
    throw mustBe(`states[${s}].candidates`, `two or more rows of ${features}`, `${candidates.length} numbers`);
  }
  const scoresOf = (...given: [Float32Array, Float32Array]) => {
    const scores = Float64Array.from(score(...given));
    if (scores.length === n && scores.every(Number.isFinite)) return scores;
    throw mustBe(`scores of states[${s}]`, `${n} finite numbers`, Array.from(scores));
  };
  const scores = scoresOf(observation, candidates);
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
  const slope = (move: (by: number) => Float64Array) => {
    const up = move(step);
    return move(-step).map((down, i) => up[i]! - down);
  };
  const along = {
    observation: (j: number) => slope((by) => scoresOf(moved(observation, [j], by), candidates)),
    candidates: (j: number) => {
      const column = Array.from({ length: n }, (_, i) => i * features + j);
      return slope((by) => scoresOf(observation, moved(candidates, column, by)));
    },
  };
  return {
    ...{ observation, candidates, scores, order },
    slopes: {
      observation: inputs === "candidates" ? [] : Array.from(observation, (_, j) => along.observation(j)),
      candidates: inputs === "observation" ? [] : Array.from({ length: features }, (_, j) => along.candidates(j)),
    },
  };
}

function moved(values: Float32Array, places: readonly number[], by: number): Float32Array {
  const copy = values.slice();
  for (const place of places) copy[place]! += by;
  return copy;
}

function attackOne(score: ScoreFunction, state: Attacked, options: AttackOptions, random: Random): Figures {
  const { order, scores } = state;
  const n = order.length;
  // By place in the order: -1 where a score is lowered.
  const all = Array.from({ length: n }, (_, place) => (2 * place < n - 1 ? -1 : 2 * place > n - 1 ? 1 : 0));
  const first = Array.from({ length: n }, (_, place) => (place === 0 ? -1 : 1));
  const turned = changed(score, state, options, (slopes, i) => Math.sign(weighed(slopes, order, all, i)));
  // The observation is one for all: there the second is raised alone.
  const [best, second] = order as [number, number];
  const toppled = changed(score, state, options, (slopes, i) =>
    Math.sign(i === undefined ? slopes[second]! - slopes[best]! : weighed(slopes, order, first, i)),
  );
  const chance = changed(score, state, options, () => (random.bernoulli(0.5) ? 1 : -1));
  const mean = arithmeticMean([...scores]);
  const spread = Math.sqrt(arithmeticMean(Array.from(scores, (x) => (x - mean) * (x - mean))));
  const shift = Math.max(
    ...[turned, toppled].flatMap((after) => Array.from(after, (x, i) => Math.abs(x - scores[i]!))),
  );
  return {
    attacked: { tau: tauOf(turned, order), flips: Number(!isFirst(toppled, best)) },
    random: { tau: tauOf(chance, order), flips: Number(!isFirst(chance, best)) },
    shift: spread > 0 ? shift / spread : 0,
  };
}

/** The slope of a candidate's score, or the sum over all of them, by where they are to go. */
function weighed(
  slopes: Float64Array,
  order: readonly number[],
  goals: readonly number[],
  i: number | undefined,
): number {
  if (i !== undefined) return goals[order.indexOf(i)]! * slopes[i]!;
  return order.reduce((sum, index, place) => sum + goals[place]! * slopes[index]!, 0);
}

/** Scores where each input has moved by epsilon in a direction: of the observation, or of the row of candidate i. */
function changed(
  score: ScoreFunction,
  { observation, candidates, slopes }: Attacked,
  { epsilon, features }: AttackOptions,
  direction: (slopes: Float64Array, i?: number) => number,
): ArrayLike<number> {
  const seen = observation.slice();
  for (const [j, slope] of slopes.observation.entries()) seen[j]! += epsilon * direction(slope);
  const rows = candidates.slice();
  for (const [j, slope] of slopes.candidates.entries()) {
    for (const i of slope.keys()) rows[i * features + j]! += epsilon * direction(slope, i);
  }
  return Float64Array.from(score(seen, rows));
}

/** Kendall's tau between an order and that of other scores; 1 where nothing is left to compare. */
function tauOf(after: ArrayLike<number>, order: readonly number[]): number {
  return kendall(
    order.map((index) => after[index]!),
    order.length,
  );
}

function isFirst(scores: ArrayLike<number>, index: number): boolean {
  return Array.from(scores).every((x) => x <= scores[index]!);
}
