import type { Id } from "../../protocol/index.js";
import { byTime, type Interactions } from "../splits.js";

/** One rating, as the data sets of ratings tell it. */
export interface RatingRecord {
  user: Id;
  item: Id;
  /** In the unit of its source: stars. */
  value: number;
  /** Milliseconds since the Unix epoch. */
  time: number;
}

/** Ratings in columns; `users[u]` and `items[i]` are the ids of the dense integers u and i. */
export interface RatingLog {
  users: Id[];
  items: Id[];
  /** In order of time, simultaneous ones as they came. */
  ratings: Interactions;
}

/** Dense integers from 0 for ids, in the order in which they come. */
export class Numbering {
  readonly ids: Id[] = [];
  readonly #numbers = new Map<Id, number>();

  constructor(ids: Iterable<Id> = []) {
    for (const id of ids) this.of(id);
  }

  /** The number of an id, a new one for a new id. */
  of(id: Id): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    this.#numbers.set(id, this.ids.length);
    return this.ids.push(id) - 1;
  }

  /** The number of an id; undefined of one that has none. */
  get(id: Id): number | undefined {
    return this.#numbers.get(id);
  }
}

/** Numbers that come one by one, in a typed array that doubles. */
export class Growing<T extends Int32Array | Float32Array | Float64Array> {
  length = 0;
  #values: T;
  readonly #make: (length: number) => T;

  /** @param make Makes an array of zeros of a length. */
  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#values = make(1024);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = this.#make(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  /** The numbers so far, in an array of their own. */
  get values(): T {
    return this.#values.slice(0, this.length) as T;
  }
}

export const int32 = (): Growing<Int32Array> => new Growing((length) => new Int32Array(length));
export const float32 = (): Growing<Float32Array> => new Growing((length) => new Float32Array(length));
export const float64 = (): Growing<Float64Array> => new Growing((length) => new Float64Array(length));

/**
 * Collects ratings into columns, 20 bytes each.
 *
 * @param users Ids that have the first numbers, in order, whether they rate or not. Default none.
 * @param items The same of items.
 */
export async function collectRatings(
  records: AsyncIterable<RatingRecord> | Iterable<RatingRecord>,
  users: Iterable<Id> = [],
  items: Iterable<Id> = [],
): Promise<RatingLog> {
  const userNumbers = new Numbering(users);
  const itemNumbers = new Numbering(items);
  const [user, item, value, time] = [int32(), int32(), float32(), float64()];
  for await (const record of records) {
    user.push(userNumbers.of(record.user));
    item.push(itemNumbers.of(record.item));
    value.push(record.value);
    time.push(record.time);
  }
  const ratings = byTime({
    users: userNumbers.ids.length,
    items: itemNumbers.ids.length,
    user: user.values,
    item: item.values,
    value: value.values,
    time: time.values,
  });
  return { users: userNumbers.ids, items: itemNumbers.ids, ratings };
}
