import { mustBe } from "../../check/index.js";
import { Random } from "../../numeric/index.js";

/** The state of an episode that all environments share: its seed, its steps, and whether it is over. */
export class Episode {
  readonly #name: string;
  readonly #actions: number;
  readonly #limit: number;
  #seed = 0;
  #steps = 0;
  #isOver = true;

  /** @param limit - Steps after which an episode is truncated. */
  constructor(name: string, actions: number, limit: number) {
    this.#name = name;
    this.#actions = actions;
    this.#limit = limit;
  }

  /** Starts an episode and returns its generator. Default seed: one more than the episode before. */
  begin(seed: number = this.#seed): Random {
    const random = Random.named(seed, this.#name);
    this.#seed = seed + 1;
    this.#steps = 0;
    this.#isOver = false;
    return random;
  }

  /** @throws RangeError for a wrong action, Error after the end of the episode. */
  check(action: number): void {
    if (!Number.isInteger(action) || action < 0 || action >= this.#actions) {
      throw new RangeError(`"action" must be an integer in [0, ${this.#actions - 1}], got ${action}`);
    }
    if (this.#isOver) throw new Error("the episode is over: reset() must be called before step()");
  }

  /** The same for an action that is one number. @throws TypeError or RangeError for a wrong action, Error as `check`. */
  checkForce(action: ArrayLike<number>): void {
    if (typeof action?.length !== "number")
      throw new TypeError(`"action" must be an array of one number, got ${action}`);
    if (action.length !== 1) throw new RangeError(`"action" must hold 1 number, got ${action.length}`);
    if (!Number.isFinite(action[0])) throw mustBe("action[0]", "a finite number", action[0]);
    if (this.#isOver) throw new Error("the episode is over: reset() must be called before step()");
  }

  /** Counts a step. */
  end(terminated: boolean): { terminated: boolean; truncated: boolean } {
    const truncated = ++this.#steps >= this.#limit;
    this.#isOver = terminated || truncated;
    return { terminated, truncated };
  }

  /** Plain data from which `restore` continues. */
  state(): { seed: number; steps: number; isOver: boolean } {
    return { seed: this.#seed, steps: this.#steps, isOver: this.#isOver };
  }

  /** Continues from a value of `state`. @throws TypeError for any other value; nothing changes then. */
  restore(state: unknown): void {
    const { seed, steps, isOver } = fieldsOf(state, "seed", "steps", "isOver");
    const isSound = Number.isSafeInteger(seed) && Number.isSafeInteger(steps) && (steps as number) >= 0;
    if (!isSound || typeof isOver !== "boolean") throw new TypeError("the state must be one that state() returned");
    this.#seed = seed as number;
    this.#steps = steps as number;
    this.#isOver = isOver;
  }

  /** The state of an environment that consists of this and some numbers. */
  stateWith(variables: Float64Array): unknown {
    return { episode: this.state(), variables: Array.from(variables) };
  }

  /** Continues from a value of `stateWith`. @throws TypeError for any other value; nothing changes then. */
  restoreWith(state: unknown, variables: Float64Array): void {
    const { episode, variables: saved } = fieldsOf(state, "episode", "variables");
    const numbers = numbersOf("variables", saved, variables.length);
    this.restore(episode);
    variables.set(numbers);
  }
}

/** The fields of an environment's state. @throws TypeError for anything but an object with exactly these. */
export function fieldsOf(state: unknown, ...names: string[]): Record<string, unknown> {
  const isSound =
    typeof state === "object" &&
    state !== null &&
    Object.keys(state).length === names.length &&
    names.every((name) => Object.hasOwn(state, name));
  if (!isSound) throw new TypeError(`the state of the environment must be an object with ${names.join(", ")}`);
  return state as Record<string, unknown>;
}

/** n finite numbers. @throws TypeError for anything else. */
export function numbersOf(name: string, value: unknown, n: number): number[] {
  if (Array.isArray(value) && value.length === n && value.every(Number.isFinite)) return value;
  throw new TypeError(`"${name}" in the state of the environment must be ${n} finite numbers`);
}

/** An integer in [0, size). @throws TypeError for anything else. */
export function indexOf(name: string, value: unknown, size: number): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < size) return value as number;
  throw new TypeError(`"${name}" in the state of the environment must be an integer in [0, ${size - 1}]`);
}
