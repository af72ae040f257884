import {
  between,
  checked,
  fields,
  finite,
  integer,
  list,
  mustBe,
  nonNegativeInteger,
  numbers,
  positiveInteger,
  type Rules,
  requireShape,
  word,
} from "../../check/index.js";
import { Random } from "../../numeric/index.js";

/** Options of a tabular Q-learner. */
export interface TabularOptions {
  /** Number of states, at least 1. */
  states: number;
  /** Number of actions, [1, 65536]. */
  actions: number;
  /** Discount for each step, [0, 1]. Default 0.99. */
  gamma?: number;
  /**
   * How far a value moves to its target, [0, 1]; 0: by 1 / visits of its state and action, under which values converge
   * if all are visited for ever (Watkins & Dayan 1992). Default 0.1.
   */
  learningRate?: number;
  /** Probability of a random action, [0, 1]. Default 0.1. */
  epsilon?: number;
  /** Value of every action before it is tried; a finite number. Default 0. */
  initial?: number;
  /** Of everything that is random, [0, 2^53 - 1]. Default 0. */
  seed?: number;
}

/** One step of experience among numbered states. */
export interface TabularTransition {
  /** In [0, states - 1]. */
  state: number;
  /** In [0, actions - 1]. */
  action: number;
  /** A finite number. */
  reward: number;
  /** Whether the task ended here, so that no later reward follows. */
  terminated: boolean;
  /** In [0, states - 1]; ignored after `terminated`. */
  nextState: number;
  /** (actions), 0 = not available in the next state. Default: all are. */
  nextMask?: ArrayLike<number>;
}

const RULES: Rules<TabularOptions> = {
  states: positiveInteger,
  actions: integer(1, 65536),
  gamma: between(0, 1),
  learningRate: between(0, 1),
  epsilon: between(0, 1),
  initial: finite,
  seed: integer(0, Number.MAX_SAFE_INTEGER),
};

const DEFAULTS = { gamma: 0.99, learningRate: 0.1, epsilon: 0.1, initial: 0, seed: 0 };

/**
 * Q-learning with one number for each state and action (Watkins 1989): exact where states can be numbered and visited
 * often, and an oracle for agents that approximate.
 *
 * ```ts
 * const learner = new TabularQ({ states: 16, actions: 4, seed: 1 });
 * const action = learner.act(state);
 * learner.observe({ state, action, reward, terminated, nextState });
 * ```
 */
export class TabularQ {
  /** All options, with the defaults that were filled in. */
  readonly options: Readonly<Required<TabularOptions>>;
  /** (states, actions) values, row by row. */
  readonly values: Float64Array;
  /** (states, actions): how often each was observed. */
  readonly visits: Float64Array;
  readonly #random: Random;

  /** @throws TypeError or RangeError for options that are unknown or wrong. */
  constructor(options: TabularOptions) {
    this.options = checked<TabularOptions>(options, RULES, DEFAULTS) as Required<TabularOptions>;
    const { states, actions, initial, seed } = this.options;
    this.values = new Float64Array(states * actions).fill(initial);
    this.visits = new Float64Array(states * actions);
    this.#random = Random.named(seed, "tabular");
  }

  /**
   * Chooses an action epsilon-greedily; the lowest index wins a tie.
   *
   * @param state - In [0, states - 1].
   * @param mask - (actions), 0 = not available. Default: all are available.
   * @param epsilon - Probability of a random action, [0, 1]; 0 is greedy and draws no number. Default: the option's.
   * @returns The index of the action; -1 where none is available.
   * @throws RangeError for a state, mask or epsilon that is wrong.
   */
  act(state: number, mask?: ArrayLike<number>, epsilon: number = this.options.epsilon): number {
    this.#requireState("state", state);
    this.#requireMask("mask", mask);
    if (!(epsilon >= 0 && epsilon <= 1)) throw mustBe("epsilon", "in [0, 1]", epsilon);
    if (epsilon > 0 && this.#random.bernoulli(epsilon)) {
      const { actions } = this.options;
      const free = Array.from({ length: actions }, (_, a) => a).filter((a) => !mask || mask[a]);
      return free.length > 0 ? this.#random.pick(free) : -1;
    }
    return this.#best(state, mask);
  }

  /**
   * Moves the value of an action towards reward + gamma * the best value of the next state.
   * @returns The TD error before it: target minus value.
   * @throws RangeError or TypeError for a wrong index, number or flag; nothing changes then.
   */
  observe({ state, action, reward, terminated, nextState, nextMask }: TabularTransition): number {
    const { actions, gamma, learningRate } = this.options;
    this.#requireState("state", state);
    if (!Number.isInteger(action) || action < 0 || action >= actions) {
      throw mustBe("action", `an integer in [0, ${actions - 1}]`, action);
    }
    if (!Number.isFinite(reward)) throw mustBe("reward", "a finite number", reward);
    if (typeof terminated !== "boolean") throw new TypeError(`"terminated" must be true or false, got ${terminated}`);
    let target = reward;
    if (!terminated) {
      this.#requireState("nextState", nextState);
      this.#requireMask("nextMask", nextMask);
      const best = this.#best(nextState, nextMask);
      if (best >= 0) target += gamma * this.values[nextState * actions + best]!;
    }
    const at = state * actions + action;
    const error = target - this.values[at]!;
    this.visits[at]!++;
    this.values[at]! += error * (learningRate || 1 / this.visits[at]!);
    return error;
  }

  /** (actions) values of a state: a view. @throws RangeError for a wrong state. */
  evaluate(state: number): Float64Array {
    this.#requireState("state", state);
    const { actions } = this.options;
    return this.values.subarray(state * actions, (state + 1) * actions);
  }

  /** All that it learned, as plain data for JSON. */
  state(): unknown {
    return {
      values: Array.from(this.values),
      visits: Array.from(this.visits),
      random: Array.from(this.#random.state()),
    };
  }

  /** Continues from a value of `state` of a learner with the same options. @throws RangeError for any other value. */
  restore(state: unknown): void {
    const { length } = this.values;
    const shape = fields<{ values: number[]; visits: number[]; random: number[] }>({
      values: numbers(length),
      visits: list(nonNegativeInteger, length, length),
      random: list(word, 4, 4),
    });
    requireShape(shape, state, "state");
    const { values, visits, random } = state as { values: number[]; visits: number[]; random: number[] };
    this.values.set(values);
    this.visits.set(visits);
    this.#random.restore(Uint32Array.from(random));
  }

  #best(state: number, mask: ArrayLike<number> | undefined): number {
    const { actions } = this.options;
    const row = state * actions;
    let best = -1;
    for (let a = 0; a < actions; a++) {
      if (mask && !mask[a]) continue;
      if (best < 0 || this.values[row + a]! > this.values[row + best]!) best = a;
    }
    return best;
  }

  #requireState(name: string, state: number): void {
    const { states } = this.options;
    if (!Number.isInteger(state) || state < 0 || state >= states) {
      throw mustBe(name, `an integer in [0, ${states - 1}]`, state);
    }
  }

  #requireMask(name: string, mask: ArrayLike<number> | undefined): void {
    const { actions } = this.options;
    if (mask && mask.length !== actions)
      throw new RangeError(`"${name}" must hold ${actions} flags, got ${mask.length}`);
  }
}
