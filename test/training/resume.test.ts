import { expect, test } from "vitest";
import {
  Acrobot,
  CartPole,
  ChangingCandidates,
  DQN,
  type DQNOptions,
  type Environment,
  MaskedGrid,
  MountainCar,
  resume,
  SnapshotError,
  train,
} from "../../src/index.js";
import { digestOf } from "../support/live.js";

const SMALL = {
  hidden: [8],
  learningStarts: 40,
  batchSize: 8,
  capacity: 300,
  nStep: 3,
  priorityExponent: 0.5,
  noisySigma: 0.3,
  epsilon: 0.2,
  seed: 4,
} satisfies Partial<DQNOptions>;

const CASES: [string, () => Environment, Partial<DQNOptions>][] = [
  ["CartPole", () => new CartPole(), { actions: 2 }],
  ["Acrobot", () => new Acrobot(), { actions: 3 }],
  ["MountainCar", () => new MountainCar(), { actions: 3 }],
  ["MaskedGrid", () => new MaskedGrid(), { actions: 4, masked: true, dueling: true }],
  ["ChangingCandidates", () => new ChangingCandidates(), { candidates: { max: 6, features: 2 }, dropout: 0.1 }],
];

test.each(CASES)("training in %s that was saved and resumed ends as one that never stopped", async (_, make, extra) => {
  const options = { steps: 900, progressEvery: 50, seed: 7 };
  const evaluation = () => ({ environment: make(), every: 200, episodes: 2, patience: 30 });
  const fresh = () => new DQN({ ...SMALL, ...extra, observation: make().observationSize, environments: 2 });
  const whole = fresh();
  const expected = await train(whole, [make(), make()], { ...options, evaluation: evaluation() });
  const broken = fresh();
  let file = new Uint8Array();
  const first = train(broken, [make(), make()], { ...options, evaluation: evaluation() });
  for await (const { step } of first) {
    if (step === 350) file = Uint8Array.from(first.save());
    if (step === 600) break;
  }
  const { agent, training } = resume(file, [make(), make()], { evaluationEnvironment: make() });
  expect(agent.steps).toBe(350);
  expect(await training).toEqual(expected);
  expect(digestOf(agent)).toBe(digestOf(whole));
});

test("a callback may save, and a training that was done can be made longer", async () => {
  const files: Uint8Array[] = [];
  const fresh = () => new DQN({ ...SMALL, observation: 4, actions: 2 });
  const training = train(fresh(), new CartPole(), {
    steps: 200,
    progressEvery: 100,
    onProgress: () => files.push(training.save()),
  });
  await training;
  expect(files).toHaveLength(2);
  const done = resume(files[1]!, new CartPole());
  expect(await done.training).toMatchObject({ steps: 200, ended: "steps" });
  const longer = resume(files[1]!, new CartPole(), { steps: 400 });
  expect(await longer.training).toMatchObject({ steps: 400, ended: "steps" });
  const whole = fresh();
  await train(whole, new CartPole(), { steps: 400, progressEvery: 100 });
  expect(digestOf(longer.agent)).toBe(digestOf(whole));
});

test("an environment without a state begins a new episode, and nothing joins the old one to it", async () => {
  const plain = () => {
    const cartpole = new CartPole();
    return {
      observationSize: 4,
      actions: 2,
      reset: (seed?: number) => cartpole.reset(seed),
      step: (action: number) => cartpole.step(action),
    };
  };
  const training = train(new DQN({ ...SMALL, observation: 4, actions: 2 }), plain(), { steps: 300, progressEvery: 10 });
  let file = new Uint8Array();
  for await (const { step } of training) if (step === 30) file = Uint8Array.from(training.save());
  const resumed = resume(file, plain());
  expect(await resumed.training).toMatchObject({ steps: 300 });
});

test("a file, environments or options that do not fit are refused", async () => {
  const training = train(new DQN({ ...SMALL, observation: 4, actions: 2, environments: 2 }), new CartPole(), {
    steps: 100,
    progressEvery: 50,
    evaluation: { environment: new CartPole(), every: 50, episodes: 1 },
  });
  expect(() => training.save()).toThrow("the training has not started");
  await training;
  const file = training.save();
  expect(() => resume(file, new CartPole())).toThrow('"evaluationEnvironment" must be given');
  const evaluationEnvironment = new CartPole();
  expect(() => resume(file, [new CartPole(), new CartPole()], { evaluationEnvironment })).toThrow(
    "the training in the file has 1 environments, got 2",
  );
  expect(() => resume(file, new ChangingCandidates(), { evaluationEnvironment })).toThrow(
    '"observationSize" of the environment is 3, but the agent\'s option is "observation": 4',
  );
  expect(() => resume(file, new CartPole(), { evaluationEnvironment, steps: 0 })).toThrow('"steps" must be');
  expect(() => resume(file.subarray(1), new CartPole(), { evaluationEnvironment })).toThrow(SnapshotError);
  expect(() => resume(new DQN({ observation: 4, actions: 2 }).save(), new CartPole())).toThrow(
    'the file holds "dqn", not "training"',
  );
});

test("an environment refuses a state that is not its own, and stays as it is", () => {
  for (const [, make] of CASES) {
    const environment = make();
    environment.reset(3);
    const before = environment.state!();
    const good = before as Record<string, unknown>;
    const bad = [null, 3, {}, { ...good, more: 1 }, { ...good, episode: {} }, ...broken(good)];
    for (const state of bad) expect(() => environment.restore!(state)).toThrow(TypeError);
    expect(environment.state!()).toEqual(before);
  }
});

/** The state with each of its fields but the episode replaced by what it cannot be. */
function broken(state: Record<string, unknown>): unknown[] {
  const fields = Object.keys(state).filter((name) => name !== "episode");
  return fields.flatMap((name) =>
    [Number.NaN, -1, "1", [Number.NaN], 1e9].map((value) => ({ ...state, [name]: value })),
  );
}
