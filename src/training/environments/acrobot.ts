import { cos, sin } from "../../numeric/index.js";
import type { Environment, StepResult } from "../environment.js";
import { Episode } from "./episode.js";

/** Seconds of one step. */
const DT = 0.2;
/** Lengths (m) and masses (kg) of both links, distance of their centres of mass, moments of inertia. */
const LENGTH = 1;
const MASS = 1;
const CENTRE = 0.5;
const INERTIA = 1;
const GRAVITY = 9.8;
const SPEED_1_MAX = 4 * Math.PI;
const SPEED_2_MAX = 9 * Math.PI;
const STEP_LIMIT = 500;

type State = [theta1: number, theta2: number, speed1: number, speed2: number];

/** Time derivative of the state under a torque on the joint: the equations of Sutton & Barto's book. */
function derivative([theta1, theta2, speed1, speed2]: State, torque: number): State {
  const cos2 = cos(theta2);
  const sin2 = sin(theta2);
  const d1 =
    MASS * CENTRE * CENTRE +
    MASS * (LENGTH * LENGTH + CENTRE * CENTRE + 2 * LENGTH * CENTRE * cos2) +
    INERTIA +
    INERTIA;
  const d2 = MASS * (CENTRE * CENTRE + LENGTH * CENTRE * cos2) + INERTIA;
  const phi2 = MASS * CENTRE * GRAVITY * cos(theta1 + theta2 - Math.PI / 2);
  const phi1 =
    -MASS * LENGTH * CENTRE * speed2 * speed2 * sin2 -
    2 * MASS * LENGTH * CENTRE * speed2 * speed1 * sin2 +
    (MASS * CENTRE + MASS * LENGTH) * GRAVITY * cos(theta1 - Math.PI / 2) +
    phi2;
  const acceleration2 =
    (torque + (d2 / d1) * phi1 - MASS * LENGTH * CENTRE * speed1 * speed1 * sin2 - phi2) /
    (MASS * CENTRE * CENTRE + INERTIA - (d2 * d2) / d1);
  const acceleration1 = -(d2 * acceleration2 + phi1) / d1;
  return [speed1, speed2, acceleration1, acceleration2];
}

/** state + scale * slope */
function moved(state: State, slope: State, scale: number): State {
  return state.map((x, i) => x + scale * slope[i]!) as State;
}

/** One step of the classical Runge-Kutta method. */
function rungeKutta(state: State, torque: number): State {
  const k1 = derivative(state, torque);
  const k2 = derivative(moved(state, k1, DT / 2), torque);
  const k3 = derivative(moved(state, k2, DT / 2), torque);
  const k4 = derivative(moved(state, k3, DT), torque);
  return state.map((x, i) => x + (DT / 6) * (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!)) as State;
}

/** The angle within [-pi, pi]. */
function wrapped(angle: number): number {
  let x = angle;
  while (x > Math.PI) x -= 2 * Math.PI;
  while (x < -Math.PI) x += 2 * Math.PI;
  return x;
}

function bounded(x: number, most: number): number {
  return Math.min(Math.max(x, -most), most);
}

/**
 * Acrobot-v1 with the dynamics of Gymnasium (Sutton 1996): observation (cos and sin of both angles, both angular
 * velocities), torque -1, 0 or 1 on the joint, reward -1 a step and 0 for the last; terminated when the tip is a link's
 * length above the bar, truncated after 500 steps. Starting states are drawn from the same distribution as
 * Gymnasium's, not by the same generator.
 */
export class Acrobot implements Environment {
  readonly observationSize = 6;
  readonly actions = 3;
  /** theta1, theta2 and their velocities in f64. */
  readonly variables: Float64Array = new Float64Array(4);
  readonly #observation = new Float32Array(6);
  readonly #episode = new Episode("acrobot", this.actions, STEP_LIMIT);

  reset(seed?: number): Float32Array {
    const random = this.#episode.begin(seed);
    for (let i = 0; i < 4; i++) this.variables[i] = Math.fround(-0.1 + 0.2 * random.uniform());
    return this.#observe();
  }

  step(action: number): StepResult {
    this.#episode.check(action);
    const [theta1, theta2, speed1, speed2] = rungeKutta(Array.from(this.variables) as State, action - 1);
    this.variables[0] = wrapped(theta1);
    this.variables[1] = wrapped(theta2);
    this.variables[2] = bounded(speed1, SPEED_1_MAX);
    this.variables[3] = bounded(speed2, SPEED_2_MAX);
    const terminated = -cos(this.variables[0]) - cos(this.variables[1] + this.variables[0]) > 1;
    return { observation: this.#observe(), reward: terminated ? 0 : -1, ...this.#episode.end(terminated) };
  }

  #observe(): Float32Array {
    const [theta1, theta2, speed1, speed2] = this.variables as unknown as State;
    this.#observation.set([cos(theta1), sin(theta1), cos(theta2), sin(theta2), speed1, speed2]);
    return this.#observation;
  }

  state(): unknown {
    return this.#episode.stateWith(this.variables);
  }

  restore(state: unknown): void {
    this.#episode.restoreWith(state, this.variables);
  }
}
