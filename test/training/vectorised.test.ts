import { describe, expect, test } from "vitest";
import type { Transition } from "../../src/engine/dqn.js";
import {
  CartPole,
  ChangingCandidates,
  DQN,
  type DQNOptions,
  type Environment,
  MaskedGrid,
  type StepResult,
  type TrainEpisode,
  train,
} from "../../src/index.js";
import { digestOf } from "../support/live.js";

/**
 * Says where it is: (seed, step). Episodes last 2 to 4 steps by their seed; those of an odd seed are cut, the others
 * ended. One array serves all observations, of all environments: nobody may keep it.
 */
class Tape implements Environment {
  static readonly shared: [number, number] = [0, 0];
  static readonly seeds: number[] = [];
  readonly observationSize = 2;
  readonly actions = 1;
  #seed = 0;
  #step = 0;

  static length(seed: number): number {
    return 2 + (seed % 3);
  }

  reset(seed?: number): number[] {
    Tape.seeds.push(seed!);
    this.#seed = seed!;
    this.#step = 0;
    return this.#see();
  }

  step(): StepResult {
    this.#step++;
    const isOver = this.#step === Tape.length(this.#seed);
    const isCut = this.#seed % 2 === 1;
    return { observation: this.#see(), reward: this.#step, terminated: isOver && !isCut, truncated: isOver && isCut };
  }

  #see(): number[] {
    Tape.shared[0] = this.#seed;
    Tape.shared[1] = this.#step;
    return Tape.shared;
  }
}

class Recorder extends DQN {
  readonly seen: Transition[] = [];

  override observe(transition: Transition): void {
    const { observation, nextObservation } = transition;
    this.seen.push({
      ...transition,
      observation: Array.from(observation as ArrayLike<number>),
      nextObservation: Array.from(nextObservation as ArrayLike<number>),
    });
    super.observe(transition);
  }
}

const SMALL = { hidden: [8], learningStarts: 8, batchSize: 8, trainEvery: 1, seed: 1 } satisfies Partial<DQNOptions>;

/** One state that goes on for ever with the same reward, which is what is seen; cut after 2 to 5 steps. */
class Endless implements Environment {
  readonly observationSize = 1;
  readonly actions = 1;
  readonly #reward: number;
  #left = 0;

  constructor(reward = 1) {
    this.#reward = reward;
  }

  reset(seed = 0): number[] {
    this.#left = 2 + (seed % 4);
    return [this.#reward];
  }

  step(): StepResult {
    const truncated = --this.#left === 0;
    return { observation: [this.#reward], reward: this.#reward, terminated: false, truncated };
  }
}

describe("several environments", () => {
  test.each([1, 2, 3])(
    "with %i of them, no transition joins two episodes, and an end keeps its own state",
    async (n) => {
      Tape.seeds.length = 0;
      const agent = new Recorder({ observation: 2, actions: 1, environments: 3, ...SMALL });
      const episodes: TrainEpisode[] = [];
      const environments = Array.from({ length: n }, () => new Tape());
      const { returns, steps } = await train(agent, environments, {
        steps: 100,
        seed: 50,
        onEpisode: (each) => episodes.push(each),
      });
      expect([steps, agent.steps, agent.seen.length]).toEqual([100, 100, 100]);
      const transitions = agent.seen.map(({ observation, ...rest }) => ({
        ...rest,
        observation: Array.from(observation as ArrayLike<number>),
      }));
      transitions.forEach(({ observation, nextObservation, reward, terminated, truncated, environment }, i) => {
        const [seed, step] = observation as [number, number];
        expect(environment).toBe(i % n);
        // The next state is the next of the same episode, at the end too: never that of a reset.
        expect(nextObservation).toEqual([seed, step + 1]);
        expect(reward).toBe(step + 1);
        const isOver = step + 1 === Tape.length(seed);
        expect([terminated, truncated]).toEqual([isOver && seed % 2 === 0, isOver && seed % 2 === 1]);
      });
      // Each environment's own transitions are whole episodes, one after the other.
      for (let e = 0; e < n; e++) {
        const own = transitions.filter(({ environment }) => environment === e).map(({ observation }) => observation);
        own.forEach(([seed, step], i) => {
          if (step === 0) return;
          expect(own[i - 1]).toEqual([seed, step! - 1]);
        });
      }
      expect(Tape.seeds).toEqual(Array.from({ length: Tape.seeds.length }, (_, i) => 50 + i));
      expect(episodes.map((each) => each.return)).toEqual(returns);
      for (const { environment, length, step } of episodes) {
        const last = agent.seen[step - 1]!;
        expect(last.environment).toBe(environment);
        expect((last.observation as number[])[1]).toBe(length - 1);
        expect(last.terminated || last.truncated).toBe(true);
      }
      expect(returns).toHaveLength(Tape.seeds.length - n);
    },
  );

  test("give the right values with 3-step returns, whose tails belong to each of them", async () => {
    const options = { gamma: 0.5, nStep: 3, targetEvery: 20, tau: 1, learningRate: 3e-3, environments: 3 };
    const agent = new DQN({ observation: 1, actions: 1, ...SMALL, ...options });
    await train(agent, [new Endless(1), new Endless(-1), new Endless(0)], { steps: 2500 });
    // A tail that took the rewards of another environment would have its value near 0.
    expect(agent.evaluate([1])[0]).toBeCloseTo(2, 1);
    expect(agent.evaluate([-1])[0]).toBeCloseTo(-2, 1);
    expect(agent.evaluate([0])[0]).toBeCloseTo(0, 1);
  });

  test("join no steps from before or after training", async () => {
    const options = { gamma: 0.5, nStep: 3, targetEvery: 20, tau: 1, learningRate: 3e-3 };
    const agent = new DQN({ observation: 1, actions: 1, ...SMALL, ...options });
    const stray = { observation: [0], action: 0, reward: 0, terminated: false, nextObservation: [0] };
    agent.observe(stray);
    // Cut by the last step, not by an episode's end: two steps wait then.
    await train(agent, new Endless(8), { steps: 4, seed: 3 });
    expect(agent.replaySize).toBe(2);
    for (let i = 0; i < 3; i++) agent.observe(stray);
    expect(agent.replaySize).toBe(3);
  });

  test("train alike in two runs", async () => {
    const run = async () => {
      const agent = new DQN({ observation: 1, actions: 1, ...SMALL, environments: 2 });
      const { returns } = await train(agent, [new Endless(), new Endless()], { steps: 300, seed: 7 });
      return { returns, file: agent.save() };
    };
    expect(await run()).toEqual(await run());
  });

  test("are refused where the agent was not made for so many, or where one is given twice", () => {
    const agent = new DQN({ observation: 1, actions: 1, environments: 2 });
    const environment = new Endless();
    const three = [environment, new Endless(), new Endless()];
    expect(() => train(agent, three, { steps: 1 })).toThrow(
      'the agent\'s option "environments" must be at least 3, as many are given, got 2',
    );
    expect(() => train(agent, [environment, environment], { steps: 1 })).toThrow("an object of its own");
  });
});

describe("environments that act together", () => {
  const CASES: [string, Partial<DQNOptions>, () => Environment][] = [
    ["fixed actions", { actions: 2 }, () => new CartPole()],
    ["masks", { actions: 4, masked: true }, () => new MaskedGrid()],
    ["candidates", { candidates: { max: 16, features: 2 } }, () => new ChangingCandidates()],
  ];

  test.each(CASES)("train as if each chose at its turn: %s", async (_, shape, make) => {
    const digests: string[] = [];
    const batches: number[] = [];
    for (const isTogether of [true, false]) {
      const environments = [0, 1, 2, 3, 4].map(make);
      const { observationSize } = environments[0]!;
      const agent = new DQN({
        ...shape,
        observation: observationSize,
        ...{ environments: 5, hidden: [8], learningStarts: 50, batchSize: 4, trainEvery: 10, nStep: 2, seed: 1 },
        epsilon: { type: "linear", from: 1, to: 0.1, steps: 300 },
      });
      const { actBatch } = agent;
      agent.actBatch = (observations, available, epsilon) => {
        batches.push((epsilon as number[]).length);
        if (isTogether) return actBatch.call(agent, observations, available, epsilon);
        const rows = observations as Float32Array;
        return Int32Array.from(epsilon as number[], (each, i) => {
          const row = rows.slice(i * observationSize, (i + 1) * observationSize);
          return agent.act(row, available?.[i], each);
        });
      };
      const evaluation = { environment: make(), every: 130, episodes: 1 };
      await train(agent, environments, { steps: 403, progressEvery: 33, evaluation });
      digests.push(digestOf(agent));
    }
    expect(digests[0]).toBe(digests[1]);
    // Up to five, cut where something else comes first.
    expect(Math.max(...batches)).toBe(5);
    expect(batches).toContain(2);
  });
});
