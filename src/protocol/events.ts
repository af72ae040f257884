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
  /** What is streamed, such as a game. */
  category: string;
  /** Words for what is streamed, beside the category. */
  tags?: string[];
  /** The title that viewers see. */
  title?: string;
  /** The description that viewers see. */
  description?: string;
  /** The language that is spoken, such as `en`. */
  language?: string;
  /** For adults only. */
  mature?: boolean;
  /** Vectors of the stream that the platform has computed. */
  embeddings?: Embeddings;
}

/** A stream on air changes. */
export interface StreamUpdate extends Timed {
  kind: "update";
  /** The stream. */
  stream: Id;
  /** Viewers at the moment. */
  viewers?: number;
  /** Likes since it went on air. */
  likes?: number;
  /** The new category. */
  category?: string;
  /** The new tags, all of them. */
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

/** A stream was shown to a user. The recommender logs its own; platforms send those it did not choose. */
export interface Impression extends Timed {
  kind: "impression";
  /** The user. */
  user: Id;
  /** The stream. */
  stream: Id;
  /** The decision that this is feedback to. */
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
  /** The decision that this is feedback to. */
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
  /** The decision that this is feedback to. */
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
  /** Where on the platform's scale, from 0, the worst, to 1, the best. */
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

/** A user looked at a page of the platform; sent at the exit. Very short ones are bounces. */
export interface PageView extends Timed {
  kind: "page_view";
  /** The user. */
  user: Id;
  /** Milliseconds on the page, >= 0. */
  dwellMs: number;
  /** The page. */
  page?: Id;
}

/** Traits of a user; a later event replaces those that it names. */
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

/** Two users become friends, or cease to be; both ways. */
export interface FriendEdge extends Timed {
  kind: "friend" | "unfriend";
  /** One of the two users. */
  user: Id;
  /** The other user. */
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
