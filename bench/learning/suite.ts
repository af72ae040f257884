import { createHash } from "node:crypto";
import type { Row } from "../../src/cli/writing/results.js";
import type { DQNOptions } from "../../src/index.js";

/** A figure of one seed. */
export interface Figure {
  metric: string;
  value: number;
  unit: string;
  /** Observations behind it. */
  n?: number;
}

/** Something that is run once for each seed. */
export interface Case {
  /** As in the rows: `CartPole-v1`, `probes/double`. */
  name: string;
  /** Seeds that count: 1 to this. */
  seeds: number;
  /** All that decides what comes out, but for the seed: plain data. */
  recipe: unknown;
  /** Told how far it is, in a few words. */
  run(seed: number, tell: (text: string) => void): Promise<Figure[]>;
}

/** The figures of a seed, by metric. */
export interface Outcome {
  seed: number;
  figures: Readonly<Record<string, number>>;
}

/** Outcomes by case, sorted by seed; cases without any are missing. */
export type Outcomes = ReadonlyMap<string, readonly Outcome[]>;

/** Something that was to be shown, and whether it was. */
export interface Goal {
  text: string;
  isMet: boolean;
}

/** What outcomes come to. */
export interface Report {
  /** Lines to print. */
  text: string;
  /** Figures over all seeds. */
  rows: Omit<Row, "suite">[];
  goals: Goal[];
}

/** Cases that are reported in one table. */
export interface Suite {
  cases: readonly Case[];
  report(outcomes: Outcomes): Report;
}

/** Options of an agent, without those that its environment decides. */
export type AgentOptions = Partial<Omit<DQNOptions, "observation" | "actions" | "candidates" | "masked" | "seed">>;

/** A short hash of a case's recipe: of its content, not of the order in which it is written. */
export function hashOf({ recipe }: Case): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash("sha256").update(JSON.stringify(recipe, sorted)).digest("hex").slice(0, 12);
}

/** Values of a metric, seed by seed. */
export function valuesOf(outcomes: readonly Outcome[], metric: string): number[] {
  return outcomes.map(({ figures }) => figures[metric]!);
}

/** Those of a suite's cases that have outcomes, with them. */
export function withOutcomes<T extends Case>(cases: readonly T[], outcomes: Outcomes): [T, readonly Outcome[]][] {
  return cases.flatMap((each) => {
    const own = outcomes.get(each.name);
    return own?.length ? [[each, own] as [T, readonly Outcome[]]] : [];
  });
}

/** "7 of 10 seeds", for a run that did not do all. */
export function seedsOf({ seeds }: Case, outcomes: readonly Outcome[]): string {
  return outcomes.length < seeds ? `${outcomes.length} of ${seeds} seeds` : `${seeds} seeds`;
}

/** Wall seconds since a start, and environment steps in each. */
export function timeFigures(start: number, steps: number): Figure[] {
  const seconds = (performance.now() - start) / 1000;
  return [
    { metric: "seconds", value: seconds, unit: "s" },
    { metric: "steps_per_s", value: steps / seconds, unit: "1/s" },
  ];
}
