import type { Decision, Policy, Request } from "../protocol/index.js";
import { topK } from "../statistics/index.js";
import type { PlatformLatents } from "./platform.js";
import type { Stream } from "./world/streamers.js";
import type { Viewer } from "./world/viewers.js";

type Score = (viewer: Viewer, stream: Stream, now: number) => number;

/** Shows the streams of the highest score: a yardstick for policies that have to estimate it. */
class Oracle implements Policy {
  readonly name: string;
  readonly #latents: PlatformLatents;
  readonly #score: Score;
  #decisions = 0;

  constructor(name: string, latents: PlatformLatents, score: Score) {
    this.name = name;
    this.#latents = latents;
    this.#score = score;
  }

  recommend({ user, now, k }: Request): Decision {
    const viewer = this.#latents.viewer(user);
    const streams = [...this.#latents.streams()];
    const scores = streams.map((stream) => this.#score(viewer, stream, now));
    const top = Array.from(topK(scores, k));
    return {
      id: `${this.name}-${this.#decisions++}`,
      user,
      time: now,
      slate: top.map((at) => streams[at]!.id),
      propensities: top.map(() => 1),
      scores: top.map((at) => scores[at]!),
    };
  }

  /** Needs none: it sees the platform itself. */
  feedback(): void {}
}

/** Shows what is clicked most surely: what a perfect model of the next click would do. */
export function clickOracle(latents: PlatformLatents): Policy {
  return new Oracle("click-oracle", latents, (viewer, stream, now) => viewer.clickProbability(stream, now));
}

/** Shows what is watched longest, click chance included: what a perfect model of the next watch would do. */
export function watchOracle(latents: PlatformLatents): Policy {
  return farsightedOracle(0, "watch-oracle")(latents);
}

/**
 * Adds to the minutes of the next watch what it does to satisfaction, which brings viewers back.
 *
 * @param minutes - What one unit of satisfaction is worth, in minutes watched.
 */
export function farsightedOracle(minutes: number, name = "farsighted-oracle"): (latents: PlatformLatents) => Policy {
  const score: Score = (viewer, stream, now) => {
    const engaged = viewer.engagedProbability(stream, now);
    const happier =
      engaged * viewer.satisfactionChange(stream, true) + (1 - engaged) * viewer.satisfactionChange(stream, false);
    return viewer.clickProbability(stream, now) * (engaged * viewer.engagedMinutes(stream, now) + minutes * happier);
  };
  return (latents) => new Oracle(name, latents, score);
}
