/// <reference lib="esnext.disposable" preserve="true" />
import { Status } from "../../../../assembly/abi.js";
import { INPUTS_MAX, Region, ROWS } from "../../../../assembly/int8/abi.js";
import { mustBe } from "../../../check/index.js";
import {
  type AgentInput,
  boundsOf,
  type DQNOptions,
  type FileBytes,
  Int8Engine,
  type Int8EngineOptions,
  packSnapshot,
  type ResolvedOptions,
  resolveOptions,
  SnapshotError,
  Staged,
  unpackSnapshot,
  writeMask,
} from "../../index.js";
import { requirePlain } from "../state.js";

const KIND = "int8";
const TENSOR = "network";

const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");

/**
 * An agent that acts and learns nothing, with weights of 8 bits: `quantise` makes it. Its file and its memory are about a
 * quarter, and its decisions take about half the time. Sums are exact in integers, so it gives the same bits everywhere.
 */
export class QuantisedAgent {
  /** All options of the agent that it was made of. */
  readonly options: Readonly<ResolvedOptions>;
  /** (observation) f32 view of the staged observation: written and then passed to `act`, it is not copied again. */
  readonly observation: Float32Array;
  /** (max, features) f32 view of the staged candidates: subarrays from its start are not copied again. */
  readonly candidates: Float32Array;
  /** (max) or (actions) f32 view of the values that `evaluate` or `act` computed last. */
  readonly values: Float32Array;
  /** (max) f32 view, with `slate`: weights in the choice of the candidates that `evaluate` saw last, as `DQN` has them. */
  readonly choices: Float32Array;
  #engine: Int8Engine | undefined;
  readonly #nothing: Float32Array;
  readonly #mask: Uint8Array;
  readonly #seen: Staged;
  readonly #many: Staged;
  readonly #offered: Staged;
  /** The starts of `values`, by length. */
  readonly #valuesOf: Float32Array[] = [];

  /** @internal Of an engine whose parameters are in place. */
  constructor(options: Readonly<ResolvedOptions>, engine: Int8Engine) {
    this.options = options;
    this.#engine = engine;
    const { observation, sparse, candidates, actions, storage } = options;
    const bounds = boundsOf(storage);
    this.observation = engine.f32(Region.Observation);
    this.candidates = engine.f32(Region.Candidates);
    this.values = candidates ? engine.f32(Region.Values) : engine.f32(Region.Values).subarray(0, actions);
    this.choices = engine.f32(Region.Choices);
    this.#nothing = engine.f32(Region.Nothing);
    this.#mask = engine.u8(Region.Mask);
    this.#seen = new Staged("observation", this.observation, observation, sparse, bounds);
    this.#many = new Staged("observations", engine.f32(Region.Observations), observation, sparse, bounds);
    const { features = 0, sparse: indexed } = candidates ?? {};
    this.#offered = new Staged("candidates", this.candidates, features, indexed, bounds);
  }

  /** With `slate`: Q of entering nothing in the observation that `evaluate` saw last. Else NaN. */
  get nothing(): number {
    return this.#nothing[0] ?? Number.NaN;
  }

  /** Bytes of its parameters. */
  get parameterBytes(): number {
    return this.#open().exports.regionBytes(Region.Parameters) >>> 0;
  }

  /** Bytes of WebAssembly memory; constant. 0 once disposed. */
  get memoryBytes(): number {
    return this.#engine?.exports.memory.buffer.byteLength ?? 0;
  }

  /**
   * The best action; the lowest index wins a tie.
   *
   * @param observation - (observation)
   * @param available - With `masked`: (actions), 0 = not available; with `candidates`: (n, features), n <= max.
   * @returns The index of the action or candidate; -1 where none is available.
   * @throws RangeError for a wrong length or a number outside [-1e6, 1e6], or the range of `storage`; TypeError for a
   *   value that is not a number, and with `slate`.
   */
  act(observation: AgentInput, available?: AgentInput): number {
    if (this.options.slate) throw new TypeError('"act" chooses one action: with the option "slate" call evaluate');
    const count = this.#evaluate(observation, available);
    return this.#open().exports.best(count, this.options.masked);
  }

  /**
   * Action values of an observation. With `slate` also `choices` and `nothing`.
   *
   * @param observation - (observation)
   * @param available - As for `act`; a mask hides no value.
   * @returns (actions) or (n) values: a view, valid until the next call.
   * @throws RangeError or TypeError as `act`.
   */
  evaluate(observation: AgentInput, available?: AgentInput): Float32Array {
    const count = this.#evaluate(observation, available);
    if (!this.options.candidates) return this.values;
    return (this.#valuesOf[count] ??= this.values.subarray(0, count));
  }

  #evaluate(observation: AgentInput, available: AgentInput | undefined): number {
    const { exports } = this.#open();
    const { candidates, masked, actions } = this.options;
    let count = 0;
    this.#seen.writeOne(observation);
    if (candidates) {
      if (!available) throw new TypeError('"candidates" must be given: rows of features');
      count = this.#offered.writeRows(available, candidates.max);
    } else if (masked) writeMask("mask", available as ArrayLike<number> | undefined, this.#mask);
    else if (available) throw new TypeError(`a mask of the ${actions} actions needs the option "masked": true`);
    const status: Status = exports.evaluate(count);
    if (status === Status.BadObservation) this.#seen.refuse(observation);
    if (status === Status.BadCandidate) this.#offered.refuse(available!);
    return count;
  }

  /**
   * Action values of many states: those that `evaluate` gives for each, bit for bit; with fixed actions in less time.
   *
   * @param observations - (n, observation) one after the other.
   * @param available - With `candidates`: (n) of what `act` takes. Masks hide no value, and are not taken.
   * @returns (n, actions), or with `candidates` the values of each state's in turn: a new array.
   * @throws RangeError or TypeError as `act`, TypeError with `slate`, whose values stand beside others.
   */
  evaluateBatch(observations: AgentInput, available?: readonly AgentInput[]): Float32Array {
    const { exports } = this.#open();
    const { candidates, slate, actions } = this.options;
    if (slate) throw new TypeError('with the option "slate" states are not taken in batches: call evaluate');
    const states = this.#many.count(observations, Number.POSITIVE_INFINITY);
    if (candidates) return this.#evaluateSets(observations, available, states);
    if (available !== undefined)
      throw new TypeError('"available" goes with the option "candidates": masks hide no value');
    const values = this.#engine!.f32(Region.Values);
    const all = new Float32Array(states * actions);
    for (let from = 0; from < states; from += ROWS) {
      const rows = Math.min(ROWS, states - from);
      this.#many.writeSome(observations, from, rows, 0);
      const status: Status = exports.evaluateRows(rows);
      if (status !== Status.Ok) this.#many.refuse(observations, from);
      all.set(values.subarray(0, rows * actions), from * actions);
    }
    return all;
  }

  /** One state after the other: the candidates of each go through the network together. */
  #evaluateSets(observations: AgentInput, available: readonly AgentInput[] | undefined, states: number): Float32Array {
    const { exports } = this.#open();
    if (!Array.isArray(available) || available.length !== states) {
      throw mustBe("candidates", `an array with one for each of the ${states} states`, available);
    }
    const all: Float32Array[] = [];
    for (let s = 0; s < states; s++) {
      this.#seen.writeSome(observations, s, 1, 0);
      this.#offered.index = s;
      try {
        const count = this.#offered.writeRows(available[s], this.options.candidates!.max);
        const status: Status = exports.evaluate(count);
        if (status === Status.BadObservation) this.#seen.refuse(observations, s);
        if (status === Status.BadCandidate) this.#offered.refuse(available[s]);
        all.push(this.values.slice(0, count));
      } finally {
        this.#offered.index = undefined;
      }
    }
    const joined = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const values of all) {
      joined.set(values, at);
      at += values.length;
    }
    return joined;
  }

  /** The agent as a file. */
  save(): Uint8Array {
    const parameters = this.#open().u8(Region.Parameters);
    return packSnapshot(KIND, { options: JSON.stringify(this.options) }, new Map([[TENSOR, parameters]]));
  }

  /**
   * Loads an agent that `save` wrote.
   *
   * @param file - An ArrayBuffer, as `fetch` gives it, a Uint8Array or Buffer, or any other view.
   * @throws SnapshotError for a file that is damaged, foreign, newer, of another shape or not finite.
   */
  static load(file: FileBytes, run?: Int8EngineOptions): QuantisedAgent {
    const { metadata, tensors } = unpackSnapshot(KIND, file);
    const bytes = tensors.get(TENSOR);
    if (!bytes || tensors.size !== 1) throw new SnapshotError(`the file must hold the tensor "${TENSOR}" and no other`);
    const [options, engine] = opened(metadata, run);
    const parameters = engine.u8(Region.Parameters);
    if (bytes.byteLength !== parameters.byteLength) {
      throw new SnapshotError(`the network has ${bytes.byteLength} bytes, which does not fit its options`);
    }
    parameters.set(bytes);
    const status: Status = engine.exports.restore();
    if (status !== Status.Ok) {
      throw new SnapshotError("the file holds a number that is not finite or is beyond its bound");
    }
    return new QuantisedAgent(options, engine);
  }

  /** Frees the memory; any later call but this throws. */
  dispose(): void {
    this.#engine = undefined;
  }

  [DISPOSE](): void {
    this.dispose();
  }

  #open(): Int8Engine {
    if (!this.#engine) throw new Error("the agent is disposed");
    return this.#engine;
  }
}

/** The options in a file, and an engine for them. */
function opened(
  metadata: Record<string, string>,
  run: Int8EngineOptions | undefined,
): [options: ResolvedOptions, engine: Int8Engine] {
  try {
    const { actions, ...rest } = JSON.parse(metadata["options"] ?? "") as DQNOptions;
    const options = resolveOptions(actions ? { ...rest, actions } : rest);
    requireServable(options);
    return [options, new Int8Engine(options, run)];
  } catch (cause) {
    throw new SnapshotError("the file holds no valid options of an agent", { cause });
  }
}

/** @throws TypeError or RangeError for options of an agent that int8 does not serve. */
export function requireServable(options: Readonly<ResolvedOptions>): void {
  requirePlain(options);
  const dense = options.observation + (options.candidates?.features ?? 0);
  if (dense <= INPUTS_MAX) return;
  throw new RangeError(
    `int8 takes at most ${INPUTS_MAX} dense numbers of an observation and a candidate, got ${dense}`,
  );
}
