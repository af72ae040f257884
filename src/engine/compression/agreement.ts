import type { AgentInput } from "../index.js";
import { type AgentState, naming, requireStates } from "./state.js";

/** Anything that values actions: an agent of any kind, an ensemble of them, or a policy of one's own. */
export interface Valuer {
  /** (actions), or with candidates (n), values of an observation. */
  evaluate(observation: AgentInput, available?: AgentInput): ArrayLike<number>;
}

/** How far one agent values as another one does, over the same states. */
export interface ValueAgreement {
  /** Share of the states with the same best action, [0, 1]. */
  sameBest: number;
  /** Mean over states of Kendall's tau-b of their values, [-1, 1]; states with one action do not count. NaN without any. */
  tau: number;
  /** Root mean square of the differences of values, over the standard deviation of the first one's within states. */
  error: number;
}

/** Values in states, in arrays of their own; isMasked: of the actions alone that masks do not hide. */
export function valuesOf(
  agent: Valuer,
  name: string,
  states: readonly AgentState[],
  isMasked: boolean,
): Float64Array[] {
  return states.map(({ observation, available }, i) => {
    const values = Float64Array.from(naming(name, i, () => agent.evaluate(observation, available)));
    return isMasked && available ? values.filter((_, action) => (available as ArrayLike<number>)[action]) : values;
  });
}

/**
 * Compares how two agents value the same states.
 *
 * @param isMasked - Whether `available` is a mask: then values of the actions that it hides do not count. Default false.
 */
export function agreementOf(
  first: Valuer,
  second: Valuer,
  states: readonly AgentState[],
  isMasked = false,
): ValueAgreement {
  requireStates("states", states);
  return compared(valuesOf(first, "states", states, isMasked), valuesOf(second, "states", states, isMasked));
}

/** The same of values. */
export function compared(first: readonly Float64Array[], second: readonly Float64Array[]): ValueAgreement {
  let [same, taus, ranked, squares, spread, count] = [0, 0, 0, 0, 0, 0];
  for (const [i, a] of first.entries()) {
    const b = second[i]!;
    if (a.length === 0) continue;
    count++;
    if (bestOf(a) === bestOf(b)) same++;
    const mean = a.reduce((sum, x) => sum + x, 0) / a.length;
    for (let j = 0; j < a.length; j++) {
      squares += ((a[j]! - b[j]!) * (a[j]! - b[j]!)) / a.length;
      spread += ((a[j]! - mean) * (a[j]! - mean)) / a.length;
    }
    const tau = kendall(a, b);
    if (Number.isNaN(tau)) continue;
    taus += tau;
    ranked++;
  }
  return { sameBest: same / count, tau: taus / ranked, error: Math.sqrt(squares / spread) };
}

/** The index of the largest; the lowest of equals. */
export function bestOf(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Kendall's tau-b of two lists of values (Kendall 1945): ties count for neither. NaN where one list is all ties. */
export function kendall(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [sum, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const x = Math.sign(a[i]! - a[j]!);
      const y = Math.sign(b[i]! - b[j]!);
      sum += x * y;
      ofA += x * x;
      ofB += y * y;
    }
  }
  return sum / Math.sqrt(ofA * ofB);
}
