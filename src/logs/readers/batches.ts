/** Items in one array of a source that has no arrays of its own. */
const BATCH = 256;

type Step<T> = IteratorResult<T, void>;

/**
 * The items of a source of arrays, one by one, for one promise an item: a generator costs three.
 * `inBatches` takes the arrays whole.
 */
export class Batched<T> implements AsyncGenerator<T, void, undefined> {
  readonly #batches: AsyncIterator<readonly T[], void, undefined>;
  #batch: readonly T[] = [];
  #at = 0;
  /** The last call that waits for a next array. */
  #waiting: Promise<unknown> | undefined;

  constructor(batches: AsyncIterable<readonly T[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  next(): Promise<Step<T>> {
    if (this.#waiting === undefined && this.#at < this.#batch.length) return this.#step();
    const step = this.#waiting === undefined ? this.#step() : this.#waiting.then(() => this.#step());
    const isOver = () => {
      if (this.#waiting === waiting) this.#waiting = undefined;
    };
    const waiting = step.then(isOver, isOver);
    this.#waiting = waiting;
    return step;
  }

  #step(): Promise<Step<T>> {
    if (this.#at === this.#batch.length) return this.#advance();
    return Promise.resolve({ done: false, value: this.#batch[this.#at++]! });
  }

  async return(): Promise<Step<T>> {
    this.#batch = [];
    await this.#batches.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<Step<T>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** The arrays, in place of the items. */
  async *batches(): AsyncGenerator<readonly T[], void, undefined> {
    try {
      if (this.#at < this.#batch.length) yield this.#batch.slice(this.#at);
      this.#batch = [];
      for (let step = await this.#batches.next(); !step.done; step = await this.#batches.next()) yield step.value;
    } finally {
      await this.return();
    }
  }

  async #advance(): Promise<Step<T>> {
    for (;;) {
      const { done, value } = await this.#batches.next();
      if (done) return { done, value: undefined };
      if (value.length === 0) continue;
      this.#batch = value;
      this.#at = 1;
      return { done: false, value: value[0]! };
    }
  }
}

/**
 * The items of a source in arrays: those that a reader holds in any case, else of up to 256. Faster than one by one.
 *
 * @param items What a reader of this room or `cleanEvents` returns, or any other iterable.
 */
export function inBatches<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterable<readonly T[]> {
  if (!(Symbol.asyncIterator in items)) return collected(items);
  const iterator = items[Symbol.asyncIterator]();
  return iterator instanceof Batched
    ? (iterator as Batched<T>).batches()
    : collected({ [Symbol.asyncIterator]: () => iterator });
}

async function* collected<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<readonly T[], void, undefined> {
  let batch: T[] = [];
  try {
    for await (const item of items) {
      if (batch.push(item) < BATCH) continue;
      const full = batch;
      batch = [];
      yield full;
    }
  } catch (error) {
    if (batch.length > 0) yield batch;
    throw error;
  }
  if (batch.length > 0) yield batch;
}
