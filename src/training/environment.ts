import type { AgentInput } from "../engine/index.js";

/** What a step gives. @typeParam O - What an observation is: numbers, or with the option `sparse` index inputs too. */
export interface StepResult<O extends AgentInput = ArrayLike<number>> {
  /** (observation) after the step: the final one where the episode ends, not that of the next episode. */
  observation: O;
  reward: number;
  /** The task has ended: no later reward follows, and nothing is bootstrapped. */
  terminated: boolean;
  /** The episode was cut, by a time limit say: the value of the last observation still counts. */
  truncated: boolean;
}

/** A task, in the manner of Gymnasium. @typeParam O - As of StepResult. */
export interface Environment<O extends AgentInput = ArrayLike<number>> {
  /** Numbers in an observation. */
  readonly observationSize: number;
  /** Number of actions; undefined where they are candidates. */
  readonly actions?: number;
  /** Starts an episode; the same seed starts the same episode. Without a seed the next of a sequence. */
  reset(seed?: number): O;
  /** Takes an action: its index among the actions, or among the candidates of the current state. */
  step(action: number): StepResult<O>;
  /** (actions), 0 = not available in the current state. */
  mask?(): ArrayLike<number>;
  /** (n, features) of the current state. */
  candidates?(): AgentInput;
  /** All that decides how the current episode goes on and which come next, as plain data that JSON keeps. */
  state?(): unknown;
  /** Continues from what `state` gave. @throws TypeError for anything else; nothing changes then. */
  restore?(state: unknown): void;
}

/** What the agent may choose from in the current state. */
export function available(environment: Environment<AgentInput>): AgentInput | undefined {
  return environment.candidates?.() ?? environment.mask?.();
}
