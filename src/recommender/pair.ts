import type { Id } from "./events.js";

/** One key of two ids, whatever characters are in them. */
export function pairKey(one: Id, other: Id): string {
  return `${one.length}:${one}${other}`;
}
