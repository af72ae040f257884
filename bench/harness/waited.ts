import { readFileSync } from "node:fs";

/**
 * Milliseconds in which this thread has waited for a core so far; NaN where the system does not say. Machines are shared: what a
 * step takes without them is its own.
 */
export function waitedMs(): number {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[1]) / 1e6;
  } catch {
    return Number.NaN;
  }
}
