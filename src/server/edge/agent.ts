import { DQN } from "../../engine/index.js";
import type { QFunction } from "../../recommender/index.js";

/** The weights of a network at one moment of its learning, and what was known of them then. */
export interface Model {
  /** Counts from 1 in each run of a server. */
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
  readonly weights: Float32Array;
}

/** An agent that acts by the weights of the newest model, and neither learns nor remembers: what a server answers with. */
export class ServingAgent implements QFunction {
  readonly #net: DQN;
  #model: Pick<Model, "transitions" | "updates">;

  private constructor(net: DQN, model: Pick<Model, "transitions" | "updates">) {
    this.#net = net;
    this.#model = model;
  }

  /** The agent of a file of `DQN.save`, without its replay. @throws SnapshotError. */
  static load(file: Uint8Array): ServingAgent {
    const agent = DQN.load(file);
    try {
      const { steps, updates } = agent;
      // A recommender's agent scores candidates: it has no actions by number.
      const { actions: _, ...options } = agent.options;
      const { batchSize } = options;
      const net = new DQN({ ...options, capacity: batchSize, learningStarts: batchSize });
      net.restoreWeights(agent.copyWeights());
      return new ServingAgent(net, { transitions: steps, updates });
    } finally {
      agent.dispose();
    }
  }

  /** Acts by a model from now on. @throws RangeError for weights that are not finite or do not fit; nothing changes then. */
  swap({ weights, transitions, updates }: Model): void {
    this.#net.restoreWeights(weights);
    this.#model = { transitions, updates };
  }

  /** The weights that it acts by. */
  copyWeights(): Float32Array {
    return this.#net.copyWeights();
  }

  get steps(): number {
    return this.#model.transitions;
  }

  get updates(): number {
    return this.#model.updates;
  }

  get choices(): Float32Array | undefined {
    return this.#net.choices;
  }

  get nothing(): number {
    return this.#net.nothing;
  }

  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>, noise = false): Float32Array {
    return this.#net.evaluate(observation, candidates, noise);
  }

  evaluateParts(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    return this.#net.evaluateParts(observation, candidates);
  }

  observe(): void {}

  learn(): number {
    return Number.NaN;
  }

  save(): Uint8Array {
    throw new Error("an agent that serves has nothing to save: its learner has");
  }

  dispose(): void {
    this.#net.dispose();
  }
}
