import { exp, type Random } from "../../numeric/index.js";
import { DQN, type DQNOptions, type LayerWeights, type ResolvedOptions } from "../index.js";
import { compared, type ValueAgreement, type Valuer, valuesOf } from "./agreement.js";
import type { AgentState } from "./state.js";

/** States with what a teacher values in them. */
export interface Lessons {
  readonly states: readonly AgentState[];
  readonly values: readonly Float64Array[];
}

/** How a student learns. */
export interface Method {
  readonly loss: "values" | "policy";
  readonly temperature: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly updates: number;
  readonly seed: number;
  /** What the layers become before the next updates, while their exact values are kept and learned on: straight-through. */
  readonly project?: ((layers: readonly LayerWeights[]) => LayerWeights[]) | undefined;
}

/** Updates between two projections. */
const PROJECT_EVERY = 10;
/** Batches that the replay holds: rows of one state are spread over as many updates. */
const BATCHES = 8;

/** An agent of the student's shape that learns nothing but the teacher's values: as rewards of steps that end a task. */
export class Distillation {
  readonly #agent: DQN;
  readonly #method: Method;
  readonly #lessons: Lessons;
  readonly #random: Random;
  /** Values are learned less the mean, in this unit. */
  readonly #unit: number;
  readonly #mean: number;
  /** The layers as they are learned, where others act. */
  #exact: LayerWeights[] | undefined;
  #used: LayerWeights[] | undefined;

  /** @param layers - Of the student, as it is. */
  constructor(
    options: Readonly<ResolvedOptions>,
    layers: readonly LayerWeights[],
    lessons: Lessons,
    method: Method,
    random: Random,
  ) {
    this.#method = method;
    this.#lessons = lessons;
    this.#random = random;
    [this.#mean, this.#unit] = measure(lessons.values, method);
    this.#agent = new DQN(optionsOf(options, method));
    this.#agent.setWeights(rescaled(layers, 1 / this.#unit, -this.#mean / this.#unit));
    for (let i = 1; i < BATCHES; i++) this.#observe();
  }

  get updates(): number {
    return this.#agent.updates;
  }

  /** Does so many updates. */
  learn(updates: number): void {
    const { project } = this.#method;
    for (let i = 0; i < updates; i++) {
      if (project && i % PROJECT_EVERY === 0) this.#project(project);
      this.#observe();
      this.#agent.learn();
    }
    this.#take();
  }

  /** The student's layers after the updates so far. */
  layers(): LayerWeights[] {
    return rescaled(this.#exact ?? this.#agent.weights(), this.#unit, this.#mean);
  }

  dispose(): void {
    this.#agent.dispose();
  }

  #project(project: (layers: readonly LayerWeights[]) => LayerWeights[]): void {
    this.#take();
    this.#exact ??= this.#agent.weights();
    this.#agent.setWeights(project(this.#exact));
    // As they are in the agent.
    this.#used = this.#agent.weights();
  }

  /** Adds what was learned by the layers in use to the exact ones. */
  #take(): void {
    if (!this.#used || !this.#exact) return;
    const now = this.#agent.weights();
    for (const [l, exact] of this.#exact.entries()) {
      for (const key of ["weight", "bias", "gain", "shift"] as const) {
        const [to, from, before] = [exact[key], now[l]![key], this.#used[l]![key]];
        if (to && from && before) for (let i = 0; i < to.length; i++) to[i]! += from[i]! - before[i]!;
      }
    }
    this.#used = undefined;
  }

  /** Shows the agent the rows of one more batch. */
  #observe(): void {
    const { states, values } = this.#lessons;
    const { candidates, masked } = this.#agent.options;
    for (let row = 0; row < this.#method.batchSize; row++) {
      const s = this.#random.below(states.length);
      const { observation, available } = states[s]!;
      const own = values[s]!;
      const chosen = this.#draw(own);
      const reward = (own[chosen]! - this.#mean) / this.#unit;
      const common = { observation, nextObservation: observation, reward, terminated: true };
      if (candidates) this.#agent.observe({ ...common, candidates: available!, action: chosen });
      else if (masked && available) {
        const mask = available as ArrayLike<number>;
        this.#agent.observe({ ...common, action: nthOf(mask, chosen), mask });
      } else this.#agent.observe({ ...common, action: chosen });
    }
  }

  /** An action: any, or as the teacher's policy has it. */
  #draw(values: Float64Array): number {
    if (this.#method.loss === "values") return this.#random.below(values.length);
    const most = values.reduce((all, q) => Math.max(all, q));
    const weights = values.map((q) => exp((q - most) / this.#unit));
    let left = this.#random.uniform() * weights.reduce((sum, w) => sum + w, 0);
    let action = 0;
    while (action < weights.length - 1 && left >= weights[action]!) left -= weights[action++]!;
    return action;
  }
}

/** The index of the n-th action that a mask does not hide. */
function nthOf(mask: ArrayLike<number>, n: number): number {
  let action = 0;
  while (!mask[action] || n-- > 0) action++;
  return action;
}

/** Mean of the values, and the unit in which they are learned: their deviation, or the temperature. */
function measure(values: readonly Float64Array[], { loss, temperature }: Method): [mean: number, unit: number] {
  const all = values.reduce((sum, { length }) => sum + length, 0);
  const mean = values.reduce((sum, own) => sum + own.reduce((a, q) => a + q, 0), 0) / all;
  const [around, within] = [deviation(values, () => mean), deviation(values, meanOf)];
  const unit = loss === "values" ? around : temperature * within;
  return [mean, unit > 0 ? unit : 1];
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, q) => sum + q, 0) / values.length;
}

function deviation(values: readonly Float64Array[], centre: (own: Float64Array) => number): number {
  let [squares, count] = [0, 0];
  for (const own of values) {
    const mean = centre(own);
    for (const q of own) squares += (q - mean) * (q - mean);
    count += own.length;
  }
  return Math.sqrt(squares / count);
}

/** Layers whose values are those of others, times `factor`, plus `shift`. */
export function rescaled(layers: readonly LayerWeights[], factor: number, shift: number): LayerWeights[] {
  const isDueling = layers.some(({ name }) => name.startsWith("value."));
  return layers.map((layer) => {
    if (!layer.name.endsWith("head")) return layer;
    const own = !isDueling || layer.name === "value.head" ? shift : 0;
    const weight = layer.weight.map((w) => w * factor);
    return { ...layer, weight, bias: layer.bias.map((b) => b * factor + own) };
  });
}

/** An agent of the same shape that learns from single steps. */
function optionsOf(options: Readonly<ResolvedOptions>, method: Method): DQNOptions {
  const { observation, sparse, actions, candidates, masked, hidden, activation } = options;
  const { dueling, quantiles, normalization } = options;
  const { loss, batchSize, learningRate, updates, seed } = method;
  // With the policy's loss, and room for it with dueling, a transition keeps all that was on offer.
  const next = loss === "policy" || dueling ? candidates?.max : 1;
  return {
    observation,
    hidden,
    activation,
    dueling,
    quantiles,
    normalization,
    ...(sparse && { sparse }),
    ...(candidates ? { candidates: { ...candidates, next: next! } } : { actions, masked }),
    cqlAlpha: loss === "policy" ? 1 : 0,
    loss: loss === "policy" || quantiles > 1 ? "huber" : "squared",
    // Counted in observed rows.
    learningRate: { type: "cosine", from: learningRate, to: learningRate / 20, steps: updates * batchSize },
    adamEpsilon: 1e-8,
    batchSize,
    capacity: BATCHES * batchSize,
    learningStarts: batchSize,
    seed,
  };
}

/** How far layers of the student's shape agree with the lessons. */
export function judged(student: Valuer, { states, values }: Lessons, isMasked: boolean): ValueAgreement {
  return compared(values, valuesOf(student, "states", states, isMasked));
}
