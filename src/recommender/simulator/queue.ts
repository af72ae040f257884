interface Entry {
  time: number;
  sequence: number;
  act: (now: number) => void;
}

function before(a: Entry, b: Entry): boolean {
  return a.time === b.time ? a.sequence < b.sequence : a.time < b.time;
}

/** What is still to happen, in order of time; what is due at the same time happens in the order it was put in. */
export class EventQueue {
  readonly #heap: Entry[] = [];
  #sequence = 0;

  /** Time of the next entry; Infinity when there is none. */
  get next(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0]!.time;
  }

  /** Has `act` called at `time`. */
  at(time: number, act: (now: number) => void): void {
    const heap = this.#heap;
    const entry = { time, sequence: this.#sequence++, act };
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

  /** Takes the next entry out and calls it. Requires that there is one. */
  step(): void {
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
    first.act(first.time);
  }
}
