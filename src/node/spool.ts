import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A temporary file that leaves nothing behind: its name is taken away as soon as it is open, so that no signal and no
 * crash can leave the file. (On Windows, which cannot do so, `close` and the end of the process remove it.)
 */
export class Spool {
  readonly #folder: string;
  readonly #descriptor: number;
  #size = 0;
  #isOpen = true;
  readonly #remove: () => void;

  /**
   * @param folder - Where there is room. Default: the folder for temporary files.
   * @throws Error of the file system.
   */
  constructor(folder: string = tmpdir()) {
    this.#folder = mkdtempSync(join(folder, ".liveq-sort-"));
    this.#remove = () => rmSync(this.#folder, { recursive: true, force: true });
    try {
      this.#descriptor = openSync(join(this.#folder, "runs.tmp"), "wx+", 0o600);
      if (process.platform === "win32") process.once("exit", this.#remove);
    } finally {
      if (process.platform !== "win32") this.#remove();
    }
  }

  /** Adds bytes at the end. @throws Error of the file system, such as for a full disk. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const written = writeSync(this.#descriptor, bytes, at, bytes.byteLength - at, this.#size);
      at += written;
      this.#size += written;
    }
  }

  /** The bytes [from, to). @throws RangeError for bytes that were not written. */
  read(from: number, to: number): Uint8Array {
    if (!(from >= 0 && from <= to && to <= this.#size)) {
      throw new RangeError(`"from" and "to" must be in [0, ${this.#size}], got ${from} and ${to}`);
    }
    const bytes = new Uint8Array(to - from);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(this.#descriptor, bytes, at, bytes.length - at, from + at);
      if (read === 0) throw new Error("a temporary file has become shorter");
      at += read;
    }
    return bytes;
  }

  /** Gives the file up. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#descriptor);
    if (process.platform !== "win32") return;
    process.removeListener("exit", this.#remove);
    this.#remove();
  }
}
