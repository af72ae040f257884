import { callback, checked, group, integer, oneOf, optional, type Rules } from "../../check/index.js";
import { pow } from "../../numeric/index.js";
import { DQN, type DQNOptions, type EngineOptions, type LayerWeights, type ResolvedOptions } from "../index.js";
import { agreementOf, type ValueAgreement } from "./agreement.js";
import { DISTILL_DEFAULTS, type DistillOptions, type DistillProgress, distillRules, taught } from "./distill.js";
import { cut } from "./neurons.js";
import { PlainNetwork } from "./plainnetwork.js";
import { rangesOf } from "./ranges.js";
import { type AgentState, requirePlain, requireStates } from "./state.js";

/** How an agent is pruned. */
export interface PruneOptions {
  /** Share that stays, [0.01, 1): of the neurons of each hidden layer, or of the weights of each layer. Default 0.5. */
  keep?: number;
  /** Rounds in which it comes to that, each with learning behind it, [1, 20]. Default 3. */
  rounds?: number;
  /**
   * What neurons are chosen by: the deviation of their `activation` in the states, or the norm of their own `weight`s,
   * either times the norm of those that read them. Default `activation`.
   */
  importance?: "activation" | "weight";
  /** How each round learns the values of the agent as it was. Default: as `distill` does, 4000 updates at most. */
  fineTune?: DistillOptions;
  /** Called at each look of the learning. */
  onProgress?: (progress: DistillProgress & { round: number }) => void;
}

/** A pruned agent. */
export interface PruneResult {
  /** An ordinary agent with an empty replay. */
  agent: DQN;
  /** With the agent as it was, on all states. */
  agreement: ValueAgreement;
  /** Weights that are not 0, of the agent as it was and of this one. */
  weights: { before: number; after: number };
}

/** An agent with weights of 0. */
export interface SparseResult extends PruneResult {
  /** Sets the same weights of an agent of its shape to 0 again, after it has learned more. */
  apply(agent: DQN): void;
}

const RULES: Rules<PruneOptions> = {
  keep: [(value) => typeof value === "number" && value >= 0.01 && value < 1, "in [0.01, 1)"],
  rounds: integer(1, 20),
  importance: oneOf("activation", "weight"),
  fineTune: group,
  onProgress: optional(callback),
};

const DEFAULTS: PruneOptions = { keep: 0.5, rounds: 3, importance: "activation", fineTune: {} };

type Resolved = Required<Omit<PruneOptions, "onProgress">> & Pick<PruneOptions, "onProgress">;

function resolve(given: PruneOptions): Resolved {
  const options = checked<PruneOptions>(given, RULES, DEFAULTS) as Resolved;
  const defaults = { ...DISTILL_DEFAULTS, updates: 4000 };
  const fineTune = checked<DistillOptions>(options.fineTune, distillRules, defaults, "fineTune.");
  return { ...options, fineTune };
}

/**
 * Takes the neurons out that matter least: a smaller agent that decides and learns faster. It learns the values of the agent
 * as it was after each round.
 *
 * @param agent - It stays as it is.
 * @param states - At least two, in which it will act.
 * @param run - How the new agent runs.
 * @throws TypeError or RangeError as `distill`.
 */
export async function pruneNeurons(
  agent: DQN,
  states: readonly AgentState[],
  options: PruneOptions = {},
  run?: EngineOptions,
): Promise<PruneResult> {
  const { keep, rounds, importance, fineTune, onProgress } = resolve(options);
  requirePlain(agent.options);
  requireStates("states", states);
  let small = agent;
  for (let round = 1; round <= rounds; round++) {
    const left = pow(keep, round / rounds);
    const hidden = agent.options.hidden.map((width) => Math.max(1, Math.round(width * left)));
    const network = new PlainNetwork(small.options, small.weights());
    const { ranges, visit } = rangesOf(network);
    network.visit(small, "states", states, visit);
    // Which units were frozen is not known of those that are left.
    const next = likeOf(agent, { hidden, frozenUnits: 0 }, run);
    next.setWeights(cut(network, ranges, hidden, importance));
    if (small !== agent) small.dispose();
    small = next;
    const told = onProgress && ((progress: DistillProgress) => onProgress({ ...progress, round }));
    await taught(agent, small, states, { ...fineTune, ...(told && { onProgress: told }) });
  }
  return resultOf(agent, small, states);
}

/**
 * Sets the weights of least magnitude to 0, in each layer the same share. The network is as large and as fast as before; its
 * file compresses better.
 *
 * @throws TypeError or RangeError as `pruneNeurons`.
 */
export async function pruneWeights(
  agent: DQN,
  states: readonly AgentState[],
  options: PruneOptions = {},
  run?: EngineOptions,
): Promise<SparseResult> {
  const { keep, rounds, fineTune, onProgress } = resolve(options);
  requirePlain(agent.options);
  requireStates("states", states);
  const small = likeOf(agent, {}, run);
  small.setWeights(agent.weights());
  let masks: Uint8Array[] = [];
  const project = (layers: readonly LayerWeights[]) => masked(layers, masks);
  for (let round = 1; round <= rounds; round++) {
    const left = pow(keep, round / rounds);
    masks = small.weights().map(({ weight }) => maskOf(weight, Math.ceil(left * weight.length)));
    const told = onProgress && ((progress: DistillProgress) => onProgress({ ...progress, round }));
    await taught(agent, small, states, { ...fineTune, project, ...(told && { onProgress: told }) });
  }
  const apply = (other: DQN) => other.setWeights(project(other.weights()));
  return { ...resultOf(agent, small, states), apply };
}

/** 1 where a weight is among the `count` largest; of equals the first. */
function maskOf(weight: Float32Array, count: number): Uint8Array {
  const order = Uint32Array.from(weight, (_, i) => i);
  order.sort((a, b) => Math.abs(weight[b]!) - Math.abs(weight[a]!) || a - b);
  const mask = new Uint8Array(weight.length);
  for (const i of order.subarray(0, count)) mask[i] = 1;
  return mask;
}

function masked(layers: readonly LayerWeights[], masks: readonly Uint8Array[]): LayerWeights[] {
  return layers.map((layer, l) => ({ ...layer, weight: layer.weight.map((w, i) => (masks[l]![i] ? w : 0)) }));
}

/** A new agent with the options of another one, but for some. */
export function likeOf({ options }: DQN, changes: Partial<DQNOptions>, run?: EngineOptions): DQN {
  const { actions, ...rest } = options as ResolvedOptions;
  return new DQN({ ...(rest as DQNOptions), ...(actions > 0 && { actions }), ...changes }, run);
}

function resultOf(agent: DQN, small: DQN, states: readonly AgentState[]): PruneResult {
  const count = (each: DQN) =>
    each.weights().reduce((sum, { weight }) => sum + weight.reduce((n, w) => n + Number(w !== 0), 0), 0);
  return {
    agent: small,
    agreement: agreementOf(agent, small, states, agent.options.masked),
    weights: { before: count(agent), after: count(small) },
  };
}
