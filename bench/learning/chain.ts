import { table } from "../../src/cli/writing/table.js";
import { Ensemble } from "../../src/engine/ensemble/index.js";
import { DQN, type Environment, Random, type StepResult, type Transition } from "../../src/index.js";
import { arithmeticMean, meanInterval } from "../../src/statistics/intervals.js";
import type { ProcessCase, Result } from "../harness/suite.js";
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

/** The chain with an agent; returns of all episodes. */
function explored(
  act: (observation: number[]) => number,
  learn: (transition: Transition) => void,
  chain: Chain,
  episodes: number,
): number[] {
  return Array.from({ length: episodes }, () => {
    let observation = Array.from(chain.reset());
    let total = 0;
    for (let truncated = false; !truncated; ) {
      const action = act(observation);
      const { observation: after, reward, ...end } = chain.step(action);
      const nextObservation = Array.from(after);
      learn({ observation, action, reward, ...end, nextObservation });
      observation = nextObservation;
      total += reward;
      truncated = end.truncated;
    }
    return total;
  });
}

/** Figures of one arm: the reward of all episodes, and the first that went the whole way. */
function figuresOf(arm: keyof typeof CHAIN_RECIPE.arms, seed: number): Result[] {
  const { states, episodes, updates, options, arms } = CHAIN_RECIPE;
  const shape = merged(options, { observation: states, actions: 2, seed });
  const { ensemble, ...own } = arms[arm];
  const agent = ensemble ? new Ensemble({ ...shape, ...own }, ensemble) : new DQN({ ...shape, ...own });
  const observe = (transition: Transition) => {
    agent.observe(transition);
    agent.learn(updates);
  };
  const returns = explored((observation) => agent.act(observation), observe, new Chain(states, seed), episodes);
  const [greedy] = explored(
    (observation) => agent.act(observation, undefined, 0),
    () => {},
    new Chain(states, seed),
    1,
  );
  agent.dispose();
  const first = returns.findIndex((total) => total >= 1);
  return [
    { metric: `${arm}:reward`, value: returns.reduce((sum, total) => sum + total, 0), unit: "1", n: episodes },
    { metric: `${arm}:first_success`, value: first < 0 ? episodes : first + 1, unit: "1" },
    { metric: `${arm}:greedy_return`, value: greedy!, unit: "1" },
  ];
}

const ARMS = Object.keys(CHAIN_RECIPE.arms) as (keyof typeof CHAIN_RECIPE.arms)[];

const chainCase: ProcessCase = {
  name: "chain-20",
  seeds: SEEDS,
  recipe: CHAIN_RECIPE,
  async run({ seed, say }) {
    const start = performance.now();
    const figures = [];
    for (const arm of ARMS) {
      say(arm);
      figures.push(...figuresOf(arm, seed));
      // Lets a process notice that its parent has gone.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return [...figures, timeFigures(start, CHAIN_RECIPE.states * CHAIN_RECIPE.episodes * ARMS.length)[0]!];
  },
};

/** Deep exploration: an ensemble of five by Thompson sampling beside epsilon-greedy, on the same chains. */
export const chain: Group = {
  cases: [chainCase],
  report(outcomes) {
    const [own] = withOutcomes([chainCase], outcomes);
    if (!own) return { text: "", rows: [] };
    const [{ name }, results] = own;
    const seeds = results.map(({ seed }) => seed);
    const common = { case: name, unit: "1", n: seeds.length, seeds };
    const reward = (arm: string) => valuesOf(results, `${arm}:reward`);
    const rows = [];
    const lines = [];
    for (const arm of ARMS) {
      const { value, lo, hi } = meanInterval(reward(arm));
      const solved = valuesOf(results, `${arm}:greedy_return`).filter((total) => total >= 1).length;
      const bounds = seeds.length > 1 ? { lo, hi } : {};
      rows.push(
        { ...common, metric: `${arm}_reward_mean`, value, ...bounds },
        { ...common, metric: `${arm}_solved_seeds`, value: solved },
      );
      const first = arithmeticMean(valuesOf(results, `${arm}:first_success`));
      lines.push([
        arm,
        `${value.toFixed(1)} [${lo.toFixed(1)}, ${hi.toFixed(1)}]`,
        `${solved}/${seeds.length}`,
        first.toFixed(0),
      ]);
    }
    const epsilon = reward("epsilon");
    const better = reward("thompson").filter((total, i) => total > epsilon[i]!).length;
    rows.push({ ...common, metric: "thompson_beats_epsilon_seeds", value: better });
    const { episodes } = CHAIN_RECIPE;
    const header = [
      `chain of 20, ${episodes} episodes`,
      "reward of all [95 %]",
      "solved greedily",
      "first success, mean",
    ];
    return {
      text: `${table(header, lines)}\nmore reward than epsilon-greedy: ${better} of ${seeds.length} seeds`,
      rows,
    };
  },
};
