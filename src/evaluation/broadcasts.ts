import type { Id, LiveEvent } from "../protocol/index.js";
import { Catalogue, type StreamTraits } from "../recommender/state/index.js";

/** Streams remembered after they went off air, for feedback that comes later. */
const GONE = 65_536;

/** The streams on air, and the traits of streams that have gone off air. */
export class Broadcasts {
  readonly catalog = new Catalogue(GONE);

  /** Takes any event; only events of streams change anything. */
  feedback(event: LiveEvent): void {
    this.catalog.feedback(event);
  }

  /** The traits of a stream, on air or gone; undefined for an unknown stream. */
  traits(stream: Id): StreamTraits | undefined {
    return this.catalog.find(stream);
  }

  /** The streamer of a stream; an unknown stream stands for itself. */
  streamerOf(stream: Id): Id {
    return this.traits(stream)?.streamer ?? stream;
  }

  /** Whether the stream has gone off air. */
  isGone(stream: Id): boolean {
    return this.catalog.find(stream)?.isOnAir === false;
  }
}
