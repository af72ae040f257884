/** What a training takes in environments that are slow: here alone, and with actors in threads. */
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { CartPole, DQN, train, trainWithActors } from "../../src/index.js";
import type { EngineProbe } from "./probe.js";

const STEPS = 4000;
const SAMPLES = 5;
/** Rounds of arithmetic in a step: some 100 us. */
const ROUNDS = 50_000;

/** CartPole whose step takes as long as that of a larger world. */
class SlowCartPole extends CartPole {
  waste = 1;
  override step(action: number) {
    let waste = 1;
    for (let i = 0; i < ROUNDS; i++) waste = Math.fround(waste * 1.0000001);
    this.waste = waste;
    return super.step(action);
  }
}

const ACTOR = `
  import { CartPole, runActor } from "${pathToFileURL("dist/index.js").href}";
  runActor(() => new (class extends CartPole {
    waste = 1;
    step(action) {
      let waste = 1;
      for (let i = 0; i < ${ROUNDS}; i++) waste = Math.fround(waste * 1.0000001);
      this.waste = waste;
      return super.step(action);
    }
  })());`;

const start = () => new Worker(new URL(`data:text/javascript,${encodeURIComponent(ACTOR)}`));

/** Microseconds of a step, workers' start included. @param actors - 0: the environment is here. */
async function microsecondsOfStep(actors: number): Promise<number> {
  const agent = new DQN({ observation: 4, actions: 2, environments: Math.max(actors, 1), seed: 1 });
  const from = performance.now();
  if (actors === 0) await train(agent, new SlowCartPole(), { steps: STEPS });
  else await trainWithActors(agent, { actors, start, steps: STEPS });
  const us = (1000 * (performance.now() - from)) / STEPS;
  agent.dispose();
  return us;
}

const WHO: readonly [actors: number, what: string][] = [
  [0, "no actors"],
  [1, "1 actor"],
  [2, "2 actors"],
];

export const ACTOR_PROBES: readonly EngineProbe[] = WHO.map(([actors, what]) => ({
  name: `CartPole with slow steps, ${what}`,
  metrics: [{ metric: "step_us", unit: "us" }],
  flop: 0,
  prepare: () => ({ samples: SAMPLES, sample: async () => [await microsecondsOfStep(actors)] }),
}));
