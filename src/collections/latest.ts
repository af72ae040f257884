/**
 * A map of at most `max` entries, in the order of their last `set`; the ones set longest ago are dropped.
 *
 * A full map drops a sixteenth at once: the engine's maps walk over the holes that deleted entries leave, so dropping
 * one at a time would cost a walk for each.
 */
export class Latest<K, V> extends Map<K, V> {
  readonly max: number;

  constructor(max: number, entries: Iterable<readonly [K, V]> = []) {
    super();
    this.max = max;
    for (const [key, value] of entries) this.set(key, value);
  }

  /** Adds a key that is new to a map that has room: the fast way to fill one. */
  append(key: K, value: V): void {
    super.set(key, value);
  }

  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.max) {
      const rest = this.max - (this.max >> 4);
      for (const oldest of this.keys()) {
        if (this.size <= rest) break;
        this.delete(oldest);
      }
    }
    return this;
  }
}
