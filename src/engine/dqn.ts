/// <reference lib="esnext.disposable" preserve="true" />
import {
  Check,
  Flag,
  Normalization,
  RETURN_MAX,
  REWARD_MAX,
  Region,
  Scalar,
  Size,
  STATISTIC_MAX,
  State,
  Status,
  Storage,
  WEIGHT_MAX,
} from "../../assembly/abi.js";
import { bounded, mustBe, show } from "../check/index.js";
import { Batch } from "./batch.js";
import { Engine, type EngineOptions, type Shape } from "./instance/instance.js";
import { KERNEL } from "./instance/kernel.js";
import { boundsOf, type DQNOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { valueAt, writeValue } from "./schedule.js";
import type { FileBytes } from "./snapshot/bytes.js";
import { SnapshotError } from "./snapshot/error.js";
import type { Part } from "./snapshot/part.js";
import { type Frozen, frozen } from "./snapshot/ring.js";
import { chunksOf, type FilePart, filePart, joined, unpackSnapshot, wholePart } from "./snapshot/snapshot.js";
import { type FileChunks, fill, readSnapshotStream } from "./snapshot/stream.js";
import { type AgentInput, Staged, writeMask } from "./staging.js";
import { type AgentStats, Refusals, UpdateMeter } from "./stats.js";
import { type LayerWeights, readLayers, writeLayers } from "./weights.js";

/** One step of experience. Arrays are copied. */
export interface Transition {
  /** (observation) */
  observation: AgentInput;
  /**
   * The index of the action taken: among the `actions`, or among the `candidates` given here. With `slate` of the one
   * entered, [-1, shown - 1]; -1: nothing was entered.
   */
  action?: number;
  /** (features) of the candidate taken, where `candidates` are not given. */
  candidate?: AgentInput;
  /** (actions), 0 = not available when the action was taken; with `masked`. Default: all were. */
  mask?: ArrayLike<number>;
  /**
   * (n, features) of the candidates offered, or a part of them that holds the action; with the option
   * `candidates`. Needed with `munchausen`, `cqlAlpha` and `slate`; with these and `dueling` n <= candidates.next. With
   * `slate` those of the shown slate that the user examined, from the top; then, for `cqlAlpha` and `clone`, others that were
   * on offer.
   */
  candidates?: AgentInput;
  /** How many of the `candidates` were shown and examined, the first ones, [0, n]; with `slate`. Default n. */
  shown?: number;
  /** Most candidates of the next state's slate, [0, slate.size]; with `slate`. Default `slate.size`. */
  nextSlate?: number;
  /** In [-1e6, 1e6], after `rewardScale` and `rewardClip`. */
  reward: number;
  /** (parts), each as `reward`, in place of which it is learned from; with `slate.parts` above 1, and needed then. */
  rewards?: ArrayLike<number>;
  /** Whether the task ended here, so that no later reward follows. A time limit is not a termination. */
  terminated: boolean;
  /** Whether the episode was cut here, for example by a time limit. Needed with `nStep` above 1. Default false. */
  truncated?: boolean;
  /** (observation) after the step; at the end of an episode its own last one, not the next episode's first. */
  nextObservation: AgentInput;
  /** (actions), 0 = not available in the next state; with `masked`. Default: all are available. */
  nextMask?: ArrayLike<number>;
  /** (n, features), n <= candidates.next, of the next state; with `candidates`. Empty: nothing is available, value 0, with
   * `slate` that of nothing. */
  nextCandidates?: AgentInput;
  /** Discount of the next state's value, [0, 1]; default gamma. For steps of unequal length. Ignored if terminated. */
  discount?: number;
  /** Which of the `environments` the step belongs to. Default 0. */
  environment?: number;
}

/** Parts that `save` can leave out. */
export interface SaveOptions {
  /** Whether to save the replay. Without it the file is small; its agent acts, and learns from an empty replay. Default true. */
  replay?: boolean;
}

const ONE_TENSOR = 'the file must hold the tensor "agent" and no other';

const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/**
 * A deep Q-learning agent in a WebAssembly instance of its own (Mnih et al. 2015).
 *
 * Everything random comes from `seed`; the same calls give the same bytes in every JavaScript engine. All memory is
 * taken by the constructor.
 *
 * ```ts
 * const agent = new DQN({ observation: 4, actions: 2, seed: 1 });
 * const action = agent.act(observation);
 * agent.observe({ observation, action, reward, terminated, nextObservation });
 * agent.learn();
 * ```
 */
export class DQN {
  /** All options, with the defaults that were filled in. */
  readonly options: Readonly<ResolvedOptions>;
  /** (observation) f32 view of the staged observation: written and then passed to `act`, it is not copied again. */
  readonly observation: Float32Array;
  /** (max, features) f32 view of the staged candidates: subarrays from its start are not copied again. */
  readonly candidates: Float32Array;
  /** (batchSize, observation) f32 view of the staged observations of `actBatch` and `evaluateBatch`: subarrays from its start are not copied again. `learn` overwrites it. */
  readonly observations: Float32Array;
  /** (max) or (actions) f32 view of the values that `evaluate` or a greedy `act` computed last. */
  readonly values: Float32Array;
  /**
   * (max) f32 view, with `slate`: weights in the choice, [e^-20, e^20], of the candidates that `evaluate` or a greedy
   * `actSlate` saw last. One of a slate is entered with probability v / (1 + the sum of v over the slate).
   */
  readonly choices: Float32Array;

  #engine: Engine | undefined;
  readonly #state: Float64Array;
  /** By Scalar: the numbers of the next call. */
  readonly #scalars: Float64Array;
  readonly #inputs: Record<"observation" | "nextObservation" | "candidate" | "candidates" | "nextCandidates", Staged>;
  readonly #batch: Batch;
  /** Rows of the replay in the loaded file. */
  #rows = 0;
  /** Candidates of the staged transition: offered, shown, and of the next state. */
  #count = 0;
  #shown = 0;
  #nextCount = 0;
  /** The starts of `values`, by length. */
  readonly #valuesOf: Float32Array[] = [];
  readonly #nothing: Float32Array;
  readonly #slate: Int32Array;
  readonly #mask: Uint8Array;
  readonly #nextMask: Uint8Array;
  readonly #meter: UpdateMeter;
  readonly #refusals = new Refusals();
  /** Saves that may not be at their end; an iterator that was lost without `return` is collected with its copies. */
  #frozen: WeakRef<Frozen>[] = [];

  /**
   * @param run - How the agent runs; this changes no bit of what it learns.
   * @throws TypeError or RangeError for options that are unknown, wrong, or need more than 4 GB.
   */
  constructor(options: DQNOptions, run?: EngineOptions) {
    const resolved = resolveOptions(options);
    const engine = new Engine(shapeOf(resolved), run);
    this.options = resolved;
    this.#engine = engine;
    this.#state = engine.f64(Region.State);
    this.#scalars = engine.f64(Region.Scalars);
    writeConstants(this.#scalars, resolved);
    this.observation = engine.f32(Region.Observation);
    this.candidates = engine.f32(Region.Candidates);
    this.values = engine.f32(Region.Values);
    this.choices = engine.f32(Region.Choices);
    this.#nothing = engine.f32(Region.Nothing);
    this.#slate = engine.i32(Region.Slate);
    const { observation, sparse, candidates } = resolved;
    const bounds = boundsOf(resolved.storage);
    const seen = (name: string, region: Region) => new Staged(name, engine.f32(region), observation, sparse, bounds);
    const offered = (name: string, region: Region) =>
      new Staged(name, engine.f32(region), candidates?.features ?? 0, candidates?.sparse, bounds);
    this.#inputs = {
      observation: seen("observation", Region.Observation),
      nextObservation: seen("nextObservation", Region.NextObservation),
      candidate: offered("candidate", Region.Candidate),
      candidates: offered("candidates", Region.Candidates),
      nextCandidates: offered("nextCandidates", Region.NextCandidates),
    };
    this.#batch = new Batch(engine, resolved, seen("observations", Region.States), offered("candidates", Region.Sets));
    this.observations = this.#batch.observations;
    this.#mask = engine.u8(Region.Mask);
    this.#nextMask = engine.u8(Region.NextMask);
    this.#meter = new UpdateMeter({
      stats: engine.f64(Region.Stats),
      predictions: engine.f32(Region.Predictions),
      tdErrors: engine.f32(Region.TdErrors),
      weights: engine.f32(Region.Weights),
      parts: resolved.slate?.parts ?? 1,
    });
  }

  /** Transitions observed so far. */
  get steps(): number {
    return this.#state[State.Steps]!;
  }

  /** Updates done so far. */
  get updates(): number {
    return this.#state[State.Updates]!;
  }

  /** Updates that were dropped because the loss, the gradient or a statistic was not finite or beyond its bound. */
  get skippedUpdates(): number {
    return this.#state[State.Skipped]!;
  }

  /** Transitions in the replay. */
  get replaySize(): number {
    return this.#state[State.Size]!;
  }

  /** With `slate`: Q of entering nothing in the observation that `evaluate` or a greedy `actSlate` saw last. Else NaN. */
  get nothing(): number {
    return this.#nothing[0] ?? Number.NaN;
  }

  /** Probability of a random action after the steps so far. */
  get epsilon(): number {
    return valueAt(this.options.epsilon, this.steps);
  }

  /** Bytes of WebAssembly memory; constant. 0 once disposed. */
  get memoryBytes(): number {
    return this.#engine?.exports.memory.buffer.byteLength ?? 0;
  }

  /**
   * Chooses an action epsilon-greedily; the lowest index wins a tie. With `slate` see `actSlate`.
   *
   * @param observation - (observation)
   * @param available - With `masked`: (actions), 0 = not available; with `candidates`: (n, features), n <= max.
   * @param epsilon - Probability of a random action, [0, 1]; 0 is greedy, by weights without noise. Default: the
   *   option's schedule, by weights with noise where `noisySigma` is above 0.
   * @returns The index of the action or candidate; -1 where none is available.
   * @throws RangeError for a wrong length or a number outside [-1e6, 1e6], or the range of `storage`; TypeError for a
   *   value that is not a number. Nothing changes then, and `stats()` counts it.
   */
  act(observation: AgentInput, available?: AgentInput, epsilon?: number): number {
    try {
      return this.#act(observation, available, epsilon);
    } catch (error) {
      throw this.#refusals.counted(error);
    }
  }

  #act(observation: AgentInput, available: AgentInput | undefined, epsilon: number | undefined): number {
    if (this.options.slate) throw new TypeError('"act" chooses one action: with the option "slate" call actSlate');
    this.#writeEpsilon(epsilon);
    const engine = this.#open();
    const count = this.#stage(observation, available);
    const action = engine.exports.act(count, epsilon === undefined);
    if (action < -1) this.#refuse(-1 - action, { observation, candidates: available });
    return action;
  }

  /**
   * Chooses a slate epsilon-greedily, with `slate`: greedily one candidate after the other, each the one that makes the
   * value of the slate largest, also where it falls; the lowest index wins a tie. With probability epsilon any slate in
   * any order.
   *
   * @param observation - (observation)
   * @param candidates - (n, features), n <= max.
   * @param epsilon - As for `act`.
   * @returns (min(size, n)) different indices of candidates, in the order in which they were chosen.
   * @throws RangeError or TypeError as `act`, TypeError without the option `slate`.
   */
  actSlate(observation: AgentInput, candidates: AgentInput, epsilon?: number): Int32Array {
    try {
      return this.#actSlate(observation, candidates, epsilon);
    } catch (error) {
      throw this.#refusals.counted(error);
    }
  }

  #actSlate(observation: AgentInput, candidates: AgentInput, epsilon: number | undefined): Int32Array {
    if (!this.options.slate) throw new TypeError('"actSlate" needs the option "slate"');
    this.#writeEpsilon(epsilon);
    const engine = this.#open();
    const count = this.#stage(observation, candidates);
    const size = engine.exports.actSlate(count, epsilon === undefined);
    if (size < 0) this.#refuse(-size, { observation, candidates });
    return this.#slate.slice(0, size);
  }

  #writeEpsilon(epsilon: number | undefined): void {
    if (epsilon == null) writeValue(this.options.epsilon, this.steps, this.#scalars, Scalar.Exploration);
    else if (epsilon >= 0 && epsilon <= 1) this.#scalars[Scalar.Exploration] = epsilon;
    else throw mustBe("epsilon", "in [0, 1]", epsilon);
  }

  /**
   * Action values of an observation. With `slate` also `choices` and `nothing`.
   *
   * @param observation - (observation)
   * @param available - As for `act`; a mask hides no value.
   * @param noise - Whether weights carry new noise, drawn as by `act`; needs `noisySigma` above 0. Default false.
   * @returns (actions) or (n) values: a view, valid until the next call.
   * @throws RangeError or TypeError as `act`; TypeError for noise without `noisySigma`.
   */
  evaluate(observation: AgentInput, available?: AgentInput, noise = false): Float32Array {
    try {
      return this.#evaluate(observation, available, noise);
    } catch (error) {
      throw this.#refusals.counted(error);
    }
  }

  #evaluate(observation: AgentInput, available: AgentInput | undefined, noise: boolean): Float32Array {
    if (noise && !(this.options.noisySigma > 0)) throw new TypeError('"noise" needs the option "noisySigma" above 0');
    const engine = this.#open();
    const count = this.#stage(observation, available);
    const status: Status = engine.exports.evaluate(count, noise);
    if (status !== Status.Ok) this.#refuse(status, { observation, candidates: available });
    if (!this.options.candidates) return this.values;
    return (this.#valuesOf[count] ??= this.values.subarray(0, count));
  }

  /**
   * The parts of the values that `evaluate` gives for the same arguments, with `slate`; `values`, `choices` and
   * `nothing` are as after that call. Those of nothing are the parts of a candidate whose features are all 0.
   *
   * @returns (n, parts): for each candidate the value of each part of the reward, whose sum is its value but for rounding.
   * @throws RangeError or TypeError as `evaluate`, TypeError without the option `slate`.
   */
  evaluateParts(observation: AgentInput, candidates: AgentInput, noise = false): Float32Array {
    const { slate, quantiles } = this.options;
    if (!slate) throw new TypeError('"evaluateParts" needs the option "slate"');
    const parts = new Float32Array(this.evaluate(observation, candidates, noise).length * slate.parts);
    const theta = this.#open().f32(Region.Parts);
    for (let i = 0; i < parts.length; i++) {
      let sum = 0;
      for (let j = i * quantiles; j < (i + 1) * quantiles; j++) sum += theta[j]!;
      parts[i] = sum / quantiles;
    }
    return parts;
  }

  /**
   * Action values of many states: those that `evaluate` gives for each, bit for bit, in less time. It takes `batchSize`
   * states at a time.
   *
   * @param observations - (n, observation) one after the other.
   * @param available - (n) of what `act` takes: with `masked` masks, which hide no value, with `candidates` rows of
   *   features, as many as each state has.
   * @returns (n, actions), or with `candidates` the values of each state's in turn: a new array.
   * @throws RangeError or TypeError as `act`, TypeError with `slate`, whose values stand beside others.
   */
  evaluateBatch(observations: AgentInput, available?: readonly (AgentInput | undefined)[]): Float32Array {
    try {
      this.#open();
      return this.#batch.evaluate(observations, available);
    } catch (error) {
      throw this.#refusals.counted(error);
    }
  }

  /**
   * Chooses an action epsilon-greedily in each of many states: the actions that `act` gives for one after the other, and
   * the same random numbers, in less time. It takes `batchSize` states at a time; noisy weights one.
   *
   * @param observations - (n, observation) one after the other.
   * @param available - As for `evaluateBatch`; masks hide actions here.
   * @param epsilon - As for `act`; or (n), one for each state.
   * @returns (n) indices, -1 where nothing is available: a new array.
   * @throws RangeError or TypeError as `act`, TypeError with `slate`; nothing changes then.
   */
  actBatch(
    observations: AgentInput,
    available?: readonly (AgentInput | undefined)[],
    epsilon?: number | ArrayLike<number>,
  ): Int32Array {
    try {
      this.#open();
      return this.#batch.act(observations, available, epsilon ?? this.epsilon, epsilon === undefined);
    } catch (error) {
      throw this.#refusals.counted(error);
    }
  }

  /**
   * Stores a transition in the replay.
   * @throws RangeError or TypeError for a wrong length, index or number; nothing changes then, and `stats()` counts it.
   */
  observe(transition: Transition): void {
    try {
      this.#observe(transition);
    } catch (error) {
      throw this.#refusals.counted(error);
    }
  }

  #observe(transition: Transition): void {
    const engine = this.#open();
    const { observation, nextObservation, terminated, truncated = false, environment = 0 } = transition;
    requireFlag("terminated", terminated);
    requireFlag("truncated", truncated);
    this.#requireEnvironment(environment);
    writeRewards(this.#scalars, transition, this.options);
    writeDiscount(this.#scalars, transition, this.options);
    this.#inputs.observation.writeOne(observation);
    this.#inputs.nextObservation.writeOne(nextObservation);
    const action = this.options.candidates ? this.#stageCandidates(transition) : this.#stageAction(transition);
    if (this.#frozen.length > 0) this.#keepRows();
    const isLast = terminated || truncated;
    const status: Status = engine.exports.observe(
      action,
      this.#count,
      this.#nextCount,
      isLast,
      environment,
      this.#shown,
    );
    if (status === Status.BadReturn) {
      throw new RangeError(`"reward" must keep n-step returns ${bounded(RETURN_MAX)}, got ${show(transition.reward)}`);
    }
    if (status !== Status.Ok) this.#refuse(status, transition);
  }

  /**
   * Drops the last steps, fewer than `nStep`, that still wait for rewards. Call it when an episode will not continue.
   *
   * @param environment - Index of the environment. Default: all.
   */
  abandonEpisode(environment?: number): void {
    const engine = this.#open();
    if (environment === undefined) {
      for (let i = 0; i < this.options.environments; i++) engine.exports.abandon(i);
    } else {
      this.#requireEnvironment(environment);
      engine.exports.abandon(environment);
    }
  }

  /**
   * Health figures for logs and dashboards. Takes 2 us with batches of 64, 6 us with 256, mostly to sort TD errors.
   */
  stats(): AgentStats {
    const engine = this.#open();
    const { options, steps, replaySize } = this;
    return {
      steps,
      updates: this.updates,
      skippedUpdates: this.skippedUpdates,
      skippedStep: this.#state[State.SkippedStep]!,
      ...this.#meter.read(),
      refused: this.#refusals.counts,
      replaySize,
      replayFill: replaySize / options.capacity,
      maxPriority: options.priorityExponent > 0 ? this.#state[State.MaxPriority]! : Number.NaN,
      epsilon: this.epsilon,
      learningRate: valueAt(options.learningRate, steps),
      memoryBytes: this.memoryBytes,
      build: engine.build,
      threads: engine.threads,
      threadsReason: engine.threadsReason,
      damaged: !engine.isSound(Check.Counters),
    };
  }

  /**
   * Does updates on random batches of the replay.
   *
   * @param updates - An integer in [1, 2^31 - 1]. Default 1.
   * @returns The mean loss; NaN while the replay holds fewer than `learningStarts` transitions.
   * @throws Error if a worker of `threads` died midway; the agent is disposed then.
   */
  learn(updates = 1): number {
    const engine = this.#open();
    if (!Number.isInteger(updates) || updates < 1 || updates > 2147483647) {
      throw mustBe("updates", "an integer in [1, 2147483647]", updates);
    }
    const { options } = this;
    if (this.replaySize < options.learningStarts) return Number.NaN;
    writeValue(options.learningRate, this.steps, this.#scalars, Scalar.LearningRate);
    writeValue(options.importanceExponent, this.steps, this.#scalars, Scalar.ImportanceExponent);
    try {
      return this.#clone(engine, updates);
    } catch (cause) {
      throw this.#broken(cause);
    }
  }

  /** Updates by the weight of the conservative term that is due at each. */
  #clone({ exports }: Engine, updates: number): number {
    const { clone, cqlAlpha } = this.options;
    let [sum, done] = [0, 0];
    for (let left = updates; left > 0; ) {
      const before = this.updates;
      const isCloning = clone !== undefined && before < clone.updates;
      this.#scalars[Scalar.Conservative] = isCloning ? clone.alpha : cqlAlpha;
      const now = isCloning ? Math.min(left, clone.updates - before) : left;
      const loss = exports.learn(now);
      if (now === updates) return loss;
      const committed = this.updates - before;
      if (committed > 0) sum += loss * committed;
      done += committed;
      left -= now;
    }
    return sum / done;
  }

  /** Moves the target network to the online one by `tau`, (0, 1]; `learn` does so by itself every `targetEvery` updates. */
  syncTarget(tau = 1): void {
    if (!(tau > 0 && tau <= 1)) throw mustBe("tau", "in (0, 1]", tau);
    this.#open().exports.syncTarget(tau);
  }

  /**
   * The layers that the agent acts by, in plain form, for other tools: without noise, and with batch normalisation
   * folded into the layer before it. Index inputs stand behind the dense ones of the same part; the rows of a head with
   * quantiles go action by action.
   */
  weights(): LayerWeights[] {
    const engine = this.#open();
    engine.exports.unpackWeights();
    const gradient = engine.f32(Region.Gradient);
    const layers = readLayers(this.options, gradient);
    // The next update writes all of it but the padding, which must be 0.
    gradient.fill(0);
    return layers;
  }

  /**
   * Takes layers in the form that `weights` gives, in any order, into the online and the target network; noise scales,
   * replay, counters and the optimiser's moments stay. For layers from other tools, see `liveq/exchange`.
   * @throws TypeError or RangeError for layers of other names or shapes, for a number that is not in [-1e9, 1e9], and
   *   with batch normalisation; nothing changes then.
   */
  setWeights(layers: readonly LayerWeights[]): void {
    const engine = this.#open();
    if (this.options.normalization === "batch") {
      // Gain and statistics could be set so that acting is right, but the first update would normalise by its batch.
      throw new TypeError('"normalization": "batch" takes no plain layers: they have no statistics; use save and load');
    }
    const gradient = engine.f32(Region.Gradient);
    writeLayers(this.options, layers, gradient);
    engine.exports.packWeights();
    // As after weights().
    gradient.fill(0);
  }

  /** A copy of the parameters that the agent acts by, for `restoreWeights` of an agent with the same options. */
  copyWeights(): Float32Array {
    return this.#open().f32(Region.Online).slice();
  }

  /**
   * Puts parameters back that `copyWeights` gave, into the online and the target network; replay, counters and the
   * optimiser's moments stay.
   * @throws RangeError for another length or a number that is not in [-1e9, 1e9], of running statistics of batch
   *   normalisation [-1e31, 1e31] and variances not below 0; nothing changes then.
   */
  restoreWeights(weights: Float32Array): void {
    const engine = this.#open();
    const online = engine.f32(Region.Online);
    if (weights.length !== online.length) {
      throw new RangeError(`"weights" must hold ${online.length} numbers, got ${weights.length}`);
    }
    const before = online.slice();
    online.set(weights);
    if (engine.exports.checkWeights() !== Status.Ok) {
      online.set(before);
      refuseWeights(weights, engine.f32(Region.Gradient).length);
    }
    engine.exports.syncTarget(1);
  }

  /**
   * The whole agent as a file: continuing from it gives the same bits as never having stopped.
   * @throws SnapshotError if the agent's memory was damaged from outside: what was saved before is all there is.
   */
  save(options: SaveOptions = {}): Uint8Array {
    return joined(this.#file("", options, 1, Check.All));
  }

  /**
   * The same file in chunks of at most a mebibyte, so that a large replay needs no second copy in memory. It is the file
   * of now: the agent may go on acting and learning between the chunks. Rows of the replay that it overwrites meanwhile
   * are put aside; all else, which any step may change, is copied now. Chunks are empty while the digest is made.
   * Left before its last chunk, the iterator needs `return`, which `for` calls by itself.
   * @throws SnapshotError as `save`, but the replay is not looked through.
   */
  saveChunks(options: SaveOptions = {}): Generator<Uint8Array, void> {
    return chunksOf(this.#file("", options, 1));
  }

  /** The same file as a part of another; see `saveChunks`. It must be released. */
  part(name: string, options: SaveOptions = {}): Part {
    return this.#file(name, options);
  }

  #file(name: string, options: SaveOptions, passes?: number, check = Check.Weights): FilePart {
    if (!this.#open().isSound(check)) {
      throw new SnapshotError("the agent's memory was damaged from outside: load what was saved last");
    }
    return filePart(name, "dqn", this.#metadata(options), [this.#freeze(options)], passes);
  }

  #metadata({ replay = true }: SaveOptions): Record<string, string> {
    return { options: JSON.stringify(this.options), replay: String(replay), kernel: KERNEL };
  }

  /** The persistent span up to the last filled row of the replay; without replay, its counters and tree are 0. */
  #freeze({ replay = true }: SaveOptions): Part {
    const { span, fixed, row } = this.#layout();
    const head = span.slice(0, fixed);
    if (replay) {
      const ring = frozen("agent", head, span.subarray(fixed, fixed + row * this.replaySize), row);
      this.#frozen.push(new WeakRef(ring));
      return ring;
    }
    const moments = this.#open().u8(Region.Moments);
    new Float64Array(head.buffer).fill(0, State.Size, State.Head + 1);
    // Waiting steps and priorities go with the replay.
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
  static load(file: FileBytes, run?: EngineOptions): DQN {
    const { metadata, tensors } = unpackSnapshot("dqn", file);
    const bytes = tensors.get("agent");
    if (!bytes || tensors.size !== 1) throw new SnapshotError(ONE_TENSOR);
    const agent = DQN.#create(metadata, run);
    agent.#room(bytes.byteLength).set(bytes);
    agent.#restore();
    return agent;
  }

  /**
   * Loads an agent from chunks: a Node or Web stream, `saveChunks`, or any iterable. They go straight into the agent's
   * memory.
   * @throws SnapshotError as `load`, once the last chunk has been read.
   */
  static async loadChunks(chunks: FileChunks, run?: EngineOptions): Promise<DQN> {
    let agent: DQN | undefined;
    try {
      await readSnapshotStream("dqn", chunks, (metadata, sizes) => {
        const size = sizes.get("agent");
        if (size === undefined || sizes.size !== 1) throw new SnapshotError(ONE_TENSOR);
        agent = DQN.#create(metadata, run);
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
  static #create(metadata: Record<string, string>, run: EngineOptions | undefined): DQN {
    try {
      const { actions, ...options } = JSON.parse(metadata["options"] ?? "") as DQNOptions;
      return new DQN(actions ? { ...options, actions } : options, run);
    } catch (cause) {
      throw new SnapshotError("the file holds no valid options of an agent", { cause });
    }
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

  /** Frees the memory and ends the workers; any later call but this throws. */
  dispose(): void {
    this.#engine?.release();
    this.#engine = undefined;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /** Only a worker that dies within its share of an update makes the engine trap: half of that is done. */
  #broken(cause: unknown): Error {
    this.dispose();
    return new Error("a worker died in an update: the agent is disposed; load what was saved last", { cause });
  }

  #open(): Engine {
    if (!this.#engine) throw new Error("the agent is disposed");
    return this.#engine;
  }

  /** Writes the inputs of act and evaluate; returns the number of candidates. */
  #stage(observation: AgentInput, available: AgentInput | undefined): number {
    this.#inputs.observation.writeOne(observation);
    const { candidates, masked, actions } = this.options;
    if (candidates) {
      if (!available) throw new TypeError('"candidates" must be given: rows of features');
      return this.#inputs.candidates.writeRows(available, candidates.max);
    }
    if (masked) writeMask("mask", available as ArrayLike<number> | undefined, this.#mask);
    else if (available) throw new TypeError(`a mask of the ${actions} actions needs the option "masked": true`);
    return 0;
  }

  /** Writes the choices of a transition with fixed actions; returns the action as the engine takes it. */
  #stageAction({ action, mask, nextMask, candidate, candidates, nextCandidates }: Transition): number {
    const { actions, masked } = this.options;
    if (candidate || candidates || nextCandidates) {
      throw new TypeError('"candidate", "candidates" and "nextCandidates" go with the option "candidates"');
    }
    requireIndex("action", action, actions);
    if (masked) {
      writeMask("mask", mask, this.#mask);
      writeMask("nextMask", nextMask, this.#nextMask);
      if (!this.#mask[action]) throw new RangeError(`"mask[${action}]" must not be 0: it is the action taken`);
    } else if (mask || nextMask) {
      throw new TypeError(`"${mask ? "mask" : "nextMask"}" needs the option "masked": true`);
    }
    return action;
  }

  /** Writes the choices of a transition with candidates; returns the action as the engine takes it. */
  #stageCandidates(transition: Transition): number {
    const { action, mask, nextMask, candidate, candidates, nextCandidates = NONE } = transition;
    if (mask || nextMask) throw new TypeError('"mask" and "nextMask" go with the option "actions"');
    const { max, next } = this.options.candidates!;
    const inputs = this.#inputs;
    this.#nextCount = inputs.nextCandidates.writeRows(nextCandidates, next);
    if (this.options.slate) return this.#stageSlate(transition, next);
    const keeps = keepsSets(this.options);
    if (candidates) {
      if (candidate) throw new TypeError('either "candidate" or "candidates" with "action" must be given, got both');
      this.#count = inputs.candidates.writeRows(candidates, keeps ? next : max);
      requireIndex("action", action, this.#count);
      inputs.candidate.copyRow(inputs.candidates, action);
      return keeps ? action : 0;
    }
    if (needsSets(this.options)) {
      throw new TypeError('"candidates" and "action" must be given: "munchausen" and "cqlAlpha" need them');
    }
    if (action !== undefined) throw new TypeError('"action" is an index into "candidates", which must be given');
    if (!candidate) throw new TypeError('"candidate" must be given: the features of the candidate taken');
    inputs.candidate.writeOne(candidate);
    if (keeps) inputs.candidates.copyRow(inputs.candidate, 0);
    this.#count = Number(keeps);
    return 0;
  }

  /** Writes the slate of a transition; returns the index of the candidate that was entered, -1 for nothing. */
  #stageSlate({ action, candidate, candidates, shown, nextSlate }: Transition, next: number): number {
    const { size } = this.options.slate!;
    if (candidate) throw new TypeError('"slate" takes "candidates" with "action", got "candidate"');
    if (!candidates) throw new TypeError('"candidates" must be given: those of the slate that were examined');
    this.#count = this.#inputs.candidates.writeRows(candidates, next);
    this.#shown = shown ?? this.#count;
    requireIndex("shown", this.#shown, this.#count + 1);
    requireIndex("action", action, this.#shown, -1);
    requireIndex("nextSlate", nextSlate ?? size, size + 1);
    this.#scalars[Scalar.NextSlate] = nextSlate ?? size;
    return action;
  }

  #requireEnvironment(environment: number): void {
    requireIndex("environment", environment, this.options.environments);
  }

  #refuse(status: Status, given: Partial<Record<keyof Transition, unknown>>): never {
    const name = FIELDS[status]!;
    // A single candidate may have come as one of the candidates.
    if (name === "candidate" && given.candidate === undefined)
      return this.#inputs.candidates.refuse(given.candidates as AgentInput);
    return this.#inputs[name].refuse(given[name] as AgentInput);
  }
}

/** No candidates. */
const NONE: readonly number[] = [];

const FIELDS = {
  [Status.BadObservation]: "observation",
  [Status.BadNextObservation]: "nextObservation",
  [Status.BadCandidate]: "candidate",
  [Status.BadNextCandidates]: "nextCandidates",
  [Status.BadSet]: "candidates",
} as Record<Status, "observation" | "nextObservation" | "candidate" | "candidates" | "nextCandidates">;

function requireIndex(name: string, index: number | undefined, size: number, least = 0): asserts index is number {
  if (!Number.isInteger(index) || index! < least || index! >= size) {
    throw mustBe(name, `an integer in [${least}, ${size - 1}]`, index);
  }
}

// The next two write their number instead of returning it: JavaScript engines box a returned double, an object each.

/** Writes the reward, or its parts. Numbers go through the scalars, as a call with one would leave garbage. */
function writeRewards(scalars: Float64Array, transition: Transition, options: ResolvedOptions): void {
  const { rewards } = transition;
  const parts = options.slate?.parts ?? 1;
  if (parts === 1 && !rewards) {
    const { reward } = transition;
    scalars[Scalar.Reward] = typeof reward === "number" ? reward : Number.NaN;
    clipReward(scalars, -1, transition, options);
  } else if (parts > 1 && rewards?.length === parts) {
    for (let p = 0; p < parts; p++) {
      const reward = rewards[p];
      scalars[Scalar.Reward + p] = typeof reward === "number" ? reward : Number.NaN;
      clipReward(scalars, p, transition, options);
    }
  } else throw mustBe("rewards", parts > 1 ? `${parts} numbers` : 'left out without "slate.parts"', rewards);
}

/** Scales and clips one number of it; -1: the reward as a whole. */
function clipReward(
  scalars: Float64Array,
  part: number,
  given: Transition,
  { rewardScale, rewardClip }: ResolvedOptions,
): void {
  const at = Scalar.Reward + Math.max(part, 0);
  const reward = scalars[at]!;
  if (Number.isFinite(reward)) {
    const scaled = reward * rewardScale;
    const learned = rewardClip > 0 ? Math.max(-rewardClip, Math.min(rewardClip, scaled)) : scaled;
    scalars[at] = learned;
    if (Math.abs(learned) <= REWARD_MAX) return;
  }
  const most = rewardScale === 1 ? bounded(REWARD_MAX) : `${bounded(REWARD_MAX)} when "rewardScale" has multiplied it`;
  const must = rewardClip > 0 ? "a finite number" : most;
  throw part < 0 ? mustBe("reward", must, given.reward) : mustBe(`rewards[${part}]`, must, given.rewards![part]);
}

/** Writes the discount of the next state's value; 0 after termination. */
function writeDiscount(scalars: Float64Array, { discount, terminated }: Transition, { gamma }: ResolvedOptions): void {
  if (discount != null && !(discount >= 0 && discount <= 1)) {
    throw mustBe("discount", "in [0, 1]", discount);
  }
  if (terminated) scalars[Scalar.Discount] = 0;
  else if (discount == null) scalars[Scalar.Discount] = gamma;
  else scalars[Scalar.Discount] = discount;
}

/** Names the first parameter out of its bounds; running statistics stand behind `trained` ones. */
function refuseWeights(weights: Float32Array, trained: number): never {
  const boundOf = (i: number) => (i < trained ? WEIGHT_MAX : STATISTIC_MAX);
  const bad = weights.findIndex((x, i) => !(Math.abs(x) <= boundOf(i)));
  if (bad < 0) throw new RangeError('"weights" must hold no running variance below 0');
  throw new RangeError(`"weights[${bad}]" must be ${bounded(boundOf(bad))}, got ${weights[bad]}`);
}

function requireFlag(name: string, flag: boolean): void {
  if (typeof flag !== "boolean") throw new TypeError(`"${name}" must be true or false, got ${show(flag)}`);
}

/** Whether transitions must hold the candidates that were offered. */
function needsSets(options: ResolvedOptions): boolean {
  const { munchausen, slate } = options;
  return munchausen !== undefined || isConservative(options) || slate !== undefined;
}

/** Whether transitions have room for them: with `dueling` too, as those of files of 0.1.0 had. */
function keepsSets(options: ResolvedOptions): boolean {
  return options.dueling || needsSets(options);
}

function isConservative({ cqlAlpha, clone }: ResolvedOptions): boolean {
  return cqlAlpha > 0 || clone !== undefined;
}

function flagsOf(options: ResolvedOptions): number {
  const flags: [boolean, Flag][] = [
    [options.double, Flag.Double],
    [options.loss === "squared", Flag.Squared],
    [options.masked, Flag.Masked],
    [options.priorityExponent > 0, Flag.Prioritized],
    [options.dueling, Flag.Dueling],
    [options.munchausen !== undefined, Flag.Munchausen],
    [isConservative(options), Flag.Conservative],
    [options.noisySigma > 0, Flag.Noisy],
    [keepsSets(options), Flag.Sets],
    [options.adversarialEpsilon > 0, Flag.Adversarial],
  ];
  return flags.reduce((sum, [isSet, flag]) => (isSet ? sum | flag : sum), 0);
}

/** Writes the scalars of learn that never change, by Scalar. The importance exponent follows a schedule. */
function writeConstants(scalars: Float64Array, options: ResolvedOptions): void {
  const { beta1, beta2, adamEpsilon, weightDecay, maxGradNorm, targetEvery, tau, priorityExponent } = options;
  const { alpha, temperature, clip } = options.munchausen ?? { alpha: 0, temperature: 1, clip: 0 };
  scalars.set([beta1, beta2, adamEpsilon, weightDecay, maxGradNorm, targetEvery, tau, priorityExponent], Scalar.Beta1);
  const { dropout, cqlAlpha, slate } = options;
  scalars.set([dropout, cqlAlpha, alpha, temperature, clip, slate?.choiceWeight ?? 0], Scalar.Dropout);
  scalars.set([options.frozenUnits, options.adversarialEpsilon], Scalar.FrozenUnits);
}

const NORMALIZATIONS = { none: Normalization.None, layer: Normalization.Layer, batch: Normalization.Batch };

const STORAGES = { f32: Storage.F32, f16: Storage.F16, u8: Storage.U8 };

function shapeOf(options: ResolvedOptions): Shape {
  const { sparse, candidates, slate } = options;
  return {
    sizes: {
      [Size.Flags]: flagsOf(options),
      [Size.Observation]: options.observation,
      [Size.Slots]: sparse?.slots ?? 0,
      [Size.Indexed]: sparse?.size ?? 0,
      [Size.Actions]: options.actions,
      [Size.Features]: candidates?.features ?? 0,
      [Size.FeatureSlots]: candidates?.sparse?.slots ?? 0,
      [Size.FeatureIndexed]: candidates?.sparse?.size ?? 0,
      [Size.MaxCandidates]: candidates?.max ?? 0,
      [Size.NextCandidates]: candidates?.next ?? 0,
      [Size.Quantiles]: options.quantiles,
      [Size.Normalization]: NORMALIZATIONS[options.normalization],
      [Size.Batch]: options.batchSize,
      [Size.Capacity]: options.capacity,
      [Size.NStep]: options.nStep,
      [Size.Environments]: options.environments,
      [Size.Slate]: slate?.size ?? 0,
      [Size.Parts]: slate?.parts ?? 1,
      [Size.Storage]: STORAGES[typeof options.storage === "object" ? options.storage.type : options.storage],
    },
    hidden: options.hidden,
    sigma: options.noisySigma,
    bounds: boundsOf(options.storage),
    seed: options.seed,
  };
}
