import { Flag, RETURN_MAX, Region, Scalar, Size, Stat, Status } from "../../../assembly/abi.js";
import { Explore, State } from "../../../assembly/continuous/abi.js";
import { bounded, mustBe, show } from "../../check/index.js";
import { Agent, clipReward, type Kind, requireFlag, rewardRefusal, shapeOf, writeDiscount } from "../agent.js";
import type { Transition } from "../dqn.js";
import { ActorEngine } from "../instance/actor.js";
import type { ContinuousEngineOptions } from "../instance/instantiate.js";
import { boundsOf } from "../options.js";
import { valueAt, writeValue } from "../schedule.js";
import type { FileBytes } from "../snapshot/bytes.js";
import type { FileChunks } from "../snapshot/stream.js";
import { Staged } from "../staging.js";
import type { CommonStats } from "../stats.js";
import type { LayerOptions } from "../weights.js";
import { type ContinuousOptions, type ResolvedContinuousOptions, resolveContinuous } from "./continuousoptions.js";

/** One step of experience with a continuous action. Arrays are copied. */
export interface ContinuousTransition
  extends Pick<Transition, "reward" | "terminated" | "truncated" | "discount" | "environment"> {
  /** (observation) */
  observation: ArrayLike<number>;
  /** (actions), each number within its bounds: what was done, noise included. */
  action: ArrayLike<number>;
  /** (observation) after the step; at the end of an episode its own last one, not the next episode's first. */
  nextObservation: ArrayLike<number>;
}

/** Health figures of a continuous agent. Figures of updates belong to this object: they restart after `load`. */
export interface ContinuousStats extends CommonStats {
  /** Updates of the actor, an integer >= 0. */
  actorUpdates: number;
  /** The critics' loss in the last update, summed over them, >= 0; and its mean, each weighted 0.99 times the one after it. NaN before the first. */
  loss: number;
  lossMean: number;
  /** Mean value of the actor's actions in its last update, in units of return. NaN before the first. */
  actorValue: number;
  /** L2 norms of the last gradients before clipping, >= 0. NaN before the first. */
  gradientNorm: number;
  actorGradientNorm: number;
  /** Standard deviation of exploration now, [0, 10]. */
  noise: number;
  /** Adam's learning rate of the actor now, [0, 1]. */
  actorLearningRate: number;
}

const KIND: Kind = {
  name: "continuous",
  metadata: {},
  skipped: State.Skipped,
  skippedStep: State.SkippedStep,
  size: State.Size,
};

/**
 * An agent whose actions are numbers in bounds: TD3 (Fujimoto et al. 2018, arXiv:1802.09477), or DDPG (Lillicrap et al.
 * 2016, arXiv:1509.02971), in a WebAssembly instance of its own. An actor gives the action, tanh of its output between
 * the bounds; critics value it, and the actor follows the first one's gradient.
 *
 * Everything random comes from `seed`; the same calls give the same bytes in every JavaScript engine. All memory is
 * taken by the constructor.
 *
 * ```ts
 * const agent = new ContinuousAgent({ observation: 3, continuous: { low: [-2], high: [2] }, seed: 1 });
 * const action = agent.act(observation);
 * agent.observe({ observation, action, reward, terminated, nextObservation });
 * agent.learn();
 * ```
 */
export class ContinuousAgent extends Agent<ResolvedContinuousOptions> {
  readonly #stats: Float64Array;
  /** (actions), from -1 to 1, in Wasm memory. */
  readonly #unit: Float32Array;
  /** (actions), between the bounds: what `act` returns. */
  readonly #action: Float64Array;
  readonly #values: Float32Array;
  readonly #observation: Staged;
  readonly #nextObservation: Staged;

  /**
   * @param run - How the agent runs; this changes no bit of what it learns.
   * @throws TypeError or RangeError for options that are unknown, wrong, or need more than 4 GB.
   */
  constructor(options: ContinuousOptions, run?: ContinuousEngineOptions) {
    const resolved = resolveContinuous(options);
    const engine = new ActorEngine(shapeOf(resolved, sizesOf(resolved)), run);
    super(KIND, resolved, layersOf(resolved), engine);
    this.#stats = engine.f64(Region.Stats);
    this.#unit = engine.f32(Region.Action);
    this.#action = new Float64Array(this.#unit.length);
    this.#values = engine.f32(Region.Values);
    const bounds = boundsOf(resolved.storage);
    const seen = (name: string, region: Region) =>
      new Staged(name, engine.f32(region), resolved.observation, undefined, bounds);
    this.#observation = seen("observation", Region.Observation);
    this.#nextObservation = seen("nextObservation", Region.NextObservation);
    writeConstants(this.scalars, resolved);
  }

  /** Updates of the actor so far. */
  get actorUpdates(): number {
    return this.state[State.ActorUpdates]!;
  }

  /** Probability that the next action is drawn uniformly: 1 for the first `randomSteps`, then 0. */
  get epsilon(): number {
    return this.steps < this.options.randomSteps ? 1 : 0;
  }

  /** Standard deviation of the noise on actions after the steps so far, of half an action's range. */
  get noise(): number {
    return valueAt(this.options.noise, this.steps);
  }

  /**
   * Chooses an action: drawn uniformly in the first `randomSteps`, then the actor's with noise on it.
   *
   * @param observation - (observation)
   * @param noise - Standard deviation of the noise, [0, 10], of half an action's range; 0 is the actor's own action, which
   *   draws no random number. Default: as the options say, the uniform start included.
   * @param environment - Which of the `environments` acts: each has noise of its own. Default 0.
   * @returns (actions), each within its bounds: a view, valid until the next call.
   * @throws RangeError for a wrong length or a number outside [-1e6, 1e6], or the range of `storage`; TypeError for a
   *   value that is not a number. Nothing changes then, and `stats()` counts it.
   */
  act(observation: ArrayLike<number>, noise?: number, environment = 0): Float64Array {
    try {
      return this.#act(observation, noise, environment);
    } catch (error) {
      throw this.refusals.counted(error);
    }
  }

  #act(observation: ArrayLike<number>, noise: number | undefined, environment: number): Float64Array {
    const engine = this.open();
    let explore = Explore.Noise;
    if (noise == null) {
      if (this.epsilon > 0) explore = Explore.Uniform;
      writeValue(this.options.noise, this.steps, this.scalars, Scalar.Exploration);
    } else if (noise >= 0 && noise <= 10) {
      if (noise === 0) explore = Explore.Greedy;
      this.scalars[Scalar.Exploration] = noise;
    } else throw mustBe("noise", "in [0, 10]", noise);
    this.requireEnvironment(environment);
    this.#observation.writeOne(observation);
    const status: Status = engine.exports.act(environment, explore);
    if (status !== Status.Ok) this.#observation.refuse(observation);
    const { low, high } = this.options.continuous;
    for (let i = 0; i < this.#action.length; i++) {
      const between = low[i]! + ((this.#unit[i]! + 1) / 2) * (high[i]! - low[i]!);
      this.#action[i] = Math.min(high[i]!, Math.max(low[i]!, between));
    }
    return this.#action;
  }

  /**
   * Values of an action in an observation, by each critic.
   *
   * @param observation - (observation)
   * @param action - (actions), each within its bounds.
   * @returns (critics) values, 2 with `twin`, else 1: a view, valid until the next call.
   * @throws RangeError or TypeError as `act`.
   */
  evaluate(observation: ArrayLike<number>, action: ArrayLike<number>): Float32Array {
    try {
      const engine = this.open();
      this.#stageAction(action);
      this.#observation.writeOne(observation);
      const status: Status = engine.exports.evaluate();
      if (status !== Status.Ok) this.#observation.refuse(observation);
      return this.#values;
    } catch (error) {
      throw this.refusals.counted(error);
    }
  }

  /**
   * Stores a transition in the replay.
   * @throws RangeError or TypeError for a wrong length or number; nothing changes then, and `stats()` counts it.
   */
  observe(transition: ContinuousTransition): void {
    try {
      this.#observe(transition);
    } catch (error) {
      throw this.refusals.counted(error);
    }
  }

  #observe(transition: ContinuousTransition): void {
    const engine = this.open();
    const { observation, nextObservation, action, terminated, truncated = false, environment = 0 } = transition;
    requireFlag("terminated", terminated);
    requireFlag("truncated", truncated);
    this.requireEnvironment(environment);
    const { reward } = transition;
    this.scalars[Scalar.Reward] = typeof reward === "number" ? reward : Number.NaN;
    if (!clipReward(this.scalars, Scalar.Reward, this.options)) throw rewardRefusal("reward", reward, this.options);
    writeDiscount(this.scalars, transition, this.options);
    this.#stageAction(action);
    this.#observation.writeOne(observation);
    this.#nextObservation.writeOne(nextObservation);
    this.keepRows();
    const status: Status = engine.exports.observe(terminated || truncated, environment);
    if (status === Status.Ok) return;
    if (status === Status.BadObservation) this.#observation.refuse(observation);
    if (status === Status.BadNextObservation) this.#nextObservation.refuse(nextObservation);
    throw new RangeError(`"reward" must keep n-step returns ${bounded(RETURN_MAX)}, got ${show(transition.reward)}`);
  }

  /** Writes an action as the networks see it, each number from -1 to 1. */
  #stageAction(action: ArrayLike<number>): void {
    const { low, high } = this.options.continuous;
    if (typeof action?.length !== "number") {
      throw new TypeError(`"action" must be an array of numbers, got ${show(action)}`);
    }
    if (action.length !== low.length) {
      throw new RangeError(`"action" must hold ${low.length} numbers, got ${action.length}`);
    }
    for (let i = 0; i < low.length; i++) {
      const x = action[i] as unknown;
      if (typeof x !== "number") throw new TypeError(`"action[${i}]" must be a number, got ${show(x)}`);
      // An action that came through f32 may be rounded out of its bounds.
      if (!(x >= low[i]! && x <= high[i]!) && !(Math.fround(low[i]!) === x || Math.fround(high[i]!) === x)) {
        throw mustBe(`action[${i}]`, `in [${low[i]}, ${high[i]}]`, x);
      }
    }
    for (let i = 0; i < low.length; i++) {
      const unit = ((action[i]! - low[i]!) / (high[i]! - low[i]!)) * 2 - 1;
      this.#unit[i] = Math.min(1, Math.max(-1, unit));
    }
  }

  /** Health figures for logs and dashboards. */
  stats(): ContinuousStats {
    const { options, steps } = this;
    const figure = (i: Stat) => (this.#stats[Stat.Tried] === 0 ? Number.NaN : this.#stats[i]!);
    const ofActor = (i: Stat) => (this.actorUpdates === 0 ? Number.NaN : this.#stats[i]!);
    return {
      ...this.commonStats(),
      actorUpdates: this.actorUpdates,
      loss: figure(Stat.Loss),
      lossMean: this.#stats[Stat.LossSum]! / this.#stats[Stat.WeightSum]!,
      actorValue: ofActor(Stat.ActorValue),
      gradientNorm: figure(Stat.GradientNorm),
      actorGradientNorm: ofActor(Stat.ActorGradientNorm),
      noise: this.noise,
      actorLearningRate: valueAt(options.actorLearningRate, steps),
    };
  }

  /**
   * Does updates on random batches of the replay.
   *
   * @param updates - An integer in [1, 2^31 - 1]. Default 1.
   * @returns The critics' mean loss, summed over them; NaN while the replay holds fewer than `learningStarts` transitions.
   */
  learn(updates = 1): number {
    if (!this.canLearn(updates)) return Number.NaN;
    writeValue(this.options.actorLearningRate, this.steps, this.scalars, Scalar.ActorLearningRate);
    return this.open().exports.learn(updates);
  }

  /** @internal */
  protected override open(): ActorEngine {
    return super.open() as ActorEngine;
  }

  /**
   * Loads an agent that `save` wrote.
   *
   * @param file - An ArrayBuffer, as `fetch` gives it, a Uint8Array or Buffer, or any other view.
   * @throws SnapshotError for a file that is damaged, foreign, newer, of another shape or not finite.
   */
  static load(file: FileBytes, run?: ContinuousEngineOptions): ContinuousAgent {
    return Agent.read(KIND.name, file, (options) => new ContinuousAgent(JSON.parse(options), run));
  }

  /**
   * Loads an agent from chunks: a Node or Web stream, `saveChunks`, or any iterable.
   * @throws SnapshotError as `load`, once the last chunk has been read.
   */
  static loadChunks(chunks: FileChunks, run?: ContinuousEngineOptions): Promise<ContinuousAgent> {
    return Agent.readChunks(KIND.name, chunks, (options) => new ContinuousAgent(JSON.parse(options), run));
  }
}

/** Writes the scalars that never change, by Scalar. */
function writeConstants(scalars: Float64Array, options: ResolvedContinuousOptions): void {
  const { beta1, beta2, adamEpsilon, weightDecay, maxGradNorm, policyDelay, tau } = options;
  scalars.set([beta1, beta2, adamEpsilon, weightDecay, maxGradNorm, policyDelay, tau], Scalar.Beta1);
  const { noiseCorrelation, targetNoise, targetNoiseClip } = options;
  scalars.set([noiseCorrelation, targetNoise, targetNoiseClip], Scalar.Correlation);
}

/** What the layers of the actor depend on, in the words of a DQN's options. */
function layersOf({ observation, continuous, hidden, normalization }: ResolvedContinuousOptions): LayerOptions {
  const none = { sparse: undefined, candidates: undefined, slate: undefined };
  return { observation, actions: continuous.low.length, hidden, normalization, quantiles: 1, dueling: false, ...none };
}

function sizesOf({ continuous, twin, loss }: ResolvedContinuousOptions): Partial<Record<Size, number>> {
  return {
    [Size.Flags]: loss === "squared" ? Flag.Squared : 0,
    [Size.Actions]: continuous.low.length,
    [Size.Critics]: twin ? 2 : 1,
  };
}
