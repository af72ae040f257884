import { table } from "../../src/cli/writing/table.js";
import { Ensemble } from "../../src/engine/ensemble/index.js";
import { DQN, type Environment, Random, type StepResult } from "../../src/index.js";
import { arithmeticMean, meanInterval } from "../../src/statistics/intervals.js";
import type { ProcessCase } from "../harness/suite.js";
import { CHAIN_RECIPE, merged } from "./recipes.js";
import { type Group, timeFigures, valuesOf, withOutcomes } from "./suite.js";

const SEEDS = 20;

/**
 * The chain of Osband, Van Roy & Wen 2016 (arXiv:1402.0635): states in a row, an episode as long as the way from the first
 * to the last. One action goes on, the other back; going on from the last pays 1, going back from the first a thousandth.
 * Which of the two actions goes on is drawn for each state, as in bsuite's deep sea, so that no habit helps. Random
 * actions go the whole way once in 2^(states - 1) episodes.
 */
export class Chain implements Environment {
  readonly observationSize: number;
  readonly actions = 2;
  readonly #forward: readonly number[];
  readonly #observation: Float32Array;
  #at = 0;
  #step = 0;

  constructor(states: number, seed: number) {
    const random = Random.named(seed, "chain");
    this.observationSize = states;
    this.#forward = Array.from({ length: states }, () => random.below(2));
    this.#observation = new Float32Array(states);
  }

  reset(): Float32Array {
    this.#at = 0;
    this.#step = 0;
    return this.#seen();
  }

  step(action: number): StepResult {
    const last = this.observationSize - 1;
    const isForward = action === this.#forward[this.#at];
    const reward = isForward ? Number(this.#at === last) : Number(this.#at === 0) / 1000;
    this.#at = isForward ? Math.min(this.#at + 1, last) : Math.max(this.#at - 1, 0);
    const truncated = ++this.#step === this.observationSize;
    return { observation: this.#seen(), reward, terminated: false, truncated };
  }

  #seen(): Float32Array {
    this.#observation.fill(0);
    this.#observation[this.#at] = 1;
    return this.#observation;
  }
}

export type { Group, ProcessCase };
export {
  arithmeticMean,
  CHAIN_RECIPE,
  DQN,
  Ensemble,
  meanInterval,
  merged,
  SEEDS,
  table,
  timeFigures,
  valuesOf,
  withOutcomes,
};
