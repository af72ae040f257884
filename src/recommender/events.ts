/** An opaque name given by the platform. Outside it is a string; only the tables inside map it to a dense integer. */
export type Id = string;

/** What all events carry. */
interface Timed {
  /** Milliseconds since the Unix epoch (or any fixed origin); finite, >= 0. */
  time: number;
}

/** A stream goes on air. */
export interface OnAir extends Timed {
  kind: "on_air";
  stream: Id;
  streamer: Id;
  category: string;
  tags?: string[];
  title?: string;
}

/** What changed in a stream on air: the current number of viewers, its category. */
export interface StreamUpdate extends Timed {
  kind: "update";
  stream: Id;
  viewers?: number;
  category?: string;
}

/** A stream goes off air; it is never recommended from this moment on. */
export interface OffAir extends Timed {
  kind: "off_air";
  stream: Id;
}

/** A stream was shown to a user. The recommender logs its own; platforms send those it did not choose. */
export interface Impression extends Timed {
  kind: "impression";
  user: Id;
  stream: Id;
  decision?: Id;
  position?: number;
}

/** A user entered a stream. */
export interface Click extends Timed {
  kind: "click";
  user: Id;
  stream: Id;
  decision?: Id;
}

/** A user left a stream after `watchMs`; sent once, at the exit. */
export interface Watch extends Timed {
  kind: "watch";
  user: Id;
  stream: Id;
  /** Milliseconds watched, >= 0. */
  watchMs: number;
  decision?: Id;
}

/** What a user does besides watching. */
export interface Interaction extends Timed {
  kind: "like" | "comment" | "share" | "follow" | "dislike";
  user: Id;
  stream: Id;
}

/** A gift, in the platform's currency. */
export interface Gift extends Timed {
  kind: "gift";
  user: Id;
  stream: Id;
  /** > 0 */
  amount: number;
}

export type LiveEvent = OnAir | StreamUpdate | OffAir | Impression | Click | Watch | Interaction | Gift;
