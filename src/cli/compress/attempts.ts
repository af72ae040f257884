import {
  type AgentState,
  agreementOf,
  distill,
  pruneNeurons,
  quantise,
  type ValueAgreement,
  type Valuer,
} from "../../engine/compression/index.js";
import { DQN, type DQNOptions, type LayerWeights } from "../../engine/index.js";
import type { Actor } from "./tasks.js";

/** A smaller agent. */
export interface Attempt {
  readonly name: string;
  readonly actor: Actor & Valuer;
  /** Bytes of its network, and how often they go into those of the agent as it was. */
  readonly bytes: number;
  readonly ratio: number;
  readonly hidden: readonly number[];
  /** With the agent as it was. */
  readonly agreement: ValueAgreement;
  file(): Uint8Array;
}

/** How the attempts are made. */
export interface AttemptOptions {
  /** How many times smaller. */
  target: number;
  updates: number;
  seed: number;
  signal: AbortSignal;
  /** Share of an attempt that is done, [0, 1], and what it is. */
  onProgress(name: string, share: number): void;
}

/** Share of the states that nothing is learned from: agreement is told of those. */
const HELD = 0.2;

/** The ways to a smaller agent, in the order in which they are tried. */
export const WAYS = ["int8", "pruned", "student", "student, int8"] as const;

/** Bytes of a network as f32. */
export function bytesOf(layers: readonly LayerWeights[]): number {
  return layers.reduce(
    (sum, { weight, bias, gain, shift }) =>
      sum + 4 * (weight.length + bias.length + (gain?.length ?? 0) + (shift?.length ?? 0)),
    0,
  );
}

/** The share of neurons at which a network has at most 1 / target of its bytes. */
export function shareFor(agent: DQN, target: number): number {
  const layers = agent.weights();
  const most = bytesOf(layers) / target;
  const scaled = (share: number) =>
    layers.reduce((sum, layer) => {
      const reads = !readsInputs(layer, agent);
      const inputs = reads ? Math.max(1, Math.round(layer.inputs * share)) : layer.inputs;
      const outputs = layer.name.endsWith("head") ? layer.outputs : Math.max(1, Math.round(layer.outputs * share));
      return sum + 4 * outputs * (inputs + (layer.gain ? 3 : 1));
    }, 0);
  let [low, high] = [0.01, 0.99];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (scaled(middle) <= most) low = middle;
    else high = middle;
  }
  return low;
}

function readsInputs({ name }: LayerWeights, { options }: DQN): boolean {
  const isShared = !options.candidates && options.hidden.length > 1;
  return name === "hidden.0" || (name === "value.hidden.0" && !isShared);
}

/** Makes smaller agents one after the other, until the signal. */
export class Attempts {
  readonly #agent: DQN;
  readonly #states: readonly AgentState[];
  readonly #held: readonly AgentState[];
  readonly #options: AttemptOptions;
  readonly #bytes: number;

  constructor(agent: DQN, states: readonly AgentState[], options: AttemptOptions) {
    this.#agent = agent;
    const held = Math.max(1, Math.round(states.length * HELD));
    this.#states = states.slice(held);
    this.#held = states.slice(0, held);
    this.#options = options;
    this.#bytes = bytesOf(agent.weights());
  }

  /** The agent as it was, for comparison. */
  get original(): Attempt {
    return this.#attempt("as it was", this.#agent, this.#bytes);
  }

  /** @throws TypeError for an agent that this way is not for. */
  async make(way: (typeof WAYS)[number]): Promise<Attempt> {
    const { target } = this.#options;
    if (way === "int8") return this.#rounded(way, this.#agent);
    if (way === "pruned") return this.#attempt(way, await this.#pruned());
    if (way === "student") return this.#attempt(way, await this.#student(way, target));
    // What rounding alone does not reach.
    const { ratio } = this.#rounded("int8", this.#agent);
    return this.#rounded(way, await this.#student(way, Math.max(1.1, target / ratio)));
  }

  async #pruned(): Promise<DQN> {
    const { target, updates, seed, signal, onProgress } = this.#options;
    const rounds = 3;
    const each = Math.ceil(updates / rounds);
    const { agent } = await pruneNeurons(this.#agent, this.#states, {
      keep: shareFor(this.#agent, target),
      rounds,
      fineTune: { updates: each, seed, signal },
      onProgress: (now) => onProgress("pruned", (now.round - 1 + now.updates / each) / rounds),
    });
    return agent;
  }

  async #student(name: string, target: number): Promise<DQN> {
    const { updates, seed, signal, onProgress } = this.#options;
    const share = shareFor(this.#agent, target);
    const { actions, ...rest } = this.#agent.options;
    const hidden = rest.hidden.map((width) => Math.max(1, Math.round(width * share)));
    const student = new DQN({ ...(rest as DQNOptions), ...(actions > 0 && { actions }), hidden });
    await distill(this.#agent, student, this.#states, {
      updates,
      seed,
      signal,
      onProgress: (now) => onProgress(name, now.updates / updates),
    });
    return student;
  }

  #rounded(name: string, agent: DQN): Attempt {
    const small = quantise(agent, this.#states);
    return {
      ...this.#attempt(name, agent, small.parameterBytes),
      actor: small,
      agreement: this.#agreement(small),
      file: () => small.save(),
    };
  }

  #attempt(name: string, agent: DQN, bytes = bytesOf(agent.weights())): Attempt {
    return {
      name,
      actor: agent,
      bytes,
      ratio: this.#bytes / bytes,
      hidden: agent.options.hidden,
      agreement: this.#agreement(agent),
      file: () => agent.save({ replay: false }),
    };
  }

  #agreement(small: Valuer): ValueAgreement {
    return agreementOf(this.#agent, small, this.#held, this.#agent.options.masked);
  }
}
