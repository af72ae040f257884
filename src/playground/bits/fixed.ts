import { DQN, sha256, unpackSnapshot } from "../../engine/index.js";
import { train } from "../../training/index.js";
import { Scene } from "../control/scenes.js";
import { ENVIRONMENTS, type EnvironmentName, optionsOf, settingsOf } from "../control/settings.js";

/** Steps that each fixed agent is trained for. */
const STEPS = 3000;

/**
 * SHA-256 of all that persists of each agent after its training: weights, moments, replay, counters, random state. A test
 * makes them anew.
 */
export const HASHES: Readonly<Record<EnvironmentName, string>> = {
  "CartPole-v1": "4d5e719fd32c44dee898791ad3de00136fed099adbe2bc0e71815572dc0c7a40",
  "Acrobot-v1": "42013eaabb456aa1f00ba20ff457c70ee0a0bad1c868165764b2dedc66dc0095",
  "MountainCar-v0": "9c3a0ca8645ad32dd7af560cd8b4fd30bf828b2f77de8f5c00ff3dd1e0f7080e",
};

/** Trains the fixed agent of an environment and returns its hash. */
export async function hashOf(name: EnvironmentName): Promise<string> {
  const scene = new Scene(name);
  const settings = settingsOf(name, { seed: "7", capacity: "2000" });
  const sizes = { observation: scene.observationSize, actions: scene.actions };
  const agent = new DQN({ ...optionsOf(name, settings, sizes), learningStarts: 200 });
  await train(agent, scene, { steps: STEPS, seed: 7 });
  const hash = sha256(unpackSnapshot("dqn", agent.save()).tensors.get("agent")!);
  agent.dispose();
  return hash;
}

/** The hashes of all fixed agents, in turn. */
export async function* hashes(): AsyncGenerator<{ name: EnvironmentName; hash: string }> {
  for (const name of ENVIRONMENTS) yield { name, hash: await hashOf(name) };
}
