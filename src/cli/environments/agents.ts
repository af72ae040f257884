import { ContinuousAgent, DQN } from "../../engine/index.js";
import type { Loaded } from "./module.js";

/** An agent for an environment. */
export type Agent = DQN | ContinuousAgent;

/**
 * An agent whose shape is that of an environment.
 *
 * @param options - Of the agent; they win over what the environment says.
 * @throws TypeError or RangeError for options that it does not take.
 */
export function agentFor(environment: Loaded, options: Readonly<Record<string, unknown>>): Agent {
  const observation = environment.observationSize;
  if ("continuous" in environment) {
    return new ContinuousAgent({ observation, continuous: environment.continuous, ...options });
  }
  const { candidates, mask, actions } = environment;
  if (!candidates) return new DQN({ observation, actions: actions!, masked: mask !== undefined, ...options });
  // What an environment may say beside the interface.
  const { features, maxCandidates } = environment as { features?: number; maxCandidates?: number };
  const shape = { features, max: maxCandidates } as { features: number; max: number };
  if (options["candidates"] === undefined && (shape.features === undefined || shape.max === undefined)) {
    throw new TypeError('the environment has "candidates": --set \'candidates={"max":20,"features":8}\' says how many');
  }
  return new DQN({ observation, candidates: shape, ...options });
}

/** Options of an agent from words such as `gamma=0.9` and `hidden=[64,64]`. @throws Error for others. */
export function assigned(words: readonly string[]): Record<string, unknown> {
  const pairs = words.map((word) => {
    const at = word.indexOf("=");
    const name = word.slice(0, at);
    if (at < 1) throw new Error(`--set must be name=value, got ${JSON.stringify(word)}`);
    const text = word.slice(at + 1);
    try {
      return [name, JSON.parse(text)] as const;
    } catch {
      // A word needs no quotes.
      return [name, text] as const;
    }
  });
  return Object.fromEntries(pairs);
}
