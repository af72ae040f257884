import type { OnAir } from "../../src/protocol/events.js";

/** A stream that goes on air: at 0, of a streamer of its own, in "chess", but for what `more` sets. */
export function onAir(stream: string, more: Partial<OnAir> = {}): OnAir {
  return { kind: "on_air", time: 0, stream, streamer: `of ${stream}`, category: "chess", ...more };
}
