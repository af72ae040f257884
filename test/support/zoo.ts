import fc from "fast-check";
import type { AgentInput, DQN, DQNOptions, SparseOptions } from "../../src/index.js";
import { rowsOf } from "./live.js";

const sparse = fc.constantFrom<SparseOptions | undefined>(undefined, { slots: 2, size: 5 });

const common = {
  observation: fc.integer({ min: 1, max: 6 }),
  sparse,
  hidden: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
  dueling: fc.boolean(),
  quantiles: fc.constantFrom(1, 3),
  noisySigma: fc.constantFrom(0, 0.5),
  normalization: fc.constantFrom<"none" | "layer">("none", "layer"),
  seed: fc.integer({ min: 0, max: 1000 }),
};
const fixed = fc.record({ ...common, actions: fc.integer({ min: 1, max: 20 }) });
const changing = fc.record({
  ...common,
  candidates: fc.record({ features: fc.integer({ min: 1, max: 5 }), sparse, max: fc.constant(6) }),
});

/** Small agents of every shape that a network can have, but for batch normalisation. */
export const agentsOptions: fc.Arbitrary<DQNOptions> = fc
  .oneof(fixed, changing)
  .map((options) => ({ ...options, learningStarts: 4, batchSize: 4, capacity: 16 }));

/** An observation and, for an agent with candidates, n rows of them. */
export function inputsOf({ observation, sparse, candidates }: DQNOptions, n: number, seed: number) {
  return {
    observation: rowsOf(observation, sparse, 1, seed),
    candidates: candidates && rowsOf(candidates.features, candidates.sparse, n, seed + 7),
  };
}

/** The same inputs written out as dense rows, as other tools take them. */
export function denseRows(input: AgentInput, rows: number, size: number): Float32Array {
  if (!("indices" in input)) return Float32Array.from(input);
  const { dense = [], indices, weights } = input;
  const [given, slots] = [dense.length / rows, indices.length / rows];
  const written = new Float32Array(rows * (given + size));
  for (let r = 0; r < rows; r++) {
    const at = r * (given + size);
    for (let i = 0; i < given; i++) written[at + i] = dense[r * given + i]!;
    for (let s = r * slots; s < (r + 1) * slots; s++) {
      if (indices[s]! >= 0) written[at + given + indices[s]!]! += weights![s]!;
    }
  }
  return written;
}

/** The agent after it has observed and learned from some made-up steps. */
export function fed(agent: DQN, steps = 8): DQN {
  const { options } = agent;
  const { parts = 1 } = options.slate ?? {};
  for (let i = 0; i < steps; i++) {
    const { observation, candidates } = inputsOf(options as DQNOptions, 3, i);
    const next = inputsOf(options as DQNOptions, 2, i + 1);
    agent.observe({
      observation,
      nextObservation: next.observation,
      action: candidates ? i % 3 : i % options.actions,
      reward: i % 3,
      ...(parts > 1 && { rewards: Array.from({ length: parts }, (_, p) => (i % 3) - p) }),
      terminated: i % 5 === 4,
      ...(candidates ? { candidates, nextCandidates: next.candidates } : {}),
    });
    agent.learn();
  }
  return agent;
}
