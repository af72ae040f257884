import { between, checked, mustBe, positive, positiveInteger, type Rules } from "../../check/index.js";

/** What an action may lead to. */
export interface TabularOutcome {
  /** In [0, 1]; those of one action sum to 1. */
  readonly probability: number;
  readonly reward: number;
  /** The next state, [0, states - 1]; ignored after `terminated`. */
  readonly state: number;
  /** Whether the task ends here. Default false. */
  readonly terminated?: boolean;
}

/** A finite Markov decision process. */
export interface TabularModel {
  /** Number of states, at least 1. */
  readonly states: number;
  /** Number of actions, at least 1. */
  readonly actions: number;
  /** What an action of a state may lead to; empty where it is not available. */
  outcomes(state: number, action: number): readonly TabularOutcome[];
}

/** How exactly values are computed. */
export interface ValueIterationOptions {
  /** Discount for each step, [0, 1]. Default 0.99. */
  gamma?: number;
  /** The sweeps end when no value changes by more, a finite number > 0. Default 1e-12. */
  tolerance?: number;
  /** Sweeps at most, at least 1. Default 100000. */
  sweeps?: number;
}

/** Optimal values of a finite Markov decision process. */
export interface TabularValues {
  /** (states): the expected discounted return from each; 0 where no action is available. */
  values: Float64Array;
  /** (states, actions): the same of each action first; -Infinity where it is not available. */
  actionValues: Float64Array;
  /** (states): the best action, the lowest of equal ones; -1 where none is available. */
  policy: Int32Array;
  /** Sweeps that were done. */
  sweeps: number;
}

const RULES: Rules<ValueIterationOptions> = { gamma: between(0, 1), tolerance: positive, sweeps: positiveInteger };
const DEFAULTS = { gamma: 0.99, tolerance: 1e-12, sweeps: 100_000 };
/** By how much probabilities of one action may miss 1. */
const ROUNDING = 1e-9;

/** The outcomes of all states and actions. @throws RangeError for a model that is none. */
function checkedOutcomes(model: TabularModel): (readonly TabularOutcome[])[] {
  for (const name of ["states", "actions"] as const) {
    if (!positiveInteger[0](model[name])) throw mustBe(name, positiveInteger[1], model[name]);
  }
  const { states, actions } = model;
  return Array.from({ length: states * actions }, (_, i) => {
    const [state, action] = [Math.floor(i / actions), i % actions];
    const outcomes = model.outcomes(state, action);
    const name = `outcomes(${state}, ${action})`;
    let total = 0;
    for (const { probability, reward, state: next, terminated } of outcomes) {
      if (!(probability >= 0 && probability <= 1)) throw mustBe(`${name}.probability`, "in [0, 1]", probability);
      if (!Number.isFinite(reward)) throw mustBe(`${name}.reward`, "a finite number", reward);
      const isState = terminated || (Number.isInteger(next) && next >= 0 && next < states);
      if (!isState) throw mustBe(`${name}.state`, `an integer in [0, ${states - 1}]`, next);
      total += probability;
    }
    if (outcomes.length > 0 && Math.abs(total - 1) > ROUNDING) throw mustBe(name, "probabilities that sum to 1", total);
    return outcomes;
  });
}

/**
 * The optimal values of a finite Markov decision process, by sweeps over all states (Bellman 1957): what any agent can
 * reach at most. With one available action a state they are the values of that policy.
 *
 * @throws TypeError or RangeError for wrong options or a model that is none; Error where values still change after
 *   `sweeps`, as where an undiscounted return has no bound.
 */
export function valueIteration(model: TabularModel, options: ValueIterationOptions = {}): TabularValues {
  const resolved = checked<ValueIterationOptions>(options, RULES, DEFAULTS);
  const { gamma, tolerance, sweeps } = resolved as Required<ValueIterationOptions>;
  const outcomes = checkedOutcomes(model);
  const { states, actions } = model;
  const values = new Float64Array(states);
  const actionValues = new Float64Array(states * actions);
  const policy = new Int32Array(states);
  for (let sweep = 1; sweep <= sweeps; sweep++) {
    for (let i = 0; i < outcomes.length; i++) actionValues[i] = backedUp(outcomes[i]!, values, gamma);
    let change = 0;
    for (let s = 0; s < states; s++) {
      let best = -1;
      for (let a = 0; a < actions; a++) {
        const value = actionValues[s * actions + a]!;
        if (value > (best < 0 ? Number.NEGATIVE_INFINITY : actionValues[s * actions + best]!)) best = a;
      }
      const value = best < 0 ? 0 : actionValues[s * actions + best]!;
      change = Math.max(change, Math.abs(value - values[s]!));
      values[s] = value;
      policy[s] = best;
    }
    if (change <= tolerance) return { values, actionValues, policy, sweeps: sweep };
  }
  throw new Error(`values still change by more than "tolerance" (${tolerance}) after ${sweeps} sweeps`);
}

/** The value of an action by the values of the states that it may lead to. */
function backedUp(outcomes: readonly TabularOutcome[], values: Float64Array, gamma: number): number {
  if (outcomes.length === 0) return Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const { probability, reward, state, terminated } of outcomes) {
    sum += probability * (reward + (terminated ? 0 : gamma * values[state]!));
  }
  return sum;
}
