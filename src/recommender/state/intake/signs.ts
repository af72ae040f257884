import { finite, tuple } from "../../../check/index.js";
import { Album } from "../../../collections/index.js";
import type { Part, PartReader } from "../../../engine/index.js";
import { type Id, idRule } from "../../../protocol/index.js";
import { entriesPart, entriesReader } from "../packed/parts.js";

/** Most streams that one event takes off. */
const OVERDUE = 8;
const SIGN = tuple(idRule, finite);

/**
 * When there was last a sign of life of each stream on air, in that order: any event that names it. That a policy shows a
 * stream is none.
 */
export class Signs {
  readonly #times = new Album<Id, number>();

  /** There was a sign of a stream on air; of one that is known as late as that, nothing changes, not even the order. */
  add(stream: Id, time: number): void {
    if ((this.#times.get(stream) ?? -1) < time) this.#times.set(stream, time);
  }

  delete(stream: Id): void {
    this.#times.delete(stream);
  }

  /** Takes out streams without a sign since a time, a few: their ends were lost. */
  overdue(since: number): Id[] {
    const streams: Id[] = [];
    for (let { first } = this.#times; first !== undefined && first.value < since; { first } = this.#times) {
      if (streams.length === OVERDUE) break;
      this.#times.delete(first.key);
      streams.push(first.key);
    }
    return streams;
  }

  /** The part of a save. */
  part(name: string): Part {
    return entriesPart(name, this.#times);
  }

  /** Reads such a part. */
  reader(name: string): PartReader {
    return entriesReader(name, this.#times, SIGN);
  }
}
