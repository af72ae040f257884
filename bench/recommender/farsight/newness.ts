/** How new viewers and new streamers fare, from the events of a platform. */

import { DAY, type Id, type LiveEvent } from "../../../src/protocol/index.js";
import type { PlatformLatents } from "../../../src/simulator/index.js";
import type { Result } from "../../harness/suite.js";

/** A viewer is new in so many first sessions, and a streamer in so many first streams. */
const FIRST = 3;

/** Counts what goes to the new, after the warm-up. */
export class Newness {
  readonly #latents: Pick<PlatformLatents, "viewer">;
  readonly #from: number;
  readonly #streams = new Map<Id, number>();
  /** Streams of new streamers. */
  readonly #fresh = new Set<Id>();
  /** First sessions, by viewer and number. */
  readonly #sessions = new Set<string>();
  #sessionMs = 0;
  #impressions = 0;
  #freshImpressions = 0;
  #ms = 0;
  #freshMs = 0;

  constructor(latents: Pick<PlatformLatents, "viewer">, warmupDays: number) {
    this.#latents = latents;
    this.#from = warmupDays * DAY;
  }

  feedback(event: LiveEvent): void {
    if (event.kind === "on_air") {
      const count = (this.#streams.get(event.streamer) ?? 0) + 1;
      this.#streams.set(event.streamer, count);
      if (count <= FIRST) this.#fresh.add(event.stream);
    } else if (event.kind === "impression" && event.time >= this.#from) {
      this.#session(event.user);
      this.#impressions++;
      if (this.#fresh.has(event.stream)) this.#freshImpressions++;
    } else if (event.kind === "watch" && event.time >= this.#from) {
      if (this.#session(event.user)) this.#sessionMs += event.watchMs;
      this.#ms += event.watchMs;
      if (this.#fresh.has(event.stream)) this.#freshMs += event.watchMs;
    }
  }

  /** Counts a viewer's session if it is among the first; returns whether it is. */
  #session(user: Id): boolean {
    const { sessions } = this.#latents.viewer(user);
    if (sessions > FIRST) return false;
    this.#sessions.add(`${user} ${sessions}`);
    return true;
  }

  /** @param arm - Comes before the names of the metrics, with a colon. */
  results(arm: string): Result[] {
    const minutes = this.#sessionMs / 60_000 / this.#sessions.size;
    return [
      { metric: `${arm}:new_viewer_min_per_session`, unit: "min", value: minutes },
      {
        metric: `${arm}:new_streamer_impression_share`,
        unit: "share",
        value: this.#freshImpressions / this.#impressions,
      },
      { metric: `${arm}:new_streamer_watch_share`, unit: "share", value: this.#freshMs / this.#ms },
    ];
  }
}
