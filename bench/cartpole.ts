/** CartPole-v1 on five seeds: does the engine learn, and how fast does it run? One page, as a user would write it. */
import { CartPole, DQN, evaluate, train } from "../src/index.js";

const STEPS = 50_000;
const SEEDS = [1, 2, 3, 4, 5];
const SOLVED = 475;

let solved = 0;
for (const seed of SEEDS) {
  const agent = new DQN({
    observation: 4,
    actions: 2,
    hidden: [256, 256],
    gamma: 0.99,
    learningRate: 2.3e-3,
    batchSize: 64,
    capacity: 100_000,
    learningStarts: 1000,
    trainEvery: 256,
    gradientSteps: 128,
    targetEvery: 128,
    epsilon: { type: "linear", from: 1, to: 0.04, steps: 8000 },
    seed,
  });
  const start = performance.now();
  await train(agent, new CartPole(), { steps: STEPS, seed: seed * 100_000 });
  const seconds = (performance.now() - start) / 1000;
  const returns = evaluate(agent, new CartPole(), { episodes: 100 });
  const mean = returns.reduce((sum, x) => sum + x, 0) / returns.length;
  if (mean >= SOLVED) solved++;
  console.log(`seed ${seed}: greedy mean ${mean.toFixed(1)} over 100 episodes, ${Math.round(STEPS / seconds)} steps/s`);
}
console.log(`${solved} of ${SEEDS.length} seeds reach ${SOLVED}`);
process.exitCode = solved === SEEDS.length ? 0 : 1;
