import { checked, positiveInteger, type Rule, type Rules } from "../check/index.js";
import type { AgentInput, ContinuousAgent, DQN } from "../engine/index.js";
import { type Learner, stepGreedily } from "./driver.js";
import {
  type AnyEnvironment,
  type ContinuousEnvironment,
  type Environment,
  requireFitting,
  requireSync,
} from "./environment.js";

/** The greedy episodes of an evaluation. */
export interface EvaluateOptions {
  /** Number of episodes, at least 1. Default 10. */
  episodes?: number;
  /** Seed of the first episode, a safe integer; each later episode takes the next. Default 1000000. */
  seed?: number;
}

/** The rule for a seed. */
export const seedRule: Rule = [Number.isSafeInteger, "a safe integer"];

const RULES: Rules<EvaluateOptions> = { episodes: positiveInteger, seed: seedRule };

/** The defaults of every evaluation. */
export const EVALUATE_DEFAULTS: Required<EvaluateOptions> = { episodes: 10, seed: 1_000_000 };

/** Return of one greedy episode. */
function play(agent: Learner, environment: AnyEnvironment, seed: number): number {
  let observation: AgentInput = requireSync("reset", environment.reset(seed));
  let total = 0;
  for (;;) {
    const result = stepGreedily(agent, environment, observation);
    if (!result) return total;
    requireSync("step", result);
    total += result.reward;
    observation = result.observation;
    if (result.terminated || result.truncated) return total;
  }
}

/**
 * Plays greedy episodes and returns their returns. It stores nothing, learns nothing and draws none of the agent's random
 * numbers.
 *
 * @throws TypeError for an unknown option or an environment that returns promises, RangeError for a wrong value or an
 *   environment whose observations or actions are not the agent's.
 */
export function evaluate(agent: DQN, environment: Environment<AgentInput>, options?: EvaluateOptions): number[];
export function evaluate(
  agent: ContinuousAgent,
  environment: ContinuousEnvironment,
  options?: EvaluateOptions,
): number[];
export function evaluate(agent: Learner, environment: AnyEnvironment, options: EvaluateOptions = {}): number[] {
  return evaluateAny(agent, environment, options);
}

/** The same for agent and environment of either kind, which must fit. */
export function evaluateAny(agent: Learner, environment: AnyEnvironment, options: EvaluateOptions): number[] {
  requireFitting(agent.options, environment);
  const { episodes, seed } = checked<EvaluateOptions>(options, RULES, EVALUATE_DEFAULTS) as Required<EvaluateOptions>;
  return Array.from({ length: episodes }, (_, episode) => play(agent, environment, seed + episode));
}
