import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { ContinuousAgent, type ContinuousOptions } from "../../src/engine/continuous/index.js";
import {
  CartPole,
  type ContinuousEnvironment,
  DQN,
  evaluate,
  jsonLinesLogger,
  MountainCarContinuous,
  Pendulum,
  resume,
  train,
} from "../../src/index.js";

const digestOf = (file: Uint8Array) => createHash("sha256").update(file).digest("hex");

const CASES: [string, () => ContinuousEnvironment][] = [
  ["Pendulum", () => new Pendulum()],
  ["MountainCarContinuous", () => new MountainCarContinuous()],
];

function agentFor(environment: ContinuousEnvironment, extra: Partial<ContinuousOptions> = {}): ContinuousAgent {
  const { observationSize: observation, continuous } = environment;
  const small = { hidden: [8], learningStarts: 40, batchSize: 8, capacity: 300, randomSteps: 50, nStep: 2, seed: 4 };
  return new ContinuousAgent({ observation, continuous, ...small, noiseCorrelation: 0.5, ...extra });
}

test.each(CASES)("training in %s that was saved and resumed ends as one that never stopped", async (_, make) => {
  const options = { steps: 700, progressEvery: 50, seed: 7 };
  const evaluation = () => ({ environment: make(), every: 200, episodes: 2 });
  const fresh = () => agentFor(make(), { environments: 2 });
  const whole = fresh();
  const expected = await train(whole, [make(), make()], { ...options, evaluation: evaluation() });
  const broken = fresh();
  let file = new Uint8Array();
  const first = train(broken, [make(), make()], { ...options, evaluation: evaluation() });
  for await (const { step } of first) {
    if (step === 350) file = Uint8Array.from(first.save());
    if (step === 500) break;
  }
  const load = (bytes: Parameters<typeof ContinuousAgent.load>[0]) => ContinuousAgent.load(bytes);
  const { agent, training } = resume(file, [make(), make()], { evaluationEnvironment: make(), load });
  expect(await training).toEqual(expected);
  expect(digestOf(agent.save())).toBe(digestOf(whole.save()));
});

test("a training reports, logs, and evaluates without a trace", async () => {
  const agent = agentFor(new Pendulum());
  const lines: string[] = [];
  const { returns, steps } = await train(agent, new Pendulum(), {
    ...{ steps: 450, progressEvery: 150 },
    onProgress: jsonLinesLogger(agent, (line) => lines.push(line)),
  });
  expect([steps, returns.length, lines.length]).toEqual([450, 2, 3]);
  expect(JSON.parse(lines[2]!)).toMatchObject({ step: 450, epsilon: 0, stats: { steps: 450, noise: 0.1 } });
  const before = digestOf(agent.save());
  expect(evaluate(agent, new Pendulum(), { episodes: 3 })).toHaveLength(3);
  expect(digestOf(agent.save())).toBe(before);
});

test("an agent and an environment of other kinds, sizes or bounds are refused by name", () => {
  const dqn = new DQN({ observation: 3, actions: 2 });
  const agent = agentFor(new Pendulum());
  const start = (learner: unknown, environment: unknown) => () =>
    train(learner as DQN, environment as CartPole, { steps: 1 });
  expect(start(dqn, new Pendulum())).toThrow("it needs a ContinuousAgent of liveq/continuous");
  expect(start(agent, new CartPole())).toThrow('"observationSize" of the environment is 4');
  expect(start(agentFor(new Pendulum(), { observation: 4 }), new CartPole())).toThrow("no bounds of that name");
  const wide = Object.assign(new Pendulum(), { continuous: { low: [-2], high: [3] } });
  expect(start(agent, wide)).toThrow(
    '"continuous.high" of the environment is [3], but the agent\'s option is "continuous.high": [2]',
  );
});
