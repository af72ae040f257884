import type { Goal } from "../harness/goals.js";

/** Percent of the roofline that a train step should reach, by the major version of Node. */
const PERCENT: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "20": { S: 60, M: 50, L: 65, XL: 65 },
  "24": { S: 75, M: 65, L: 80, XL: 80 },
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

/** The goals of the engine in a version of Node. */
export function goalsIn(node: string = process.versions.node): Goal[] {
  const percents = Object.entries(PERCENT[node.split(".")[0]!] ?? {});
  const times = Object.entries(MICROSECONDS);
  return [
    ...percents.map(([shape, atLeast]) => ({ case: named(`train/${shape}`), metric: "roofline_percent", atLeast })),
    ...times.map(([name, atMost]) => ({ case: named(name), metric: "time_us", atMost })),
  ];
}

function named(name: string): RegExp {
  return new RegExp(`^${name}$`);
}
