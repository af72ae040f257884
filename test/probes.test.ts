import { describe, expect, test } from "vitest";
import { DQN, type DQNOptions, train } from "../src/index.js";
import { GAMMA, OfferedProbe, offer, PROBES, type Probe, ProbeEnvironment } from "./reference/probes.js";

const COMMON = {
  observation: 1,
  hidden: [16],
  gamma: GAMMA,
  learningRate: { type: "linear", from: 1e-2, to: 1e-4, steps: 2500 },
  batchSize: 32,
  capacity: 2500,
  learningStarts: 64,
  trainEvery: 1,
  targetEvery: 25,
  epsilon: 1,
  seed: 4,
} satisfies Partial<DQNOptions>;

const OPTIONS: [string, Partial<DQNOptions>][] = [
  ["nothing else", { double: false }],
  ["Double", { double: true }],
  ["squared loss", { loss: "squared" }],
  ["Polyak averaging", { tau: 0.05, targetEvery: 1 }],
  ["priorities", { priorityExponent: 0.6, importanceExponent: 1 }],
  ["3-step returns", { nStep: 3 }],
  ["all that combine", { double: true, loss: "squared", priorityExponent: 0.6, importanceExponent: 1, nStep: 3 }],
];

/** The largest |value - truth| of an agent that has learned a probe. */
async function errorOf(probe: Probe, options: Partial<DQNOptions>, isOffered: boolean): Promise<number> {
  const actions = isOffered ? { candidates: { max: 2, features: 1 } } : { actions: probe.actions };
  const agent = new DQN({ ...COMMON, ...options, ...actions });
  await train(agent, isOffered ? new OfferedProbe(probe) : new ProbeEnvironment(probe), { steps: 2500 });
  const errors = probe.truth.map(({ observation, values }) => {
    const learned = agent.evaluate([observation], isOffered ? offer(probe) : undefined);
    return Math.max(...values.map((value, action) => Math.abs(learned[action]! - value)));
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
