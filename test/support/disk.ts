import type { Random } from "../../src/numeric/random.js";
import { type BlockStore, type Disk, type DiskFile, MemoryStore, type StoredBlock } from "../../src/storage/index.js";

/** A file: the bytes that a reader sees, and how many of them are sure to survive a crash. */
interface SimulatedFile {
  bytes: Uint8Array;
  synced: number;
}

/**
 * A folder that loses in a crash what was not flushed: bytes are dropped, torn or garbled, and names that were given or taken
 * survive in any combination.
 */
export class SimulatedDisk implements Disk {
  #names = new Map<string, SimulatedFile>();
  /** The names as of the last flush, and changes since then. */
  #durable = new Map<string, SimulatedFile>();
  #changes: ((names: Map<string, SimulatedFile>) => void)[] = [];

  list(): string[] {
    return [...this.#names.keys()];
  }

  create(name: string): DiskFile {
    const file: SimulatedFile = { bytes: new Uint8Array(), synced: 0 };
    this.#change((names) => void names.set(name, file));
    return {
      write: (bytes) => void (file.bytes = Buffer.concat([file.bytes, bytes])),
      sync: () => void (file.synced = file.bytes.length),
      close() {},
    };
  }

  rename(name: string, to: string): void {
    const file = this.#names.get(name)!;
    this.#change((names) => {
      names.delete(name);
      names.set(to, file);
    });
  }

  remove(name: string): void {
    this.#change((names) => void names.delete(name));
  }

  sync(): void {
    this.#durable = new Map(this.#names);
    this.#changes = [];
  }

  *read(name: string): Generator<Uint8Array, void, undefined> {
    yield this.#names.get(name)!.bytes.slice();
  }

  /** The power goes: what was flushed stays; of the rest, any part. */
  crash(random: Random): void {
    const names = new Map(this.#durable);
    for (const change of this.#changes) if (random.bernoulli(0.5)) change(names);
    for (const file of new Set(names.values())) {
      const lost = file.bytes.length - file.synced;
      if (lost === 0) continue;
      file.bytes = file.bytes.slice(0, file.synced + random.below(lost + 1));
      // A block of the disk that was allocated and not yet written.
      for (let i = file.synced; i < file.bytes.length; i++) if (random.bernoulli(0.2)) file.bytes[i] = 0;
      file.synced = file.bytes.length;
    }
    this.#names = names;
    this.sync();
  }

  /** Changes a bit of a file. */
  rot(name: string, random: Random): void {
    const { bytes } = this.#names.get(name)!;
    if (bytes.length === 0) return;
    const at = random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random.below(8));
  }

  #change(change: (names: Map<string, SimulatedFile>) => void): void {
    change(this.#names);
    this.#changes.push(change);
  }
}

/** Blocks that are durable when they are appended; with `isLazy` only those before the newest few. */
export class SimulatedStore implements BlockStore {
  readonly #isLazy: boolean;
  #store: MemoryStore;
  #unsure = 0;

  constructor(isLazy = false, blocks: readonly StoredBlock[] = []) {
    this.#isLazy = isLazy;
    this.#store = new MemoryStore(blocks);
  }

  get newest(): StoredBlock | undefined {
    return this.#store.newest;
  }

  append(block: StoredBlock): void {
    this.#store.append(block);
    if (this.#isLazy) this.#unsure++;
  }

  read(from: number): Iterable<StoredBlock> {
    return this.#store.read(from);
  }

  trim(to: number): void {
    this.#store.trim(to);
  }

  close(): void {}

  /** The store after the power was gone. */
  crashed(random: Random): SimulatedStore {
    const { blocks } = this.#store;
    const lost = random.below(Math.min(this.#unsure, blocks.length) + 1);
    return new SimulatedStore(this.#isLazy, blocks.slice(0, blocks.length - lost));
  }
}
