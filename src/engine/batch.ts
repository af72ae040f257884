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
    const counts = this.#count(observations, available);
    const all = new Float32Array(counts.reduce((sum, n) => sum + n, 0));
    let at = 0;
    this.#run(observations, available, counts, (_, states, n) => {
      const status: Status = this.#exports.evaluateBatch(states);
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
    const counts = this.#count(observations, available);
    const epsilons = typeof epsilon === "number" ? undefined : epsilon;
    if (epsilons && epsilons.length !== counts.length) {
      throw new RangeError(`"epsilon" must hold ${counts.length} numbers, got ${epsilons.length}`);
    }
    for (let s = 0; s < (epsilons ? counts.length : 1); s++) {
      const each = epsilons ? epsilons[s]! : epsilon;
      if (!((each as number) >= 0 && (each as number) <= 1)) throw mustBe("epsilon", "in [0, 1]", each);
    }
    const actions = new Int32Array(counts.length);
    const before = this.#state.slice();
    try {
      this.#run(observations, available, counts, (from, states) => {
        for (let s = 0; s < states; s++) this.#epsilons[s] = epsilons ? epsilons[from + s]! : (epsilon as number);
        const status: Status = this.#exports.actBatch(states, isExploring);
        actions.set(this.#actions.subarray(0, states), from);
        return status;
      });
    } catch (error) {
      // A later part was refused: what was drawn for an earlier one comes again.
      this.#state.set(before);
      throw error;
    }
    return actions;
  }

  /** How many actions each state has. */
  #count(observations: AgentInput, available: Offers | undefined): Int32Array {
    const { slate, candidates, masked, actions } = this.#options;
    if (slate)
      throw new TypeError('with the option "slate" states are not taken in batches: call evaluate or actSlate');
    const states = this.#states.count(observations, Number.POSITIVE_INFINITY);
    if (available === undefined && !candidates) return new Int32Array(states).fill(actions);
    if (!(candidates || masked)) throw new TypeError(`masks of the ${actions} actions need the option "masked": true`);
    const name = candidates ? "candidates" : "mask";
    if (!Array.isArray(available) || available.length !== states) {
      throw mustBe(name, `an array with one for each of the ${states} states`, available);
    }
    if (!candidates) return new Int32Array(states).fill(actions);
    return Int32Array.from(available, (set, s) => {
      this.#sets.index = s;
      return this.#sets.count(set, candidates.max);
    });
  }

  /** Stages all states and runs them, as many at a time as there is room for. */
  #run(
    observations: AgentInput,
    available: Offers | undefined,
    counts: Int32Array,
    run: (from: number, states: number, n: number) => Status,
  ): void {
    const { candidates, masked, batchSize, actions } = this.#options;
    const room = candidates ? Math.max(candidates.max, batchSize) : Number.POSITIVE_INFINITY;
    for (let from = 0, to = 0; from < counts.length; from = to) {
      let n = 0;
      for (; to < counts.length && to - from < batchSize && n + counts[to]! <= room; n += counts[to++]!) {
        if (candidates) {
          this.#sets.index = to;
          this.#sets.writeSome(available![to]!, 0, counts[to]!, n);
          this.#counts[to - from] = counts[to]!;
        } else if (masked) {
          const at = (to - from) * actions;
          writeMask("mask", available?.[to] as ArrayLike<number> | undefined, this.#masks.subarray(at, at + actions));
        }
      }
      this.#states.writeSome(observations, from, to - from, 0);
      const status = run(from, to - from, n);
      if (status === Status.BadObservation) this.#states.refuse(observations, from);
      if (status === Status.BadCandidate) this.#sets.refuseAmong(available!, from, counts);
    }
  }
}
