import { Acrobot, CartPole, type Environment, MountainCar, type StepResult } from "../../training/index.js";
import { type EnvironmentName, RECIPES } from "./settings.js";

type Simple = Environment & {
  readonly variables: Float64Array;
  readonly actions: number;
  state(): unknown;
  restore(state: unknown): void;
};

/** One step of an episode, as it is drawn. */
export interface Frame {
  readonly variables: readonly number[];
  /** The action that led here; -1 at the start of an episode. */
  readonly action: number;
  /** Sum of the episode's rewards so far. */
  readonly return: number;
}

/** An environment whose observations are scaled as its recipe says, and which shows its steps to whoever looks. */
export class Scene implements Environment {
  readonly observationSize: number;
  readonly actions: number;
  /** Gets each step, while it is set. */
  look: ((frame: Frame) => void) | undefined;
  readonly #inner: Simple;
  readonly #scale: readonly number[] | undefined;
  readonly #shift: readonly number[] | undefined;
  #return = 0;
  #observation: ArrayLike<number> = [];

  constructor(name: EnvironmentName) {
    this.#inner = new { "CartPole-v1": CartPole, "Acrobot-v1": Acrobot, "MountainCar-v0": MountainCar }[name]();
    const { scale, shift } = RECIPES[name];
    this.#scale = scale;
    this.#shift = shift;
    this.observationSize = this.#inner.observationSize;
    this.actions = this.#inner.actions;
  }

  /** (observation) of the step that it is at, as the agent gets it. */
  get observation(): ArrayLike<number> {
    return this.#observation;
  }

  /** The step that it is at. */
  frame(action = -1): Frame {
    return { variables: [...this.#inner.variables], action, return: this.#return };
  }

  reset(seed?: number): ArrayLike<number> {
    this.#observation = this.#scaled(this.#inner.reset(seed));
    this.#return = 0;
    this.look?.(this.frame());
    return this.#observation;
  }

  step(action: number): StepResult {
    const result = this.#inner.step(action);
    this.#return += result.reward;
    this.#observation = this.#scaled(result.observation);
    this.look?.(this.frame(action));
    return { ...result, observation: this.#observation };
  }

  state(): unknown {
    return { inner: this.#inner.state(), return: this.#return, observation: Array.from(this.#observation) };
  }

  restore(state: unknown): void {
    const { inner, return: sum, observation } = state as { inner: unknown; return: number; observation: number[] };
    this.#inner.restore(inner);
    this.#return = sum;
    this.#observation = observation;
  }

  #scaled(observation: ArrayLike<number>): ArrayLike<number> {
    const [scale, shift] = [this.#scale, this.#shift];
    if (scale === undefined) return observation;
    return Float32Array.from(observation, (x, i) => x * scale[i]! + shift![i]!);
  }
}
