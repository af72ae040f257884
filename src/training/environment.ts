import type { AgentInput, ContinuousActions, ResolvedContinuousOptions, ResolvedOptions } from "../engine/index.js";

/** The result of a step. @typeParam O - An observation: numbers, or with the option `sparse` index inputs too. */
export interface StepResult<O extends AgentInput = ArrayLike<number>> {
  /** (observation) after the step; at the end of an episode its own last one, not the next episode's first. */
  observation: O;
  reward: number;
  /** Whether the task ended: no later reward follows, and the target does not bootstrap. */
  terminated: boolean;
  /** Whether the episode was cut, for example by a time limit: the target still bootstraps. */
  truncated: boolean;
}

/** A task with Gymnasium's interface. @typeParam O - As for StepResult. */
export interface Environment<O extends AgentInput = ArrayLike<number>> {
  /** Numbers in an observation. */
  readonly observationSize: number;
  /** Number of actions; undefined where they are candidates. */
  readonly actions?: number;
  /** Starts an episode. The same seed starts the same episode; without a seed, the next of a sequence starts. */
  reset(seed?: number): O;
  /** Takes an action: its index among the actions, or among the candidates of the current state. */
  step(action: number): StepResult<O>;
  /** (actions), 0 = not available in the current state. */
  mask?(): ArrayLike<number>;
  /** (n, features) of the current state. */
  candidates?(): AgentInput;
  /** The complete state of the current episode and of the sequence of episodes, as plain data for JSON. */
  state?(): unknown;
  /** Continues from a value of `state`. @throws TypeError for any other value; nothing changes then. */
  restore?(state: unknown): void;
}

/** A task with Gymnasium's interface whose actions are numbers in bounds. */
export interface ContinuousEnvironment {
  /** Numbers in an observation. */
  readonly observationSize: number;
  /** Bounds of an action's numbers. */
  readonly continuous: ContinuousActions;
  /** Starts an episode. The same seed starts the same episode; without a seed, the next of a sequence starts. */
  reset(seed?: number): ArrayLike<number>;
  /** Takes an action, (actions) numbers within the bounds. */
  step(action: ArrayLike<number>): StepResult;
  /** The complete state of the current episode and of the sequence of episodes, as plain data for JSON. */
  state?(): unknown;
  /** Continues from a value of `state`. @throws TypeError for any other value; nothing changes then. */
  restore?(state: unknown): void;
}

/** Now, or once a promise resolves. */
export type Later<T> = T | PromiseLike<T>;

/**
 * An environment whose `reset` and `step` may return promises, such as a program elsewhere: `train` and `evaluateAsync`
 * await each before they call it again. Its other methods return at once, and are of the state to which the last result led.
 *
 * @typeParam O - As for StepResult.
 */
export interface AsyncEnvironment<O extends AgentInput = ArrayLike<number>>
  extends Omit<Environment<O>, "reset" | "step"> {
  /** As of `Environment`. */
  reset(seed?: number): Later<O>;
  /** As of `Environment`. */
  step(action: number): Later<StepResult<O>>;
}

/** The same, of actions that are numbers in bounds. */
export interface AsyncContinuousEnvironment extends Omit<ContinuousEnvironment, "reset" | "step"> {
  /** As of `ContinuousEnvironment`. */
  reset(seed?: number): Later<ArrayLike<number>>;
  /** As of `ContinuousEnvironment`. */
  step(action: ArrayLike<number>): Later<StepResult>;
}

/** An environment of any kind. */
export type AnyEnvironment = AsyncEnvironment<AgentInput> | AsyncContinuousEnvironment;

/** The candidates or the mask of the current state, if the environment has either. */
export function available(environment: AsyncEnvironment<AgentInput>): AgentInput | undefined {
  return environment.candidates?.() ?? environment.mask?.();
}

function misfit(what: string, has: unknown, must: unknown): RangeError {
  return new RangeError(`"${what}" of the environment is ${has}, but the agent's option is ${must}`);
}

/** @throws RangeError for an environment whose observations or actions are not the agent's. */
export function requireFitting(
  options: ResolvedOptions | ResolvedContinuousOptions,
  environment: AnyEnvironment,
): void {
  const { observationSize } = environment;
  if (observationSize !== undefined && observationSize !== options.observation) {
    throw misfit("observationSize", observationSize, `"observation": ${options.observation}`);
  }
  if ("continuous" in options) requireBounds(options.continuous, environment);
  else if ("continuous" in environment) {
    throw new RangeError(`the environment has "continuous" actions: it needs a ContinuousAgent of liveq/continuous`);
  } else requireActions(options, environment);
}

function requireBounds({ low, high }: ContinuousActions, environment: AnyEnvironment): void {
  if (!("continuous" in environment)) {
    throw new RangeError(`the agent has "continuous" actions, but the environment has no bounds of that name`);
  }
  const { continuous } = environment;
  for (const [name, own] of [["low", low] as const, ["high", high] as const]) {
    const has = Array.from(continuous[name]);
    if (has.length === own.length && has.every((bound, i) => bound === own[i])) continue;
    throw misfit(`continuous.${name}`, `[${has.join(", ")}]`, `"continuous.${name}": [${own.join(", ")}]`);
  }
}

function requireActions(options: ResolvedOptions, environment: AsyncEnvironment<AgentInput>): void {
  const { actions } = environment;
  if (options.candidates !== undefined) {
    if (environment.candidates) return;
    throw new RangeError(`the agent chooses among "candidates", but the environment has no method "candidates"`);
  }
  if (actions !== undefined && actions !== options.actions)
    throw misfit("actions", actions, `"actions": ${options.actions}`);
  if (environment.candidates) {
    throw new RangeError(`the environment has candidates, but the agent has "actions": ${options.actions}`);
  }
}

/** Whether a result is still to come. */
export function isLater<T>(result: Later<T>): result is PromiseLike<T> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === "function";
}

/** Goes on with a result: at once, if it is there. */
export function after<T, R>(result: Later<T>, next: (result: T) => Later<R>): Later<R> {
  return isLater(result) ? result.then(next) : next(result);
}

/** What an environment returned. @throws TypeError for a promise. */
export function requireSync<T>(method: "step" | "reset", result: Later<T>): T {
  if (!isLater(result)) return result;
  // Nobody else waits for it.
  result.then(undefined, () => {});
  const must = "must return its result at once, got a promise: call evaluateAsync";
  throw new TypeError(`"${method}" of the environment ${must}`);
}
