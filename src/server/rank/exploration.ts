import type { Rule } from "../../check/index.js";
import { exp } from "../../numeric/index.js";

/** How a choice departs from the best action. */
export type Exploration =
  /** Any action with probability epsilon, [0, 1]. */
  | { readonly policy: "epsilon"; readonly epsilon: number }
  /** In proportion to exp(value / temperature), (0, 1e6]. */
  | { readonly policy: "boltzmann"; readonly temperature: number }
  /** One of the best m actions, an integer >= 1, with probability epsilon, [0, 1]. */
  | { readonly policy: "top"; readonly m: number; readonly epsilon: number };

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  epsilon: ["epsilon"],
  boltzmann: ["temperature"],
  top: ["m", "epsilon"],
};

const HOLDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  epsilon: (value) => typeof value === "number" && value >= 0 && value <= 1,
  temperature: (value) => typeof value === "number" && value > 0 && value <= 1e6,
  m: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
};

export const explorationRule: Rule = [
  (value) => {
    if (typeof value !== "object" || value === null) return false;
    const { policy, ...rest } = value as Record<string, unknown>;
    const fields = Object.hasOwn(FIELDS, String(policy)) ? FIELDS[String(policy)]! : undefined;
    if (typeof policy !== "string" || fields === undefined || Object.keys(rest).length !== fields.length) return false;
    return fields.every((field) => Object.hasOwn(rest, field) && HOLDS[field]!(rest[field]));
  },
  '{ policy: "epsilon", epsilon }, { policy: "boltzmann", temperature } or { policy: "top", m, epsilon }',
];

/**
 * The probability of each action, by its place in an order from the best on.
 *
 * @param values The actions' values, the best first; at least one.
 */
export function chancesOf(exploration: Exploration, values: readonly number[]): number[] {
  const n = values.length;
  if (exploration.policy === "boltzmann") {
    const weights = values.map((value) => exp((value - values[0]!) / exploration.temperature));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  }
  const { epsilon } = exploration;
  const among = exploration.policy === "top" ? Math.min(exploration.m, n) : n;
  return values.map((_, i) => (i === 0 ? 1 - epsilon : 0) + (i < among ? epsilon / among : 0));
}
