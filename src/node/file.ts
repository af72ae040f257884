import {
  accessSync,
  closeSync,
  constants,
  fsync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  write,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { threadId } from "node:worker_threads";
import { beside, type Destination, destinationOf, openBeside, openInPlace, requireUnchanged } from "./destination.js";

const writeSoon = promisify(write);
const syncSoon = promisify(fsync);

let made = 0;
/** Milliseconds between two tries to write to a full pipe. */
const FULL_MS = 2;

/**
 * A file that appears as a whole: a temporary file beside it takes its place, durably, at `commit`. A killed process
 * leaves a file that ends in `.tmp`.
 *
 * What is there is respected: a symbolic link stays, and its target is written; the file keeps its mode and, where the
 * process may, its owner; a device, a FIFO or `/dev/stdout` is written in place, without `commit` and `discard` having a
 * say.
 */
export class AtomicFile {
  readonly #destination: Destination;
  readonly #temporary: string;
  readonly #descriptor: number;
  #isOpen = true;

  /** @throws Error of the file system, with the temporary file as `path`; for a folder, and for a FIFO without a reader. */
  constructor(file: string) {
    const destination = destinationOf(file);
    this.#destination = destination;
    this.#temporary = beside(destination.path, `.${process.pid}-${threadId}-${made++}.tmp`);
    this.#descriptor = destination.isInPlace ? openInPlace(destination) : openBeside(destination, this.#temporary);
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) at += this.#writeAt(bytes, at);
  }

  /** As `write`, but the process goes on meanwhile. */
  async writeAsync(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      try {
        at += (await writeSoon(this.#descriptor, bytes, at)).bytesWritten;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        await later(FULL_MS);
      }
    }
  }

  commit(): void {
    if (!this.#destination.isInPlace) this.#orDiscard(() => fsyncSync(this.#descriptor));
    this.#place();
  }

  /** As `commit`, but the process goes on while the bytes reach the disk. */
  async commitAsync(): Promise<void> {
    try {
      if (!this.#destination.isInPlace) await syncSoon(this.#descriptor);
    } catch (error) {
      this.discard();
      throw error;
    }
    this.#place();
  }

  #orDiscard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Puts the file in its place. */
  #place(): void {
    if (this.#destination.isInPlace) {
      this.#close();
      return;
    }
    this.#orDiscard(() => {
      this.#close();
      requireUnchanged(this.#destination);
      renameSync(this.#temporary, this.#destination.path);
    });
    syncFolder(dirname(this.#destination.path));
  }

  /** Leaves the old file as it was. */
  discard(): void {
    this.#close();
    if (!this.#destination.isInPlace) rmSync(this.#temporary, { force: true });
  }

  #writeAt(bytes: Uint8Array, at: number): number {
    try {
      return writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS);
      return 0;
    }
  }

  #close(): void {
    if (this.#isOpen && this.#destination.descriptor === undefined) closeSync(this.#descriptor);
    this.#isOpen = false;
  }
}

/**
 * Tries whether a file can be written, and leaves everything as it was: call it before long work.
 *
 * @throws Error of the file system, as `saveFile` would.
 */
export function checkWritable(file: string): void {
  const { isInPlace, descriptor, path } = destinationOf(file);
  // Opened and closed, a FIFO would end for its reader.
  if (!isInPlace) new AtomicFile(file).discard();
  else if (descriptor === undefined) accessSync(path, constants.W_OK);
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
 * The file's mode, a symbolic link, a device and a FIFO stay, as for `AtomicFile`.
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

/**
 * As `saveFile`, but other work goes on between the chunks and while the bytes reach the disk: for a process that serves.
 *
 * ```ts
 * await saveFileAsync("live.liveq", recommender.saveChunks());
 * ```
 *
 * @param chunks - The contents in order, from an iterator that ends when it is left, as that of `saveChunks` does.
 * @param signal - Ends it; the old file stays then. Default: none.
 * @throws Error of the file system, or of the iterator, or the signal's reason; the old file stays then.
 */
export async function saveFileAsync(
  file: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const made = new AtomicFile(file);
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      await made.writeAsync(chunk);
      // Promises alone would leave no time for sockets and timers.
      await later();
    }
  } catch (error) {
    made.discard();
    throw error;
  }
  await made.commitAsync();
}

function later(milliseconds = 0): Promise<void> {
  return new Promise((resolve) => (milliseconds > 0 ? setTimeout(resolve, milliseconds) : setImmediate(resolve)));
}
