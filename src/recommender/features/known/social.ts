import type { Id } from "../../../protocol/index.js";
import type { CatalogStream, UserProfile, Users } from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup, type Moment } from "../group.js";
import { logScaled, saturated } from "../scale.js";

/** Latest friends whose likeness counts; more cost more than they add. [set by hand] */
const FRIENDS = 32;
const NOBODY: ReadonlyMap<Id, true> = new Map();

/**
 * A user's friends, the streamers that they watch and follow, and the user's follows.
 *
 * Reads the profiles of the user and of friends, which `friend`, `unfriend`, `follow`, `click` and `watch` events
 * write. Writes 4 numbers of the observation and 4 of a candidate.
 */
export function social(): FeatureGroup {
  return featureGroup("social", {}, ({ state }) => new Social(state.users));
}

/** Size of the intersection of two sets over that of their union (Jaccard); 0 for two empty sets. */
export function jaccard(a: ReadonlyMap<Id, unknown>, b: ReadonlyMap<Id, unknown>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let both = 0;
  for (const key of small.keys()) if (large.has(key)) both++;
  return both === 0 ? 0 : both / (a.size + b.size - both);
}

class Social implements FeatureWriter {
  readonly observation = 4;
  readonly candidate = 4;
  readonly #users: Users;
  #friends: ReadonlyMap<Id, unknown> = NOBODY;
  #follows: ReadonlyMap<Id, unknown> = NOBODY;
  #likeness = 0;
  /**
   * By streamer: friends in a stream of the streamer; and friends who follow it, weighted by the likeness of follows.
   */
  readonly #watching = new Map<Id, number>();
  readonly #following = new Map<Id, number>();

  constructor(users: Users) {
    this.#users = users;
  }

  begin(_user: Id, profile: UserProfile, { now }: Moment): void {
    const { friends, follows } = profile;
    this.#follows = follows ?? NOBODY;
    this.#friends = friends ?? NOBODY;
    this.#watching.clear();
    this.#following.clear();
    this.#likeness = 0;
    let older = this.#friends.size - FRIENDS;
    for (const friend of this.#friends.keys()) {
      const streamer = this.#users.watching(friend, now);
      if (streamer !== undefined) this.#watching.set(streamer, (this.#watching.get(streamer) ?? 0) + 1);
      const theirs = older-- > 0 ? undefined : this.#users.follows(friend);
      if (theirs === undefined) continue;
      const likeness = jaccard(this.#follows, theirs);
      this.#likeness += likeness / Math.min(this.#friends.size, FRIENDS);
      // A friend counts even without a common follow.
      for (const one of theirs.keys()) this.#following.set(one, (this.#following.get(one) ?? 0) + 0.5 + likeness);
    }
  }

  writeObservation(row: Float32Array, offset: number): void {
    row[offset] = this.#friends.size > 0 ? 1 : 0;
    row[offset + 1] = logScaled(this.#friends.size, 3);
    row[offset + 2] = logScaled(this.#follows.size, 3);
    row[offset + 3] = this.#likeness;
  }

  writeCandidate(row: Float32Array, offset: number, { streamer }: CatalogStream): void {
    const watching = this.#watching.get(streamer) ?? 0;
    const following = this.#following.get(streamer) ?? 0;
    row[offset] = this.#follows.has(streamer) ? 1 : 0;
    row[offset + 1] = watching > 0 ? 1 : 0;
    row[offset + 2] = saturated(watching, 2);
    row[offset + 3] = saturated(following, 1);
  }
}
