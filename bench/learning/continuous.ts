import { table } from "../../src/cli/writing/table.js";
import { ContinuousAgent } from "../../src/engine/continuous/index.js";
import { evaluate, train } from "../../src/index.js";
import { arithmeticMean, meanInterval } from "../../src/statistics/intervals.js";
import type { CaseContext, ProcessCase } from "../harness/suite.js";
import { CONTINUOUS_CONTROL, type ContinuousControl } from "./recipes.js";
import { type Group, valuesOf, withOutcomes } from "./suite.js";
import { figuresOf, medianOf, REPORTS, SEEDS, TEST, TRAINING, VALIDATION } from "./trials.js";

/** Many: the returns of single starts of Pendulum deviate by 85. */
const TESTS = 4000;

async function run({ make, recipe }: ContinuousControl, { seed, say }: CaseContext) {
  const { steps, options } = recipe;
  const { observationSize, continuous } = make();
  const agent = new ContinuousAgent({ ...options, observation: observationSize, continuous, seed });
  const start = performance.now();
  const result = await train(agent, make(), {
    steps,
    seed: seed * TRAINING,
    progressEvery: Math.ceil(steps / REPORTS),
    evaluation: { environment: make(), seed: VALIDATION + seed * 1000, ...recipe.evaluation },
    onProgress: ({ step, meanReturn }) => say(`step ${step} of ${steps}: training ${meanReturn.toFixed(1)}`),
  });
  const returns = evaluate(agent, make(), { episodes: TESTS, seed: TEST });
  const figures = figuresOf(returns, result, start);
  agent.dispose();
  return figures;
}

const cases: ProcessCase[] = Object.entries(CONTINUOUS_CONTROL).map(([name, control]) => ({
  name,
  seeds: SEEDS,
  recipe: { ...control.recipe, tests: TESTS },
  run: (context) => run(control, context),
}));

/** Control by continuous actions: TD3 over the budgets of RL Baselines3 Zoo. */
export const continuous: Group = {
  cases,
  report(outcomes) {
    const rows = [];
    const lines = [];
    const all = [];
    for (const [{ name }, results] of withOutcomes(cases, outcomes)) {
      const returns = valuesOf(results, "return_mean");
      const seeds = results.map(({ seed }) => seed);
      const { value, lo, hi } = meanInterval(returns);
      const bounds = seeds.length > 1 ? { lo, hi } : {};
      const least = Math.min(...returns);
      const common = { case: name, unit: "1", n: seeds.length, seeds };
      rows.push(
        { ...common, metric: "return_seeds_mean", value, ...bounds },
        { ...common, metric: "return_min", value: least },
        { ...common, metric: "steps_mean", value: arithmeticMean(valuesOf(results, "steps")) },
      );
      const median = (metric: string) => medianOf(results, metric).toFixed(0);
      const interval = seeds.length > 1 ? ` [${lo.toFixed(1)}, ${hi.toFixed(1)}]` : "";
      const mean = `${value.toFixed(1)}${interval}`;
      lines.push([name, mean, least.toFixed(1), `${seeds.length}`, median("steps"), median("seconds")]);
      all.push(`${name}, seed by seed: ${returns.map((x) => x.toFixed(1)).join(" ")}`);
    }
    const header = [`return of the actor, ${TESTS} episodes`, "mean [95 %]", "least", "seeds", "steps", "seconds"];
    const note = "steps and seconds are medians";
    return { text: lines.length > 0 ? [table(header, lines), note, ...all].join("\n") : "", rows };
  },
};
