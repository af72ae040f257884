import type { Interactions } from "../../src/logs/index.js";

/** A log of [user, item], in order of time, all of value 1. */
export function log(rows: [user: number, item: number][], users: number, items: number): Interactions {
  return {
    users,
    items,
    user: Int32Array.from(rows, ([user]) => user),
    item: Int32Array.from(rows, ([, item]) => item),
    value: new Float32Array(rows.length).fill(1),
    time: Float64Array.from(rows.keys()),
  };
}
