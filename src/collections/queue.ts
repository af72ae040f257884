interface Node<K, V> {
  readonly key: K;
  value: V;
  before: Node<K, V>;
  after: Node<K, V>;
}

/**
 * A map in the order of the last `set`, whose first entry is found at once.
 *
 * The engine's maps are in this order too, but walk over the holes that deleted entries leave: where each event moves or
 * takes the first of many entries, finding it would cost a walk over most of the table.
 */
export class Queue<K, V> {
  readonly #nodes = new Map<K, Node<K, V>>();
  /** Before the first entry, and after the last one. */
  readonly #ends: Node<K, V>;

  constructor() {
    const ends = {} as Node<K, V>;
    ends.before = ends;
    ends.after = ends;
    this.#ends = ends;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** The entry that was set longest ago; undefined for none. */
  get first(): { readonly key: K; readonly value: V } | undefined {
    const { after } = this.#ends;
    return after === this.#ends ? undefined : after;
  }

  get(key: K): V | undefined {
    return this.#nodes.get(key)?.value;
  }

  /** Sets an entry, and makes it the last. */
  set(key: K, value: V): void {
    const ends = this.#ends;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = { key, value, before: ends, after: ends };
      this.#nodes.set(key, node);
    } else unlink(node);
    node.value = value;
    node.before = ends.before;
    node.after = ends;
    node.before.after = node;
    ends.before = node;
  }

  delete(key: K): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    unlink(node);
    return this.#nodes.delete(key);
  }

  /** The keys, the one set longest ago first. */
  *keys(): Generator<K, void, undefined> {
    for (let node = this.#ends.after; node !== this.#ends; node = node.after) yield node.key;
  }

  /** The values, the one set longest ago first. */
  *values(): Generator<V, void, undefined> {
    for (let node = this.#ends.after; node !== this.#ends; node = node.after) yield node.value;
  }
}

function unlink<K, V>({ before, after }: Node<K, V>): void {
  before.after = after;
  after.before = before;
}
