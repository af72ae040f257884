import { type Decision, type LiveEvent, type Policy, parseRequest, type Request } from "../protocol/index.js";
import { Offers } from "../recommender/retrieval/index.js";
import { topK } from "../statistics/index.js";
import type { PlatformLatents } from "./platform.js";
import type { Stream } from "./world/streamers.js";
import type { Viewer } from "./world/viewers.js";

type Score = (viewer: Viewer, stream: Stream, now: number) => number;

/** Shows the streams of the highest score, which other policies have to estimate, of those that a request may show. */
class Oracle implements Policy {
  readonly name: string;
  readonly #latents: PlatformLatents;
  readonly #score: Score;
  /** What the platform says: filters are about that. */
  readonly #offers = new Offers();
  #decisions = 0;

  constructor(name: string, latents: PlatformLatents, score: Score) {
    this.name = name;
    this.#latents = latents;
    this.#score = score;
  }

  /** @throws EventError for an invalid request. RangeError for an unknown viewer. */
  recommend(request: Request): Decision {
    const parsed = parseRequest(request);
    const { user, now, k } = parsed;
    const viewer = this.#latents.viewer(user);
    const offered = new Set(this.#offers.among(parsed).map(({ id }) => id));
    const streams = [...this.#latents.streams()].filter(({ id }) => offered.has(id));
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

  /** Learns nothing: an oracle sees the platform itself. */
  feedback(event: LiveEvent): void {
    this.#offers.feedback(event);
  }
}

/** Shows the streams of the highest click probability, as a perfect model of the next click would. */
export function clickOracle(latents: PlatformLatents): Policy {
  return new Oracle("click-oracle", latents, (viewer, stream, now) => viewer.clickProbability(stream, now));
}

/** Shows the streams of the longest expected watch, click included, as a perfect model of the next watch would. */
export function watchOracle(latents: PlatformLatents): Policy {
  return farsightedOracle(0, "watch-oracle")(latents);
}

/** Shows the streams of the longest expected stay once entered, whatever the chance of the click. */
export function stayOracle(latents: PlatformLatents): Policy {
  return new Oracle(
    "stay-oracle",
    latents,
    (viewer, stream, now) => viewer.engagedProbability(stream, now) * viewer.engagedMinutes(stream, now),
  );
}

/** The expected change of satisfaction by a visit to a stream that the viewer enters. */
function happier(viewer: Viewer, stream: Stream, now: number): number {
  const engaged = viewer.engagedProbability(stream, now);
  return (
    engaged * viewer.satisfactionChange(stream, "engaged") + (1 - engaged) * viewer.satisfactionChange(stream, "bounce")
  );
}

/** Cost of a minute of the next watch, in units of satisfaction: it delays the return. Set by hand. */
const MINUTE_COST = 0.005;

/**
 * Shows the streams that satisfy most once entered, less a little for each minute that they take: a semi-oracle of what
 * brings viewers back, which knows one visit and no future.
 */
export function satisfactionOracle(latents: PlatformLatents): Policy {
  return new Oracle("satisfaction-oracle", latents, (viewer, stream, now) => {
    const minutes = viewer.engagedProbability(stream, now) * viewer.engagedMinutes(stream, now);
    return happier(viewer, stream, now) - MINUTE_COST * minutes;
  });
}

/**
 * Adds the change of satisfaction, which brings viewers back, to the minutes of the next watch.
 *
 * @param minutes - Value of one unit of satisfaction, in minutes watched.
 */
export function farsightedOracle(minutes: number, name = "farsighted-oracle"): (latents: PlatformLatents) => Policy {
  const score: Score = (viewer, stream, now) => {
    const watched = viewer.engagedProbability(stream, now) * viewer.engagedMinutes(stream, now);
    return viewer.clickProbability(stream, now) * (watched + minutes * happier(viewer, stream, now));
  };
  return (latents) => new Oracle(name, latents, score);
}
