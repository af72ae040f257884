import { finite, integer, tuple } from "../../../check/index.js";
import { Album } from "../../../collections/index.js";
import type { Part, PartReader } from "../../../engine/index.js";
import { hashText64 } from "../../../numeric/index.js";
import type { Id } from "../../../protocol/index.js";
import { entriesPart, entriesReader } from "../packed/index.js";

/** Users remembered as forgotten; the ones forgotten first are dropped. */
const REMEMBERED = 65_536;

const ENTRY = tuple(integer(0, Number.MAX_SAFE_INTEGER), finite);

/**
 * When users were forgotten, by hashes of 53 bits: names are not kept. So an event from before, which comes late, does not
 * bring a profile back.
 */
export class Forgotten {
  readonly #times = new Album<number, number>(REMEMBERED);

  add(user: Id, time: number): void {
    this.#times.set(hashOf(user), time);
  }

  /** Whether a time is before the user was forgotten. */
  isBefore(user: Id, time: number): boolean {
    if (this.#times.size === 0) return false;
    const forgotten = this.#times.get(hashOf(user));
    return forgotten !== undefined && time < forgotten;
  }

  /** The part of a save: hashes, and when each was forgotten. */
  part(name: string): Part {
    return entriesPart(name, this.#times);
  }

  /** Reads such a part. */
  reader(name: string): PartReader {
    return entriesReader(name, this.#times, ENTRY);
  }
}

/** 53 bits of a name. */
function hashOf(name: string): number {
  const [low, high] = hashText64(name);
  return (high >>> 11) * 2 ** 32 + low;
}
