import type { StoredRow } from "../../src/cli/writing/results.js";
import type { DQNOptions } from "../../src/index.js";
import type { ProcessCase, Report, Result } from "../harness/suite.js";

/** The figures of a seed, by metric. */
export interface Outcome {
  seed: number;
  figures: Readonly<Record<string, number>>;
}

/** Outcomes by case, sorted by seed; cases without any are missing. */
export type Outcomes = ReadonlyMap<string, readonly Outcome[]>;

/** Cases that are reported in one table. */
export interface Group {
  cases: readonly ProcessCase[];
  report(outcomes: Outcomes): Required<Pick<Report, "text" | "rows">>;
}

/** Options of an agent, without those that its environment decides. */
export type AgentOptions = Partial<Omit<DQNOptions, "observation" | "actions" | "candidates" | "masked" | "seed">>;

/** The outcomes that rows of single seeds hold. */
export function outcomesOf(rows: readonly StoredRow[]): Outcomes {
  const outcomes = new Map<string, Outcome[]>();
  for (const { case: name, seeds, metric, value } of rows) {
    const own = outcomes.get(name) ?? [];
    outcomes.set(name, own);
    let outcome = own.find(({ seed }) => seed === seeds![0]);
    if (!outcome) own.push((outcome = { seed: seeds![0]!, figures: {} }));
    outcome.figures = { ...outcome.figures, [metric]: value };
  }
  for (const own of outcomes.values()) own.sort((a, b) => a.seed - b.seed);
  return outcomes;
}

/** Values of a metric, seed by seed. */
export function valuesOf(outcomes: readonly Outcome[], metric: string): number[] {
  return outcomes.map(({ figures }) => figures[metric]!);
}

/** The cases of a group that have outcomes, with them. */
export function withOutcomes<T extends ProcessCase>(
  cases: readonly T[],
  outcomes: Outcomes,
): [T, readonly Outcome[]][] {
  return cases.flatMap((each) => {
    const own = outcomes.get(each.name);
    return own?.length ? [[each, own] as [T, readonly Outcome[]]] : [];
  });
}

/** Wall seconds since a start, and environment steps in each. */
export function timeFigures(start: number, steps: number): Result[] {
  const seconds = (performance.now() - start) / 1000;
  return [
    { metric: "seconds", value: seconds, unit: "s" },
    { metric: "steps_per_s", value: steps / seconds, unit: "1/s" },
  ];
}
