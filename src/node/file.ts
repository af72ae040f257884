import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { threadId } from "node:worker_threads";

let made = 0;

/**
 * A file in the making: a temporary file beside it, which takes its place, whole and durable, at `commit`. What a killed
 * process leaves behind ends in `.tmp`.
 */
export class AtomicFile {
  readonly #file: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  #isOpen = true;

  /** @throws Error of the file system, of which `path` is the temporary file. */
  constructor(file: string) {
    this.#file = file;
    this.#temporary = `${file}.${process.pid}-${threadId}-${made++}.tmp`;
    // One of this name is of a process that had this number before.
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

  /** The file is as it was. */
  discard(): void {
    this.#close();
    rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#descriptor);
    this.#isOpen = false;
  }
}

/** Makes a rename durable; Windows opens no folders, and needs no such call. */
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
 * Writes a file so that at any moment, whatever is killed or loses power, the old file or the new one is there, whole:
 * a temporary file beside it, fsync, rename, fsync of the folder. What a killed process leaves behind ends in `.tmp`.
 *
 * ```ts
 * saveFile("agent.liveq", agent.save());
 * saveFile("large.liveq", agent.saveChunks()); // no second copy of the replay
 * const agent = await DQN.loadChunks(createReadStream("large.liveq"));
 * ```
 *
 * @param bytes - The file, or its pieces in order.
 * @throws Error of the file system, or of the pieces; the file is as it was then.
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
