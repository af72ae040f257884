import { Region, Status } from "../../assembly/abi.js";
import { mustBe } from "../check/index.js";
import type { Engine } from "./instance/instance.js";
import type { ResolvedOptions } from "./options.js";
import { type AgentInput, type Staged, writeMask } from "./staging.js";

/** What each of many states offers. */
type Offers = readonly (AgentInput | undefined)[];

/** @internal Many states at once: as many in a call of the engine as an update has rows. */
export class Batch {
  readonly observations: Float32Array;
  readonly #exports: Engine["exports"];
  readonly #options: ResolvedOptions;
  readonly #states: Staged;
  readonly #sets: Staged;
  readonly #counts: Int32Array;
  readonly #masks: Uint8Array;
  readonly #epsilons: Float64Array;
  readonly #values: Float32Array;
  readonly #actions: Int32Array;
  /** The engine's counters and generators. */
  readonly #state: Uint8Array;

  constructor(engine: Engine, options: ResolvedOptions, states: Staged, sets: Staged) {
    this.#exports = engine.exports;
    this.#options = options;
    this.#states = states;
    this.#sets = sets;
    this.observations = states.floats;
    this.#counts = engine.i32(Region.Counts);
    this.#masks = engine.u8(Region.Masks);
    this.#epsilons = engine.f64(Region.Epsilons);
    this.#values = engine.f32(Region.BatchValues);
    this.#actions = engine.i32(Region.Actions);
    this.#state = engine.u8(Region.State);
  }

  evaluate(observations: AgentInput, available: Offers | undefined): Float32Array {
    const states = this.#count(observations, available);
    const counts = this.#countSets(available);
    const all = new Float32Array(counts ? counts.reduce((sum, n) => sum + n, 0) : states * this.#options.actions);
    let at = 0;
    this.#run(observations, available, counts, states, (from, to, n) => {
      const status: Status = this.#exports.evaluateBatch(to - from);
      all.set(this.#values.subarray(0, n), at);
      at += n;
      return status;
    });
    return all;
  }

  act(
    observations: AgentInput,
    available: Offers | undefined,
    epsilon: number | ArrayLike<number>,
    isExploring: boolean,
  ): Int32Array {
    const states = this.#count(observations, available);
    const counts = this.#countSets(available);
    checkEpsilon(epsilon, states);
    const actions = new Int32Array(states);
    const before = this.#state.slice();
    try {
      this.#run(observations, available, counts, states, (from, to) => {
        if (typeof epsilon === "number") this.#epsilons.fill(epsilon, 0, to - from);
        else for (let s = from; s < to; s++) this.#epsilons[s - from] = epsilon[s]!;
        const status: Status = this.#exports.actBatch(to - from, isExploring);
        actions.set(this.#actions.subarray(0, to - from), from);
        return status;
      });
    } catch (error) {
      // A later part was refused: what was drawn for an earlier one comes again.
      this.#state.set(before);
      throw error;
    }
    return actions;
  }

  /** How many states there are, each with what it offers where that is needed. */
  #count(observations: AgentInput, available: Offers | undefined): number {
    const { slate, candidates, masked, actions } = this.#options;
    if (slate)
      throw new TypeError('with the option "slate" states are not taken in batches: call evaluate or actSlate');
    const states = this.#states.count(observations, Number.POSITIVE_INFINITY);
    if (available === undefined && !candidates) return states;
    if (!(candidates || masked)) throw new TypeError(`masks of the ${actions} actions need the option "masked": true`);
    if (Array.isArray(available) && available.length === states) return states;
    throw mustBe(candidates ? "candidates" : "mask", `an array with one for each of the ${states} states`, available);
  }

  /** How many candidates each state has; undefined where actions are fixed. */
  #countSets(available: Offers | undefined): Int32Array | undefined {
    const { candidates } = this.#options;
    if (!candidates) return undefined;
    return Int32Array.from(available!, (set, s) => {
      this.#sets.index = s;
      return this.#sets.count(set!, candidates.max);
    });
  }

  /** Stages all states and runs them, as many at a time as there is room for. */
  #run(
    observations: AgentInput,
    available: Offers | undefined,
    counts: Int32Array | undefined,
    states: number,
    run: (from: number, to: number, n: number) => Status,
  ): void {
    const { masked, batchSize, actions } = this.#options;
    for (let from = 0, to = 0; from < states; from = to) {
      to = Math.min(from + batchSize, states);
      let n = (to - from) * actions;
      if (counts) [to, n] = this.#stageSets(available!, counts, from, to);
      else if (masked) this.#stageMasks(available, from, to);
      this.#states.writeSome(observations, from, to - from, 0);
      const status = run(from, to, n);
      if (status === Status.BadObservation) this.#states.refuse(observations, from);
      if (status === Status.BadCandidate) this.#sets.refuseAmong(available!, from, counts!);
    }
  }

  /** Stages the candidates of states from..to-1, or of as many of them as fit; returns the end, and how many there are. */
  #stageSets(available: Offers, counts: Int32Array, from: number, to: number): [end: number, n: number] {
    const { candidates, batchSize } = this.#options;
    const room = Math.max(candidates!.max, batchSize);
    let n = 0;
    for (let s = from; s < to; s++) {
      const count = counts[s]!;
      if (n + count > room) return [s, n];
      this.#sets.index = s;
      this.#sets.writeSome(available[s]!, 0, count, n);
      this.#counts[s - from] = count;
      n += count;
    }
    return [to, n];
  }

  #stageMasks(available: Offers | undefined, from: number, to: number): void {
    const { actions } = this.#options;
    for (let s = from; s < to; s++) {
      const mask = this.#masks.subarray((s - from) * actions, (s - from + 1) * actions);
      writeMask("mask", available?.[s] as ArrayLike<number> | undefined, mask);
    }
  }
}

/** One for all, or one for each of n states. */
function checkEpsilon(epsilon: number | ArrayLike<number>, n: number): void {
  const isOne = typeof epsilon === "number";
  if (!isOne && epsilon.length !== n) {
    throw new RangeError(`"epsilon" must hold ${n} numbers, got ${epsilon.length}`);
  }
  for (let s = 0; s < (isOne ? 1 : n); s++) {
    const each = isOne ? epsilon : epsilon[s]!;
    if (!(each >= 0 && each <= 1)) throw mustBe("epsilon", "in [0, 1]", each);
  }
}
