import { hashText64 } from "../numeric/index.js";
import type { LiveEvent } from "./events.js";

/** What tells two events apart, as hashes. */
export interface Identity {
  /** Of the sender and the id; of the whole content where the event has no id. */
  readonly key: readonly [low: number, high: number];
  /** Of the whole content: an event that comes again under its id must have the same. */
  readonly content: number;
}

/** The content of an event but its id, in one order of fields, whatever order they came in. */
export function contentOf(event: LiveEvent): string {
  const fields = event as unknown as Record<string, unknown>;
  let text = "";
  for (const name of Object.keys(event).sort()) {
    const value = fields[name];
    if (name !== "id" && value !== undefined) text += `${name}\0${JSON.stringify(value)}\0`;
  }
  return text;
}

/**
 * The identity of an event. Two events are the same when they have one sender, one id and one content; without ids, when
 * all their fields are the same. The sender is the user of the event, or the platform, so that nobody takes an id away
 * from somebody else by guessing it.
 *
 * @param secret - As the key of `hashText64`, for a window that outlives a request. Default: none.
 */
export function identityOf(event: LiveEvent, secret?: ArrayLike<number>): Identity {
  const content = contentOf(event);
  if (event.id === undefined) {
    const key = hashText64(content, secret);
    return { key, content: key[0] };
  }
  const sender = "user" in event ? `u${event.user}` : "p";
  return { key: hashText64(`${sender}\0${event.id}`, secret), content: hashText64(content, secret)[0] };
}
