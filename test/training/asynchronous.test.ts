import { describe, expect, test } from "vitest";
import { ContinuousAgent } from "../../src/engine/continuous/index.js";
import {
  CartPole,
  ChangingCandidates,
  checkEnvironment,
  checkEnvironmentAsync,
  DQN,
  evaluate,
  evaluateAsync,
  MaskedGrid,
  Pendulum,
  resume,
  train,
} from "../../src/index.js";
import { digestOf } from "../support/live.js";

const SMALL = { hidden: [8], learningStarts: 40, batchSize: 8, capacity: 300, seed: 4 };

/** A promise that takes a turn of the event loop, or two. */
const soon = async <T>(value: T, turns = 1): Promise<T> => {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  return value;
};

/** The same environment, whose results are promises. An array that it reuses is copied: the next step may begin meanwhile. */
// biome-ignore lint/suspicious/noExplicitAny: of any environment.
function late<E extends { reset(seed?: number): any; step(action: any): any }>(environment: E, turns = 1) {
  const { reset, step } = environment;
  return Object.assign(environment, {
    reset: (seed?: number) => soon(reset.call(environment, seed), turns),
    step: (action: never) => soon(step.call(environment, action), turns),
  });
}

const CASES: [string, () => CartPole | MaskedGrid | ChangingCandidates, object][] = [
  ["CartPole", () => new CartPole(), { observation: 4, actions: 2 }],
  ["MaskedGrid", () => new MaskedGrid(), { observation: 25, actions: 4, masked: true }],
  ["ChangingCandidates", () => new ChangingCandidates(), { observation: 3, candidates: { max: 6, features: 2 } }],
];

describe("an environment that returns promises", () => {
  test.each(CASES)("%s teaches the same bits as one that does not", async (_, make, shape) => {
    const evaluation = { every: 150, episodes: 3 };
    const runs = [(each: ReturnType<typeof make>) => each, late].map(async (kind) => {
      const agent = new DQN({ ...SMALL, ...shape, environments: 3, trainEvery: 3 } as never);
      const environments = [make(), make(), make()].map((each) => kind(each as never));
      const own = { environment: kind(make() as never) as never, ...evaluation };
      const result = await train(agent, environments as never, { steps: 400, seed: 2, evaluation: own });
      return { result, digest: digestOf(agent) };
    });
    const [plain, promised] = await Promise.all(runs);
    expect(promised).toEqual(plain);
  });

  test("has its steps run beside those of others that act before the next update", async () => {
    let running = 0;
    let most = 0;
    const make = () => {
      const environment = new CartPole();
      const step = environment.step.bind(environment);
      return Object.assign(environment, {
        reset: (seed?: number) => soon(CartPole.prototype.reset.call(environment, seed)),
        step: async (action: number) => {
          most = Math.max(most, ++running);
          const result = await soon(step(action), 2);
          running--;
          return result;
        },
      });
    };
    const agent = new DQN({ ...SMALL, observation: 4, actions: 2, environments: 4, trainEvery: 4 });
    await train(agent, [make(), make(), make(), make()], { steps: 80 });
    expect(most).toBe(4);
  });

  test("is evaluated by evaluateAsync, with the returns of evaluate", async () => {
    const agent = new DQN({ ...SMALL, observation: 4, actions: 2 });
    const expected = evaluate(agent, new CartPole(), { episodes: 4 });
    expect(await evaluateAsync(agent, new CartPole(), { episodes: 4 })).toEqual(expected);
    expect(await evaluateAsync(agent, late(new CartPole()), { episodes: 4 })).toEqual(expected);
    const actor = new ContinuousAgent({ ...SMALL, observation: 3, continuous: new Pendulum().continuous });
    const swung = evaluate(actor, new Pendulum(), { episodes: 2 });
    expect(await evaluateAsync(actor, late(new Pendulum()), { episodes: 2 })).toEqual(swung);
    await expect(evaluateAsync(agent, new CartPole(), { episodes: 0 })).rejects.toThrow('"episodes" must be');
  });

  test("fails the training with what it rejects with", async () => {
    const agent = new DQN({ ...SMALL, observation: 4, actions: 2, environments: 2, trainEvery: 2 });
    const broken = () => {
      const environment = new CartPole();
      return Object.assign(environment, {
        reset: (seed?: number) => soon(CartPole.prototype.reset.call(environment, seed)),
        step: () => soon(0).then(() => Promise.reject(new Error("cold"))),
      });
    };
    await expect(train(agent, [broken(), broken()] as never, { steps: 10 })).rejects.toThrow("cold");
    const unborn = Object.assign(new CartPole(), { reset: () => Promise.reject(new Error("unborn")) });
    await expect(train(agent, unborn as never, { steps: 10 })).rejects.toThrow("unborn");
  });

  test("is saved and resumed", async () => {
    const make = () => late(new CartPole());
    const whole = new DQN({ ...SMALL, observation: 4, actions: 2 });
    await train(whole, make(), { steps: 300, progressEvery: 50 });
    const broken = new DQN({ ...SMALL, observation: 4, actions: 2 });
    const training = train(broken, make(), { steps: 300, progressEvery: 50 });
    let file = new Uint8Array();
    for await (const { step } of training) if (step === 150) file = Uint8Array.from(training.save());
    const { agent, training: rest } = resume(file, make());
    await rest;
    expect(digestOf(agent)).toBe(digestOf(whole));
    const forgetful = () => Object.assign(make(), { state: undefined, restore: undefined });
    expect(await resume(file, forgetful()).training).toMatchObject({ steps: 300 });
  });

  test("is checked by checkEnvironmentAsync", async () => {
    expect(checkEnvironment(late(new CartPole()) as never)[0]).toContain("got a promise: call checkEnvironmentAsync");
    for (const environment of [new CartPole(), late(new MaskedGrid()), late(new Pendulum())]) {
      expect(await checkEnvironmentAsync(environment as never, { steps: 100 })).toEqual([]);
    }
    const cold = Object.assign(new CartPole(), { step: () => Promise.reject(new Error("cold")) });
    expect(await checkEnvironmentAsync(cold)).toEqual(['"step" must not throw here: Error: cold']);
    const masked = Object.assign(new MaskedGrid(), { mask: async () => [1, 1, 1, 1] });
    expect((await checkEnvironmentAsync(masked as never))[0]).toBe(
      '"mask" must return its result at once, got a promise',
    );
  });
});
