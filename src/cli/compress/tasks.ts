import type { AgentState } from "../../engine/compression/index.js";
import type { AgentInput, DQN, ResolvedOptions } from "../../engine/index.js";
import { Random } from "../../numeric/index.js";
import { LiveEnvironment } from "../../simulator/index.js";
import { Acrobot, CartPole, type Environment, MaskedGrid, MountainCar, requireFitting } from "../../training/index.js";

/** Environments that the command knows by name. */
export const ENVIRONMENTS: Readonly<Record<string, (options: Readonly<ResolvedOptions>) => Environment>> = {
  "CartPole-v1": () => new CartPole(),
  "Acrobot-v1": () => new Acrobot(),
  "MountainCar-v0": () => new MountainCar(),
  MaskedGrid: () => new MaskedGrid(),
  LiveEnvironment: ({ candidates }) => new LiveEnvironment({ maxCandidates: candidates?.max ?? 64 }),
};

/** What acts greedily: an agent, or one that was made smaller. */
export interface Actor {
  act(observation: AgentInput, available?: AgentInput, epsilon?: number): number;
}

/** The environment of a name, for an agent. @throws RangeError where its observations or actions are not the agent's. */
export function environmentOf(name: string, options: Readonly<ResolvedOptions>): Environment {
  const environment = ENVIRONMENTS[name]!(options);
  requireFitting(options, environment);
  return environment;
}

function availableIn(environment: Environment): AgentInput | undefined {
  return environment.candidates?.() ?? environment.mask?.();
}

/** Return of one greedy episode. `onState`: gets each state, and may change the action. */
export function play(
  actor: Actor,
  environment: Environment,
  seed: number,
  onState: (state: AgentState, action: number) => number = (_, action) => action,
): number {
  let observation: ArrayLike<number> = environment.reset(seed);
  let total = 0;
  for (;;) {
    const available = availableIn(environment);
    const action = actor.act(observation, available, 0);
    if (action < 0) return total;
    const result = environment.step(onState({ observation, ...(available && { available }) }, action));
    total += result.reward;
    observation = result.observation;
    if (result.terminated || result.truncated) return total;
  }
}

/** Share of the steps to a state that go elsewhere, so that states beside the agent's own way are among them. */
const ASTRAY = 0.1;
const EPISODES_MAX = 1000;

/** States that an agent meets, with some random actions. Of long episodes, some in equal distances. */
export function statesOf(agent: DQN, environment: Environment, count: number, seed: number): AgentState[] {
  const random = Random.named(seed, "states");
  const states: AgentState[] = [];
  const most = Math.max(1, Math.ceil(count / 10));
  for (let episode = 0; states.length < count && episode < EPISODES_MAX; episode++) {
    const own: AgentState[] = [];
    play(agent, environment, seed + episode, (state, action) => {
      own.push(copyOf(state));
      if (!random.bernoulli(ASTRAY)) return action;
      return elsewhere(agent, state, action, random);
    });
    const step = Math.max(1, Math.ceil(own.length / most));
    states.push(...own.filter((_, i) => i % step === 0));
  }
  return states.slice(0, count);
}

function elsewhere({ options }: DQN, { available }: AgentState, action: number, random: Random): number {
  if (!available) return random.below(options.actions);
  const offered = available as ArrayLike<number>;
  if (options.candidates) return random.below(offered.length / options.candidates.features);
  const other = random.below(options.actions);
  return offered[other] ? other : action;
}

/** An environment may reuse its arrays. */
function copyOf({ observation, available }: AgentState): AgentState {
  const copy = (input: AgentInput) => Float32Array.from(input as ArrayLike<number>);
  return { observation: copy(observation), ...(available && { available: copy(available) }) };
}
