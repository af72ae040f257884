/**
 * Trains agents and hashes their state every 100 steps: the same hashes are expected wherever this runs. It runs in
 * browsers and workers too, so nothing here or below may need Node.
 */
import { DQN, train } from "../../src/index.js";
import { digestOf, live } from "../reference/live.js";
import { CASES, type Case, VARIANTS, type Variant } from "./cases.js";

export const STEPS = 300;
export const EVERY = 100;

/** What became of one case with one variant. */
export interface Trained {
  case: string;
  variant: string;
  /** After every EVERY steps, as far as it came. */
  hashes: string[];
  error?: string;
}

async function hashesOf({ options, environments }: Case, variant: Variant["options"]): Promise<string[]> {
  const hashes: string[] = [];
  let agent = new DQN({ ...options, ...variant });
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
      agent = DQN.load(file);
    }
  }
  agent.dispose();
  return hashes;
}

/** Trains all cases with all variants; what fails does not keep the others from being trained. */
export async function identity(): Promise<Trained[]> {
  const all: Trained[] = [];
  for (const each of CASES) {
    for (const variant of VARIANTS) {
      const trained: Trained = { case: each.name, variant: variant.name, hashes: [] };
      all.push(trained);
      try {
        trained.hashes = await hashesOf(each, variant.options);
      } catch (error) {
        trained.error = String(error);
      }
    }
  }
  return all;
}
