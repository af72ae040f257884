import type {
  AgentInput,
  ContinuousAgent,
  ContinuousTransition,
  DQN,
  ResolvedOptions,
  SparseInput,
  Transition,
} from "../engine/index.js";
import {
  type AnyEnvironment,
  type AsyncContinuousEnvironment,
  type AsyncEnvironment,
  available,
  type Later,
  type StepResult,
} from "./environment.js";

/** An agent that `train` and `evaluate` drive. */
export type Learner = DQN | ContinuousAgent;

/** A step as an agent of either kind observes it. */
export type Experience = Transition | ContinuousTransition;

/** What an agent chose in an environment. */
export interface Chosen {
  /** Takes the step. */
  step(): Later<StepResult<AgentInput>>;
  /** What the agent observes of it, for the environment of that index; valid until the next call of the environment. */
  experience(observation: AgentInput, result: StepResult<AgentInput>, index: number): Experience;
}

/** The greedy step; undefined where nothing is available. */
export function stepGreedily(
  agent: Learner,
  environment: AnyEnvironment,
  observation: AgentInput,
): Later<StepResult<AgentInput>> | undefined {
  if (isContinuous(agent)) {
    const { step } = environment as AsyncContinuousEnvironment;
    return step.call(environment, agent.act(observation as ArrayLike<number>, 0));
  }
  const discrete = environment as AsyncEnvironment<AgentInput>;
  const action = agent.act(observation, available(discrete), 0);
  return action < 0 ? undefined : discrete.step(action);
}

/**
 * An exploring choice.
 *
 * @param ahead The action, where it is known already. Default: the agent is asked.
 * @throws Error where nothing is available.
 */
export function choose(
  agent: Learner,
  environment: AnyEnvironment,
  observation: AgentInput,
  index: number,
  ahead?: number | Float64Array,
): Chosen {
  if (!isContinuous(agent)) {
    return chooseOne(agent, environment as AsyncEnvironment<AgentInput>, observation, ahead as number | undefined);
  }
  // A copy: the step may keep it, and the agent reuses its own.
  const action = ((ahead as Float64Array) ?? agent.act(observation as ArrayLike<number>, undefined, index)).slice();
  return chosenNumbers(environment as AsyncContinuousEnvironment, action);
}

/** Has the agent observe a step. */
export function observeAs(agent: Learner, experience: Experience): void {
  if (isContinuous(agent)) agent.observe(experience as ContinuousTransition);
  else agent.observe(experience as Transition);
}

/** The actions of several environments, as `act` would choose them one by one with these values of epsilon. */
export function chooseTogether(
  agent: DQN,
  seats: readonly { readonly environment: AnyEnvironment; readonly observation: AgentInput }[],
  epsilons: readonly number[],
): number[] {
  const choices = seats.map(({ environment }) => available(environment as AsyncEnvironment<AgentInput>));
  const observations = joined(
    seats.map(({ observation }) => observation),
    agent.options,
  );
  const offers = choices.some((each) => each !== undefined) ? choices : undefined;
  return [...agent.actBatch(observations, offers, epsilons)];
}

/** Observations one after the other, as one input. */
function joined(inputs: readonly AgentInput[], { observation, sparse }: ResolvedOptions): AgentInput {
  const dense = new Float32Array(inputs.length * observation);
  if (!sparse) {
    for (const [i, input] of inputs.entries()) dense.set(input as ArrayLike<number>, i * observation);
    return dense;
  }
  const indices = new Int32Array(inputs.length * sparse.slots).fill(-1);
  const weights = new Float32Array(indices.length).fill(1);
  for (const [i, input] of inputs.entries()) {
    const row = input as SparseInput;
    dense.set(row.dense ?? [], i * observation);
    indices.set(row.indices, i * sparse.slots);
    weights.set(row.weights ?? [], i * sparse.slots);
  }
  return { dense, indices, weights };
}

export function isContinuous(agent: Learner): agent is ContinuousAgent {
  return "continuous" in agent.options;
}

function chosenNumbers(environment: AsyncContinuousEnvironment, action: Float64Array): Chosen {
  return {
    step: () => environment.step(action),
    experience: (before, { observation: after, ...outcome }, index) => {
      const seen = { observation: before as ArrayLike<number>, nextObservation: after as ArrayLike<number> };
      return { ...seen, action, ...outcome, environment: index };
    },
  };
}

function chooseOne(
  agent: DQN,
  environment: AsyncEnvironment<AgentInput>,
  observation: AgentInput,
  ahead: number | undefined,
): Chosen {
  const choices = available(environment);
  const action = ahead ?? agent.act(observation, choices);
  if (action < 0) throw new Error("the environment offers no action, but its episode has not ended");
  const choice = choiceOf(agent, choices, action);
  return {
    step: () => environment.step(action),
    experience: (before, { observation: nextObservation, reward, terminated, truncated }, index) => {
      const nextChoices = nextChoicesOf(agent, environment, terminated);
      const outcome = { reward, terminated, truncated, nextObservation };
      return { observation: before, ...choice, ...outcome, ...nextChoices, environment: index };
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
function nextChoicesOf(
  agent: DQN,
  environment: AsyncEnvironment<AgentInput>,
  isTerminated: boolean,
): Partial<Transition> {
  if (isTerminated) return {};
  const next = available(environment);
  if (agent.options.candidates) return { nextCandidates: next ?? [] };
  return next ? { nextMask: next as ArrayLike<number> } : {};
}
