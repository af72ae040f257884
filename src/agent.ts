/// <reference lib="esnext.disposable" preserve="true" />
import { Flag, Region, State, Status } from "../assembly/abi.js";
import { Engine } from "./engine.js";
import { type DQNOptions, type ResolvedOptions, resolveOptions, show } from "./options.js";
import { valueAt } from "./schedule.js";
import { packSnapshot, SnapshotError, unpackSnapshot } from "./snapshot.js";

/** One step of experience. Arrays are copied. */
export interface Transition {
  /** (observation) */
  observation: ArrayLike<number>;
  /** The index of the action taken; with `actions`. */
  action?: number;
  /** (features) of the candidate taken; with `candidates`. */
  candidate?: ArrayLike<number>;
  /** Finite as f32. */
  reward: number;
  /** Whether the task ended here, so that no later reward follows. A time limit is not a termination. */
  terminated: boolean;
  /** Whether the episode was cut here, by a time limit say. Needed with `nStep` above 1. Default false. */
  truncated?: boolean;
  /** (observation) after the step: the final one where the episode ended, not that of the next episode. */
  nextObservation: ArrayLike<number>;
  /** (actions), 0 = not available in the next state; with `masked`. Default: all are available. */
  nextMask?: ArrayLike<number>;
  /** (n, features), n <= candidates.next, of the next state; with `candidates`. Empty: nothing is available, value 0. */
  nextCandidates?: ArrayLike<number>;
  /** Discount of the next state's value, [0, 1]; default gamma. For steps of unequal length. Ignored if terminated. */
  discount?: number;
}

/** What `save` can leave out. */
export interface SaveOptions {
  /** Whether the replay is saved too. Without it the file is small, serves, and learns on from an empty replay. Default true. */
  replay?: boolean;
}

const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

const FIELDS: Partial<Record<Status, [name: string, region: Region]>> = {
  [Status.BadObservation]: ["observation", Region.Observation],
  [Status.BadNextObservation]: ["nextObservation", Region.NextObservation],
  [Status.BadCandidate]: ["candidates", Region.Candidates],
  [Status.BadNextCandidates]: ["nextCandidates", Region.NextCandidates],
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
export class DQN {
  /** All options, with the defaults that were filled in. */
  readonly options: Readonly<ResolvedOptions>;
  /** (observation) f32 view of the staged observation: written and then passed to `act`, it is not copied again. */
  readonly observation: Float32Array;
  /** (max, features) f32 view of the staged candidates: subarrays from its start are not copied again. */
  readonly candidates: Float32Array;
  /** (max) or (actions) f32 view of the values that `evaluate` or a greedy `act` computed last. */
  readonly values: Float32Array;

  #engine: Engine | undefined;
  readonly #state: Float64Array;
  readonly #nextObservation: Float32Array;
  readonly #candidate: Float32Array;
  readonly #nextCandidates: Float32Array;
  readonly #mask: Uint8Array;
  readonly #nextMask: Uint8Array;

  /**
   * @param module - The compiled `liveq/dqn.wasm`, where the platform must compile it. Default: from inlined bytes.
   * @throws TypeError or RangeError for options that are unknown, wrong, or need more than 4 GB.
   */
  constructor(options: DQNOptions, module?: WebAssembly.Module) {
    const resolved = resolveOptions(options);
    const { candidates } = resolved;
    const engine = new Engine(
      {
        flags: flagsOf(resolved),
        observation: resolved.observation,
        actions: resolved.actions,
        features: candidates?.features ?? 0,
        maxCandidates: candidates?.max ?? 0,
        nextCandidates: candidates?.next ?? 0,
        hidden: resolved.hidden,
        batch: resolved.batchSize,
        capacity: resolved.capacity,
        nStep: resolved.nStep,
        seed: resolved.seed,
      },
      module,
    );
    this.options = resolved;
    this.#engine = engine;
    this.#state = engine.f64(Region.State);
    this.observation = engine.f32(Region.Observation);
    this.candidates = engine.f32(Region.Candidates);
    this.values = engine.f32(Region.Values);
    this.#nextObservation = engine.f32(Region.NextObservation);
    this.#candidate = engine.f32(Region.Candidate);
    this.#nextCandidates = engine.f32(Region.NextCandidates);
    this.#mask = engine.u8(Region.Mask);
    this.#nextMask = engine.u8(Region.NextMask);
  }

  /** Transitions observed so far. */
  get steps(): number {
    return this.#state[State.Steps]!;
  }

  /** Updates done so far. */
  get updates(): number {
    return this.#state[State.Updates]!;
  }

  /** Updates that were dropped because the gradient was not finite. */
  get skippedUpdates(): number {
    return this.#state[State.Skipped]!;
  }

  /** Transitions in the replay. */
  get replaySize(): number {
    return this.#state[State.Size]!;
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
   * Chooses an action epsilon-greedily; the lowest index wins a tie.
   *
   * @param observation - (observation)
   * @param available - With `masked`: (actions), 0 = not available; with `candidates`: (n, features), n <= max.
   * @param epsilon - Probability of a random action, [0, 1]. Default: the option's schedule; 0 is greedy.
   * @returns The index of the action or candidate; -1 where none is available.
   * @throws RangeError for a wrong length or a number that is not finite; nothing changes then.
   */
  act(observation: ArrayLike<number>, available?: ArrayLike<number>, epsilon: number = this.epsilon): number {
    if (!(epsilon >= 0 && epsilon <= 1)) throw new RangeError(`"epsilon" must be in [0, 1], got ${show(epsilon)}`);
    const engine = this.#open();
    const count = this.#stage(observation, available);
    const action = engine.exports.act(count, epsilon);
    if (action < -1) this.#refuse(-1 - action, observation, available);
    return action;
  }

  /**
   * Action values of an observation.
   *
   * @param observation - (observation)
   * @param candidates - (n, features), n <= max; with `candidates`.
   * @returns (actions) or (n) values: a view, valid until the next call.
   * @throws RangeError as `act`.
   */
  evaluate(observation: ArrayLike<number>, candidates?: ArrayLike<number>): Float32Array {
    const engine = this.#open();
    const count = this.#stage(observation, candidates);
    const status: Status = engine.exports.evaluate(count);
    if (status !== Status.Ok) this.#refuse(status, observation, candidates);
    return this.options.candidates ? this.values.subarray(0, count) : this.values;
  }

  /**
   * Stores a transition in the replay.
   * @throws RangeError or TypeError for a wrong length, index or number; nothing is stored then.
   */
  observe(transition: Transition): void {
    const engine = this.#open();
    const { observation, nextObservation, reward, terminated, truncated = false } = transition;
    requireFlag("terminated", terminated);
    requireFlag("truncated", truncated);
    if (!Number.isFinite(Math.fround(reward))) {
      throw new RangeError(`"reward" must be a finite number in the range of f32, got ${show(reward)}`);
    }
    const discount = transition.discount ?? this.options.gamma;
    if (!(discount >= 0 && discount <= 1)) throw new RangeError(`"discount" must be in [0, 1], got ${show(discount)}`);
    copy("observation", observation, this.observation);
    copy("nextObservation", nextObservation, this.#nextObservation);
    const action = this.options.candidates ? 0 : this.#stageAction(transition);
    const count = this.options.candidates ? this.#stageCandidates(transition) : 0;
    const status: Status = engine.exports.observe(
      action,
      count,
      reward,
      terminated ? 0 : discount,
      terminated || truncated,
    );
    if (status === Status.BadReturn) {
      throw new RangeError(`"reward" must keep the n-step return in the range of f32, got ${show(reward)}`);
    }
    if (status === Status.BadCandidate) refuseNumber("candidate", transition.candidate!, this.#candidate);
    if (status === Status.BadNextObservation) refuseNumber("nextObservation", nextObservation, this.#nextObservation);
    if (status === Status.BadNextCandidates) {
      refuseNumber("nextCandidates", transition.nextCandidates!, this.#nextCandidates);
    }
    if (status !== Status.Ok) this.#refuse(status, observation, undefined);
  }

  /** Drops the last steps, fewer than `nStep`, that still wait for rewards: for an episode that will not go on. */
  abandonEpisode(): void {
    this.#open().exports.abandon();
  }

  /**
   * Does updates on random batches of the replay.
   *
   * @param updates - An integer in [1, 2^31 - 1]. Default 1.
   * @returns The mean loss; NaN while the replay holds fewer than `learningStarts` transitions.
   */
  learn(updates = 1): number {
    const engine = this.#open();
    if (!Number.isInteger(updates) || updates < 1 || updates > 2147483647) {
      throw new RangeError(`"updates" must be an integer in [1, 2147483647], got ${show(updates)}`);
    }
    const { learningRate, learningStarts, beta1, beta2, adamEpsilon, maxGradNorm, targetEvery, tau } = this.options;
    if (this.replaySize < learningStarts) return Number.NaN;
    const rate = valueAt(learningRate, this.steps);
    const alpha = this.options.priorityExponent;
    const beta = valueAt(this.options.importanceExponent, this.steps);
    return engine.exports.learn(updates, rate, beta1, beta2, adamEpsilon, maxGradNorm, targetEvery, tau, alpha, beta);
  }

  /** Moves the target network to the online one by `tau`, (0, 1]; `learn` does so by itself every `targetEvery` updates. */
  syncTarget(tau = 1): void {
    if (!(tau > 0 && tau <= 1)) throw new RangeError(`"tau" must be in (0, 1], got ${show(tau)}`);
    this.#open().exports.syncTarget(tau);
  }

  /** The whole agent as a file: continuing from it gives the same bits as never having stopped. */
  save(options: SaveOptions = {}): Uint8Array {
    const engine = this.#open();
    const withReplay = options.replay ?? true;
    const span = engine.u8(Region.Persistent);
    const replay = engine.u8(Region.Replay);
    const used = withReplay ? (replay.byteLength / this.options.capacity) * this.replaySize : 0;
    const bytes = span.slice(0, replay.byteOffset - span.byteOffset + used);
    if (!withReplay) {
      const state = new Float64Array(bytes.buffer, 0, State.Count);
      state[State.Size] = 0;
      state[State.Head] = 0;
      state[State.Waiting] = 0;
      bytes.fill(0, engine.u8(Region.Priorities).byteOffset - span.byteOffset);
    }
    const metadata = { options: JSON.stringify(this.options), replay: String(withReplay) };
    return packSnapshot("dqn", metadata, new Map([["agent", bytes]]));
  }

  /**
   * The agent that `save` wrote.
   * @throws SnapshotError for a file that is damaged, foreign, newer, of another shape or not finite.
   */
  static load(file: Uint8Array, module?: WebAssembly.Module): DQN {
    const { metadata, tensors } = unpackSnapshot("dqn", file);
    const bytes = tensors.get("agent");
    if (!bytes || tensors.size !== 1) throw new SnapshotError('the file must hold the tensor "agent" and no other');
    let agent: DQN;
    try {
      const { actions, ...options } = JSON.parse(metadata["options"] ?? "") as DQNOptions;
      agent = new DQN(actions ? { ...options, actions } : options, module);
    } catch (cause) {
      throw new SnapshotError("the options in the file are not an agent's", { cause });
    }
    agent.#restore(bytes);
    return agent;
  }

  #restore(bytes: Uint8Array): void {
    const engine = this.#open();
    const span = engine.u8(Region.Persistent);
    const replay = engine.u8(Region.Replay);
    const fixed = replay.byteOffset - span.byteOffset;
    const stride = replay.byteLength / this.options.capacity;
    const rows = (bytes.byteLength - fixed) / stride;
    if (!Number.isInteger(rows) || rows < 0 || rows > this.options.capacity) {
      throw new SnapshotError(`the agent's state has ${bytes.byteLength} bytes, which its options do not give`);
    }
    span.set(bytes);
    const status: Status = engine.exports.restore();
    if (status === Status.Ok && this.replaySize === rows) return;
    this.dispose();
    if (status === Status.NotFinite) throw new SnapshotError("the file holds a number that is not finite");
    throw new SnapshotError("the file holds a counter that is out of its bounds");
  }

  /** Lets the memory go; any later call throws. May be called again. */
  dispose(): void {
    this.#engine = undefined;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  #open(): Engine {
    if (!this.#engine) throw new Error("the agent is disposed");
    return this.#engine;
  }

  /** Writes the inputs of act and evaluate; returns the number of candidates. */
  #stage(observation: ArrayLike<number>, available: ArrayLike<number> | undefined): number {
    copy("observation", observation, this.observation);
    const { candidates, masked, actions } = this.options;
    if (candidates) {
      if (!available) throw new TypeError('"candidates" must be given: rows of features');
      return copyRows("candidates", available, this.candidates, candidates.features, candidates.max);
    }
    if (masked) copyMask("mask", available, this.#mask);
    else if (available) throw new TypeError(`a mask of the ${actions} actions needs the option "masked": true`);
    return 0;
  }

  #stageAction({ action, nextMask, candidate, nextCandidates }: Transition): number {
    const { actions, masked } = this.options;
    if (candidate || nextCandidates)
      throw new TypeError('"candidate" and "nextCandidates" go with the option "candidates"');
    if (!Number.isInteger(action) || action! < 0 || action! >= actions) {
      throw new RangeError(`"action" must be an integer in [0, ${actions - 1}], got ${show(action)}`);
    }
    if (masked) copyMask("nextMask", nextMask, this.#nextMask);
    else if (nextMask) throw new TypeError('"nextMask" needs the option "masked": true');
    return action!;
  }

  #stageCandidates({ action, nextMask, candidate, nextCandidates = [] }: Transition): number {
    const { features, next } = this.options.candidates!;
    if (action !== undefined || nextMask) throw new TypeError('"action" and "nextMask" go with the option "actions"');
    if (!candidate) throw new TypeError('"candidate" must be given: the features of the candidate taken');
    copy("candidate", candidate, this.#candidate);
    return copyRows("nextCandidates", nextCandidates, this.#nextCandidates, features, next);
  }

  #refuse(status: Status, observation: ArrayLike<number>, available: ArrayLike<number> | undefined): never {
    const [name, region] = FIELDS[status]!;
    const source = status === Status.BadObservation ? observation : available!;
    return refuseNumber(name, source, this.#open().f32(region));
  }
}

function requireFlag(name: string, flag: boolean): void {
  if (typeof flag !== "boolean") throw new TypeError(`"${name}" must be true or false, got ${show(flag)}`);
}

function flagsOf({ double, loss, masked, priorityExponent }: ResolvedOptions): number {
  return (
    (double ? Flag.Double : 0) |
    (loss === "squared" ? Flag.Squared : 0) |
    (masked ? Flag.Masked : 0) |
    (priorityExponent > 0 ? Flag.Prioritized : 0)
  );
}

/** Whether a source is the target itself: then nothing is copied. */
function isView(source: ArrayLike<number>, target: Float32Array): boolean {
  return (
    source === target ||
    (source instanceof Float32Array && source.buffer === target.buffer && source.byteOffset === target.byteOffset)
  );
}

function copy(name: string, source: ArrayLike<number>, target: Float32Array): void {
  if (source?.length !== target.length) {
    throw new RangeError(`"${name}" must hold ${target.length} numbers, got ${source?.length ?? show(source)}`);
  }
  if (!isView(source, target)) target.set(source);
}

function copyRows(name: string, source: ArrayLike<number>, target: Float32Array, width: number, most: number): number {
  const rows = source.length / width;
  if (!Number.isInteger(rows) || rows > most) {
    throw new RangeError(`"${name}" must hold at most ${most} rows of ${width} numbers, got ${source.length} numbers`);
  }
  if (!isView(source, target)) target.set(source);
  return rows;
}

function copyMask(name: string, source: ArrayLike<number> | undefined, target: Uint8Array): void {
  if (source === undefined) {
    target.fill(1);
    return;
  }
  if (source.length !== target.length) {
    throw new RangeError(`"${name}" must hold ${target.length} flags, got ${source.length}`);
  }
  for (let i = 0; i < target.length; i++) target[i] = source[i] ? 1 : 0;
}

/** Names the first number that is not finite as f32, with what the caller gave. */
function refuseNumber(name: string, source: ArrayLike<number>, staged: Float32Array): never {
  const i = staged.findIndex((x) => !Number.isFinite(x));
  throw new RangeError(`"${name}[${i}]" must be a finite number in the range of f32, got ${show(source[i])}`);
}
