import type { Id } from "../../protocol/index.js";
import { type Interactions, sortInteractions } from "../splits/interactions.js";

/** One rating of a user. */
export interface RatingRecord {
  user: Id;
  item: Id;
  /** In the unit of the source: stars. */
  value: number;
  /** Milliseconds since the Unix epoch. */
  time: number;
}

/** Ratings in columns; `users[u]` and `items[i]` are the ids of the dense integers u and i. */
export interface RatingLog {
  users: Id[];
  items: Id[];
  /** In order of time; simultaneous ratings keep their order. */
  ratings: Interactions;
}

/** Numbers ids with dense integers from 0, in order of arrival. */
export class DenseIds {
  readonly ids: Id[] = [];
  readonly #numbers = new Map<Id, number>();

  constructor(ids: Iterable<Id> = []) {
    for (const id of ids) this.of(id);
  }

  /** The number of an id; a new id gets the next number. */
  of(id: Id): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    this.#numbers.set(id, this.ids.length);
    return this.ids.push(id) - 1;
  }

  /** The number of an id; undefined for an unknown id. */
  get(id: Id): number | undefined {
    return this.#numbers.get(id);
  }
}

/** A typed array that grows by doubling. */
export class GrowingArray<T extends Int32Array | Float32Array | Float64Array> {
  length = 0;
  #values: T;
  readonly #make: (length: number) => T;

  /** @param make Makes an array of zeros of the given length. */
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

  /** A copy of the numbers so far. */
  get values(): T {
    return this.#values.slice(0, this.length) as T;
  }
}

/** An empty array of 32-bit integers that grows. */
export const growingInt32 = (): GrowingArray<Int32Array> => new GrowingArray((length) => new Int32Array(length));
/** An empty array of 32-bit floats that grows. */
export const growingFloat32 = (): GrowingArray<Float32Array> => new GrowingArray((length) => new Float32Array(length));
/** An empty array of 64-bit floats that grows. */
export const growingFloat64 = (): GrowingArray<Float64Array> => new GrowingArray((length) => new Float64Array(length));

/**
 * Collects ratings into columns, 20 bytes each.
 *
 * @param users Ids to number first, in this order, whether they rate or not. Default none.
 * @param items The same for items.
 */
export async function collectRatings(
  records: AsyncIterable<RatingRecord> | Iterable<RatingRecord>,
  users: Iterable<Id> = [],
  items: Iterable<Id> = [],
): Promise<RatingLog> {
  const userNumbers = new DenseIds(users);
  const itemNumbers = new DenseIds(items);
  const [user, item, value, time] = [growingInt32(), growingInt32(), growingFloat32(), growingFloat64()];
  for await (const record of records) {
    user.push(userNumbers.of(record.user));
    item.push(itemNumbers.of(record.item));
    value.push(record.value);
    time.push(record.time);
  }
  const ratings = sortInteractions({
    users: userNumbers.ids.length,
    items: itemNumbers.ids.length,
    user: user.values,
    item: item.values,
    value: value.values,
    time: time.values,
  });
  return { users: userNumbers.ids, items: itemNumbers.ids, ratings };
}
