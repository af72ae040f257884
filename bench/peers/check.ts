/** Whether a peer computes the update and the decisions that it is timed for. */
import { readFileSync } from "node:fs";
import { STEPS } from "./data.js";
import type { PeerProcess } from "./process.js";
import type { Expected } from "./reference.js";

/** How far a chosen action's value may be below the best, a loss from the reference's, and a weight. */
export const TOLERANCE = { value: 1e-4, loss: 1e-5, weight: 1e-6 } as const;

/** The scope of a check: the update and the choice of actions, the choice alone, or the choice of outputs that are never below 0. */
export type Comparison = "update" | "actions" | "positive actions";

/**
 * Lets a fresh peer choose actions and, to compare updates, do STEPS of them. It must choose as the reference, and come to
 * the same losses and weights.
 * @returns The difference; undefined where there is none.
 */
export async function faultOf(
  peer: PeerProcess,
  comparison: Comparison,
  expected: Expected,
  scratch: string,
): Promise<string | undefined> {
  const { chosen } = await peer.ask("chosen");
  const first = await peer.ask("act 1");
  const wrong = wrongChoice([...chosen, ...first.chosen], expected, comparison === "positive actions");
  if (wrong || comparison !== "update") return wrong;
  for (let step = 0; step < STEPS; step++) {
    const { loss } = await peer.ask("train 1");
    const must = expected.losses[step]!;
    if (!(Math.abs(loss - must) <= TOLERANCE.loss)) return `its loss ${step + 1} is ${loss}, not ${must}`;
  }
  await peer.ask(`weights ${scratch}`);
  const bytes = readFileSync(scratch);
  const weights = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return wrongWeights(weights, expected.parameters);
}

/** chosen: one action for each row of values, then one more for the first row. */
function wrongChoice(chosen: number[], { values }: Expected, isPositive: boolean): string | undefined {
  if (chosen.length !== values.length + 1) return `it chose ${chosen.length - 1} actions for ${values.length} rows`;
  for (const [i, action] of chosen.entries()) {
    const q = values[i % values.length]!;
    const best = Math.max(...q);
    if (isPositive && best <= TOLERANCE.value) continue;
    if (!(q[action]! >= best - TOLERANCE.value)) return `it chose an action worth ${q[action]}, where ${best} was best`;
  }
  return undefined;
}

function wrongWeights(weights: Float32Array, expected: Float64Array): string | undefined {
  if (weights.length !== expected.length) return `it has ${weights.length} weights, not ${expected.length}`;
  for (const [i, w] of weights.entries()) {
    if (!(Math.abs(w - expected[i]!) <= TOLERANCE.weight)) return `its weight ${i} is ${w}, not ${expected[i]}`;
  }
  return undefined;
}
