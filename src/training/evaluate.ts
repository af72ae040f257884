import { checked, positiveInteger, type Rule, type Rules } from "../check/index.js";
import type { AgentInput, ContinuousAgent, DQN } from "../engine/index.js";
import { type Learner, stepGreedily } from "./driver.js";
import {
  type AnyEnvironment,
  type AsyncContinuousEnvironment,
  type AsyncEnvironment,
  type ContinuousEnvironment,
  type Environment,
  isLater,
  type Later,
  requireFitting,
  requireSync,
  type StepResult,
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

/** Return of one greedy episode from its first observation on. A step that is a promise goes to `late`, which ends it. */
function play(
  agent: Learner,
  environment: AnyEnvironment,
  first: AgentInput,
  late: (step: PromiseLike<StepResult<AgentInput>>, total: number) => Later<number>,
): Later<number> {
  let observation = first;
  for (let total = 0; ; ) {
    const result = stepGreedily(agent, environment, observation);
    if (!result) return total;
    if (isLater(result)) return late(result, total);
    total += result.reward;
    if (result.terminated || result.truncated) return total;
    observation = result.observation;
  }
}

/** The rest of an episode whose steps are promises, from one of them on. */
async function playRest(
  agent: Learner,
  environment: AnyEnvironment,
  step: PromiseLike<StepResult<AgentInput>>,
  before: number,
): Promise<number> {
  let result: StepResult<AgentInput> | undefined = await step;
  let total = before;
  for (; result; result = await stepGreedily(agent, environment, result.observation)) {
    total += result.reward;
    if (result.terminated || result.truncated) break;
  }
  return total;
}

function resolve(agent: Learner, environment: AnyEnvironment, options: EvaluateOptions): Required<EvaluateOptions> {
  requireFitting(agent.options, environment);
  return checked<EvaluateOptions>(options, RULES, EVALUATE_DEFAULTS) as Required<EvaluateOptions>;
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
  const { episodes, seed } = resolve(agent, environment, options);
  return Array.from({ length: episodes }, (_, episode) => {
    const first = requireSync<AgentInput>("reset", environment.reset(seed + episode));
    return play(agent, environment, first, (step) => requireSync("step", step) as never) as number;
  });
}

/**
 * As `evaluate`, in an environment whose `reset` and `step` may return promises: one call after the other.
 *
 * @throws TypeError or RangeError as `evaluate`; what the environment's promises reject with.
 */
export function evaluateAsync(
  agent: DQN,
  environment: AsyncEnvironment<AgentInput>,
  options?: EvaluateOptions,
): Promise<number[]>;
export function evaluateAsync(
  agent: ContinuousAgent,
  environment: AsyncContinuousEnvironment,
  options?: EvaluateOptions,
): Promise<number[]>;
export async function evaluateAsync(
  agent: Learner,
  environment: AnyEnvironment,
  options: EvaluateOptions = {},
): Promise<number[]> {
  return evaluateAny(agent, environment, options);
}

/** The same for agent and environment of any kind, which must fit. Where nothing is a promise it waits for nothing. */
export async function evaluateAny(
  agent: Learner,
  environment: AnyEnvironment,
  options: EvaluateOptions,
): Promise<number[]> {
  const { episodes, seed } = resolve(agent, environment, options);
  const returns: number[] = [];
  for (let episode = 0; episode < episodes; episode++) {
    const reset: Later<AgentInput> = environment.reset(seed + episode);
    const first = isLater(reset) ? await reset : reset;
    const played = play(agent, environment, first, (step, total) => playRest(agent, environment, step, total));
    returns.push(isLater(played) ? await played : played);
  }
  return returns;
}
