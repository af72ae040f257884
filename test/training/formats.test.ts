import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type AgentInput, CartPole, DQN, type DQNOptions, resume, train } from "../../src/index.js";
import { digestOf, live, rowsOf } from "../support/live.js";
import { numbers } from "../support/numbers.js";

/**
 * Files of every released format, kept for good: `agent-*` of the agent below after 60 steps, `halves-*` and `bytes-*` of
 * the same with these in its replay, `training-*` of the training below after 200. A build whose numbers differ from those
 * of a file's kernels has the file among OLDER: it is read, but not compared with a run of this build.
 */
const FOLDER = "test/fixtures/formats";
/**
 * The first of agents and trainings: made before priorities had an exponential and a logarithm of their own; the others:
 * when advantages of candidates were centred over what was on offer. With the digest of what they hold.
 */
const OLDER: Readonly<Record<string, string>> = {
  "agent-0.1.0.liveq": "84e5df114082f043993e71c80e023aed652eb0a4e57a89143647c592e8f09617",
  "agent-0.1.0-r2.liveq": "b59640e0841eab046f71c94c92b96917ced9cfb1528386732e1032daee798438",
  "halves-0.1.0.liveq": "778216c07b0b1465b9b9be9bfd84257faa1c7410d77d45bdcc0a6f7bacb2d6bd",
  "bytes-0.1.0.liveq": "09454cac461c5d42c3c2af06066ac2e4735e0560be4008ca74762f1c980743ac",
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

  /** Values of three states by the build that wrote the file, which centred advantages over what was available. */
  const CENTRED: [name: string, values: number[][], inputs: (i: number) => [AgentInput, AgentInput]][] = [
    [
      "masked-0.1.0.liveq",
      [
        [1.9732577800750732, 1.9945344924926758, 2.0124170780181885, 2.2363181114196777],
        [2.0216081142425537, 2.0173375606536865, 2.0677762031555176, 2.267251968383789],
        [1.9957222938537598, 1.9901232719421387, 2.0422556400299072, 2.240461587905884],
      ],
      (i) => [numbers(3, i), [1, i % 2, i % 3 ? 1 : 0, 1]],
    ],
    [
      "agent-0.1.0-r2.liveq",
      [
        [-0.03827524185180664, 0.14882349967956543, -0.05717635154724121, 0.22769540548324585],
        [0.03292102366685867, 0.033118732273578644, 0.03219512850046158, 0.03357826918363571],
        [0.09167711436748505, 0.07567858695983887, 0.05863165855407715, 0.09200914204120636],
      ],
      (i) => [rowsOf(3, { slots: 2, size: 5 }, 1, i), rowsOf(2, undefined, 4, i)],
    ],
  ];
  test.each(CENTRED)(
    "%s with dueling: values have one shift a state from those of its build, and learn on",
    (...given) => {
      const [name, values, inputs] = given;
      const agent = DQN.load(readFileSync(`${FOLDER}/${name}`));
      for (const [i, before] of values.entries()) {
        const now = agent.evaluate(...inputs(i));
        for (const [a, value] of before.entries()) expect(now[a]! - now[0]!).toBeCloseTo(value - before[0]!, 6);
      }
      expect(agent.replaySize).toBe(8);
      agent.learn(10);
      expect(agent.stats().skippedUpdates).toBe(0);
    },
  );

  test.each(files("training"))("%s is read, and training goes on as it does in this build", async (name) => {
    const file = readFileSync(`${FOLDER}/${name}`);
    const { agent, training } = resume(file, [new CartPole(), new CartPole()], {
      evaluationEnvironment: new CartPole(),
    });
    expect(await training).toMatchObject({ steps: 400, ended: "steps" });
    if (!(name in OLDER)) expect(digestOf(agent)).toBe(digestOf((await trainedTo(Number.NaN)).agent));
  });

  test("there is one of each kind", () => {
    expect([...Object.keys(STORED), "training"].map((kind) => files(kind).length)).toEqual([3, 2, 2, 2]);
  });
});
