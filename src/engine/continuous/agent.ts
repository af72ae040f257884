/// <reference lib="esnext.disposable" preserve="true" />
import { Check, Normalization, RETURN_MAX, REWARD_MAX, Status, Storage, WEIGHT_MAX } from "../../../assembly/abi.js";
import { Explore, Region, Scalar, Size, Stat, State } from "../../../assembly/continuous/abi.js";
import { bounded, mustBe, show } from "../../check/index.js";
import { ActorEngine, type ActorShape, type ContinuousEngineOptions } from "../instance/actor.js";
import { boundsOf, type ResolvedOptions } from "../options.js";
import { valueAt, writeValue } from "../schedule.js";
import type { FileBytes } from "../snapshot/bytes.js";
import { SnapshotError } from "../snapshot/error.js";
import type { Part } from "../snapshot/part.js";
import { type Frozen, frozen } from "../snapshot/ring.js";
import { chunksOf, type FilePart, filePart, joined, unpackSnapshot, wholePart } from "../snapshot/snapshot.js";
import { type FileChunks, fill, readSnapshotStream } from "../snapshot/stream.js";
import { Staged } from "../staging.js";
import { Refusals } from "../stats.js";
import { type LayerWeights, readLayers, writeLayers } from "../weights.js";
import { type ContinuousOptions, type ResolvedContinuousOptions, resolveContinuous } from "./continuousoptions.js";

/** One step of experience with a continuous action. Arrays are copied. */
export interface ContinuousTransition {
  /** (observation) */
  observation: ArrayLike<number>;
  /** (actions), each number within its bounds: what was done, noise included. */
  action: ArrayLike<number>;
  /** In [-1e6, 1e6], after `rewardScale` and `rewardClip`. */
  reward: number;
  /** Whether the task ended here, so that no later reward follows. A time limit is not a termination. */
  terminated: boolean;
  /** Whether the episode was cut here, for example by a time limit. Needed with `nStep` above 1. Default false. */
  truncated?: boolean;
  /** (observation) after the step; at the end of an episode its own last one, not the next episode's first. */
  nextObservation: ArrayLike<number>;
  /** Discount of the next state's value, [0, 1]; default gamma. For steps of unequal length. Ignored if terminated. */
  discount?: number;
  /** Which of the `environments` the step belongs to. Default 0. */
  environment?: number;
}

/** Health figures of a continuous agent. Figures of updates belong to this object: they restart after `load`. */
export interface ContinuousStats {
  /** Transitions observed, an integer >= 0. */
  steps: number;
  /** Updates of the critics and of the actor, integers >= 0. */
  updates: number;
  actorUpdates: number;
  /** Updates of either that were dropped, as their loss or gradient was not finite or beyond its bound. */
  skippedUpdates: number;
  /** `steps` at the last update that was dropped; 0 if none was. */
  skippedStep: number;
  /** The critics' loss in the last update, summed over them, >= 0; and its mean, each weighted 0.99 times the one after it. NaN before the first. */
  loss: number;
  lossMean: number;
  /** Mean value of the actor's actions in its last update, in units of return. NaN before the first. */
  actorValue: number;
  /** L2 norms of the last gradients before clipping, >= 0. NaN before the first. */
  gradientNorm: number;
  actorGradientNorm: number;
  /** How often `act`, `evaluate` and `observe` refused their input, by the wrong field; of this object. */
  refused: Readonly<Record<string, number>>;
  /** Transitions in the replay, [0, capacity], and their share of the capacity, [0, 1]. */
  replaySize: number;
  replayFill: number;
  /** Standard deviation of exploration now, [0, 10]. */
  noise: number;
  /** Adam's learning rates now, [0, 1]. */
  learningRate: number;
  actorLearningRate: number;
  /** Bytes of WebAssembly memory; constant. */
  memoryBytes: number;
  /** Kernels in use: "simd128 rolled" or "simd128 unrolled". */
  build: string;
  /** Whether its memory was damaged from outside, as far as counters and addresses show. */
  damaged: boolean;
}

/** Parts that `save` can leave out. */
interface Saving {
  /** Whether to save the replay. Default true. */
  replay?: boolean;
}

const KIND = "continuous";
const ONE_TENSOR = 'the file must hold the tensor "agent" and no other';

const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

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
export class ContinuousAgent {
  /** All options, with the defaults that were filled in. */
  readonly options: Readonly<ResolvedContinuousOptions>;

  #engine: ActorEngine | undefined;
  readonly #state: Float64Array;
  /** By Scalar: the numbers of the next call. */
  readonly #scalars: Float64Array;
  readonly #stats: Float64Array;
  /** (actions), from -1 to 1, in Wasm memory. */
  readonly #unit: Float32Array;
  /** (actions), between the bounds: what `act` returns. */
  readonly #action: Float64Array;
  readonly #values: Float32Array;
  readonly #observation: Staged;
  readonly #nextObservation: Staged;
  readonly #refusals = new Refusals();
  /** Rows of the replay in the loaded file. */
  #rows = 0;
  /** Saves that may not be at their end. */
  #frozen: WeakRef<Frozen>[] = [];

  /**
   * @param run - How the agent runs; this changes no bit of what it learns.
   * @throws TypeError or RangeError for options that are unknown, wrong, or need more than 4 GB.
   */
  constructor(options: ContinuousOptions, run?: ContinuousEngineOptions) {
    const resolved = resolveContinuous(options);
    const engine = new ActorEngine(shapeOf(resolved), run);
    this.options = resolved;
    this.#engine = engine;
    this.#state = engine.f64(Region.State);
    this.#scalars = engine.f64(Region.Scalars);
    this.#stats = engine.f64(Region.Stats);
    this.#unit = engine.f32(Region.Action);
    this.#action = new Float64Array(this.#unit.length);
    this.#values = engine.f32(Region.Values);
    const bounds = boundsOf(resolved.storage as ResolvedOptions["storage"]);
    const seen = (name: string, region: Region) =>
      new Staged(name, engine.f32(region), resolved.observation, undefined, bounds);
    this.#observation = seen("observation", Region.Observation);
    this.#nextObservation = seen("nextObservation", Region.NextObservation);
    writeConstants(this.#scalars, resolved);
  }

  /** Transitions observed so far. */
  get steps(): number {
    return this.#state[State.Steps]!;
  }

  /** Updates of the critics so far. */
  get updates(): number {
    return this.#state[State.Updates]!;
  }

  /** Updates of the actor so far. */
  get actorUpdates(): number {
    return this.#state[State.ActorUpdates]!;
  }

  /** Updates that were dropped because the loss or the gradient was not finite or beyond its bound. */
  get skippedUpdates(): number {
    return this.#state[State.Skipped]!;
  }

  /** Transitions in the replay. */
  get replaySize(): number {
    return this.#state[State.Size]!;
  }

  /** Probability that the next action is drawn uniformly: 1 for the first `randomSteps`, then 0. */
  get epsilon(): number {
    return this.steps < this.options.randomSteps ? 1 : 0;
  }

  /** Standard deviation of the noise on actions after the steps so far, of half an action's range. */
  get noise(): number {
    return valueAt(this.options.noise, this.steps);
  }

  /** Bytes of WebAssembly memory; constant. 0 once disposed. */
  get memoryBytes(): number {
    return this.#engine?.exports.memory.buffer.byteLength ?? 0;
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
      throw this.#refusals.counted(error);
    }
  }

  #act(observation: ArrayLike<number>, noise: number | undefined, environment: number): Float64Array {
    const engine = this.#open();
    let explore = Explore.Noise;
    if (noise == null) {
      if (this.epsilon > 0) explore = Explore.Uniform;
      writeValue(this.options.noise, this.steps, this.#scalars, Scalar.Noise);
    } else if (noise >= 0 && noise <= 10) {
      if (noise === 0) explore = Explore.Greedy;
      this.#scalars[Scalar.Noise] = noise;
    } else throw mustBe("noise", "in [0, 10]", noise);
    this.#requireEnvironment(environment);
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
      const engine = this.#open();
      this.#stageAction(action);
      this.#observation.writeOne(observation);
      const status: Status = engine.exports.evaluate();
      if (status !== Status.Ok) this.#observation.refuse(observation);
      return this.#values;
    } catch (error) {
      throw this.#refusals.counted(error);
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
      throw this.#refusals.counted(error);
    }
  }

  #observe(transition: ContinuousTransition): void {
    const engine = this.#open();
    const { observation, nextObservation, action, terminated, truncated = false, environment = 0 } = transition;
    requireFlag("terminated", terminated);
    requireFlag("truncated", truncated);
    this.#requireEnvironment(environment);
    writeReward(this.#scalars, transition, this.options);
    this.#stageAction(action);
    this.#observation.writeOne(observation);
    this.#nextObservation.writeOne(nextObservation);
    if (this.#frozen.length > 0) this.#keepRows();
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

  /**
   * Drops the last steps, fewer than `nStep`, that still wait for rewards, and draws new noise. Call it when an episode
   * will not continue.
   *
   * @param environment - Index of the environment. Default: all.
   */
  abandonEpisode(environment?: number): void {
    const { exports } = this.#open();
    if (environment === undefined) {
      for (let i = 0; i < this.options.environments; i++) exports.abandon(i);
    } else {
      this.#requireEnvironment(environment);
      exports.abandon(environment);
    }
  }

  /** Health figures for logs and dashboards. */
  stats(): ContinuousStats {
    const engine = this.#open();
    const { options, steps, replaySize } = this;
    const figure = (i: Stat) => (this.#stats[Stat.Tried] === 0 ? Number.NaN : this.#stats[i]!);
    const ofActor = (i: Stat) => (this.actorUpdates === 0 ? Number.NaN : this.#stats[i]!);
    return {
      steps,
      updates: this.updates,
      actorUpdates: this.actorUpdates,
      skippedUpdates: this.skippedUpdates,
      skippedStep: this.#state[State.SkippedStep]!,
      loss: figure(Stat.Loss),
      lossMean: this.#stats[Stat.LossSum]! / this.#stats[Stat.WeightSum]!,
      actorValue: ofActor(Stat.ActorValue),
      gradientNorm: figure(Stat.GradientNorm),
      actorGradientNorm: ofActor(Stat.ActorGradientNorm),
      refused: this.#refusals.counts,
      replaySize,
      replayFill: replaySize / options.capacity,
      noise: this.noise,
      learningRate: valueAt(options.learningRate, steps),
      actorLearningRate: valueAt(options.actorLearningRate, steps),
      memoryBytes: this.memoryBytes,
      build: engine.build,
      damaged: !engine.isSound(Check.Counters),
    };
  }

  /**
   * Does updates on random batches of the replay.
   *
   * @param updates - An integer in [1, 2^31 - 1]. Default 1.
   * @returns The critics' mean loss, summed over them; NaN while the replay holds fewer than `learningStarts` transitions.
   */
  learn(updates = 1): number {
    const { exports } = this.#open();
    if (!Number.isInteger(updates) || updates < 1 || updates > 2147483647) {
      throw mustBe("updates", "an integer in [1, 2147483647]", updates);
    }
    const { options } = this;
    if (this.replaySize < options.learningStarts) return Number.NaN;
    writeValue(options.learningRate, this.steps, this.#scalars, Scalar.LearningRate);
    writeValue(options.actorLearningRate, this.steps, this.#scalars, Scalar.ActorLearningRate);
    return exports.learn(updates);
  }

  /** Moves the target networks to the online ones by `tau`, (0, 1]; `learn` does so by itself every `policyDelay` updates. */
  syncTarget(tau = 1): void {
    if (!(tau > 0 && tau <= 1)) throw mustBe("tau", "in (0, 1]", tau);
    this.#open().exports.syncTarget(tau);
  }

  /** The actor's layers in plain form, for other tools: an action is tanh of the head's output, from -1 to 1. */
  weights(): LayerWeights[] {
    const engine = this.#open();
    engine.exports.unpackActor();
    const gradient = engine.f32(Region.Gradient);
    const layers = readLayers(layersOf(this.options), gradient);
    // The next update writes all of it but the padding, which must be 0.
    gradient.fill(0);
    return layers;
  }

  /**
   * Takes the actor's layers in the form that `weights` gives, in any order; critics, replay, counters and the optimiser's
   * moments stay. The targets become copies.
   * @throws TypeError or RangeError for layers of other names or shapes, or a number that is not in [-1e9, 1e9]; nothing
   *   changes then.
   */
  setWeights(layers: readonly LayerWeights[]): void {
    const engine = this.#open();
    const gradient = engine.f32(Region.Gradient);
    writeLayers(layersOf(this.options), layers, gradient);
    engine.exports.packActor();
    gradient.fill(0);
  }

  /** A copy of the parameters of actor and critics, for `restoreWeights` of an agent with the same options. */
  copyWeights(): Float32Array {
    return this.#open().f32(Region.Online).slice();
  }

  /**
   * Puts parameters back that `copyWeights` gave, into the online and the target networks; replay, counters and the
   * optimiser's moments stay.
   * @throws RangeError for another length or a number that is not in [-1e9, 1e9]; nothing changes then.
   */
  restoreWeights(weights: Float32Array): void {
    const engine = this.#open();
    const online = engine.f32(Region.Online);
    if (weights.length !== online.length) {
      throw new RangeError(`"weights" must hold ${online.length} numbers, got ${weights.length}`);
    }
    const bad = weights.findIndex((x) => !(Math.abs(x) <= WEIGHT_MAX));
    if (bad >= 0) throw mustBe(`weights[${bad}]`, bounded(WEIGHT_MAX), weights[bad]);
    online.set(weights);
    engine.exports.syncTarget(1);
  }

  /**
   * The whole agent as a file: continuing from it gives the same bits as never having stopped.
   * @param options - `replay: false` makes a small file that acts, and learns on from an empty replay.
   * @throws SnapshotError if the agent's memory was damaged from outside: what was saved before is all there is.
   */
  save(options: Saving = {}): Uint8Array {
    return joined(this.#file("", options, 1, Check.All));
  }

  /** The same file in chunks of at most a mebibyte, of the moment of this call, as by `DQN.saveChunks`. */
  saveChunks(options: Saving = {}): Generator<Uint8Array, void> {
    return chunksOf(this.#file("", options, 1));
  }

  /** The same file as a part of another; see `saveChunks`. It must be released. */
  part(name: string, options: Saving = {}): Part {
    return this.#file(name, options);
  }

  #file(name: string, options: Saving, passes?: number, check = Check.Weights): FilePart {
    if (!this.#open().isSound(check)) {
      throw new SnapshotError("the agent's memory was damaged from outside: load what was saved last");
    }
    const { replay = true } = options;
    const metadata = { options: JSON.stringify(this.options), replay: String(replay) };
    return filePart(name, KIND, metadata, [this.#freeze(replay)], passes);
  }

  /** The persistent span up to the last filled row of the replay; without replay, its counters and what waits are 0. */
  #freeze(replay: boolean): Part {
    const { span, fixed, row } = this.#layout();
    const head = span.slice(0, fixed);
    if (replay) {
      const ring = frozen("agent", head, span.subarray(fixed, fixed + row * this.replaySize), row);
      this.#frozen.push(new WeakRef(ring));
      return ring;
    }
    const moments = this.#open().u8(Region.Moments);
    new Float64Array(head.buffer).fill(0, State.Size, State.Head + 1);
    return wholePart("agent", head.fill(0, moments.byteOffset + moments.byteLength - span.byteOffset));
  }

  /** Puts rows aside that the next step may overwrite, for saves that are not at their end. */
  #keepRows(): void {
    const { capacity, nStep } = this.options;
    this.#frozen = this.#frozen.filter((each) => {
      const ring = each.deref();
      let i = 0;
      while (i < nStep && ring?.keep((this.#state[State.Head]! + i) % capacity)) i++;
      return i > 0;
    });
  }

  /** The persistent span, its bytes before the replay, and the bytes of one row of the replay. */
  #layout(): { span: Uint8Array; fixed: number; row: number } {
    const engine = this.#open();
    const span = engine.u8(Region.Persistent);
    const replay = engine.u8(Region.Replay);
    return { span, fixed: replay.byteOffset - span.byteOffset, row: replay.byteLength / this.options.capacity };
  }

  /**
   * Loads an agent that `save` wrote.
   *
   * @param file - An ArrayBuffer, as `fetch` gives it, a Uint8Array or Buffer, or any other view.
   * @throws SnapshotError for a file that is damaged, foreign, newer, of another shape or not finite.
   */
  static load(file: FileBytes, run?: ContinuousEngineOptions): ContinuousAgent {
    const { metadata, tensors } = unpackSnapshot(KIND, file);
    const bytes = tensors.get("agent");
    if (!bytes || tensors.size !== 1) throw new SnapshotError(ONE_TENSOR);
    const agent = ContinuousAgent.#create(metadata, run);
    agent.#room(bytes.byteLength).set(bytes);
    agent.#restore();
    return agent;
  }

  /**
   * Loads an agent from chunks: a Node or Web stream, `saveChunks`, or any iterable.
   * @throws SnapshotError as `load`, once the last chunk has been read.
   */
  static async loadChunks(chunks: FileChunks, run?: ContinuousEngineOptions): Promise<ContinuousAgent> {
    let agent: ContinuousAgent | undefined;
    try {
      await readSnapshotStream(KIND, chunks, (metadata, sizes) => {
        const size = sizes.get("agent");
        if (size === undefined || sizes.size !== 1) throw new SnapshotError(ONE_TENSOR);
        agent = ContinuousAgent.#create(metadata, run);
        const room = agent.#room(size);
        return (_, bytes) => fill(room, bytes);
      });
      agent!.#restore();
    } catch (error) {
      agent?.dispose();
      throw error;
    }
    return agent!;
  }

  /** An agent with the options in a file. */
  static #create(metadata: Record<string, string>, run: ContinuousEngineOptions | undefined): ContinuousAgent {
    let options: ContinuousOptions;
    try {
      options = JSON.parse(metadata["options"] ?? "") as ContinuousOptions;
      resolveContinuous(options);
    } catch (cause) {
      throw new SnapshotError("the file holds no valid options of an agent", { cause });
    }
    return new ContinuousAgent(options, run);
  }

  /** The part of the persistent span that a file of this size fills. */
  #room(size: number): Uint8Array {
    const { span, fixed, row } = this.#layout();
    const rows = (size - fixed) / row;
    if (!Number.isInteger(rows) || rows < 0 || rows > this.options.capacity) {
      throw new SnapshotError(`the agent's state has ${size} bytes, which does not fit its options`);
    }
    this.#rows = rows;
    return span.subarray(0, size);
  }

  /** Checks all loaded bytes. */
  #restore(): void {
    const status: Status = this.#open().exports.restore();
    if (status === Status.Ok && this.replaySize === this.#rows) return;
    this.dispose();
    if (status === Status.NotFinite)
      throw new SnapshotError("the file holds a number that is not finite or is beyond its bound");
    throw new SnapshotError("the file holds a counter that is out of its bounds");
  }

  /** Frees the memory; any later call but this throws. */
  dispose(): void {
    this.#engine = undefined;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  #open(): ActorEngine {
    if (!this.#engine) throw new Error("the agent is disposed");
    return this.#engine;
  }

  #requireEnvironment(environment: number): void {
    const { environments } = this.options;
    if (Number.isInteger(environment) && environment >= 0 && environment < environments) return;
    throw mustBe("environment", `an integer in [0, ${environments - 1}]`, environment);
  }
}

/** Writes the reward, scaled and clipped, and the discount of the next state's value: 0 after termination. */
function writeReward(
  scalars: Float64Array,
  { reward, discount, terminated }: ContinuousTransition,
  { rewardScale, rewardClip, gamma }: ResolvedContinuousOptions,
): void {
  if (discount != null && !(discount >= 0 && discount <= 1)) throw mustBe("discount", "in [0, 1]", discount);
  scalars[Scalar.Discount] = terminated ? 0 : (discount ?? gamma);
  const scaled = Number.isFinite(reward) ? reward * rewardScale : Number.NaN;
  const learned = rewardClip > 0 ? Math.max(-rewardClip, Math.min(rewardClip, scaled)) : scaled;
  if (!(Math.abs(learned) <= REWARD_MAX)) {
    const most =
      rewardScale === 1 ? bounded(REWARD_MAX) : `${bounded(REWARD_MAX)} when "rewardScale" has multiplied it`;
    throw mustBe("reward", rewardClip > 0 ? "a finite number" : most, reward);
  }
  scalars[Scalar.Reward] = learned;
}

function requireFlag(name: string, flag: boolean): void {
  if (typeof flag !== "boolean") throw new TypeError(`"${name}" must be true or false, got ${show(flag)}`);
}

/** Writes the scalars that never change, by Scalar. */
function writeConstants(scalars: Float64Array, options: ResolvedContinuousOptions): void {
  const { beta1, beta2, adamEpsilon, weightDecay, maxGradNorm, policyDelay, tau } = options;
  const { targetNoise, targetNoiseClip, noiseCorrelation } = options;
  scalars.set([beta1, beta2, adamEpsilon, weightDecay, maxGradNorm, policyDelay, tau], Scalar.Beta1);
  scalars.set([targetNoise, targetNoiseClip], Scalar.TargetNoise);
  scalars[Scalar.Correlation] = noiseCorrelation;
}

/** What the layers of the actor depend on, in the words of a DQN's options. */
function layersOf({ observation, continuous, hidden, normalization }: ResolvedContinuousOptions): ResolvedOptions {
  const none = { sparse: undefined, candidates: undefined, slate: undefined };
  const shape = { observation, actions: continuous.low.length, hidden, normalization, quantiles: 1, dueling: false };
  return { ...shape, ...none } as unknown as ResolvedOptions;
}

const STORAGES = { f32: Storage.F32, f16: Storage.F16, u8: Storage.U8 };

function shapeOf(options: ResolvedContinuousOptions): ActorShape {
  const { storage, normalization } = options;
  return {
    sizes: {
      [Size.Observation]: options.observation,
      [Size.Actions]: options.continuous.low.length,
      [Size.Critics]: options.twin ? 2 : 1,
      [Size.Normalization]: normalization === "layer" ? Normalization.Layer : Normalization.None,
      [Size.Batch]: options.batchSize,
      [Size.Capacity]: options.capacity,
      [Size.NStep]: options.nStep,
      [Size.Environments]: options.environments,
      [Size.Storage]: STORAGES[typeof storage === "object" ? storage.type : storage],
      [Size.Squared]: Number(options.loss === "squared"),
    },
    hidden: options.hidden,
    bounds: boundsOf(storage as ResolvedOptions["storage"]),
    seed: options.seed,
  };
}
