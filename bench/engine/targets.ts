/** What the engine should reach, by what it is measured by. */

/** A bound of a figure. */
export interface Target {
  value: number;
  /** Whether the figure should be at least the value, or at most. */
  isLeast: boolean;
}

/** Percent of the roofline that a train step should reach, by the major version of Node. */
const PERCENT: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "20": { "train/S": 60, "train/M": 50, "train/L": 65, "train/XL": 65 },
  "24": { "train/S": 75, "train/M": 65, "train/L": 80, "train/XL": 80 },
};

/** Microseconds at most, in any runtime. */
const MICROSECONDS: Readonly<Record<string, number>> = {
  "act/M": 0.5,
  "act/L": 7,
  "act/sparse L": 1.3,
  "act/candidates": 150,
  // 20 million draws a second.
  "PER/draw of 100000": 0.05,
};

export function targetOf(name: string, metric: string, node: string = process.versions.node): Target | undefined {
  if (metric === "time_us") return bound(MICROSECONDS[name], false);
  if (metric === "roofline_percent") return bound(PERCENT[node.split(".")[0]!]?.[name], true);
  return undefined;
}

function bound(value: number | undefined, isLeast: boolean): Target | undefined {
  return value === undefined ? undefined : { value, isLeast };
}

export function isMet({ value, isLeast }: Target, figure: number): boolean {
  return isLeast ? figure >= value : figure <= value;
}
