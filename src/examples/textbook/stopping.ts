/**
 * Environment, training and evaluation with early stopping. Every 1,000 steps the agent is judged on validation
 * episodes; when four judgements in a row bring nothing better, training ends, and the agent has the weights of the
 * best one. The reported figure comes from test episodes, which played no part in training or selection.
 *
 * The viewer is made up: likes some of five categories more than others, and tires of a category each time it is shown;
 * it recovers while others are. So always showing the favourite is not the best.
 *
 *   node node_modules/liveq/dist/examples/textbook/stopping.js
 *
 * Prints (one seed):
 *
 *   step 10000: validation 9.938
 *   step 20000: validation 10.079
 *   ended by patience after 29000 steps; best at step 25000: 10.155
 *   test, always the favourite: 1.392
 *   test, what pleases most now: 9.130
 *   test, learned: 10.084
 */
import { DQN, type Environment, evaluate, Random, type StepResult, train } from "liveq";

const CATEGORIES = 5;

class Viewer implements Environment {
  readonly observationSize = 2 * CATEGORIES;
  readonly actions = CATEGORIES;
  #random = new Random(0);
  #liking: number[] = [];
  #freshness: number[] = [];
  #shown = 0;

  reset(seed = 0): number[] {
    this.#random = new Random(seed);
    this.#liking = Array.from({ length: CATEGORIES }, () => this.#random.uniform());
    this.#freshness = Array.from({ length: CATEGORIES }, () => 1);
    this.#shown = 0;
    return this.#observation();
  }

  /** The reward is the share of the stream that is watched. */
  step(category: number): StepResult {
    const reward = this.#liking[category]! * this.#freshness[category]!;
    this.#freshness = this.#freshness.map((fresh, i) => (i === category ? 0.4 * fresh : Math.min(fresh + 0.15, 1)));
    // The evening ends, but a viewer's evenings go on: the episode is truncated.
    return { observation: this.#observation(), reward, terminated: false, truncated: ++this.#shown === 20 };
  }

  #observation(): number[] {
    return [...this.#liking, ...this.#freshness];
  }
}

const agent = new DQN({
  observation: 2 * CATEGORIES,
  actions: CATEGORIES,
  gamma: 0.9,
  trainEvery: 2,
  epsilon: { type: "linear", from: 1, to: 0.05, steps: 5000 },
  seed: 1,
});
const training = train(agent, new Viewer(), {
  steps: 100_000,
  evaluation: { environment: new Viewer(), every: 1000, episodes: 200, seed: 1_000_000, patience: 4 },
});
for await (const { step, evaluation } of training) {
  if (step % 10_000 === 0) console.log(`step ${step}: validation ${evaluation?.meanReturn.toFixed(3)}`);
}
const { ended, steps, best } = await training;
console.log(`ended by ${ended} after ${steps} steps; best at step ${best?.step}: ${best?.meanReturn.toFixed(3)}`);

/** Mean return of a rule over the test episodes. */
function play(rule: (observation: ArrayLike<number>) => number): number {
  const viewer = new Viewer();
  let total = 0;
  for (let episode = 0; episode < 500; episode++) {
    let observation: ArrayLike<number> = viewer.reset(2_000_000 + episode);
    for (let isOver = false; !isOver; ) {
      const result = viewer.step(rule(observation));
      total += result.reward;
      observation = result.observation;
      isOver = result.truncated;
    }
  }
  return total / 500;
}

const categories = Array.from({ length: CATEGORIES }, (_, i) => i);
const largest = (scoreOf: (category: number) => number) =>
  categories.reduce((best, i) => (scoreOf(i) > scoreOf(best) ? i : best));
const returns = evaluate(agent, new Viewer(), { episodes: 500, seed: 2_000_000 });
const figures = {
  "always the favourite": play((seen) => largest((i) => seen[i]!)),
  "what pleases most now": play((seen) => largest((i) => seen[i]! * seen[CATEGORIES + i]!)),
  learned: returns.reduce((sum, one) => sum + one, 0) / returns.length,
};
for (const [name, figure] of Object.entries(figures)) console.log(`test, ${name}: ${figure.toFixed(3)}`);
