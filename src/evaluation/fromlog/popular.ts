import type { Decision, Id, LiveEvent, Request } from "../../protocol/index.js";
import { topK } from "../../statistics/index.js";
import { Broadcasts } from "../broadcasts.js";
import type { RankingPolicy } from "../replay.js";

/** Most popular: streams by viewers, where the log counts them; then by visits of the stream, and of its streamer. */
export class MostPopular implements RankingPolicy {
  readonly name = "most popular";
  readonly #broadcasts = new Broadcasts();
  readonly #visits = new Map<Id, number>();
  readonly #ofStreamer = new Map<Id, number>();

  rank({ k }: Request): Pick<Decision, "slate"> {
    const { streams } = this.#broadcasts.catalog;
    const scores = Float64Array.from(streams, ({ id, streamer, viewers }) => {
      return viewers + 1e-4 * (this.#visits.get(id) ?? 0) + 1e-9 * (this.#ofStreamer.get(streamer) ?? 0);
    });
    const best = topK(scores, k, (a, b) => a < b);
    return { slate: Array.from(best, (i) => streams[i]!.id) };
  }

  recommend(): never {
    throw new Error("most popular only ranks");
  }

  feedback(event: LiveEvent): void {
    this.#broadcasts.feedback(event);
    if (event.kind !== "click") return;
    const { stream } = event;
    const streamer = this.#broadcasts.streamerOf(stream);
    this.#visits.set(stream, (this.#visits.get(stream) ?? 0) + 1);
    this.#ofStreamer.set(streamer, (this.#ofStreamer.get(streamer) ?? 0) + 1);
  }
}
