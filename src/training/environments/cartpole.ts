import { cos, sin } from "../../numeric/index.js";
import type { Environment, StepResult } from "../environment.js";
import { Episode } from "./episode.js";

const GRAVITY = 9.8;
const CART_MASS = 1.0;
const POLE_MASS = 0.1;
const TOTAL_MASS = CART_MASS + POLE_MASS;
/** Half of the pole's length. */
const LENGTH = 0.5;
const POLE_MOMENT = POLE_MASS * LENGTH;
const FORCE = 10.0;
/** Seconds of one step. */
const TAU = 0.02;
const X_LIMIT = 2.4;
const THETA_LIMIT = (12 * 2 * Math.PI) / 360;
const STEP_LIMIT = 500;

/**
 * CartPole-v1 with the dynamics of Gymnasium (Barto, Sutton & Anderson 1983): observation (x, x', theta, theta'),
 * actions left and right, reward 1 a step, the last one included; terminated beyond 2.4 m or 12 degrees, truncated
 * after 500 steps. Starting states are drawn from the same distribution as Gymnasium's, not by the same generator.
 */
export class CartPole implements Environment {
  readonly observationSize = 4;
  readonly actions = 2;
  /** x, x', theta, theta' in f64. */
  readonly variables: Float64Array = new Float64Array(4);
  readonly #observation = new Float32Array(4);
  readonly #episode = new Episode("cartpole", this.actions, STEP_LIMIT);

  reset(seed?: number): Float32Array {
    const random = this.#episode.begin(seed);
    for (let i = 0; i < 4; i++) this.variables[i] = -0.05 + 0.1 * random.uniform();
    this.#observation.set(this.variables);
    return this.#observation;
  }

  step(action: number): StepResult {
    this.#episode.check(action);
    const [x, xDot, theta, thetaDot] = this.variables as unknown as [number, number, number, number];
    const force = action === 1 ? FORCE : -FORCE;
    const cosTheta = cos(theta);
    const sinTheta = sin(theta);
    const temp = (force + POLE_MOMENT * (thetaDot * thetaDot) * sinTheta) / TOTAL_MASS;
    const thetaAcceleration =
      (GRAVITY * sinTheta - cosTheta * temp) /
      (LENGTH * (4.0 / 3.0 - (POLE_MASS * (cosTheta * cosTheta)) / TOTAL_MASS));
    const xAcceleration = temp - (POLE_MOMENT * thetaAcceleration * cosTheta) / TOTAL_MASS;
    // Explicit Euler: positions move with the old velocities.
    this.variables[0] = x + TAU * xDot;
    this.variables[1] = xDot + TAU * xAcceleration;
    this.variables[2] = theta + TAU * thetaDot;
    this.variables[3] = thetaDot + TAU * thetaAcceleration;
    this.#observation.set(this.variables);
    const terminated = Math.abs(this.variables[0]) > X_LIMIT || Math.abs(this.variables[2]) > THETA_LIMIT;
    return { observation: this.#observation, reward: 1, ...this.#episode.end(terminated) };
  }

  state(): unknown {
    return this.#episode.stateWith(this.variables);
  }

  restore(state: unknown): void {
    this.#episode.restoreWith(state, this.variables);
  }
}
