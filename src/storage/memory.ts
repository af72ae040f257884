import { type BlockStore, StorageError, type StoredBlock } from "./store.js";

/** Blocks in memory: for tests, for pages, and where a host has no disk. They are gone with the process. */
export class MemoryStore implements BlockStore {
  readonly #blocks: StoredBlock[];
  #isOpen = true;

  /** @param blocks The blocks to begin with, in order, as `blocks` of another store. */
  constructor(blocks: readonly StoredBlock[] = []) {
    this.#blocks = [...blocks];
  }

  /** All blocks, in order. */
  get blocks(): readonly StoredBlock[] {
    return this.#blocks;
  }

  get newest(): StoredBlock | undefined {
    return this.#blocks.at(-1);
  }

  append(block: StoredBlock): void {
    this.#requireOpen();
    this.#blocks.push(block);
  }

  *read(from: number): Generator<StoredBlock, void, undefined> {
    this.#requireOpen();
    for (const block of [...this.#blocks]) if (block.first + block.count > from) yield block;
  }

  trim(to: number): void {
    this.#requireOpen();
    const kept = this.#blocks.findIndex(({ first, count }) => first + count > to);
    this.#blocks.splice(0, kept < 0 ? this.#blocks.length - 1 : kept);
  }

  close(): void {
    this.#isOpen = false;
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new StorageError("closed", "the store was closed");
  }
}
