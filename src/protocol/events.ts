/**
 * An opaque name given by the platform. The interface uses strings; only internal tables map them to dense integers.
 */
export type Id = string;

/** Fields of all events. */
interface Timed {
  /** Milliseconds since the Unix epoch (or any fixed origin); finite, >= 0. */
  time: number;
  /** The platform's own name of the event, unique: an event that comes again with the same id is dropped. */
  id?: Id;
}

/** The platform's vectors of a stream, at most 1024 numbers each in [-1e6, 1e6]; any may be missing. */
export interface Embeddings {
  /** Of the title and the description. */
  text?: number[];
  /** Of the cover or of frames. */
  image?: number[];
  /** Of the sound. */
  audio?: number[];
}

/** A stream goes on air. */
export interface OnAir extends Timed {
  kind: "on_air";
  /** The stream. */
  stream: Id;
  /** The channel or person who streams. */
  streamer: Id;
  /** The subject of the stream, such as a game; absent where the platform has none. */
  category?: string;
  /** Words for the subject of the stream, beside the category. */
  tags?: string[];
  /** The title that viewers see. */
  title?: string;
  /** The description that viewers see. */
  description?: string;
  /** The spoken language, such as `en`. */
  language?: string;
  /** For adults only. */
  mature?: boolean;
  /** The platform's vectors of the stream. */
  embeddings?: Embeddings;
}

/** A stream on air changes. */
export interface StreamUpdate extends Timed {
  kind: "update";
  /** The stream. */
  stream: Id;
  /** Current number of viewers. */
  viewers?: number;
  /** Likes since it went on air. */
  likes?: number;
  /** The new category. */
  category?: string;
  /** All tags, in place of the old ones. */
  tags?: string[];
  /** The new title. */
  title?: string;
}

/** A stream goes off air; it is never recommended from this moment on. */
export interface OffAir extends Timed {
  kind: "off_air";
  /** The stream. */
  stream: Id;
}

/** A stream was shown to a user. The recommender logs its own; platforms send all others. */
export interface Impression extends Timed {
  kind: "impression";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** The decision that this event is feedback to. */
  decision?: Id;
  /** Position in the slate, from 0. */
  position?: number;
}

/** A user entered a stream. */
export interface Click extends Timed {
  kind: "click";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** The decision that this event is feedback to. */
  decision?: Id;
}

/** A user left a stream after `watchMs`; sent once, at the exit. */
export interface Watch extends Timed {
  kind: "watch";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** Milliseconds watched, >= 0. */
  watchMs: number;
  /** The decision that this event is feedback to. */
  decision?: Id;
}

/**
 * A user is still in a stream. The `watch` at the exit replaces all that came before it; without one the watch ends at
 * the last of these.
 */
export interface Heartbeat extends Timed {
  kind: "heartbeat";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** Milliseconds watched since the user entered, >= 0; it never falls during a watch. */
  watchMs: number;
  /** The decision that this event is feedback to. */
  decision?: Id;
}

/** A user likes, comments on, shares or dislikes a stream, or follows its streamer. */
export interface Interaction extends Timed {
  kind: "like" | "comment" | "share" | "follow" | "dislike";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
}

/** A user's judgement of a stream. */
export interface Rating extends Timed {
  kind: "rating";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** Place on the platform's scale, from 0, the worst, to 1, the best. */
  rating: number;
}

/** A gift, in the platform's currency. */
export interface Gift extends Timed {
  kind: "gift";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** Worth of the gift, > 0. */
  amount: number;
}

/** A user bought, in a stream or the thing that the stream stands for. */
export interface Purchase extends Timed {
  kind: "purchase";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** What was paid, in the platform's currency, >= 0. */
  amount: number;
  /** The decision that this event is feedback to. */
  decision?: Id;
}

/** A number of the platform's own about a user in a stream; only the reward's `signals` give it a meaning. */
export interface Signal extends Timed {
  kind: "signal";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** What the number measures, in the platform's own words. */
  name: string;
  /** The number; finite. */
  value: number;
  /** The decision that this event is feedback to. */
  decision?: Id;
}

/** A user looked at a page of the platform; sent at the exit. Very short views are bounces. */
export interface PageView extends Timed {
  kind: "page_view";
  /** The user. */
  user: Id;
  /** Milliseconds on the page, >= 0. */
  dwellMs: number;
  /** The page. */
  page?: Id;
}

/** Traits of a user; a later event replaces the traits that it names. */
export interface UserUpdate extends Timed {
  kind: "user";
  /** The user. */
  user: Id;
  /** Years, in [0, 150]. */
  age?: number;
  /** Gender, in the platform's own words. */
  gender?: string;
  /** Where the user lives, in the platform's own words. */
  region?: string;
  /** The language that the user speaks, such as `en`. */
  language?: string;
  /** The kind of device, in the platform's own words. */
  device?: string;
}

/** Two users become friends, or cease to be, in both directions. */
export interface FriendEdge extends Timed {
  kind: "friend" | "unfriend";
  /** One of the two users. */
  user: Id;
  /** The other user. */
  friend: Id;
}

/** Events of streams themselves. */
export type StreamEvent = OnAir | StreamUpdate | OffAir;
/** Events of a user in a stream. */
export type FeedbackEvent = Impression | Click | Heartbeat | Watch | Interaction | Rating | Gift | Purchase | Signal;
/** Events of users outside streams. */
export type UserEvent = PageView | UserUpdate | FriendEdge;

export type LiveEvent = StreamEvent | FeedbackEvent | UserEvent;

/** Whether an event means that a user liked the stream: a watch of at least `engagedMs`, or an explicit approval. */
export function isLiking(event: FeedbackEvent, engagedMs: number): boolean {
  switch (event.kind) {
    case "watch":
      return event.watchMs >= engagedMs;
    case "rating":
      return event.rating > 0.5;
    case "like":
    case "comment":
    case "share":
    case "follow":
    case "gift":
    case "purchase":
      return true;
    default:
      return false;
  }
}
