/**
 * An environment of your own: any object with `reset` and `step`. Here a player of a live stream chooses the bitrate of
 * each second of video. The network is good or bad and stays so for a while; a bitrate beyond its capacity empties the
 * buffer, and an empty buffer stalls the picture. So the best choice now (the highest bitrate) costs later. The network
 * is made up.
 *
 *   node node_modules/liveq/dist/examples/bitrate.js
 *
 * Prints (one seed):
 *
 *   always 1: 1.00 a second
 *   always 2.5: 0.36 a second
 *   always 5: -3.97 a second
 *   what the network carries: 2.74 a second
 *   learned: 2.98 a second
 */
import { DQN, type Environment, evaluate, Random, type StepResult, train } from "liveq";

/** Megabits a second: the bitrates to choose from, and the network's capacity when bad and when good. */
const BITRATES = [1, 2.5, 5];
const NETWORK = [1.2, 8];
const BUFFER_MAX = 10;

class Player implements Environment {
  readonly observationSize = 3;
  readonly actions = BITRATES.length;
  #random = new Random(0);
  #buffer = 0;
  #isGood = 0;
  #last = 0;
  #second = 0;

  /** The same seed starts the same episode: all chance comes from it. */
  reset(seed = 0): number[] {
    this.#random = new Random(seed);
    [this.#buffer, this.#isGood, this.#last, this.#second] = [2, this.#random.below(2), 0, 0];
    return this.#observation();
  }

  step(action: number): StepResult {
    const bitrate = BITRATES[action]!;
    const before = BITRATES[this.#last]!;
    // Loads one second of video in `seconds`, while the player plays from the buffer.
    const seconds = bitrate / (NETWORK[this.#isGood]! * (0.8 + 0.4 * this.#random.uniform()));
    const stalled = Math.max(seconds - this.#buffer, 0);
    this.#buffer = Math.min(Math.max(this.#buffer - seconds, 0) + 1, BUFFER_MAX);
    this.#last = action;
    if (this.#random.bernoulli(0.1)) this.#isGood = 1 - this.#isGood;
    const reward = bitrate - 6 * stalled - 0.5 * Math.abs(bitrate - before);
    // The stream goes on: the episode is truncated, not terminated.
    return { observation: this.#observation(), reward, terminated: false, truncated: ++this.#second === 200 };
  }

  #observation(): number[] {
    return [this.#buffer / BUFFER_MAX, this.#isGood, this.#last / (BITRATES.length - 1)];
  }
}

/** Mean reward a second of a rule, over the episodes that the agent is judged on. */
function play(rule: (observation: number[]) => number): number {
  const environment = new Player();
  let total = 0;
  for (let episode = 0; episode < 50; episode++) {
    let observation = environment.reset(1_000_000 + episode);
    for (let isOver = false; !isOver; ) {
      const result = environment.step(rule(observation));
      observation = result.observation as number[];
      total += result.reward;
      isOver = result.truncated;
    }
  }
  return total / 50 / 200;
}

const agent = new DQN({ observation: 3, actions: BITRATES.length, gamma: 0.95, hidden: [32, 32], seed: 1 });
await train(agent, new Player(), { steps: 20_000 });

const rewards = {
  "always 1": play(() => 0),
  "always 2.5": play(() => 1),
  "always 5": play(() => 2),
  "what the network carries": play(([, isGood]) => (isGood ? 2 : 0)),
  learned: evaluate(agent, new Player(), { episodes: 50 }).reduce((sum, one) => sum + one, 0) / 50 / 200,
};
for (const [name, reward] of Object.entries(rewards)) console.log(`${name}: ${reward.toFixed(2)} a second`);
