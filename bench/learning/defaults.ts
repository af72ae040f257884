import { table } from "../../src/cli/writing/table.js";
import { DQN, evaluate, train } from "../../src/index.js";
import { arithmeticMean, meanInterval } from "../../src/statistics/intervals.js";
import type { ProcessCase } from "../harness/suite.js";
import { CONTROL, merged, VARIANTS } from "./recipes.js";
import { type Group, timeFigures, valuesOf, withOutcomes } from "./suite.js";

const SEEDS = 6;
const TESTS = 100;
const TRAINING = 100_000;
const VALIDATION = 5_000_000;
const TEST = 10_000_000;
const EVALUATION = { every: 5000, episodes: 20 };

/** Returns that count as 0 and as 1. */
const SCALE: Readonly<Record<string, readonly [worst: number, good: number]>> = {
  "CartPole-v1": [0, 500],
  "Acrobot-v1": [-500, -70],
  "MountainCar-v0": [-200, -100],
};

const cases: ProcessCase[] = Object.entries(VARIANTS).map(([name, options]) => ({
  name: `defaults/${name}`,
  seeds: SEEDS,
  recipe: { options, evaluation: EVALUATION, tests: TESTS },
  async run({ seed, say }) {
    const start = performance.now();
    let all = 0;
    const scores = [];
    const figures = [];
    for (const [environment, [worst, good]] of Object.entries(SCALE)) {
      const { make, recipe } = CONTROL[environment]!;
      const { observationSize, actions } = make();
      const agent = new DQN(merged(options, { observation: observationSize, actions, seed }));
      const { steps } = await train(agent, make(), {
        steps: recipe.steps,
        seed: seed * TRAINING,
        evaluation: { environment: make(), seed: VALIDATION + seed * 1000, ...EVALUATION },
        onProgress: ({ step, meanReturn }) => say(`${environment}, step ${step}: ${meanReturn.toFixed(1)}`),
      });
      const value = arithmeticMean(evaluate(agent, make(), { episodes: TESTS, seed: TEST }));
      agent.dispose();
      all += steps;
      scores.push((value - worst) / (good - worst));
      figures.push({ metric: `return ${environment}`, value, unit: "1", n: TESTS });
    }
    return [{ metric: "score", value: arithmeticMean(scores), unit: "1" }, ...figures, ...timeFigures(start, all)];
  },
}));

/** Options without knowledge of the environment, trained for the budgets of the recipes: which are to be the defaults? */
export const defaults: Group = {
  cases,
  report(outcomes) {
    const own = withOutcomes(cases, outcomes);
    const rows = [];
    const lines = [];
    for (const [{ name }, results] of own) {
      const seeds = results.map(({ seed }) => seed);
      const { value, lo, hi } = meanInterval(valuesOf(results, "score"));
      const bounds = seeds.length > 1 ? { lo, hi } : {};
      rows.push({ case: name, metric: "score_mean", value, unit: "1", n: seeds.length, seeds, ...bounds });
      const returns = Object.keys(SCALE).map((environment) =>
        arithmeticMean(valuesOf(results, `return ${environment}`)),
      );
      const seconds = arithmeticMean(valuesOf(results, "seconds"));
      lines.push([name, value.toFixed(3), ...returns.map((x) => x.toFixed(1)), `${seeds.length}`, seconds.toFixed(0)]);
    }
    const header = ["defaults, arithmeticMean return", "score", ...Object.keys(SCALE), "seeds", "s a seed"];
    return { text: table(header, lines), rows };
  },
};
