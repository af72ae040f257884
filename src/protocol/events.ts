/** An opaque name given by the platform. Outside it is a string; only the tables inside map it to a dense integer. */
export type Id = string;

/** What all events carry. */
interface Timed {
  /** Milliseconds since the Unix epoch (or any fixed origin); finite, >= 0. */
  time: number;
  /** The platform's own name of the event, unique: an event that comes again with the same id is dropped. */
  id?: Id;
}

/** Vectors that a platform has computed of a stream, at most 1024 numbers each in [-1e6, 1e6]. Any may be missing. */
export interface Embeddings {
  /** Of the title and the description. */
  text?: number[];
  /** Of the cover or of frames. */
  image?: number[];
  audio?: number[];
}

/** A stream goes on air. */
export interface OnAir extends Timed {
  kind: "on_air";
  stream: Id;
  streamer: Id;
  category: string;
  tags?: string[];
  title?: string;
  description?: string;
  /** Of what is spoken, such as `en`. */
  language?: string;
  /** For adults only. */
  mature?: boolean;
  embeddings?: Embeddings;
}

/** What changed in a stream on air. */
export interface StreamUpdate extends Timed {
  kind: "update";
  stream: Id;
  /** Viewers at the moment. */
  viewers?: number;
  /** Likes since it went on air. */
  likes?: number;
  category?: string;
  tags?: string[];
  title?: string;
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

/** A user's judgement of a stream. */
export interface Rating extends Timed {
  kind: "rating";
  user: Id;
  stream: Id;
  /** Where on the platform's scale, from 0, the worst, to 1, the best. */
  rating: number;
}

/** A gift, in the platform's currency. */
export interface Gift extends Timed {
  kind: "gift";
  user: Id;
  stream: Id;
  /** > 0 */
  amount: number;
}

/** A user looked at a page of the platform; sent at the exit. Very short ones are bounces. */
export interface PageView extends Timed {
  kind: "page_view";
  user: Id;
  /** Milliseconds on the page, >= 0. */
  dwellMs: number;
  page?: Id;
}

/** What a user has told of themselves; later ones replace what they name. */
export interface UserUpdate extends Timed {
  kind: "user";
  user: Id;
  /** Years, in [0, 150]. */
  age?: number;
  gender?: string;
  region?: string;
  language?: string;
  device?: string;
}

/** Two users become friends, or cease to be; both ways. */
export interface FriendEdge extends Timed {
  kind: "friend" | "unfriend";
  user: Id;
  friend: Id;
}

/** What happens on the platform itself. */
export type StreamEvent = OnAir | StreamUpdate | OffAir;
/** What a user does with a stream. */
export type FeedbackEvent = Impression | Click | Watch | Interaction | Rating | Gift;
/** What is known of users, whatever the stream. */
export type UserEvent = PageView | UserUpdate | FriendEdge;

export type LiveEvent = StreamEvent | FeedbackEvent | UserEvent;

/** Whether a user liked a stream: stayed in it for `engagedMs`, or said so. */
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
      return true;
    default:
      return false;
  }
}
