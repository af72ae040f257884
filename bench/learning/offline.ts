import { table } from "../../src/cli/writing/table.js";
import { CartPole, DQN, evaluate, type Transition } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";
import { arithmeticMean, meanInterval } from "../../src/statistics/intervals.js";
import type { ProcessCase } from "../harness/suite.js";
import { merged, OFFLINE_RECIPES, type OfflineRecipe } from "./recipes.js";
import { type Group, type Outcome, timeFigures, valuesOf, withOutcomes } from "./suite.js";

const SEEDS = 10;
const TESTS = 100;
const TEST = 9_000_000;
const TURNS = 10;

/** The log of a poor policy: its transitions, and the arithmeticMean return of its episodes. */
export function logged(
  { logged: steps, randomness }: OfflineRecipe,
  seed: number,
): { transitions: Transition[]; meanReturn: number } {
  const random = Random.named(seed, "logging");
  const environment = new CartPole();
  const transitions: Transition[] = [];
  const returns: number[] = [];
  let total = 0;
  let observation = Array.from(environment.reset(seed * 100_000));
  while (transitions.length < steps) {
    const isRandom = random.bernoulli(randomness);
    const action = isRandom ? random.below(2) : Number(observation[3]! > 0);
    const result = environment.step(action);
    const { reward, terminated, truncated } = result;
    const nextObservation = Array.from(result.observation);
    transitions.push({ observation, action, reward, terminated, truncated, nextObservation });
    total += reward;
    observation = nextObservation;
    if (!terminated && !truncated) continue;
    returns.push(total);
    total = 0;
    observation = Array.from(environment.reset());
  }
  return { transitions, meanReturn: arithmeticMean(returns) };
}

/** Mean return of an agent that learned from the logs only. */
async function learned(
  { options, updates }: OfflineRecipe,
  transitions: readonly Transition[],
  extra: object,
  say: (text: string) => void,
): Promise<number> {
  const agent = new DQN(merged(options, { observation: 4, actions: 2 }, extra));
  for (const transition of transitions) agent.observe(transition);
  for (let turn = 1; turn <= TURNS; turn++) {
    const loss = agent.learn(updates / TURNS);
    say(`${(turn * updates) / TURNS} updates, loss ${loss.toFixed(3)}`);
    // Lets a process notice that its parent has gone.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const returns = evaluate(agent, new CartPole(), { episodes: TESTS, seed: TEST });
  agent.dispose();
  return arithmeticMean(returns);
}

const cases: ProcessCase[] = Object.entries(OFFLINE_RECIPES).map(([name, recipe]) => ({
  name: `offline/${name}`,
  seeds: SEEDS,
  recipe: { ...recipe, tests: TESTS },
  async run({ seed, say }) {
    const start = performance.now();
    const { transitions, meanReturn } = logged(recipe, seed);
    const { cqlAlpha } = recipe;
    const conservative = await learned(recipe, transitions, { cqlAlpha, seed }, say);
    const plain = await learned(recipe, transitions, { seed }, say);
    return [
      { metric: "return_cql", value: conservative, unit: "1", n: TESTS },
      { metric: "return_behaviour", value: meanReturn, unit: "1" },
      { metric: "return_plain", value: plain, unit: "1", n: TESTS },
      timeFigures(start, recipe.logged)[0]!,
    ];
  },
}));

function summary(each: ProcessCase, results: readonly Outcome[]) {
  const seeds = results.map(({ seed }) => seed);
  const cql = valuesOf(results, "return_cql");
  const behaviour = valuesOf(results, "return_behaviour");
  const columns = [
    ["return_behaviour_mean", behaviour],
    ["return_cql_mean", cql],
    ["return_plain_mean", valuesOf(results, "return_plain")],
    ["cql_over_behaviour", cql.map((x, i) => x - behaviour[i]!)],
  ] as const;
  const intervals = columns.map(([, values]) => meanInterval(values));
  const rows = columns.map(([metric], i) => {
    const { value, lo, hi } = intervals[i]!;
    const bounds = seeds.length > 1 ? { lo, hi } : {};
    return { case: each.name, metric, value, unit: "1", n: seeds.length, seeds, ...bounds };
  });
  const cells = intervals.map(({ value, lo, hi }) => `${value.toFixed(1)} [${lo.toFixed(1)}, ${hi.toFixed(1)}]`);
  const seconds = meanInterval(valuesOf(results, "seconds")).value.toFixed(1);
  return {
    rows,
    line: [each.name, ...cells, seconds],
  };
}

export const offline: Group = {
  cases,
  report(outcomes) {
    const own = withOutcomes(cases, outcomes).map(([each, results]) => summary(each, results));
    const header = [
      "from logs, arithmeticMean return [95 %]",
      "the logs' policy",
      "CQL",
      "without CQL",
      "CQL's gain, seed by seed",
      "s a seed",
    ];
    return {
      text: table(
        header,
        own.map(({ line }) => line),
      ),
      rows: own.flatMap(({ rows }) => rows),
    };
  },
};
