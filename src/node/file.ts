import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { threadId } from "node:worker_threads";

let made = 0;

/**
 * A file that appears as a whole: a temporary file beside it takes its place, durably, at `commit`. A killed process
 * leaves a file that ends in `.tmp`.
 */
export class AtomicFile {
  readonly #file: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  #isOpen = true;

  /** @throws Error of the file system, with the temporary file as `path`. */
  constructor(file: string) {
    this.#file = file;
    this.#temporary = `${file}.${process.pid}-${threadId}-${made++}.tmp`;
    // A file with this name is left from an earlier process with the same id.
    rmSync(this.#temporary, { force: true });
    this.#descriptor = openSync(this.#temporary, "wx");
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(this.#descriptor, bytes, at);
  }

  commit(): void {
    try {
      fsyncSync(this.#descriptor);
      this.#close();
      renameSync(this.#temporary, this.#file);
    } catch (error) {
      this.discard();
      throw error;
    }
    syncFolder(dirname(this.#file));
  }

  /** Leaves the old file as it was. */
  discard(): void {
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
  }
}

/** Makes a rename durable. Windows cannot open folders, and does not need this. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a file so that a crash or power loss at any moment leaves the complete old file or the complete new one: a
 * temporary file beside it, fsync, rename, fsync of the folder. A killed process leaves a file that ends in `.tmp`.
 *
 * ```ts
 * saveFile("agent.liveq", agent.save());
 * saveFile("large.liveq", agent.saveChunks()); // no second copy of the replay
 * const agent = await DQN.loadChunks(createReadStream("large.liveq"));
 * ```
 *
 * @param bytes - The contents, or chunks of them in order.
 * @throws Error of the file system, or of the iterator of chunks; the old file stays then.
 */
export function saveFile(file: string, bytes: Uint8Array | Iterable<Uint8Array>): void {
  const made = new AtomicFile(file);
  try {
    for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) made.write(piece);
  } catch (error) {
    made.discard();
    throw error;
  }
  made.commit();
}
