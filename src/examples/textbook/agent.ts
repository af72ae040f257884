/**
 * The class of every tutorial, with LiveQ inside: `stateSize`, `actionSize`, `buildModel`, `remember`, `act`, `train`.
 * The replay, the target network, the decay of epsilon and the arithmetic are the engine's, so little is left to write.
 *
 *   node node_modules/liveq/dist/examples/textbook/agent.js
 *
 * Prints (one seed):
 *
 *   episode 10, step 256: mean return 75.36, the best so far
 *   episode 60, step 1498: mean return 137.2, the best so far
 *   episode 70, step 1851: mean return 175.74, the best so far
 *   episode 230, step 13530: mean return 465.7, the best so far
 *   episode 240, step 14912: mean return 482.22, the best so far
 *   episode 250, step 17350: mean return 500, the best so far
 *   mean return of 100 other episodes: 500
 */
import { CartPole, DQN, evaluate } from "liveq";

export class DQNAgent {
  readonly stateSize: number;
  readonly actionSize: number;
  readonly model: DQN;

  constructor(stateSize: number, actionSize: number) {
    this.stateSize = stateSize;
    this.actionSize = actionSize;
    this.model = this.buildModel();
  }

  buildModel(): DQN {
    return new DQN({
      observation: this.stateSize,
      actions: this.actionSize,
      hidden: [64, 64],
      gamma: 0.99,
      learningRate: 1e-3,
      batchSize: 64,
      epsilon: { type: "linear", from: 1, to: 0.05, steps: 8000 },
      seed: 1,
    });
  }

  /** An action for a state: at random with probability epsilon, else the best by the model. */
  act(state: ArrayLike<number>): number {
    return this.model.act(state);
  }

  /** `done` only where the task itself ends: at a time limit the value of the next state still counts. */
  remember(
    state: ArrayLike<number>,
    action: number,
    reward: number,
    nextState: ArrayLike<number>,
    done: boolean,
  ): void {
    this.model.observe({ observation: state, action, reward, nextObservation: nextState, terminated: done });
  }

  /** One update from a batch of remembered transitions; returns the loss, NaN before there are enough. */
  train(): number {
    return this.model.learn();
  }

  save(): Uint8Array {
    return this.model.save();
  }
}

const environment = new CartPole();
const agent = new DQNAgent(environment.observationSize, environment.actions);
let best = 0;
let file = agent.save();
let steps = 0;
for (let episode = 1; best < 500 && episode <= 400; episode++) {
  let state = Float32Array.from(environment.reset(episode));
  for (let isOver = false; !isOver; steps++) {
    const action = agent.act(state);
    const { observation, reward, terminated, truncated } = environment.step(action);
    // A copy, as the environment writes each observation into the same array.
    const nextState = Float32Array.from(observation);
    agent.remember(state, action, reward, nextState, terminated);
    agent.train();
    state = nextState;
    isOver = terminated || truncated;
  }
  if (episode % 10 > 0) continue;
  const score = mean(evaluate(agent.model, new CartPole(), { episodes: 50 }));
  if (score <= best) continue;
  console.log(`episode ${episode}, step ${steps}: mean return ${score}, the best so far`);
  best = score;
  file = agent.save();
}

const restored = DQN.load(file);
console.log(
  `mean return of 100 other episodes: ${mean(evaluate(restored, new CartPole(), { episodes: 100, seed: 5_000_000 }))}`,
);

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
