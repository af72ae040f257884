import type { FeedbackEvent, Id } from "../events.js";
import type { Outcome } from "../reward.js";

const TALLY = { like: "likes", comment: "comments", share: "shares", follow: "follows", dislike: "dislikes" } as const;

/** Enters what a user did into the outcome of a stream; `cut`: the stream was off air when the watch ended. */
export function record(outcome: Outcome, event: FeedbackEvent, cut: boolean): void {
  switch (event.kind) {
    case "impression":
      break;
    case "click":
      outcome.clicked = true;
      break;
    case "watch":
      outcome.clicked = true;
      outcome.watchMs = (outcome.watchMs ?? 0) + event.watchMs;
      outcome.cut = cut;
      break;
    case "rating":
      outcome.ratings += 2 * event.rating - 1;
      break;
    case "gift":
      outcome.gifts += event.amount;
      break;
    default:
      outcome[TALLY[event.kind]]++;
  }
}

/** Names a user's dealings with a stream. */
export function pairKey(user: Id, stream: Id): string {
  return `${user}\0${stream}`;
}
