import { describe, expect, test } from "vitest";
import { PROBE_RECIPE } from "../../bench/learning/recipes.js";
import { DQN, type DQNOptions, train } from "../../src/index.js";
import { GAMMA, OfferedProbe, offer, PROBES, type Probe, ProbeEnvironment } from "../support/probes.js";

const STEPS = 1500;
/** Of `npm run bench:learning`, which asks the same of more seeds and steps. */
const COMMON = {
  ...PROBE_RECIPE.options,
  ...{ learningRate: { ...PROBE_RECIPE.options.learningRate, steps: STEPS }, observation: 1, gamma: GAMMA, seed: 4 },
} satisfies Partial<DQNOptions>;

const PER = { priorityExponent: 0.6, importanceExponent: 1 };

const OPTIONS: [string, Partial<DQNOptions>][] = [
  ["nothing else", { double: false }],
  ["Double", { double: true }],
  ["squared loss", { loss: "squared" }],
  ["Polyak averaging", { tau: 0.05, targetEvery: 1 }],
  ["priorities", PER],
  ["3-step returns", { nStep: 3 }],
  ["dueling", { dueling: true }],
  ["quantiles", { quantiles: 8 }],
  ["Munchausen", { munchausen: {} }],
  ["noise", { noisySigma: 0.5, epsilon: 0.2 }],
  ["layer normalisation", { normalization: "layer" }],
  ["batch normalisation of 128 rows", { normalization: "batch", batchSize: 128 }],
  ["weight decay", { weightDecay: 0.001 }],
  ["halves in the replay", { storage: "f16" }],
  ["bytes in the replay", { storage: { type: "u8", low: -1, high: 2 } }],
  [
    "dueling, quantiles, noise, Double, priorities and 3-step returns",
    { ...PER, dueling: true, quantiles: 8, noisySigma: 0.5, nStep: 3 },
  ],
  ["Munchausen, dueling and quantiles", { munchausen: {}, dueling: true, quantiles: 8 }],
];

/**
 * What actions are worth in truth. With Munchausen the best action keeps its value, for its log-probability is 0, and
 * the others lose alpha times the clip, because they are more than 1 behind.
 */
function truthOf(values: number[], { munchausen }: DQN["options"]): number[] {
  const best = Math.max(...values);
  return values.map((value) => (munchausen && value < best ? value + munchausen.alpha * munchausen.clip : value));
}

/** The largest |value - truth| of an agent that has learned a probe. */
async function errorOf(probe: Probe, options: Partial<DQNOptions>, isOffered: boolean): Promise<number> {
  const actions = isOffered ? { candidates: { max: 2, features: 1 } } : { actions: probe.actions };
  const agent = new DQN({ ...COMMON, ...options, ...actions });
  await train(agent, isOffered ? new OfferedProbe(probe) : new ProbeEnvironment(probe), { steps: STEPS });
  const errors = probe.truth.map(({ observation, values }) => {
    const learned = agent.evaluate([observation], isOffered ? offer(probe) : undefined);
    const truth = truthOf(values, agent.options);
    return Math.max(...truth.map((value, action) => Math.abs(learned[action]! - value)));
  });
  agent.dispose();
  return Math.max(...errors);
}

describe.each([
  ["actions", false],
  ["candidates", true],
] as const)("probes with %s", (_, isOffered) => {
  test.each(OPTIONS)("values are within 0.05 of the truth with %s", async (__, options) => {
    for (const probe of PROBES) expect(await errorOf(probe, options, isOffered), probe.name).toBeLessThan(0.05);
  });
});
