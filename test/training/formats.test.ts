import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CartPole, DQN, type DQNOptions, resume, train } from "../../src/index.js";
import { digestOf, live } from "../support/live.js";

/**
 * Files of every released format, kept for good: `agent-*` of the agent below after 60 steps, `halves-*` and `bytes-*` of
 * the same with these in its replay, `training-*` of the training below after 200. A build whose numbers differ from those
 * of a file's kernels has the file among OLDER: it is read, but not compared with a run of this build.
 */
const FOLDER = "test/fixtures/formats";
/** Made before priorities had an exponential and a logarithm of their own; with the digest of what they hold. */
const OLDER: Readonly<Record<string, string>> = {
  "agent-0.1.0.liveq": "84e5df114082f043993e71c80e023aed652eb0a4e57a89143647c592e8f09617",
  "training-0.1.0.liveq": "",
};
const AGENT: DQNOptions = {
  observation: 3,
  sparse: { slots: 2, size: 5 },
  candidates: { max: 4, features: 2, next: 3 },
  hidden: [4, 4],
  learningRate: 1e-3,
  adamEpsilon: 1e-8,
  batchSize: 4,
  capacity: 8,
  learningStarts: 4,
  trainEvery: 1,
  targetEvery: 3,
  tau: 0.5,
  loss: "huber",
  epsilon: 0.3,
  dueling: true,
  quantiles: 2,
  noisySigma: 0.5,
  normalization: "layer",
  dropout: 0.1,
  nStep: 2,
  environments: 2,
  priorityExponent: 0.6,
  seed: 11,
};
const STORED: Readonly<Record<string, DQNOptions>> = {
  agent: AGENT,
  halves: { ...AGENT, storage: "f16" },
  bytes: { ...AGENT, storage: { type: "u8", low: -1, high: 1 } },
};
const TRAINED: DQNOptions = { ...AGENT, observation: 4, sparse: undefined, candidates: undefined, actions: 2 };
const TRAINING = { steps: 400, progressEvery: 100, seed: 5 };

const files = (kind: string) => readdirSync(FOLDER).filter((name) => name.startsWith(kind));

/** The training whose file after 200 steps is kept. */
async function trainedTo(step: number): Promise<{ agent: DQN; file: Uint8Array }> {
  const agent = new DQN(TRAINED);
  const evaluation = { environment: new CartPole(), every: 100, episodes: 1 };
  const training = train(agent, [new CartPole(), new CartPole()], { ...TRAINING, evaluation });
  for await (const progress of training) if (progress.step === step) return { agent, file: training.save() };
  return { agent, file: new Uint8Array() };
}

describe("files of released formats", () => {
  const agents = Object.entries(STORED).flatMap(([kind, options]) => files(kind).map((name) => ({ name, options })));
  test.each(agents)("$name is read, and goes on as an agent of this build does", ({ name, options }) => {
    const agent = DQN.load(readFileSync(`${FOLDER}/${name}`));
    const own = new DQN(options);
    expect(agent.options).toEqual(own.options);
    live(own, 60);
    expect(digestOf(agent)).toBe(OLDER[name] ?? digestOf(own));
    expect(digestOf(DQN.load(agent.save()))).toBe(digestOf(agent));
    if (name in OLDER) return;
    live(agent, 40, 60);
    live(own, 40, 60);
    expect(digestOf(agent)).toBe(digestOf(own));
    expect(digestOf(DQN.load(agent.save()))).toBe(digestOf(own));
  });

  test.each(files("training"))("%s is read, and training goes on as it does in this build", async (name) => {
    const file = readFileSync(`${FOLDER}/${name}`);
    const { agent, training } = resume(file, [new CartPole(), new CartPole()], {
      evaluationEnvironment: new CartPole(),
    });
    expect(await training).toMatchObject({ steps: 400, ended: "steps" });
    if (!(name in OLDER)) expect(digestOf(agent)).toBe(digestOf((await trainedTo(Number.NaN)).agent));
  });

  test("there is one of each kind", () => {
    expect([...Object.keys(STORED), "training"].map((kind) => files(kind).length)).toEqual([2, 1, 1, 2]);
  });
});
