import { Flag, RETURN_MAX, Region, Scalar, Size, State, Status } from "../../assembly/abi.js";
import { bounded, mustBe, show } from "../check/index.js";
import {
  Agent,
  clipReward,
  type Kind,
  requireFlag,
  requireIndex,
  rewardRefusal,
  shapeOf,
  writeDiscount,
} from "./agent.js";
import { Batch } from "./batch.js";
import { Engine, type EngineOptions } from "./instance/instance.js";
import { KERNEL } from "./instance/kernel.js";
import { boundsOf, type DQNOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { valueAt, writeValue } from "./schedule.js";
import type { FileBytes } from "./snapshot/bytes.js";
import type { FileChunks } from "./snapshot/stream.js";
import { type AgentInput, Staged, writeMask } from "./staging.js";
import { type AgentStats, UpdateMeter } from "./stats.js";

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

const KIND: Kind = {
  name: "dqn",
  metadata: { kernel: KERNEL },
  skipped: State.Skipped,
  skippedStep: State.SkippedStep,
  size: State.Size,
};

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
export class DQN extends Agent<ResolvedOptions> {
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
  /**
   * (max) or (actions) f64 view, with `temperature`: the probabilities by which the last `act` without an epsilon of its own
   * drew its action, where the temperature is above 0; 0 for what is not available.
   */
  readonly propensities: Float64Array;

  readonly #inputs: Record<"observation" | "nextObservation" | "candidate" | "candidates" | "nextCandidates", Staged>;
  readonly #batch: Batch;
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

  /**
   * @param run - How the agent runs; this changes no bit of what it learns.
   * @throws TypeError or RangeError for options that are unknown, wrong, or need more than 4 GB.
   */
  constructor(options: DQNOptions, run?: EngineOptions) {
    const resolved = resolveOptions(options);
    const engine = new Engine({ ...shapeOf(resolved, sizesOf(resolved)), sigma: resolved.noisySigma }, run);
    super(KIND, resolved, resolved, engine);
    writeConstants(this.scalars, resolved);
    this.observation = engine.f32(Region.Observation);
    this.candidates = engine.f32(Region.Candidates);
    this.values = engine.f32(Region.Values);
    this.choices = engine.f32(Region.Choices);
    this.propensities = engine.f64(Region.Propensities);
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

  /** With `slate`: Q of entering nothing in the observation that `evaluate` or a greedy `actSlate` saw last. Else NaN. */
  get nothing(): number {
    return this.#nothing[0] ?? Number.NaN;
  }

  /** Probability of a random action after the steps so far. */
  get epsilon(): number {
    return valueAt(this.options.epsilon, this.steps);
  }

  /**
   * Chooses an action epsilon-greedily; the lowest index wins a tie. With `temperature` it is drawn by the values, unless
   * an epsilon is given. With `slate` see `actSlate`.
   *
   * @param observation - (observation)
   * @param available - With `masked`: (actions), 0 = not available; with `candidates`: (n, features), n <= max.
   * @param epsilon - Probability of a random action, [0, 1]; 0 is greedy, by weights without noise. Default: the
   *   options' schedules, by weights with noise where `noisySigma` is above 0.
   * @returns The index of the action or candidate; -1 where none is available.
   * @throws RangeError for a wrong length or a number outside [-1e6, 1e6], or the range of `storage`; TypeError for a
   *   value that is not a number. Nothing changes then, and `stats()` counts it.
   */
  act(observation: AgentInput, available?: AgentInput, epsilon?: number): number {
    try {
      return this.#act(observation, available, epsilon);
    } catch (error) {
      throw this.refusals.counted(error);
    }
  }

  #act(observation: AgentInput, available: AgentInput | undefined, epsilon: number | undefined): number {
    if (this.options.slate) throw new TypeError('"act" chooses one action: with the option "slate" call actSlate');
    this.#writeEpsilon(epsilon);
    const engine = this.open();
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
      throw this.refusals.counted(error);
    }
  }

  #actSlate(observation: AgentInput, candidates: AgentInput, epsilon: number | undefined): Int32Array {
    if (!this.options.slate) throw new TypeError('"actSlate" needs the option "slate"');
    this.#writeEpsilon(epsilon);
    const engine = this.open();
    const count = this.#stage(observation, candidates);
    const size = engine.exports.actSlate(count, epsilon === undefined);
    if (size < 0) this.#refuse(-size, { observation, candidates });
    return this.#slate.slice(0, size);
  }

  #writeEpsilon(epsilon: number | undefined): void {
    if (epsilon == null) {
      writeValue(this.options.epsilon, this.steps, this.scalars, Scalar.Exploration);
      writeValue(this.options.temperature, this.steps, this.scalars, Scalar.Boltzmann);
    } else if (epsilon >= 0 && epsilon <= 1) this.scalars[Scalar.Exploration] = epsilon;
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
      throw this.refusals.counted(error);
    }
  }

  #evaluate(observation: AgentInput, available: AgentInput | undefined, noise: boolean): Float32Array {
    if (noise && !(this.options.noisySigma > 0)) throw new TypeError('"noise" needs the option "noisySigma" above 0');
    const engine = this.open();
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
    const theta = this.open().f32(Region.Parts);
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
      this.open();
      return this.#batch.evaluate(observations, available);
    } catch (error) {
      throw this.refusals.counted(error);
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
      this.open();
      if (epsilon === undefined) writeValue(this.options.temperature, this.steps, this.scalars, Scalar.Boltzmann);
      return this.#batch.act(observations, available, epsilon ?? this.epsilon, epsilon === undefined);
    } catch (error) {
      throw this.refusals.counted(error);
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
      throw this.refusals.counted(error);
    }
  }

  #observe(transition: Transition): void {
    const engine = this.open();
    const { observation, nextObservation, terminated, truncated = false, environment = 0 } = transition;
    requireFlag("terminated", terminated);
    requireFlag("truncated", truncated);
    this.requireEnvironment(environment);
    writeRewards(this.scalars, transition, this.options);
    writeDiscount(this.scalars, transition, this.options);
    this.#inputs.observation.writeOne(observation);
    this.#inputs.nextObservation.writeOne(nextObservation);
    const action = this.options.candidates ? this.#stageCandidates(transition) : this.#stageAction(transition);
    this.keepRows();
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
   * Health figures for logs and dashboards. Takes 2 us with batches of 64, 6 us with 256, mostly to sort TD errors.
   */
  stats(): AgentStats {
    const { threads, threadsReason } = this.open();
    return {
      ...this.commonStats(),
      ...this.#meter.read(),
      maxPriority: this.options.priorityExponent > 0 ? this.state[State.MaxPriority]! : Number.NaN,
      epsilon: this.epsilon,
      threads,
      threadsReason,
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
    if (!this.canLearn(updates)) return Number.NaN;
    writeValue(this.options.importanceExponent, this.steps, this.scalars, Scalar.ImportanceExponent);
    try {
      return this.#clone(this.open(), updates);
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
      this.scalars[Scalar.Conservative] = isCloning ? clone.alpha : cqlAlpha;
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

  /**
   * Loads an agent that `save` wrote.
   *
   * @param file - An ArrayBuffer, as `fetch` gives it, a Uint8Array or Buffer, or any other view.
   * @throws SnapshotError for a file that is damaged, foreign, newer, of another shape or not finite.
   */
  static load(file: FileBytes, run?: EngineOptions): DQN {
    return Agent.read(KIND.name, file, (options) => DQN.#create(options, run));
  }

  /**
   * Loads an agent from chunks: a Node or Web stream, `saveChunks`, or any iterable. They go straight into the agent's
   * memory.
   * @throws SnapshotError as `load`, once the last chunk has been read.
   */
  static loadChunks(chunks: FileChunks, run?: EngineOptions): Promise<DQN> {
    return Agent.readChunks(KIND.name, chunks, (options) => DQN.#create(options, run));
  }

  static #create(text: string, run: EngineOptions | undefined): DQN {
    const { actions, ...options } = JSON.parse(text) as DQNOptions;
    return new DQN(actions ? { ...options, actions } : options, run);
  }

  /** @internal */
  protected override open(): Engine {
    return super.open() as Engine;
  }

  /** Only a worker that dies within its share of an update makes the engine trap: half of that is done. */
  #broken(cause: unknown): Error {
    this.dispose();
    return new Error("a worker died in an update: the agent is disposed; load what was saved last", { cause });
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
    this.scalars[Scalar.NextSlate] = nextSlate ?? size;
    return action;
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

/** Writes the reward, or its parts. Numbers go through the scalars, as a call with one would leave garbage. */
function writeRewards(scalars: Float64Array, transition: Transition, options: ResolvedOptions): void {
  const { rewards } = transition;
  const parts = options.slate?.parts ?? 1;
  if (parts === 1 && !rewards) {
    const { reward } = transition;
    scalars[Scalar.Reward] = typeof reward === "number" ? reward : Number.NaN;
    if (!clipReward(scalars, Scalar.Reward, options)) throw rewardRefusal("reward", reward, options);
  } else if (parts > 1 && rewards?.length === parts) {
    for (let p = 0; p < parts; p++) {
      const reward = rewards[p];
      scalars[Scalar.Reward + p] = typeof reward === "number" ? reward : Number.NaN;
      if (!clipReward(scalars, Scalar.Reward + p, options)) throw rewardRefusal(`rewards[${p}]`, reward, options);
    }
  } else throw mustBe("rewards", parts > 1 ? `${parts} numbers` : 'left out without "slate.parts"', rewards);
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
    [options.temperature !== 0, Flag.Boltzmann],
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

function sizesOf(options: ResolvedOptions): Partial<Record<Size, number>> {
  const { sparse, candidates, slate } = options;
  return {
    [Size.Flags]: flagsOf(options),
    [Size.Slots]: sparse?.slots ?? 0,
    [Size.Indexed]: sparse?.size ?? 0,
    [Size.Actions]: options.actions,
    [Size.Features]: candidates?.features ?? 0,
    [Size.FeatureSlots]: candidates?.sparse?.slots ?? 0,
    [Size.FeatureIndexed]: candidates?.sparse?.size ?? 0,
    [Size.MaxCandidates]: candidates?.max ?? 0,
    [Size.NextCandidates]: candidates?.next ?? 0,
    [Size.Quantiles]: options.quantiles,
    [Size.Slate]: slate?.size ?? 0,
    [Size.Parts]: slate?.parts ?? 1,
  };
}
