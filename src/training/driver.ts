import type { AgentInput, ContinuousAgent, DQN, Transition } from "../engine/index.js";
import type { StepResult } from "./environment.js";
import { type AnyEnvironment, available, type ContinuousEnvironment, type Environment } from "./environment.js";

/** An agent that `train` and `evaluate` drive. */
export type Learner = DQN | ContinuousAgent;

/** What an agent chose in an environment. */
export interface Chosen {
  /** Takes the step. */
  step(): StepResult<AgentInput>;
  /** Stores it, for the environment of that index. */
  observe(observation: AgentInput, result: StepResult<AgentInput>, index: number): void;
}

/** The greedy step; undefined where nothing is available. */
export function stepGreedily(
  agent: Learner,
  environment: AnyEnvironment,
  observation: AgentInput,
): StepResult<AgentInput> | undefined {
  if (isContinuous(agent)) {
    const { step } = environment as ContinuousEnvironment;
    return step.call(environment, agent.act(observation as ArrayLike<number>, 0));
  }
  const discrete = environment as Environment<AgentInput>;
  const action = agent.act(observation, available(discrete), 0);
  return action < 0 ? undefined : discrete.step(action);
}

/** An exploring choice. @throws Error where nothing is available. */
export function choose(agent: Learner, environment: AnyEnvironment, observation: AgentInput, index: number): Chosen {
  return isContinuous(agent)
    ? chooseNumbers(agent, environment as ContinuousEnvironment, observation as ArrayLike<number>, index)
    : chooseOne(agent, environment as Environment<AgentInput>, observation);
}

function isContinuous(agent: Learner): agent is ContinuousAgent {
  return "continuous" in agent.options;
}

function chooseNumbers(
  agent: ContinuousAgent,
  environment: ContinuousEnvironment,
  observation: ArrayLike<number>,
  index: number,
): Chosen {
  // A copy: the step may keep it, and the agent reuses its own.
  const action = agent.act(observation, undefined, index).slice();
  return {
    step: () => environment.step(action),
    observe: (before, { observation: after, ...outcome }, environment) => {
      const seen = { observation: before as ArrayLike<number>, nextObservation: after as ArrayLike<number> };
      agent.observe({ ...seen, action, ...outcome, environment });
    },
  };
}

function chooseOne(agent: DQN, environment: Environment<AgentInput>, observation: AgentInput): Chosen {
  const choices = available(environment);
  const action = agent.act(observation, choices);
  if (action < 0) throw new Error("the environment offers no action, but its episode has not ended");
  const choice = choiceOf(agent, choices, action);
  return {
    step: () => environment.step(action),
    observe: (before, { observation: nextObservation, reward, terminated, truncated }, index) => {
      const nextChoices = nextChoicesOf(agent, environment, terminated);
      const outcome = { reward, terminated, truncated, nextObservation };
      agent.observe({ observation: before, ...choice, ...outcome, ...nextChoices, environment: index });
    },
  };
}

/** A copy, as an environment may reuse its arrays. */
export function copyOf(input: AgentInput): AgentInput {
  if (!("indices" in input)) return new Float32Array(input);
  const { dense = [], indices, weights } = input;
  const copy = { dense: new Float32Array(dense), indices: Int32Array.from(indices) };
  return weights ? { ...copy, weights: new Float32Array(weights) } : copy;
}

/** The action and its alternatives for a transition: copies, as the step may overwrite them. */
function choiceOf(agent: DQN, choices: AgentInput | undefined, action: number): Partial<Transition> {
  if (!choices) return { action };
  const { candidates } = agent.options;
  if (candidates) {
    const { features, next } = candidates;
    if ("indices" in choices || choices.length <= next * features) return { action, candidates: copyOf(choices) };
    // A transition keeps at most `next` rows; of more, only the one taken.
    return { candidate: new Float32Array(choices).subarray(action * features, (action + 1) * features) };
  }
  return { action, mask: Uint8Array.from(choices as ArrayLike<number>) };
}

/** The choices in the next state, for a transition. */
function nextChoicesOf(agent: DQN, environment: Environment<AgentInput>, isTerminated: boolean): Partial<Transition> {
  if (isTerminated) return {};
  const next = available(environment);
  if (agent.options.candidates) return { nextCandidates: next ?? [] };
  return next ? { nextMask: next as ArrayLike<number> } : {};
}
