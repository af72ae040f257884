import type { OnAir } from "../../src/protocol/events.js";
import type { Policy } from "../../src/protocol/policy.js";

/** A stream that goes on air: at 0, of a streamer of its own, in "chess", but for what `more` sets. */
export function onAir(stream: string, more: Partial<OnAir> = {}): OnAir {
  return { kind: "on_air", time: 0, stream, streamer: `of ${stream}`, category: "chess", ...more };
}

/** Puts streams on air: stream sN by streamer N, in a category and with viewers each; by default none. */
export function putOnAir(
  policy: Policy & { streamTimeoutMs?: number },
  categories: readonly string[],
  viewers: readonly number[] = [],
): void {
  policy.streamTimeoutMs = 0;
  for (const [i, category] of categories.entries()) {
    policy.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: `${i}`, category });
    policy.feedback({ kind: "update", time: 0, stream: `s${i}`, viewers: viewers[i] ?? 0 });
  }
}
