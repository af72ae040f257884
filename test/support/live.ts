import { sha256 } from "../../src/engine/snapshot/sha256.js";
import { unpackSnapshot } from "../../src/engine/snapshot/snapshot.js";
import type { AgentInput, DQN, DQNOptions, SparseOptions } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";
import { numbers } from "./numbers.js";

/** n rows of made-up inputs, with indices where an agent takes them. */
export function rowsOf(dense: number, sparse: SparseOptions | undefined, n: number, seed: number): AgentInput {
  const x = numbers(dense * n, seed);
  if (!sparse) return x;
  const indices = Array.from({ length: n * sparse.slots }, (_, i) => ((seed + 5 * i) % (sparse.size + 1)) - 1);
  return { dense: x, indices, weights: numbers(indices.length, seed + 1) };
}

/** Lets an agent act, observe and learn for some steps of a made-up stream; `from` continues one. */
export function live(agent: DQN, steps: number, from = 0): void {
  const { observation: width, actions, candidates, slate, sparse, masked, environments } = agent.options;
  const offer = (n: number, seed: number) => rowsOf(candidates!.features, candidates!.sparse, n, seed);
  // The committed digests were made with 12 candidates where transitions keep 6.
  const most = candidates ? Math.min(12, candidates.max, candidates.next === 6 ? 12 : candidates.next) : 0;
  const maskOf = (i: number) =>
    Array.from({ length: actions }, (_, a) => (a === 0 ? 1 : a % 2 ? i % 2 : i % 3 ? 1 : 0));
  for (let i = from; i < from + steps; i++) {
    const observation = rowsOf(width, sparse, 1, i);
    const nextObservation = rowsOf(width, sparse, 1, i + 1);
    const environment = i % environments;
    const reward = Math.fround(i % 3);
    const parts =
      slate && slate.parts > 1 ? { rewards: Array.from({ length: slate.parts }, (_, p) => reward - p) } : {};
    const common = { observation, nextObservation, reward, ...parts, terminated: i % 11 === 10, environment };
    if (slate) {
      const set = offer(i % (most + 1), i);
      const n = agent.actSlate(observation, set).length;
      const shown = Math.max(0, n - (i % 2));
      const next = offer(i % Math.min(7, candidates!.next + 1), i + 1);
      agent.observe({ ...common, candidates: set, shown, action: (i % (shown + 1)) - 1, nextCandidates: next });
    } else if (candidates) {
      const set = offer(1 + (i % most), i);
      const action = agent.act(observation, set);
      const next = offer(i % Math.min(7, candidates.next + 1), i + 1);
      agent.observe({ ...common, candidates: set, action, nextCandidates: next });
    } else if (masked) {
      const mask = maskOf(i);
      agent.observe({ ...common, action: agent.act(observation, mask), mask, nextMask: maskOf(i + 1) });
    } else {
      agent.observe({ ...common, action: agent.act(observation) });
    }
    if (i % 2 === 0) agent.learn(2);
  }
}

/** SHA-256 of everything in the agent that persists. */
export function digestOf(agent: DQN): string {
  return sha256(unpackSnapshot("dqn", agent.save()).tensors.get("agent")!);
}

/** Entry i of an endless list of random combinations of all options, without those that exclude each other. */
export function randomOptions(i: number): DQNOptions {
  const random = Random.named(i, "options");
  const some = <T>(...values: T[]): T => random.pick(values);
  const sparse = () => (random.bernoulli(0.3) ? { sparse: { slots: some(1, 3), size: some(4, 20) } } : {});
  const hasCandidates = random.bernoulli(0.5);
  const next = some(3, 5, 12);
  const quantiles = some(1, 1, 3, 9);
  const isSoft = random.bernoulli(0.3);
  const normalization = some("none", "layer", "batch");
  return {
    observation: some(1, 5, 13),
    ...sparse(),
    ...(hasCandidates
      ? { candidates: { max: some(3, 12), features: some(1, 4), next, ...sparse() } }
      : { actions: some(1, 2, 5, 33), masked: random.bernoulli(0.5) }),
    hidden: some([4], [20, 12], [7, 16, 9]),
    gamma: some(0, 0.9, 1),
    learningRate: some<DQNOptions["learningRate"] & {}>(1e-3, { type: "cosine", from: 1e-2, to: 1e-4, steps: 100 }),
    weightDecay: some(0, 0.01),
    batchSize: some(2, 8, 33),
    capacity: some(16, 64, 200),
    learningStarts: some(1, 16),
    targetEvery: some(1, 7),
    tau: some(0.01, 1),
    epsilon: some<DQNOptions["epsilon"] & {}>(0.2, { type: "linear", from: 1, to: 0, steps: 90 }),
    ...(isSoft ? { munchausen: {} } : { double: random.bernoulli(0.5) }),
    dueling: random.bernoulli(0.4),
    quantiles,
    loss: quantiles > 1 ? "huber" : some("huber", "squared"),
    noisySigma: normalization === "batch" ? 0 : some(0, 0, 0.5),
    normalization,
    dropout: some(0, 0.2),
    cqlAlpha: some(0, 0, 1),
    maxGradNorm: some(0, 1),
    nStep: some(1, 2, 5),
    environments: some(1, 3),
    priorityExponent: some(0, 0.6),
    storage: some<DQNOptions["storage"] & {}>("f32", "f16", { type: "u8", low: -1, high: 1 }),
    seed: i,
  };
}
