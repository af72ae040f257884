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
