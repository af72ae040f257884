import { type FSWatcher, watch } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  abortSignal,
  checked,
  group,
  nonNegative,
  nonNegativeInteger,
  optional,
  positive,
  type Rules,
} from "../check/index.js";

/** A position in a growing file, as plain data to save and to continue from. */
export interface TailPosition {
  /** Bytes of the complete lines read so far. */
  offset: number;
  /** The file's inode, which identifies it after a rename. */
  inode: number;
}

export interface TailOptions {
  /** Position to continue from. Default: the file's start. */
  from?: TailPosition;
  /** Ends the reading; `position` is then the end of the last piece given. Default: never. */
  signal?: AbortSignal;
  /** Milliseconds between two polls, for file systems without notifications, > 0. Default 1000, set by hand. */
  intervalMs?: number;
}

const TABLE: Rules<TailOptions> = {
  from: optional([group[0], "{ offset, inode }"]),
  signal: optional(abortSignal),
  intervalMs: positive,
};
const POSITION: Rules<TailPosition> = { offset: nonNegativeInteger, inode: nonNegative };

const PIECE = 1 << 16;
/** Bytes after which a line without an end is given in parts; readers refuse it as too long. */
const HELD = 1 << 22;
const LINE_FEED = 10;

/**
 * Follows a file as it grows: pieces of complete lines, for `readJsonl`, until `signal` aborts.
 *
 * It holds an unfinished line until its line feed arrives, and waits for a missing file. It reads a renamed file to its
 * end, and then the new file of that name from its start. It reads a file that became shorter from its start again; a
 * file that was emptied and outgrew its old length between two polls looks like one that only grew. `from` continues an
 * earlier reading, also in a renamed file in the same folder.
 *
 * ```ts
 * const source = tail("events.jsonl", { signal });
 * for await (const event of readJsonl(source)) recommender.feedback(event, Date.now());
 * writeFileSync("position.json", JSON.stringify(source.position));
 * ```
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function tail(path: string, options: TailOptions = {}): Tail {
  return new Tail(path, options);
}

/** A followed file. Iterate it once. */
export class Tail implements AsyncIterable<Uint8Array> {
  /** The end of the consumed pieces: a piece counts as consumed once the next is requested. */
  position: TailPosition | undefined;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #intervalMs: number;
  /** Ends a pause. */
  #wake = () => {};
  /** Whether the file may have changed since the last poll. */
  #isChanged = false;

  constructor(path: string, options: TailOptions) {
    const { from, signal, intervalMs } = checked<TailOptions>(options, TABLE, { intervalMs: 1000 });
    if (from !== undefined) this.position = checked<TailPosition>(from, POSITION, {}, "from.");
    this.#path = path;
    this.#signal = signal ?? new AbortController().signal;
    this.#intervalMs = intervalMs!;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const watcher = this.#watch();
    const wake = () => this.#wake();
    this.#signal.addEventListener("abort", wake);
    let file: FileHandle | undefined;
    try {
      while (!this.#signal.aborted) {
        file ??= await this.#open();
        if (file === undefined) {
          await this.#pause();
          continue;
        }
        yield* this.#follow(file);
        await file.close();
        file = undefined;
      }
    } finally {
      this.#signal.removeEventListener("abort", wake);
      watcher?.close();
      await file?.close();
    }
  }

  /** Opens the next file to read, and sets `position` in it; undefined while there is none. */
  async #open(): Promise<FileHandle | undefined> {
    const known = this.position;
    const names = known === undefined ? [this.#path] : [this.#path, ...(await this.#siblings())];
    for (const name of names) {
      const inode = await inodeOf(name);
      if (known !== undefined && inode === known.inode) return open(name, "r").catch(absent);
    }
    const file = await open(this.#path, "r").catch(absent);
    if (file !== undefined) this.position = { offset: 0, inode: (await file.stat()).ino };
    return file;
  }

  /** Possible names of a renamed file. */
  async #siblings(): Promise<string[]> {
    const folder = dirname(this.#path);
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => name.startsWith(basename(this.#path))).map((name) => join(folder, name));
  }

  /** The pieces of a file, until another file has its name. */
  async *#follow(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
    const { ino: inode } = await file.stat();
    let at = this.position!.offset;
    let held: Uint8Array[] = [];
    let isRenamed = false;
    while (!this.#signal.aborted) {
      if ((await file.stat()).size < at) {
        at = 0;
        held = [];
        this.position = { offset: 0, inode };
      }
      const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE), 0, PIECE, at);
      const piece = buffer.subarray(0, bytesRead);
      at += bytesRead;
      const end = piece.lastIndexOf(LINE_FEED) + 1;
      held.push(piece.subarray(0, end || bytesRead));
      const isLong = held.reduce((sum, part) => sum + part.length, 0) > HELD;
      if (end > 0 || isLong) {
        yield Buffer.concat(held);
        held = [piece.subarray(end || bytesRead)];
        if (end > 0) this.position = { offset: at - bytesRead + end, inode };
      }
      if (bytesRead > 0) continue;
      // Its writer may still have it open after the rename: read once more.
      if (isRenamed) break;
      isRenamed = await this.#isAnother(inode);
      await this.#pause();
    }
    if (this.#signal.aborted) return;
    // The last line is complete, with or without a line feed.
    const rest = Buffer.concat(held);
    if (rest.length > 0) yield Buffer.concat([rest, Uint8Array.of(LINE_FEED)]);
    this.position = undefined;
  }

  async #isAnother(inode: number): Promise<boolean> {
    const now = await inodeOf(this.#path);
    return now !== undefined && now !== inode;
  }

  /** Watches the folder; undefined if the system cannot, so that only the interval polls. */
  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, (_, name) => {
        if (name !== null && name !== basename(this.#path)) return;
        this.#isChanged = true;
        this.#wake();
      });
      return watcher.on("error", () => watcher.close());
    } catch {
      return undefined;
    }
  }

  /** Waits until the file may have changed. */
  async #pause(): Promise<void> {
    if (!this.#isChanged && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#intervalMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isChanged = false;
    this.#wake = () => {};
  }
}

/** Returns undefined for a missing file. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

async function inodeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(absent))?.ino;
}
