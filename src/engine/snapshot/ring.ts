import type { Part } from "./part.js";
import { slices } from "./snapshot.js";

/** The state of an agent as it is now, while the agent goes on. */
export interface Frozen extends Part {
  /** A row of the replay is about to be overwritten. False once the part is released. */
  keep(slot: number): boolean;
}

/**
 * Freezes an agent: all that any step may change is copied at once; rows of the replay, each only before it is overwritten.
 *
 * @param head - A copy of all before the replay.
 * @param rows - The filled part of the replay itself.
 * @param stride - Bytes of a row.
 */
export function frozen(name: string, head: Uint8Array, rows: Uint8Array, stride: number): Frozen {
  /** Rows as they were, by slot. */
  let kept: Map<number, Uint8Array> | undefined = new Map();
  const patch = (chunk: Uint8Array, start: number) => {
    for (let slot = Math.floor(start / stride); slot * stride < start + chunk.byteLength; slot++) {
      const row = kept!.get(slot);
      const at = slot * stride - start;
      if (row) chunk.set(row.subarray(Math.max(0, -at), chunk.byteLength - at), Math.max(0, at));
    }
  };
  return {
    name,
    *chunks() {
      yield* slices(head);
      yield* slices(rows, patch);
    },
    keep(slot) {
      const at = slot * stride;
      if (kept && at < rows.byteLength && !kept.has(slot)) kept.set(slot, rows.slice(at, at + stride));
      return !!kept;
    },
    release() {
      kept = undefined;
    },
  };
}
