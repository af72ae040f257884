import type { Id, LiveEvent } from "../protocol/index.js";
import { Catalogue, type StreamTraits } from "../recommender/state/index.js";

/** Streams remembered after they went off air, for the feedback that is still to come. */
const GONE = 65_536;

/** What is on air, and what streams were that have gone. */
export class Broadcasts {
  readonly catalog = new Catalogue(GONE);

  /** Takes any event; those that say nothing about what is on air change nothing. */
  feedback(event: LiveEvent): void {
    this.catalog.feedback(event);
  }

  /** What a stream is, on air or gone; undefined when the events have not told. */
  traits(stream: Id): StreamTraits | undefined {
    return this.catalog.find(stream);
  }

  /** Whose stream it is. A stream of which the events have not told stands for itself. */
  streamerOf(stream: Id): Id {
    return this.traits(stream)?.streamer ?? stream;
  }

  /** Did the stream go off air? */
  isGone(stream: Id): boolean {
    return this.catalog.find(stream)?.isOnAir === false;
  }
}
