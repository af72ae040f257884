import { Latest } from "../../../collections/index.js";
import { hashText64 } from "../../../numeric/index.js";
import type { Id } from "../../../protocol/index.js";

/** Users remembered as forgotten; the ones forgotten first are dropped. */
const REMEMBERED = 65_536;

/** The plain values of `Forgotten.save`: hashes, and when each was forgotten. */
export type SavedForgotten = [hash: number, time: number][];

/**
 * When users were forgotten, by hashes of 53 bits: names are not kept. So an event from before, which comes late, does not
 * bring a profile back.
 */
export class Forgotten {
  readonly #times = new Latest<number, number>(REMEMBERED);

  add(user: Id, time: number): void {
    this.#times.set(hashOf(user), time);
  }

  /** Whether a time is before the user was forgotten. */
  isBefore(user: Id, time: number): boolean {
    if (this.#times.size === 0) return false;
    const forgotten = this.#times.get(hashOf(user));
    return forgotten !== undefined && time < forgotten;
  }

  save(): SavedForgotten {
    return [...this.#times];
  }

  load(saved: SavedForgotten): void {
    for (const [hash, time] of saved) this.#times.set(hash, time);
  }
}

/** 53 bits of a name. */
function hashOf(name: string): number {
  const [low, high] = hashText64(name);
  return (high >>> 11) * 2 ** 32 + low;
}
