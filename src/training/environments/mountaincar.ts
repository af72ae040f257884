import { cos } from "../../numeric/index.js";
import type { Environment, StepResult } from "../environment.js";
import { Episode } from "./episode.js";

const POSITION_MIN = -1.2;
const POSITION_MAX = 0.6;
const SPEED_MAX = 0.07;
const GOAL = 0.5;
const FORCE = 0.001;
const GRAVITY = 0.0025;
const STEP_LIMIT = 200;

/**
 * MountainCar-v0 with the dynamics of Gymnasium (Moore 1990): observation (position, velocity), actions push left, none,
 * push right, reward -1 a step; terminated at position 0.5, truncated after 200 steps. Starting states are drawn from
 * the same distribution as Gymnasium's, not by the same generator.
 */
export class MountainCar implements Environment {
  readonly observationSize = 2;
  readonly actions = 3;
  /** Position and velocity in f64. */
  readonly variables: Float64Array = new Float64Array(2);
  readonly #observation = new Float32Array(2);
  readonly #episode = new Episode("mountaincar", this.actions, STEP_LIMIT);

  reset(seed?: number): Float32Array {
    this.variables[0] = -0.6 + 0.2 * this.#episode.begin(seed).uniform();
    this.variables[1] = 0;
    this.#observation.set(this.variables);
    return this.#observation;
  }

  step(action: number): StepResult {
    this.#episode.check(action);
    let [position, velocity] = this.variables as unknown as [number, number];
    velocity += (action - 1) * FORCE + cos(3 * position) * -GRAVITY;
    velocity = Math.min(Math.max(velocity, -SPEED_MAX), SPEED_MAX);
    position = Math.min(Math.max(position + velocity, POSITION_MIN), POSITION_MAX);
    // The left wall takes all speed.
    if (position === POSITION_MIN && velocity < 0) velocity = 0;
    this.variables[0] = position;
    this.variables[1] = velocity;
    this.#observation.set(this.variables);
    const terminated = position >= GOAL && velocity >= 0;
    return { observation: this.#observation, reward: -1, ...this.#episode.end(terminated) };
  }

  state(): unknown {
    return this.#episode.stateWith(this.variables);
  }

  restore(state: unknown): void {
    this.#episode.restoreWith(state, this.variables);
  }
}
