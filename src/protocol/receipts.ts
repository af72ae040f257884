import { EventError } from "./error.js";
import type { LiveEvent } from "./events.js";

/**
 * What became of an event: `taken`; `duplicate`, as it was taken before; `late`, beyond the window, dropped; or the
 * error of one that can never be taken.
 */
export type Receipt = "taken" | "duplicate" | "late" | EventError;

/** Takes events one by one; may say what became of each. */
export interface Taker {
  feedback(event: LiveEvent, now?: number): unknown;
}

/**
 * Gives each event to a policy, and says of each what became of it: one that is refused keeps none of the others.
 * @param now - The host's time, milliseconds; see `Policy.feedback`.
 * @throws What the policy throws beside EventErrors.
 */
export function takeEach(taker: Taker, events: Iterable<LiveEvent>, now?: number): Receipt[] {
  return Array.from(events, (event) => {
    try {
      return (taker.feedback(event, now) as Receipt | undefined) ?? "taken";
    } catch (error) {
      if (error instanceof EventError) return error;
      throw error;
    }
  });
}
