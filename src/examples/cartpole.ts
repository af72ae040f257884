/**
 * The shortest whole program: an agent learns to balance a pole, and is then judged on episodes that it has not seen.
 * Greedy validation episodes end the training as soon as all of them are perfect, and the agent keeps the weights of
 * that moment.
 *
 *   node node_modules/liveq/dist/examples/cartpole.js
 *
 * Prints (one seed):
 *
 *   step 5000: mean return of greedy episodes 106.66
 *   step 10000: mean return of greedy episodes 126.67
 *   step 15000: mean return of greedy episodes 137.9
 *   step 20000: mean return of greedy episodes 335.56
 *   training ended after 22000 steps (stopAt), at best 500
 *   mean return of 100 other episodes: 500
 */
import { CartPole, DQN, evaluate, train } from "liveq";

const agent = new DQN({ observation: 4, actions: 2, seed: 1 });

const { steps, ended, best } = await train(agent, new CartPole(), {
  steps: 50_000,
  evaluation: { environment: new CartPole(), every: 1000, episodes: 100, stopAt: 500 },
  onProgress: ({ step, evaluation }) => {
    if (step % 5000 === 0) console.log(`step ${step}: mean return of greedy episodes ${evaluation?.meanReturn}`);
  },
});
console.log(`training ended after ${steps} steps (${ended}), at best ${best?.meanReturn}`);

const returns = evaluate(agent, new CartPole(), { episodes: 100, seed: 2_000_000 });
const meanReturn = returns.reduce((sum, one) => sum + one, 0) / returns.length;
console.log(`mean return of 100 other episodes: ${meanReturn}`);
