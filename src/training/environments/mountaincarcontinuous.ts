import { cos } from "../../numeric/index.js";
import type { ContinuousEnvironment, StepResult } from "../environment.js";
import { Episode } from "./episode.js";

// Gymnasium keeps the state in f32, and with NumPy 2 it computes in f32: constants too.
const f32 = Math.fround;
const POSITION_MIN = f32(-1.2);
const POSITION_MAX = f32(0.6);
const SPEED_MAX = f32(0.07);
const GOAL = f32(0.45);
const POWER = f32(0.0015);
const GRAVITY = 0.0025;
const STEP_LIMIT = 999;

/**
 * MountainCarContinuous-v0 with the dynamics of Gymnasium 1.3 on NumPy 2, in f32: observation (position, velocity), a force
 * from -1 to 1, reward -0.1 force^2 a step and 100 more for the last; terminated at position 0.45, truncated after 999
 * steps. A force out of its bounds moves as the nearest in them and costs as it is. Starting states are drawn from the
 * same distribution as Gymnasium's, not by the same generator.
 */
export class MountainCarContinuous implements ContinuousEnvironment {
  readonly observationSize = 2;
  readonly continuous = { low: [-1], high: [1] };
  /** Position and velocity: numbers of f32. */
  readonly variables: Float64Array = new Float64Array(2);
  readonly #observation = new Float32Array(2);
  readonly #episode = new Episode("mountaincarcontinuous", 0, STEP_LIMIT);

  reset(seed?: number): Float32Array {
    this.variables[0] = f32(-0.6 + 0.2 * this.#episode.begin(seed).uniform());
    this.variables[1] = 0;
    this.#observation.set(this.variables);
    return this.#observation;
  }

  step(action: ArrayLike<number>): StepResult {
    this.#episode.checkForce(action);
    let [position, velocity] = this.variables as unknown as [number, number];
    const given = f32(action[0]!);
    const force = Math.min(1, Math.max(-1, given));
    velocity = f32(velocity + f32(f32(force * POWER) - f32(GRAVITY * cos(f32(3 * position)))));
    velocity = Math.min(SPEED_MAX, Math.max(-SPEED_MAX, velocity));
    position = Math.min(POSITION_MAX, Math.max(POSITION_MIN, f32(position + velocity)));
    // The left wall takes all speed.
    if (position === POSITION_MIN && velocity < 0) velocity = 0;
    this.variables[0] = position;
    this.variables[1] = velocity;
    this.#observation.set(this.variables);
    const terminated = position >= GOAL && velocity >= 0;
    const reward = (terminated ? 100 : 0) - given * given * 0.1;
    return { observation: this.#observation, reward, ...this.#episode.end(terminated) };
  }

  state(): unknown {
    return this.#episode.stateWith(this.variables);
  }

  restore(state: unknown): void {
    this.#episode.restoreWith(state, this.variables);
  }
}
