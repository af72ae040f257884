import type { Timed } from "../../collections/index.js";

/**
 * Merges sources, each in order of time, into one in order of time; holds one item of each. Simultaneous items come in the
 * order in which their sources are named.
 *
 * @param sources By name; error messages use the names.
 * @throws Error if a source is not in order.
 */
export async function* mergeByTime<T extends Timed>(
  sources: Readonly<Record<string, AsyncIterable<T>>>,
): AsyncGenerator<T, void, undefined> {
  const names = Object.keys(sources);
  const iterators = names.map((name) => sources[name]![Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    for (;;) {
      let least = -1;
      // As many sources as a data set has files: looking at all is as fast as any tree.
      for (let i = 0; i < heads.length; i++) {
        if (heads[i]!.done) continue;
        if (least < 0 || heads[i]!.value!.time < heads[least]!.value!.time) least = i;
      }
      if (least < 0) return;
      const item = heads[least]!.value as T;
      yield item;
      const next = await iterators[least]!.next();
      if (!next.done && next.value.time < item.time) {
        const got = `got ${next.value.time} after ${item.time}`;
        throw new Error(`${names[least]} must be in order of time, ${got}; order: "sort" reads it whole and sorts it`);
      }
      heads[least] = next;
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.();
  }
}

/** Reads a source whole and puts it in order of time; simultaneous items keep their order. */
export async function* sortByTime<T extends Timed>(source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  const items: { item: T; index: number }[] = [];
  for await (const item of source) items.push({ item, index: items.length });
  items.sort((a, b) => a.item.time - b.item.time || a.index - b.index);
  for (const { item } of items) yield item;
}

/** A source of events for `mergeBatches`. */
export interface BatchSource<T> {
  /** The time of its first item; it is opened when the merge has come there. */
  from: number;
  open(): AsyncIterable<readonly T[]>;
}

interface OpenSource<T> {
  index: number;
  iterator: AsyncIterator<readonly T[], void, undefined>;
  batch: readonly T[];
  at: number;
  /** The latest time so far, of the item at `at` too. */
  time: number;
}

/** Items in one array of the merge. */
const MERGED = 512;
/** Most sources that are open at a time: systems often allow 1024 files to a process. */
const OPEN = 256;

/** Thrown where too many sources overlap in time to be merged while they are read. */
export class OverlapError extends Error {
  override readonly name = "OverlapError";
}

/**
 * Merges sources into one in order of time; simultaneous items come in the order of their sources. An item that comes
 * late in its source comes right after the one before it. Holds one array of each source that is open.
 *
 * @param sources Those in order, whose times do not overlap, pass one after the other.
 * @throws OverlapError where more than 256 of them overlap.
 */
export async function* mergeBatches<T extends Timed>(
  sources: readonly BatchSource<T>[],
): AsyncGenerator<readonly T[], void, undefined> {
  const waiting = sources.map(({ from, open }, index) => ({ from, open, index })).sort((a, b) => a.from - b.from);
  const open: OpenSource<T>[] = [];
  let merged: T[] = [];
  try {
    for (;;) {
      const [first, second] = leastTwo(open);
      const next = waiting[0];
      if (next !== undefined && (first === undefined || isBefore(next.from, next.index, first))) {
        waiting.shift();
        if (open.length === OPEN) throw new OverlapError(`at most ${OPEN} sources must overlap in time, got more`);
        const iterator = next.open()[Symbol.asyncIterator]();
        const source = { index: next.index, iterator, batch: [], at: 0, time: -Infinity };
        open.push(source);
        if (!(await advance(source))) open.pop();
        continue;
      }
      if (first === undefined) break;
      const { batch } = first;
      let time = first.time;
      do {
        merged.push(batch[first.at++]!);
        if (first.at === batch.length) break;
        time = Math.max(time, batch[first.at]!.time);
      } while (
        (second === undefined || !isBefore(second.time, second.index, { time, index: first.index })) &&
        (next === undefined || !isBefore(next.from, next.index, { time, index: first.index }))
      );
      first.time = time;
      if (merged.length >= MERGED) {
        yield merged;
        merged = [];
      }
      if (first.at === batch.length && !(await advance(first))) open.splice(open.indexOf(first), 1);
    }
  } catch (error) {
    if (merged.length > 0) yield merged;
    throw error;
  } finally {
    for (const { iterator } of open) await iterator.return?.();
  }
  if (merged.length > 0) yield merged;
}

function isBefore(time: number, index: number, other: { time: number; index: number }): boolean {
  return time < other.time || (time === other.time && index < other.index);
}

/** The two sources whose items come next; as many are open as overlap, so that looking at all is fast. */
function leastTwo<T>(open: readonly OpenSource<T>[]): [OpenSource<T> | undefined, OpenSource<T> | undefined] {
  let [first, second]: (OpenSource<T> | undefined)[] = [];
  for (const source of open) {
    if (first === undefined || isBefore(source.time, source.index, first)) [first, second] = [source, first];
    else if (second === undefined || isBefore(source.time, source.index, second)) second = source;
  }
  return [first, second];
}

/** Takes the next array of a source that has items; false at its end. */
async function advance<T extends Timed>(source: OpenSource<T>): Promise<boolean> {
  for (;;) {
    const { done, value } = await source.iterator.next();
    if (done) return false;
    if (value.length === 0) continue;
    source.batch = value;
    source.at = 0;
    source.time = Math.max(source.time, value[0]!.time);
    return true;
  }
}
