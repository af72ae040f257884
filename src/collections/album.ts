import { type Picture, Pictures } from "./pictures.js";

interface Node<K, V> {
  readonly key: K;
  value: V;
  before: Node<K, V>;
  after: Node<K, V>;
  /** The number of the latest picture when the entry was set, and when it went; Infinity: it has not. */
  readonly set: number;
  gone: number;
}

/** The entries of an album at one moment, in their order, as often as they are asked for. Close it when it is not needed. */
export interface AlbumPicture<K, V> extends Picture {
  entries(): Generator<[K, V], void, undefined>;
  close(): void;
}

/** Entries that went while someone looked at a picture, dropped at each later change. */
const SWEPT = 4;

/**
 * A map in the order of the last `set`, whose first entry is found at once, of at most `max` entries: a full one drops a
 * sixteenth, those set longest ago.
 *
 * A picture takes no time, however many entries there are: what is replaced or deleted stays in its place, for pictures,
 * until the last one is closed. What changes in its place must be announced by `keep`.
 *
 * The engine's maps are in this order too, but walk over the holes that deleted entries leave: where each event moves or
 * takes the first of many entries, finding it would cost a walk over most of the table.
 */
export class Album<K, V> {
  readonly max: number;
  readonly #copy: (value: V) => V;
  readonly #nodes = new Map<K, Node<K, V>>();
  /** Before the first entry, and after the last one. */
  readonly #ends: Node<K, V>;
  /** The first entry that has not gone. */
  #first: Node<K, V>;
  /** Pictures so far. */
  #moment = 0;
  readonly #pictures = new Pictures<Snapshot<K, V>>();
  #gone: Node<K, V>[] = [];

  /** @param copy - Copies a value that changes in its place. Default: none does. */
  constructor(max = Infinity, copy: (value: V) => V = (value) => value) {
    this.max = max;
    this.#copy = copy;
    const ends = { gone: Infinity, set: Infinity } as Node<K, V>;
    ends.before = ends;
    ends.after = ends;
    this.#ends = this.#first = ends;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** The entry that was set longest ago; undefined for none. */
  get first(): { readonly key: K; readonly value: V } | undefined {
    return this.#first === this.#ends ? undefined : this.#first;
  }

  has(key: K): boolean {
    return this.#nodes.has(key);
  }

  get(key: K): V | undefined {
    return this.#nodes.get(key)?.value;
  }

  /** Sets an entry, and makes it the last. */
  set(key: K, value: V): void {
    if (this.#gone.length > 0) this.#sweep();
    const known = this.#nodes.get(key);
    if (known !== undefined) this.#leave(known);
    const ends = this.#ends;
    const node: Node<K, V> = { key, value, before: ends.before, after: ends, set: this.#moment, gone: Infinity };
    ends.before.after = node;
    ends.before = node;
    if (this.#first === ends) this.#first = node;
    this.#nodes.set(key, node);
    if (this.size <= this.max) return;
    const rest = this.max - (this.max >> 4);
    while (this.size > rest) this.delete(this.#first.key);
  }

  delete(key: K): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    this.#leave(node);
    return this.#nodes.delete(key);
  }

  /** The value of a key is about to change in its place. */
  keep(key: K): void {
    this.#pictures.tell((picture) => {
      const node = this.#nodes.get(key);
      if (node !== undefined && node.set < picture.moment && !picture.before.has(node)) {
        picture.before.set(node, this.#copy(node.value));
      }
    });
  }

  /** The keys, the one set longest ago first. */
  *keys(): Generator<K, void, undefined> {
    for (const [key] of this) yield key;
  }

  /** The values, in the same order. */
  *values(): Generator<V, void, undefined> {
    for (const [, value] of this) yield value;
  }

  *[Symbol.iterator](): Generator<[K, V], void, undefined> {
    for (let node = this.#first; node !== this.#ends; node = node.after) {
      if (node.gone === Infinity) yield [node.key, node.value];
    }
  }

  /** The entries of now. */
  picture(): AlbumPicture<K, V> {
    const picture = new Snapshot(this.#ends, ++this.#moment);
    this.#pictures.add(picture);
    return picture;
  }

  /** Takes an entry out of its place; one that a picture may show stays there. */
  #leave(node: Node<K, V>): void {
    let isShown = false;
    this.#pictures.tell(({ moment }) => (isShown ||= node.set < moment));
    node.gone = this.#moment;
    while (this.#first !== this.#ends && this.#first.gone < Infinity) this.#first = this.#first.after;
    if (isShown) this.#gone.push(node);
    else unlink(node);
  }

  /** Without pictures, nothing that went is needed: drops a little of it. */
  #sweep(): void {
    let isOpen = false;
    this.#pictures.tell(() => (isOpen = true));
    for (let n = 0; n < SWEPT && !isOpen && this.#gone.length > 0; n++) unlink(this.#gone.pop()!);
  }
}

class Snapshot<K, V> implements AlbumPicture<K, V> {
  readonly moment: number;
  /** Values as they were before they changed. */
  readonly before = new Map<Node<K, V>, V>();
  #ends: Node<K, V> | undefined;

  constructor(ends: Node<K, V>, moment: number) {
    this.#ends = ends;
    this.moment = moment;
  }

  get isOpen(): boolean {
    return this.#ends !== undefined;
  }

  *entries(): Generator<[K, V], void, undefined> {
    const ends = this.#ends;
    if (ends === undefined) return;
    // Entries are in the order of their setting: the first one of later ends the picture, as do the ends.
    for (let node = ends.after; node.set < this.moment; node = node.after) {
      if (node.gone >= this.moment) yield [node.key, this.before.get(node) ?? node.value];
    }
  }

  close(): void {
    this.#ends = undefined;
    this.before.clear();
  }
}

function unlink<K, V>({ before, after }: Node<K, V>): void {
  before.after = after;
  after.before = before;
}
