/**
 * Trains agents and hashes their state every 100 steps: the same hashes are expected wherever this runs. It runs in
 * browsers and workers too, so nothing here or below may need Node.
 */
import { DQN, train } from "../../src/index.js";
import { digestOf, live } from "../support/live.js";
import { until } from "../support/waiting.js";
import { CASES, type Case, LOGS, VARIANTS, type Variant } from "./cases.js";

export const STEPS = 300;
export const EVERY = 100;

/** The result of one case with one variant. */
export interface Trained {
  case: string;
  variant: string;
  /** After every EVERY steps, as far as it came. */
  hashes: string[];
  /** Why there were fewer threads than were asked for. */
  alone?: string;
  error?: string;
}

/** Waits for the threads of an agent; why there are none, if so. */
async function crewOf(agent: DQN, threads: number): Promise<string> {
  await until(() => agent.stats().threads === threads || agent.stats().threadsReason !== "");
  return agent.stats().threadsReason;
}

async function trainCase({ options, environments }: Case, { run }: Variant, trained: Trained): Promise<void> {
  const { hashes } = trained;
  let agent = new DQN(options, run);
  const alone = await crewOf(agent, run.threads ?? 1);
  if (alone) trained.alone = alone;
  if (environments) {
    const onProgress = () => void hashes.push(digestOf(agent));
    await train(agent, environments(), { steps: STEPS, progressEvery: EVERY, seed: options.seed ?? 0, onProgress });
  } else {
    for (let from = 0; from < STEPS; from += EVERY) {
      live(agent, EVERY, from);
      hashes.push(digestOf(agent));
      // Goes on from a file, as that must not change a bit either.
      const file = agent.save();
      agent.dispose();
      agent = DQN.load(file, run);
      if (!alone) await crewOf(agent, run.threads ?? 1);
    }
  }
  agent.dispose();
}

/** Trains all cases with all variants, and runs the platforms once; what fails does not keep the others from it. */
export async function identity(): Promise<Trained[]> {
  const all: Trained[] = [];
  for (const each of CASES) {
    for (const variant of VARIANTS) {
      const trained: Trained = { case: each.name, variant: variant.name, hashes: [] };
      all.push(trained);
      try {
        await trainCase(each, variant, trained);
      } catch (error) {
        trained.error = String(error);
      }
    }
  }
  for (const { name, hashes } of LOGS) {
    let result: Pick<Trained, "hashes" | "error">;
    try {
      result = { hashes: hashes() };
    } catch (error) {
      result = { hashes: [], error: String(error) };
    }
    for (const variant of VARIANTS) all.push({ case: name, variant: variant.name, ...result });
  }
  return all;
}
