import { createHash } from "node:crypto";
import { StorageError } from "./store.js";

/** A folder of files, with the calls that durability needs. Tests give one that loses what was not flushed. */
export interface Disk {
  /** Names of the files. */
  list(): string[];
  /** Creates a file, or empties it. */
  create(name: string): DiskFile;
  /** Gives a file another name, in place of what has that name. */
  rename(name: string, to: string): void;
  remove(name: string): void;
  /** Flushes the names of the folder. */
  sync(): void;
  /** The bytes of a file, in pieces. */
  read(name: string): Iterable<Uint8Array>;
}

/** A file that is being written. */
export interface DiskFile {
  write(bytes: Uint8Array): void;
  /** Flushes the bytes. */
  sync(): void;
  close(): void;
}

/** A state that was saved, and the log's record from which a program goes on. */
export interface Checkpoint {
  readonly name: string;
  /** All records before this sequence number are in it. */
  readonly sequence: number;
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string;
}

const NAME = /^(\d{16})-([0-9a-f]{64})\.liveq$/;
const UNFINISHED = ".unfinished";
const DAMAGED = ".damaged";

/**
 * Checkpoints in a folder: each is a file whose name holds its sequence number and its SHA-256. It appears whole or not at
 * all; what is damaged is found when it is read, and put aside; the newest few are kept.
 */
export class Checkpoints {
  readonly #disk: Disk;
  readonly #keep: number;

  /** @param keep How many to keep, at least 1. Default 3. */
  constructor(disk: Disk, keep = 3) {
    if (!Number.isSafeInteger(keep) || keep < 1) throw new RangeError(`"keep" must be an integer >= 1, got ${keep}`);
    this.#disk = disk;
    this.#keep = keep;
    // What a killed process left.
    if (disk.list().includes(UNFINISHED)) disk.remove(UNFINISHED);
  }

  /** All checkpoints, the newest first. */
  list(): Checkpoint[] {
    const found = this.#disk.list().flatMap((name): Checkpoint[] => {
      const [, sequence, sha256] = NAME.exec(name) ?? [];
      return sequence === undefined ? [] : [{ name, sequence: Number(sequence), sha256: sha256! }];
    });
    return found.sort((a, b) => b.sequence - a.sequence || (a.name < b.name ? -1 : 1));
  }

  /** The sequence number up to which the log may be trimmed: that of the oldest checkpoint that is kept; 0 without any. */
  get trimTo(): number {
    const all = this.list();
    return all.length < this.#keep ? 0 : all.at(-1)!.sequence;
  }

  /**
   * Writes a checkpoint, and removes those that are too old. Between two chunks the caller may do other things.
   *
   * @param sequence The sequence number of the first record that is not in it.
   */
  async write(sequence: number, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Checkpoint> {
    const digest = createHash("sha256");
    const file = this.#disk.create(UNFINISHED);
    try {
      for await (const chunk of chunks) {
        digest.update(chunk);
        file.write(chunk);
      }
      file.sync();
    } finally {
      file.close();
    }
    const sha256 = digest.digest("hex");
    const name = `${String(sequence).padStart(16, "0")}-${sha256}.liveq`;
    this.#disk.rename(UNFINISHED, name);
    this.#disk.sync();
    for (const old of this.list().slice(this.#keep)) this.#disk.remove(old.name);
    return { name, sequence, sha256 };
  }

  /** Removes all checkpoints but the newest, and those that were put aside: they know what shall be forgotten. */
  keepNewest(): void {
    const [newest] = this.list();
    for (const name of this.#disk.list()) {
      if (name !== newest?.name && NAME.test(name.replace(DAMAGED, ""))) this.#disk.remove(name);
    }
    this.#disk.sync();
  }

  /** Whether the bytes of a checkpoint are those that were written. */
  isIntact({ name, sha256 }: Checkpoint): boolean {
    const digest = createHash("sha256");
    try {
      for (const piece of this.#disk.read(name)) digest.update(piece);
    } catch {
      return false;
    }
    return digest.digest("hex") === sha256;
  }

  /** The bytes of a checkpoint, in pieces. @throws StorageError `damaged` if they are not those that were written. */
  read(checkpoint: Checkpoint): Iterable<Uint8Array> {
    if (!this.isIntact(checkpoint)) throw new StorageError("damaged", `${checkpoint.name}: its SHA-256 differs`);
    return this.#disk.read(checkpoint.name);
  }

  /**
   * The newest intact checkpoint; undefined if there is none. Damaged ones that are newer get names that end in
   * `.damaged`, so that nobody takes them for good, and somebody can look at them.
   */
  newest(): Checkpoint | undefined {
    for (const checkpoint of this.list()) {
      if (this.isIntact(checkpoint)) return checkpoint;
      this.#disk.rename(checkpoint.name, `${checkpoint.name}${DAMAGED}`);
    }
    return undefined;
  }
}
