/** An item with a time, in milliseconds. */
export interface Timed {
  time: number;
}

interface Entry<T> {
  item: T;
  /** Simultaneous items leave in the order of arrival. */
  sequence: number;
}

function before<T extends Timed>(a: Entry<T>, b: Entry<T>): boolean {
  return a.item.time === b.item.time ? a.sequence < b.sequence : a.item.time < b.item.time;
}

/** A binary heap of items by time: `pop` returns the earliest, ties in the order of arrival. */
export class PriorityQueue<T extends Timed> {
  #heap: Entry<T>[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest item; undefined when empty. */
  get first(): T | undefined {
    return this.#heap[0]?.item;
  }

  push(item: T): void {
    const heap = this.#heap;
    const entry = { item, sequence: this.#sequence++ };
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = entry;
  }

  /** A queue of the same items, which are not copied. */
  copy(): PriorityQueue<T> {
    const copy = new PriorityQueue<T>();
    copy.#heap = this.#heap.slice();
    copy.#sequence = this.#sequence;
    return copy;
  }

  /** The items in the order in which `pop` would return them. */
  sorted(): T[] {
    return [...this.#heap].sort((a, b) => (before(a, b) ? -1 : 1)).map(({ item }) => item);
  }

  /** Removes and returns the earliest item. The queue must not be empty. */
  pop(): T {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    const size = heap.length;
    if (size > 0) {
      let place = 0;
      for (let child = 1; child < size; child = 2 * place + 1) {
        if (child + 1 < size && before(heap[child + 1]!, heap[child]!)) child++;
        if (!before(heap[child]!, last)) break;
        heap[place] = heap[child]!;
        place = child;
      }
      heap[place] = last;
    }
    return first.item;
  }
}
