import type { Row } from "../../src/cli/writing/results.js";

type Judged = Pick<Row, "case" | "metric" | "value" | "unit" | "lo" | "hi" | "band" | "target" | "met" | "note">;

/** A bound of a figure. Exactly one of `atLeast`, `atMost` and `above` is given. */
export interface Goal {
  /** The cases with this goal. */
  readonly case: RegExp;
  readonly metric: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly above?: number;
  /** Compares the lower end of the interval, where the row has one. Default: the value. */
  readonly of?: "lo";
}

function isMet({ atLeast, atMost, above, of }: Goal, { value, lo }: Judged): boolean {
  const figure = of === "lo" ? (lo ?? value) : value;
  if (atLeast !== undefined) return figure >= atLeast;
  return above !== undefined ? figure > above : figure <= atMost!;
}

function goalOf(row: Judged, goals: readonly Goal[]): Goal | undefined {
  return goals.find((each) => each.metric === row.metric && each.case.test(row.case));
}

/** Rows with the goal that they have among these, and whether they meet it. */
export function judged<R extends Judged>(rows: readonly R[], goals: readonly Goal[]): R[] {
  return rows.map((row) => {
    const goal = goalOf(row, goals);
    if (!goal) return row;
    return { ...row, target: goal.atLeast ?? goal.above ?? goal.atMost!, met: isMet(goal, row) };
  });
}

/** A figure in about three digits. */
export function figure(value: number, unit: string): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return unit === "1" || unit === "share" ? String(Number(value.toFixed(3))) : String(Number(value.toPrecision(3)));
}

/** The goal of a row: one of these, a band, or a target of its own. */
export function wanted(row: Judged, goals: readonly Goal[]): string {
  const { band, target, unit } = row;
  if (band) return `${figure(band[0], unit)} to ${figure(band[1], unit)}`;
  if (target === undefined) return "";
  const { atLeast, above } = goalOf(row, goals) ?? {};
  const side = atLeast !== undefined ? "at least " : above !== undefined ? "above " : "at most ";
  return `${goalOf(row, goals) ? side : ""}${figure(target, unit)}`;
}

/** A line for each goal: its case and metric, the figure, the goal and, where a missed one has a note, that. */
export function goalLines(rows: readonly Judged[], goals: readonly Goal[]): string[] {
  return rows
    .filter(({ met }) => met !== undefined)
    .map((row) => {
      const { case: name, metric, value, unit, lo, hi, met, note } = row;
      const interval = lo === undefined ? "" : ` [${figure(lo, unit)}, ${figure(hi!, unit)}]`;
      const shown = unit === "1" ? "" : ` ${unit}`;
      const why = !met && note ? `: ${note}` : "";
      const verdict = met ? "met    " : "NOT met";
      return `${verdict}  ${name} ${metric} ${figure(value, unit)}${interval}${shown}, goal ${wanted(row, goals)}${why}`;
    });
}
