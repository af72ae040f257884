import { Latest } from "../../collections/index.js";
import type { Id } from "../../protocol/index.js";

/** The latest streamers that each user liked: the data of neighbourhoods. */
export class Visits {
  readonly #users: Latest<Id, Latest<Id, true>>;
  readonly #perUser: number;

  /**
   * @param users - Users remembered; the ones without a visit for longest are forgotten first.
   * @param perUser - Streamers remembered of each; likewise.
   */
  constructor(users: number, perUser: number) {
    this.#users = new Latest(users);
    this.#perUser = perUser;
  }

  /** Adds a visit. Returns whether it is the first remembered one of this user to this streamer. */
  add(user: Id, streamer: Id): boolean {
    const own = this.#users.get(user) ?? new Latest<Id, true>(this.#perUser);
    const isNew = !own.has(streamer);
    own.set(streamer, true);
    this.#users.set(user, own);
    return isNew;
  }

  /** The streamers of a user, the latest last. */
  of(user: Id): Id[] {
    return [...(this.#users.get(user)?.keys() ?? [])];
  }

  /** Forgets a user. */
  delete(user: Id): void {
    this.#users.delete(user);
  }

  /** Forgets a streamer in the visits of all users. */
  deleteStreamer(streamer: Id): void {
    for (const own of this.#users.values()) own.delete(streamer);
  }

  /** The streamers of each user, as plain values. */
  save(): [Id, Id[]][] {
    return Array.from(this.#users, ([user, own]) => [user, [...own.keys()]]);
  }

  /** Restores the values of `save` into an empty table. */
  load(saved: readonly (readonly [Id, readonly Id[]])[]): void {
    for (const [user, streamers] of saved) {
      this.#users.set(
        user,
        new Latest(
          this.#perUser,
          streamers.map((streamer) => [streamer, true] as const),
        ),
      );
    }
  }

  /** The streamers of each user. */
  *all(): IterableIterator<Id[]> {
    for (const own of this.#users.values()) yield [...own.keys()];
  }
}
