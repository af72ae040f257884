/// <reference lib="esnext.disposable" preserve="true" />
import {
  Activation,
  Check,
  Flag,
  Normalization,
  REWARD_MAX,
  Region,
  Scalar,
  Size,
  STATISTIC_MAX,
  Status,
  Storage,
  WEIGHT_MAX,
} from "../../assembly/abi.js";
import { bounded, mustBe, show } from "../check/index.js";
import type { CommonExports, Instance, Shape } from "./instance/instantiate.js";
import { boundsOf, type ResolvedOptions } from "./options.js";
import { valueAt, writeValue } from "./schedule.js";
import type { FileBytes } from "./snapshot/bytes.js";
import { SnapshotError } from "./snapshot/error.js";
import type { Part } from "./snapshot/part.js";
import { type Frozen, frozen } from "./snapshot/ring.js";
import { chunksOf, type FilePart, filePart, joined, unpackSnapshot, wholePart } from "./snapshot/snapshot.js";
import { type FileChunks, fill, readSnapshotStream } from "./snapshot/stream.js";
import { type CommonStats, Refusals } from "./stats.js";
import { type LayerOptions, type LayerWeights, readLayers, writeLayers } from "./weights.js";

/** Parts that `save` can leave out. */
export interface SaveOptions {
  /** Whether to save the replay. Without it the file is small; its agent acts, and learns from an empty replay. Default true. */
  replay?: boolean;
}

/** The options that agents of all kinds have. */
export type AgentOptions = Pick<
  ResolvedOptions,
  | "observation"
  | "hidden"
  | "activation"
  | "gamma"
  | "learningRate"
  | "batchSize"
  | "capacity"
  | "storage"
  | "learningStarts"
  | "normalization"
  | "rewardScale"
  | "rewardClip"
  | "normalizeObservations"
  | "normalizeRewards"
  | "nStep"
  | "environments"
  | "seed"
>;

/** What tells the files and the state of a kind of agent from those of another. */
export interface Kind {
  /** Of its files. */
  readonly name: string;
  /** What its files say of themselves beside their options. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Where its State has updates that were dropped, steps at the last of them, and the replay's size, followed by its head. */
  readonly skipped: number;
  readonly skippedStep: number;
  readonly size: number;
}

/** Options that came after the first files, by name: left out at their defaults, so that older versions read the file. */
const LATER: Readonly<Record<string, unknown>> = {
  ...{ activation: "relu", temperature: 0, frozenUnits: 0, adversarialEpsilon: 0 },
  ...{ normalizeObservations: false, normalizeRewards: false },
};

/** Of the State of all kinds. */
const STEPS = 0;
const UPDATES = 1;

const ONE_TENSOR = 'the file must hold the tensor "agent" and no other';

const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/** What an agent of any kind is: one instance with one arena, its counters, its weights and its file. */
export abstract class Agent<O extends AgentOptions> {
  /** All options, with the defaults that were filled in. */
  readonly options: Readonly<O>;

  readonly #kind: Kind;
  #instance: Instance<CommonExports> | undefined;
  readonly #layers: LayerOptions;
  /** Rows of the replay in the loaded file. */
  #rows = 0;
  /** Saves that may not be at their end; an iterator that was lost without `return` is collected with its copies. */
  #frozen: WeakRef<Frozen>[] = [];
  /** @internal By the State of its kind. */
  protected readonly state: Float64Array;
  /** @internal By Scalar: the numbers of the next call. */
  protected readonly scalars: Float64Array;
  /** @internal */
  protected readonly refusals = new Refusals();

  /** @internal */
  protected constructor(kind: Kind, options: O, layers: LayerOptions, instance: Instance<CommonExports>) {
    this.#kind = kind;
    this.options = options;
    this.#layers = layers;
    this.#instance = instance;
    this.state = instance.f64(Region.State);
    this.scalars = instance.f64(Region.Scalars);
    this.scalars[Scalar.Gamma] = options.gamma;
  }

  /** Transitions observed so far. */
  get steps(): number {
    return this.state[STEPS]!;
  }

  /** Updates done so far; with an actor, those of the critics. */
  get updates(): number {
    return this.state[UPDATES]!;
  }

  /** Updates that were dropped because the loss, the gradient or a statistic was not finite or beyond its bound. */
  get skippedUpdates(): number {
    return this.state[this.#kind.skipped]!;
  }

  /** Transitions in the replay. */
  get replaySize(): number {
    return this.state[this.#kind.size]!;
  }

  /** Bytes of WebAssembly memory; constant. 0 once disposed. */
  get memoryBytes(): number {
    return this.#instance?.exports.memory.buffer.byteLength ?? 0;
  }

  /** @internal The figures that agents of all kinds have. */
  protected commonStats(): CommonStats {
    const instance = this.open();
    const { options, steps, replaySize } = this;
    return {
      steps,
      updates: this.updates,
      skippedUpdates: this.skippedUpdates,
      skippedStep: this.state[this.#kind.skippedStep]!,
      refused: this.refusals.counts,
      replaySize,
      replayFill: replaySize / options.capacity,
      learningRate: valueAt(options.learningRate, steps),
      memoryBytes: this.memoryBytes,
      build: instance.build,
      damaged: !instance.isSound(Check.Counters),
    };
  }

  /**
   * Drops the last steps, fewer than `nStep`, that still wait for rewards, and the noise of an episode. Call it when an
   * episode will not continue.
   *
   * @param environment - Index of the environment. Default: all.
   */
  abandonEpisode(environment?: number): void {
    const { exports } = this.open();
    if (environment === undefined) {
      for (let i = 0; i < this.options.environments; i++) exports.abandon(i);
    } else {
      this.requireEnvironment(environment);
      exports.abandon(environment);
    }
  }

  /** @internal Checks a number of updates, and writes the learning rate; whether there is enough to learn from. */
  protected canLearn(updates: number): boolean {
    this.open();
    if (!Number.isInteger(updates) || updates < 1 || updates > 2147483647) {
      throw mustBe("updates", "an integer in [1, 2147483647]", updates);
    }
    if (this.replaySize < this.options.learningStarts) return false;
    writeValue(this.options.learningRate, this.steps, this.scalars, Scalar.LearningRate);
    return true;
  }

  /** Moves the target networks to the online ones by `tau`, (0, 1]; `learn` does so by itself. */
  syncTarget(tau = 1): void {
    if (!(tau > 0 && tau <= 1)) throw mustBe("tau", "in (0, 1]", tau);
    this.open().exports.syncTarget(tau);
  }

  /**
   * The layers that the agent acts by, in plain form, for other tools: without noise, and with batch normalisation
   * folded into the layer before it. Index inputs stand behind the dense ones of the same part; the rows of a head with
   * quantiles go action by action. Of a continuous agent those of the actor: an action is tanh of the head's output.
   */
  weights(): LayerWeights[] {
    const instance = this.open();
    instance.exports.unpackWeights();
    const gradient = instance.f32(Region.Gradient);
    const layers = readLayers(this.#layers, gradient);
    // The next update writes all of it but the padding, which must be 0.
    gradient.fill(0);
    return layers;
  }

  /**
   * Takes layers in the form that `weights` gives, in any order, into the online and the target network; noise scales,
   * critics, replay, counters and the optimiser's moments stay. For layers from other tools, see `liveq/exchange`.
   * @throws TypeError or RangeError for layers of other names or shapes, for a number that is not in [-1e9, 1e9], and
   *   with batch normalisation; nothing changes then.
   */
  setWeights(layers: readonly LayerWeights[]): void {
    const instance = this.open();
    if (this.options.normalization === "batch") {
      // Gain and statistics could be set so that acting is right, but the first update would normalise by its batch.
      throw new TypeError('"normalization": "batch" takes no plain layers: they have no statistics; use save and load');
    }
    const gradient = instance.f32(Region.Gradient);
    writeLayers(this.#layers, layers, gradient);
    instance.exports.packWeights();
    // As after weights().
    gradient.fill(0);
  }

  /** A copy of the parameters that the agent acts and learns by, for `restoreWeights` of one with the same options. */
  copyWeights(): Float32Array {
    return this.open().f32(Region.Online).slice();
  }

  /**
   * Puts parameters back that `copyWeights` gave, into the online and the target networks; replay, counters and the
   * optimiser's moments stay.
   * @throws RangeError for another length or a number that is not in [-1e9, 1e9], of running statistics of batch
   *   normalisation [-1e31, 1e31] and variances not below 0; nothing changes then.
   */
  restoreWeights(weights: Float32Array): void {
    const instance = this.open();
    const online = instance.f32(Region.Online);
    if (weights.length !== online.length) {
      throw new RangeError(`"weights" must hold ${online.length} numbers, got ${weights.length}`);
    }
    const before = online.slice();
    online.set(weights);
    if (instance.exports.checkWeights() !== Status.Ok) {
      online.set(before);
      refuseWeights(weights, instance.f32(Region.Gradient).length);
    }
    instance.exports.syncTarget(1);
  }

  /**
   * The whole agent as a file: continuing from it gives the same bits as never having stopped.
   * @param options - `replay: false` makes a small file that acts, and learns on from an empty replay.
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

  #file(name: string, { replay = true }: SaveOptions, passes?: number, check = Check.Weights): FilePart {
    if (!this.open().isSound(check)) {
      throw new SnapshotError("the agent's memory was damaged from outside: load what was saved last");
    }
    const options = JSON.stringify(this.options, (key, value) => (LATER[key] === value ? undefined : value));
    const metadata = { options, replay: String(replay), ...this.#kind.metadata };
    return filePart(name, this.#kind.name, metadata, [this.#freeze(replay)], passes);
  }

  /** The persistent span up to the last filled row of the replay; without replay, what is 0 in a fresh one. */
  #freeze(replay: boolean): Part {
    const { span, fixed, row } = this.#layout();
    const head = span.slice(0, fixed);
    if (replay) {
      const ring = frozen("agent", head, span.subarray(fixed, fixed + row * this.replaySize), row);
      this.#frozen.push(new WeakRef(ring));
      return ring;
    }
    const moments = this.open().u8(Region.Moments);
    const { size } = this.#kind;
    new Float64Array(head.buffer).fill(0, size, size + 2);
    // Waiting steps and priorities go with the replay.
    return wholePart("agent", head.fill(0, moments.byteOffset + moments.byteLength - span.byteOffset));
  }

  /** @internal Puts rows aside that the next step may overwrite, for saves that are not at their end. */
  protected keepRows(): void {
    if (this.#frozen.length === 0) return;
    const { capacity, nStep } = this.options;
    const head = this.state[this.#kind.size + 1]!;
    this.#frozen = this.#frozen.filter((each) => {
      const ring = each.deref();
      let i = 0;
      while (i < nStep && ring?.keep((head + i) % capacity)) i++;
      return i > 0;
    });
  }

  /** The persistent span, its bytes before the replay, and the bytes of one row of the replay. */
  #layout(): { span: Uint8Array; fixed: number; row: number } {
    const instance = this.open();
    const span = instance.u8(Region.Persistent);
    const replay = instance.u8(Region.Replay);
    return { span, fixed: replay.byteOffset - span.byteOffset, row: replay.byteLength / this.options.capacity };
  }

  /** @internal The agent in a file of its kind. `create` makes one with the options in it. */
  protected static read<A extends AnyAgent>(name: string, file: FileBytes, create: (options: string) => A): A {
    const { metadata, tensors } = unpackSnapshot(name, file);
    const bytes = tensors.get("agent");
    if (!bytes || tensors.size !== 1) throw new SnapshotError(ONE_TENSOR);
    const agent = created(create, metadata);
    agent.#room(bytes.byteLength).set(bytes);
    agent.#restore();
    return agent;
  }

  /** @internal The same from chunks, which go straight into the agent's memory. */
  protected static async readChunks<A extends AnyAgent>(
    name: string,
    chunks: FileChunks,
    create: (options: string) => A,
  ): Promise<A> {
    let agent: A | undefined;
    try {
      await readSnapshotStream(name, chunks, (metadata, sizes) => {
        const size = sizes.get("agent");
        if (size === undefined || sizes.size !== 1) throw new SnapshotError(ONE_TENSOR);
        agent = created(create, metadata);
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
    const status: Status = this.open().exports.restore();
    if (status === Status.Ok && this.replaySize === this.#rows) return;
    this.dispose();
    if (status === Status.NotFinite)
      throw new SnapshotError("the file holds a number that is not finite or is beyond its bound");
    throw new SnapshotError("the file holds a counter that is out of its bounds");
  }

  /** Frees the memory and ends the workers; any later call but this throws. */
  dispose(): void {
    this.#instance?.release();
    this.#instance = undefined;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /** @internal The instance, by its own type where a kind overrides this. */
  protected open(): Instance<CommonExports> {
    if (!this.#instance) throw new Error("the agent is disposed");
    return this.#instance;
  }

  /** @internal */
  protected requireEnvironment(environment: number): void {
    requireIndex("environment", environment, this.options.environments);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: of whichever kind
type AnyAgent = Agent<any>;

/** An agent with the options in a file. */
function created<A>(create: (options: string) => A, metadata: Record<string, string>): A {
  try {
    return create(metadata["options"] ?? "");
  } catch (cause) {
    throw new SnapshotError("the file holds no valid options of an agent", { cause });
  }
}

/** Names the first parameter out of its bounds; running statistics stand behind `trained` ones. */
function refuseWeights(weights: Float32Array, trained: number): never {
  const boundOf = (i: number) => (i < trained ? WEIGHT_MAX : STATISTIC_MAX);
  const bad = weights.findIndex((x, i) => !(Math.abs(x) <= boundOf(i)));
  if (bad < 0) throw new RangeError('"weights" must hold no running variance below 0');
  throw new RangeError(`"weights[${bad}]" must be ${bounded(boundOf(bad))}, got ${weights[bad]}`);
}

/** @internal */
export function requireFlag(name: string, flag: boolean): void {
  if (typeof flag !== "boolean") throw new TypeError(`"${name}" must be true or false, got ${show(flag)}`);
}

/** @internal */
export function requireIndex(
  name: string,
  index: number | undefined,
  size: number,
  least = 0,
): asserts index is number {
  if (!Number.isInteger(index) || index! < least || index! >= size) {
    throw mustBe(name, `an integer in [${least}, ${size - 1}]`, index);
  }
}

// Numbers are written, not returned: JavaScript engines box a returned double, an object each.

/** @internal Scales and clips the reward at `scalars[at]`; false where it is out of its bounds. */
export function clipReward(scalars: Float64Array, at: number, { rewardScale, rewardClip }: AgentOptions): boolean {
  const scaled = scalars[at]! * rewardScale;
  const learned = rewardClip > 0 ? Math.max(-rewardClip, Math.min(rewardClip, scaled)) : scaled;
  const isNumber = Number.isFinite(scalars[at]);
  scalars[at] = learned;
  return isNumber && Math.abs(learned) <= REWARD_MAX;
}

/** @internal The error for a reward that is not. */
export function rewardRefusal(name: string, given: unknown, { rewardScale, rewardClip }: AgentOptions): Error {
  const most = rewardScale === 1 ? bounded(REWARD_MAX) : `${bounded(REWARD_MAX)} when "rewardScale" has multiplied it`;
  return mustBe(name, rewardClip > 0 ? "a finite number" : most, given);
}

/** @internal Writes the discount of the next state's value; 0 after termination. */
export function writeDiscount(
  scalars: Float64Array,
  { discount, terminated }: { discount?: number; terminated: boolean },
  { gamma }: Pick<AgentOptions, "gamma">,
): void {
  if (discount != null && !(discount >= 0 && discount <= 1)) {
    throw mustBe("discount", "in [0, 1]", discount);
  }
  if (terminated) scalars[Scalar.Discount] = 0;
  else if (discount == null) scalars[Scalar.Discount] = gamma;
  else scalars[Scalar.Discount] = discount;
}

const ACTIVATIONS = {
  relu: Activation.Relu,
  tanh: Activation.Tanh,
  gelu: Activation.Gelu,
  linear: Activation.Linear,
};

const NORMALIZATIONS = { none: Normalization.None, layer: Normalization.Layer, batch: Normalization.Batch };

const STORAGES = { f32: Storage.F32, f16: Storage.F16, u8: Storage.U8 };

function runningFlags({ normalizeObservations, normalizeRewards }: AgentOptions): number {
  return (normalizeObservations ? Flag.RunningObservations : 0) | (normalizeRewards ? Flag.RunningRewards : 0);
}

/** @internal What an arena is laid out for, with the sizes of its kind. */
export function shapeOf(options: AgentOptions, sizes: Shape["sizes"]): Shape {
  const { storage } = options;
  return {
    sizes: {
      [Size.Observation]: options.observation,
      [Size.Normalization]: NORMALIZATIONS[options.normalization],
      [Size.Activation]: ACTIVATIONS[options.activation],
      [Size.Batch]: options.batchSize,
      [Size.Capacity]: options.capacity,
      [Size.NStep]: options.nStep,
      [Size.Environments]: options.environments,
      [Size.Storage]: STORAGES[typeof storage === "object" ? storage.type : storage],
      ...sizes,
      [Size.Flags]: sizes[Size.Flags]! | runningFlags(options),
    },
    hidden: options.hidden,
    bounds: boundsOf(storage),
    seed: options.seed,
  };
}
