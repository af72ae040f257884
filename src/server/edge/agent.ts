import { DQN, SnapshotError } from "../../engine/index.js";
import type { QFunction } from "../../recommender/index.js";

/** The weights of a network at one moment of its learning, and what was known of them then. */
export interface Model {
  /** Counts from 1, over restarts too where models are kept; 0: what a new server began with. */
  readonly version: number;
  /** All records before this sequence number were learned from. */
  readonly sequence: number;
  readonly transitions: number;
  readonly updates: number;
  /** Mean of the latest losses, and mean value of the last batch; NaN before the first update. */
  readonly loss: number;
  readonly qMean: number;
  /** Quantiles of the last batch's TD errors, in units of return; NaN before the first update. */
  readonly tdErrorP50: number;
  readonly tdErrorP90: number;
  /** Norm of the last gradient before it was clipped; NaN before the first update, and of a file without it. */
  readonly gradientNorm: number;
  readonly weights: Float32Array;
}

/** A model as bytes: the length of its JSON, the JSON, and the weights as they are in memory. */
export function fileOfModel<M extends { readonly weights: Float32Array }>({ weights, ...about }: M): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(about));
  const bytes = new Uint8Array(4 + json.byteLength + weights.byteLength);
  new DataView(bytes.buffer).setUint32(0, json.byteLength, true);
  bytes.set(json, 4);
  bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength), 4 + json.byteLength);
  return bytes;
}

/** The model of such bytes. @throws SnapshotError for others. */
export function modelOf<M extends { readonly weights: Float32Array } = Model>(bytes: Uint8Array): M {
  try {
    const end = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    // JSON has no NaN.
    const about = JSON.parse(new TextDecoder().decode(bytes.subarray(4, end)), (_, value) => value ?? Number.NaN);
    return { ...about, weights: new Float32Array(bytes.slice(end).buffer) } as M;
  } catch (cause) {
    throw new SnapshotError(`the file of a model: ${(cause as Error).message}`);
  }
}

/** How far a candidate agrees with the model that answers, over the requests that both scored. */
export interface ShadowReport {
  /** Requests that both scored. */
  readonly requests: number;
  /** Share of them for which both hold the same stream for the best; NaN before the first. */
  readonly sameBest: number;
  /** Mean difference of the values of a stream, candidate minus answering model, and its root mean square. */
  readonly difference: number;
  readonly rmsDifference: number;
}

type Known = Pick<Model, "transitions" | "updates">;

/** A network without a replay, and what is known of its weights. */
interface Net {
  readonly net: DQN;
  known: Known;
}

/** What answers: the model that is live, another one that is held, or no model at all, so that the most viewed are shown. */
export type Acting = "live" | "popular" | { readonly model: number };

/** An agent that acts by the weights of models, and neither learns nor remembers: what a server answers with. */
export class ServingAgent implements QFunction {
  readonly #live: Net;
  /** Other models that act for some requests, by version. */
  readonly #held = new Map<number, Net>();
  #acting: Net;
  #isPopular = false;
  #shadow: DQN | undefined;
  #isScored = true;
  readonly #sums = { requests: 0, same: 0, values: 0, difference: 0, squares: 0 };

  private constructor(net: DQN, known: Known) {
    this.#live = { net, known };
    this.#acting = this.#live;
  }

  /** The agent of a file of `DQN.save`, without its replay. @throws SnapshotError. */
  static load(file: Uint8Array): ServingAgent {
    const agent = DQN.load(file);
    try {
      const { steps, updates } = agent;
      const net = withoutReplay(agent);
      net.restoreWeights(agent.copyWeights());
      return new ServingAgent(net, { transitions: steps, updates });
    } finally {
      agent.dispose();
    }
  }

  /** Acts by a model from now on. @throws RangeError for weights that are not finite or do not fit; nothing changes then. */
  swap({ weights, transitions, updates }: Model): void {
    this.#live.net.restoreWeights(weights);
    this.#live.known = { transitions, updates };
  }

  /** Holds these models, and no others, so that they can act. */
  hold(models: readonly Model[]): void {
    for (const [version, { net }] of this.#held) {
      if (models.some((model) => model.version === version)) continue;
      net.dispose();
      this.#held.delete(version);
    }
    for (const { version, weights, transitions, updates } of models) {
      if (this.#held.has(version)) continue;
      const net = withoutReplay(this.#live.net);
      net.restoreWeights(weights);
      this.#held.set(version, { net, known: { transitions, updates } });
    }
  }

  /** The next request is answered by this; one that is not held leaves it to the live model. */
  begin(acting: Acting): void {
    this.#isPopular = acting === "popular";
    this.#acting = (typeof acting === "object" ? this.#held.get(acting.model) : undefined) ?? this.#live;
    this.#isScored = this.#acting !== this.#live;
  }

  /** From now on a candidate scores what the live model scores; undefined: none does. Counts begin anew. */
  shadow(weights: Float32Array | undefined): void {
    Object.assign(this.#sums, { requests: 0, same: 0, values: 0, difference: 0, squares: 0 });
    if (weights === undefined) {
      this.#shadow?.dispose();
      this.#shadow = undefined;
      return;
    }
    this.#shadow ??= withoutReplay(this.#live.net);
    this.#shadow.restoreWeights(weights);
  }

  shadowReport(): ShadowReport {
    const { requests, same, values, difference, squares } = this.#sums;
    return {
      requests,
      sameBest: same / requests,
      difference: difference / values,
      rmsDifference: Math.sqrt(squares / values),
    };
  }

  /** The weights that it acts by. */
  copyWeights(): Float32Array {
    return this.#live.net.copyWeights();
  }

  get steps(): number {
    return this.#acting.known.transitions;
  }

  /** Below all warm-ups where the most viewed streams shall be shown. */
  get updates(): number {
    return this.#isPopular ? -1 : this.#acting.known.updates;
  }

  get choices(): Float32Array | undefined {
    return this.#acting.net.choices;
  }

  get nothing(): number {
    return this.#acting.net.nothing;
  }

  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>, noise = false): Float32Array {
    const values = this.#acting.net.evaluate(observation, candidates, noise);
    // Explanations score again and again: the first time is the request's.
    if (this.#shadow !== undefined && !noise && !this.#isScored) {
      this.#isScored = true;
      this.#compare(values, this.#shadow.evaluate(observation, candidates));
    }
    return values;
  }

  #compare(values: Float32Array, others: Float32Array): void {
    const sums = this.#sums;
    let [best, other] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      if (values[i]! > values[best]!) best = i;
      if (others[i]! > others[other]!) other = i;
      const difference = others[i]! - values[i]!;
      sums.difference += difference;
      sums.squares += difference * difference;
    }
    sums.values += values.length;
    sums.requests++;
    sums.same += Number(best === other);
  }

  evaluateParts(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    return this.#acting.net.evaluateParts(observation, candidates);
  }

  observe(): void {}

  learn(): number {
    return Number.NaN;
  }

  save(): Uint8Array {
    throw new Error("an agent that serves has nothing to save: its learner has");
  }

  dispose(): void {
    this.hold([]);
    this.shadow(undefined);
    this.#live.net.dispose();
  }
}

/** A network of the same options, with room for a batch alone. */
function withoutReplay({ options }: DQN): DQN {
  // A recommender's agent scores candidates: it has no actions by number.
  const { actions: _, ...rest } = options;
  const { batchSize } = rest;
  return new DQN({ ...rest, capacity: batchSize, learningStarts: batchSize });
}
