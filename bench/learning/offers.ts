import { table } from "../../src/cli/writing/table.js";
import { ChangingCandidates, DQN, train } from "../../src/index.js";
import { meanInterval } from "../../src/statistics/intervals.js";
import { greedyByReward, optimum, worthOf } from "../../test/reference/offers.js";
import type { ProcessCase } from "../harness/suite.js";
import { merged, OFFERS_RECIPE } from "./recipes.js";
import { type Group, timeFigures, valuesOf, withOutcomes } from "./suite.js";

const SEEDS = 10;

const offersCase: ProcessCase = {
  name: "offers",
  seeds: SEEDS,
  recipe: { ...OFFERS_RECIPE, model: ChangingCandidates.model },
  async run({ seed }) {
    const start = performance.now();
    const { model } = ChangingCandidates;
    const { observationSize, features, maxCandidates } = new ChangingCandidates();
    const shape = { observation: observationSize, candidates: { max: maxCandidates, features }, gamma: model.gamma };
    const agent = new DQN(merged(OFFERS_RECIPE.options, shape, { seed }));
    await train(agent, new ChangingCandidates(), { steps: OFFERS_RECIPE.steps, seed: seed * 100_000 });
    const times = timeFigures(start, OFFERS_RECIPE.steps);
    // The greedy policy's expected return is computed from the model, not sampled.
    const worth = worthOf(model, (mood, set) => {
      const observation = model.moods.map((_, i) => (i === mood ? 1 : 0));
      const rows = model.sets[set]!.flatMap((item) => model.items[item]!);
      return agent.act(observation, rows, 0);
    });
    agent.dispose();
    return [{ metric: "optimal_percent", value: (100 * worth) / optimum(model).worth, unit: "%" }, ...times];
  },
};

export const offers: Group = {
  cases: [offersCase],
  report(outcomes) {
    const [own] = withOutcomes([offersCase], outcomes);
    if (!own) return { text: "", rows: [] };
    const [each, results] = own;
    const percents = valuesOf(results, "optimal_percent");
    const seeds = results.map(({ seed }) => seed);
    const { value, lo, hi } = meanInterval(percents);
    const least = Math.min(...percents);
    const common = { case: each.name, unit: "%", n: seeds.length, seeds };
    const bounds = seeds.length > 1 ? { lo, hi } : {};
    const greedy =
      (100 * worthOf(ChangingCandidates.model, greedyByReward(ChangingCandidates.model))) /
      optimum(ChangingCandidates.model).worth;
    const seconds = valuesOf(results, "seconds");
    const speed = meanInterval(valuesOf(results, "steps_per_s")).value;
    const line = [each.name, value.toFixed(2), least.toFixed(2), greedy.toFixed(1), `${seeds.length}`];
    const times = [meanInterval(seconds).value.toFixed(1), speed.toFixed(0)];
    return {
      text: table(
        ["percent of the optimal return", "mean", "least", "greedy by reward", "seeds", "s a seed", "steps/s"],
        [[...line, ...times]],
      ),
      rows: [
        { ...common, metric: "optimal_percent_mean", value, ...bounds },
        { ...common, metric: "optimal_percent_min", value: least },
      ],
    };
  },
};
