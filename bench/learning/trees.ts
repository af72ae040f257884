/** Fitted Q iteration with extra-trees, a baseline without networks for learning from logs. */
import { table } from "../../src/cli/writing/table.js";
import { CartPole, Random, type Transition } from "../../src/index.js";
import { arithmeticMean, meanInterval } from "../../src/statistics/intervals.js";
import type { ProcessCase } from "../harness/suite.js";
import { logged } from "./offline.js";
import { OFFLINE_RECIPES, TREES_RECIPE } from "./recipes.js";
import { type Group, timeFigures, valuesOf, withOutcomes } from "./suite.js";

const SEEDS = 10;
const TESTS = 50;
const TEST = 9_000_000;

/** Rows of inputs, one after the other. */
interface Rows {
  inputs: Float64Array;
  width: number;
}

/** A tree as lists of nodes: of a leaf the input is -1, and the threshold its value. */
class Tree {
  readonly #input: number[] = [];
  readonly #threshold: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #rows: Rows;
  readonly #targets: Float64Array;
  readonly #order: Int32Array;
  readonly #random: Random;
  readonly #leaf: number;

  /** Grows by the splits of Geurts, Ernst & Wehenkel 2006: a random threshold for each input, of which the best is kept. */
  constructor(rows: Rows, targets: Float64Array, leaf: number, random: Random) {
    this.#rows = rows;
    this.#targets = targets;
    this.#order = Int32Array.from(targets.keys());
    this.#random = random;
    this.#leaf = leaf;
    this.#grow(0, targets.length);
  }

  valueOf(inputs: ArrayLike<number>, at = 0): number {
    let node = 0;
    while (this.#input[node]! >= 0) {
      node = (inputs[at + this.#input[node]!]! < this.#threshold[node]! ? this.#left : this.#right)[node]!;
    }
    return this.#threshold[node]!;
  }

  #grow(from: number, to: number): number {
    const node = this.#input.length;
    const split = to - from > this.#leaf ? this.#split(from, to) : undefined;
    this.#input.push(split ? split.input : -1);
    this.#threshold.push(split ? split.threshold : this.#mean(from, to));
    this.#left.push(0);
    this.#right.push(0);
    if (!split) return node;
    const middle = this.#partition(from, to, split);
    this.#left[node] = this.#grow(from, middle);
    this.#right[node] = this.#grow(middle, to);
    return node;
  }

  #mean(from: number, to: number): number {
    let sum = 0;
    for (let i = from; i < to; i++) sum += this.#targets[this.#order[i]!]!;
    return sum / (to - from);
  }

  /** The split that leaves least variance, of one drawn for each input; undefined where all rows or targets are the same. */
  #split(from: number, to: number): { input: number; threshold: number } | undefined {
    const { inputs, width } = this.#rows;
    let best: { input: number; threshold: number } | undefined;
    let gain = 1e-12;
    for (let input = 0; input < width; input++) {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let i = from; i < to; i++) {
        const x = inputs[this.#order[i]! * width + input]!;
        if (x < low) low = x;
        if (x > high) high = x;
      }
      if (!(high > low)) continue;
      const threshold = low + (high - low) * (1 - this.#random.uniform());
      let [count, sum, all] = [0, 0, 0];
      for (let i = from; i < to; i++) {
        const y = this.#targets[this.#order[i]!]!;
        all += y;
        if (inputs[this.#order[i]! * width + input]! >= threshold) continue;
        count++;
        sum += y;
      }
      const rest = to - from - count;
      if (count === 0 || rest === 0) continue;
      // Between-group sum of squares: what the split takes from the variance.
      const own = (sum * sum) / count + ((all - sum) * (all - sum)) / rest - (all * all) / (to - from);
      if (own > gain) [gain, best] = [own, { input, threshold }];
    }
    return best;
  }

  #partition(from: number, to: number, { input, threshold }: { input: number; threshold: number }): number {
    const { inputs, width } = this.#rows;
    let middle = from;
    for (let i = from; i < to; i++) {
      const row = this.#order[i]!;
      if (inputs[row * width + input]! >= threshold) continue;
      this.#order[i] = this.#order[middle]!;
      this.#order[middle++] = row;
    }
    return middle;
  }
}

/** Mean value of an action's trees; 0 before there are any. */
function meanOf(trees: readonly Tree[], inputs: ArrayLike<number>, at = 0): number {
  let sum = 0;
  for (const tree of trees) sum += tree.valueOf(inputs, at);
  return trees.length === 0 ? 0 : sum / trees.length;
}

/** Trees for each action, after iterations of the Bellman operator on a log. Ernst, Geurts & Wehenkel 2005. */
async function fitted(
  transitions: readonly Transition[],
  seed: number,
  say: (text: string) => void,
): Promise<Tree[][]> {
  const { trees, leaf, iterations, gamma } = TREES_RECIPE;
  const random = Random.named(seed, "trees");
  const width = 4;
  const flat = (of: (transition: Transition) => Transition["observation"]) =>
    Float64Array.from(transitions.flatMap((transition) => Array.from(of(transition) as ArrayLike<number>)));
  const now = flat(({ observation }) => observation);
  const next = flat(({ nextObservation }) => nextObservation);
  const byAction = [0, 1].map((action) => [...transitions.keys()].filter((i) => transitions[i]!.action === action));
  const inputs = byAction.map((own) =>
    Float64Array.from(own.flatMap((i) => Array.from(now.subarray(i * width, (i + 1) * width)))),
  );
  let q: Tree[][] = [[], []];
  for (let iteration = 1; iteration <= iterations; iteration++) {
    const targets = transitions.map(({ reward, terminated }, i) => {
      if (terminated) return reward;
      return reward + gamma * Math.max(...q.map((own) => meanOf(own, next, i * width)));
    });
    q = byAction.map((own, action) => {
      const rows = { inputs: inputs[action]!, width };
      const wanted = Float64Array.from(own, (i) => targets[i]!);
      return Array.from({ length: trees }, () => new Tree(rows, wanted, leaf, random));
    });
    if (iteration % 10 === 0) say(`iteration ${iteration} of ${iterations}`);
    // Lets a process notice that its parent has gone.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return q;
}

function meanReturnOf(q: readonly Tree[][]): number {
  const environment = new CartPole();
  const returns = Array.from({ length: TESTS }, (_, i) => {
    let observation = environment.reset(TEST + i);
    for (let total = 1; ; total++) {
      const [left, right] = q.map((own) => meanOf(own, observation)) as [number, number];
      const result = environment.step(Number(right > left));
      if (result.terminated || result.truncated) return total;
      observation = result.observation as Float32Array;
    }
  });
  return arithmeticMean(returns);
}

const cases: ProcessCase[] = Object.entries(OFFLINE_RECIPES).map(([name, recipe]) => ({
  name: `trees/${name}`,
  seeds: SEEDS,
  recipe: { ...TREES_RECIPE, logged: recipe.logged, randomness: recipe.randomness, tests: TESTS },
  async run({ seed, say }) {
    const start = performance.now();
    const { transitions, meanReturn } = logged(recipe, seed);
    const q = await fitted(transitions, seed, say);
    return [
      { metric: "return_trees", value: meanReturnOf(q), unit: "1", n: TESTS },
      { metric: "return_behaviour", value: meanReturn, unit: "1" },
      timeFigures(start, recipe.logged)[0]!,
    ];
  },
}));

/** From the logs of the group `offline`, by trees in place of a network. */
export const trees: Group = {
  cases,
  report(outcomes) {
    const own = withOutcomes(cases, outcomes).map(([{ name }, results]) => {
      const seeds = results.map(({ seed }) => seed);
      const { value, lo, hi } = meanInterval(valuesOf(results, "return_trees"));
      const behaviour = meanInterval(valuesOf(results, "return_behaviour")).value;
      const bounds = seeds.length > 1 ? { lo, hi } : {};
      return {
        row: { case: name, metric: "return_trees_mean", value, unit: "1", n: seeds.length, seeds, ...bounds },
        line: [name, behaviour.toFixed(1), `${value.toFixed(1)} [${lo.toFixed(1)}, ${hi.toFixed(1)}]`],
      };
    });
    const header = ["from logs, mean return [95 %]", "the logs' policy", "fitted Q iteration with extra-trees"];
    const lines = own.map(({ line }) => line);
    return { text: lines.length > 0 ? table(header, lines) : "", rows: own.map(({ row }) => row) };
  },
};
