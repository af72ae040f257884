import { show } from "../../check/index.js";
import type { AgentInput, ResolvedOptions } from "../index.js";

/** A state in which an agent decides: what `act` and `evaluate` take. */
export interface AgentState {
  /** (observation) */
  observation: AgentInput;
  /** With `masked`: (actions), 0 = not available; with `candidates`: (n, features), n <= max. */
  available?: AgentInput;
}

/** @throws TypeError or RangeError for what is no array of at least one state. */
export function requireStates(name: string, states: readonly AgentState[]): void {
  if (!Array.isArray(states)) throw new TypeError(`"${name}" must be an array of states, got ${show(states)}`);
  if (states.length === 0) throw new RangeError(`"${name}" must hold at least one state`);
  const bad = states.findIndex((state) => typeof state !== "object" || state === null || !("observation" in state));
  if (bad >= 0) {
    throw new TypeError(`"${name}[${bad}]" must be { observation, available }, got ${show(states[bad])}`);
  }
}

/** The error of a state with its index: `"calibration[3]": "observation" must hold 4 numbers, got 2`. */
export function naming<T>(name: string, index: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error) error.message = `"${name}[${index}]": ${error.message}`;
    throw error;
  }
}

/** @throws TypeError for an agent whose hidden layers are no ReLU, or that normalises what it observes. */
export function requirePlain({ activation, normalizeObservations }: Readonly<ResolvedOptions>): void {
  if (activation !== "relu")
    throw new TypeError(`"activation" must be "relu" for an agent that is made smaller, got "${activation}"`);
  if (normalizeObservations)
    throw new TypeError('"normalizeObservations" must be false for an agent that is made smaller');
}
