import { pairKey } from "../../collections/index.js";
import { identityOf, type LiveEvent } from "../../protocol/index.js";

/** A coarse key: of simultaneous events without ids, only those with one key are looked at closely. */
function keyOf(event: LiveEvent): string {
  const user = "user" in event ? event.user : "";
  return event.kind + ("stream" in event ? pairKey(user, event.stream) : user);
}

/** Whether two simultaneous events may have one identity. */
function areAlike(a: LiveEvent, b: LiveEvent): boolean {
  const [one, other] = [a as { user?: string; stream?: string }, b as { user?: string; stream?: string }];
  return a.kind === b.kind && one.stream === other.stream && one.user === other.user;
}

/** Most events to look at one by one, in place of by their keys. */
const FEW = 12;

/** Events without ids of one moment. */
export class Moment {
  /** In order of arrival; those from `#sorted` on are not in `#byKey` yet, as most moments have one event. */
  #events: LiveEvent[] = [];
  #sorted = 0;
  /** By their coarse keys the only event, or the identities of several. */
  readonly #byKey = new Map<string, LiveEvent | Set<string>>();

  add(event: LiveEvent): void {
    this.#events.push(event);
  }

  has(event: LiveEvent): boolean {
    const events = this.#events;
    if (events.length === 0) return false;
    // The impressions of a slate: keys would cost more.
    if (events.length <= FEW && !events.some((other) => areAlike(event, other))) return false;
    while (this.#sorted < events.length) this.#sort(events[this.#sorted++]!);
    const key = keyOf(event);
    const others = this.#byKey.get(key);
    if (others === undefined) return false;
    const identities = others instanceof Set ? others : new Set([String(identityOf(others).key)]);
    if (others !== identities) this.#byKey.set(key, identities);
    return identities.has(String(identityOf(event).key));
  }

  clear(): void {
    if (this.#events.length > 0) this.#events = [];
    this.#sorted = 0;
    if (this.#byKey.size > 0) this.#byKey.clear();
  }

  #sort(event: LiveEvent): void {
    const key = keyOf(event);
    const others = this.#byKey.get(key);
    if (others === undefined) this.#byKey.set(key, event);
    else if (others instanceof Set) others.add(String(identityOf(event).key));
    else this.#byKey.set(key, new Set([String(identityOf(others).key), String(identityOf(event).key)]));
  }
}
