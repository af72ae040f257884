import { cos, sin } from "../../numeric/index.js";
import type { ContinuousEnvironment, StepResult } from "../environment.js";
import { Episode } from "./episode.js";

const GRAVITY = 10;
/** Seconds of one step. */
const DT = 0.05;
const TORQUE_MAX = 2;
const SPEED_MAX = 8;
const STEP_LIMIT = 200;

/** 0.001, as Gymnasium multiplies by it: f32, as its torques are. */
const TORQUE_COST = Math.fround(0.001);

/** The angle within [-pi, pi). */
function normalised(angle: number): number {
  const rest = (angle + Math.PI) % (2 * Math.PI);
  return (rest < 0 ? rest + 2 * Math.PI : rest) - Math.PI;
}

/**
 * Pendulum-v1 with the dynamics of Gymnasium 1.3: observation (cos and sin of the angle from upright, angular velocity), a
 * torque from -2 to 2, reward -(angle^2 + 0.1 velocity^2 + 0.001 torque^2) of the state before the step; truncated after
 * 200 steps, never terminated. A torque out of its bounds counts as the nearest in them. Starting states are drawn from
 * the same distribution as Gymnasium's, not by the same generator.
 */
export class Pendulum implements ContinuousEnvironment {
  readonly observationSize = 3;
  readonly continuous = { low: [-TORQUE_MAX], high: [TORQUE_MAX] };
  /** The angle, 0 upright, and its velocity in f64. */
  readonly variables: Float64Array = new Float64Array(2);
  readonly #observation = new Float32Array(3);
  readonly #episode = new Episode("pendulum", 0, STEP_LIMIT);

  reset(seed?: number): Float32Array {
    const random = this.#episode.begin(seed);
    this.variables[0] = -Math.PI + 2 * Math.PI * random.uniform();
    this.variables[1] = -1 + 2 * random.uniform();
    return this.#observe();
  }

  step(action: ArrayLike<number>): StepResult {
    this.#episode.checkForce(action);
    const [angle, velocity] = this.variables as unknown as [number, number];
    // Gymnasium's torque is f32, and so is what it is multiplied with.
    const torque = Math.fround(Math.min(TORQUE_MAX, Math.max(-TORQUE_MAX, Math.fround(action[0]!))));
    const off = normalised(angle);
    const effort = Math.fround(TORQUE_COST * Math.fround(torque * torque));
    const cost = off * off + 0.1 * (velocity * velocity) + effort;
    const acceleration = ((3 * GRAVITY) / 2) * sin(angle) + Math.fround(3 * torque);
    const next = Math.min(SPEED_MAX, Math.max(-SPEED_MAX, velocity + acceleration * DT));
    this.variables[0] = angle + next * DT;
    this.variables[1] = next;
    return { observation: this.#observe(), reward: -cost, ...this.#episode.end(false) };
  }

  #observe(): Float32Array {
    const [angle, velocity] = this.variables as unknown as [number, number];
    this.#observation[0] = cos(angle);
    this.#observation[1] = sin(angle);
    this.#observation[2] = velocity;
    return this.#observation;
  }

  state(): unknown {
    return this.#episode.stateWith(this.variables);
  }

  restore(state: unknown): void {
    this.#episode.restoreWith(state, this.variables);
  }
}
