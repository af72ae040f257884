import type { TrainResult } from "../../src/index.js";
import { arithmeticMean, quantile } from "../../src/statistics/intervals.js";
import { type Outcome, valuesOf } from "./suite.js";

/** Agents, for each environment. */
export const SEEDS = 20;
/** Episode seeds: training, choosing and testing never meet the same episode; recipes were found on other seeds. */
export const TRAINING = 100_000;
export const VALIDATION = 5_000_000;
export const TEST = 10_000_000;
/** Lines that a run says of its progress. */
export const REPORTS = 10;

/** What a run measures, in seconds since `start`: the returns of tests, and the training before them. */
export function figuresOf(returns: readonly number[], { steps, best }: TrainResult, start: number) {
  return [
    { metric: "return_mean", value: arithmeticMean(returns), unit: "1", n: returns.length },
    { metric: "steps", value: steps, unit: "1" },
    { metric: "best_step", value: best!.step, unit: "1" },
    { metric: "seconds", value: (performance.now() - start) / 1000, unit: "s" },
  ];
}

/** The median of a metric over seeds. */
export function medianOf(results: readonly Outcome[], metric: string): number {
  return quantile(
    [...valuesOf(results, metric)].sort((a, b) => a - b),
    0.5,
  );
}
