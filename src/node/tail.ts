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

/** Where the reading of a file that grows has come to: plain data, to be kept and given back. */
export interface TailPosition {
  /** Bytes of whole lines that have been read. */
  offset: number;
  /** Of the file, by which it is known when it has been renamed. */
  inode: number;
}

export interface TailOptions {
  /** Where to go on from. Default the file's start. */
  from?: TailPosition;
  /** Ends the reading; what was given until then is `position`. Default never. */
  signal?: AbortSignal;
  /** Milliseconds between two looks at a file that the system tells nothing of. Default 1000, set by hand. */
  intervalMs?: number;
}

const TABLE: Rules<TailOptions> = {
  from: optional([group[0], "{ offset, inode }"]),
  signal: optional(abortSignal),
  intervalMs: positive,
};
const POSITION: Rules<TailPosition> = { offset: nonNegativeInteger, inode: nonNegative };

const PIECE = 1 << 16;
/** Bytes of a line without an end after which it is given in parts: readers refuse it as too long. */
const HELD = 1 << 22;
const LINE_FEED = 10;

/**
 * Follows a file as it grows: pieces of whole lines, as `readJsonl` reads them, without an end but that of `signal`.
 *
 * A line that is being written is held until its line feed comes. A file that is not there is waited for. One that has been
 * renamed is read to its end, and then the new one of its name from its start; one that has become shorter is read from
 * its start again (one that was emptied and has grown past the same length between two looks cannot be told from one that
 * has only grown). `from` goes on where another reading was, in a renamed file too while it is in the same folder.
 *
 * ```ts
 * const source = tail("events.jsonl", { signal });
 * for await (const event of readJsonl(source)) recommender.feedback(event);
 * writeFileSync("position.json", JSON.stringify(source.position));
 * ```
 *
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function tail(path: string, options: TailOptions = {}): Tail {
  return new Tail(path, options);
}

/** A file that is followed. To be iterated once. */
export class Tail implements AsyncIterable<Uint8Array> {
  /** Up to where pieces have been used up: the one that was given last is, when the next is asked for. */
  position: TailPosition | undefined;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #intervalMs: number;
  /** Ends a pause. */
  #wake = () => {};
  /** Whether the file may have changed since the last look. */
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

  /** The file to be read next, and `position` in it; nothing while there is none. */
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

  /** Where a file may be that has been renamed. */
  async #siblings(): Promise<string[]> {
    const folder = dirname(this.#path);
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => name.startsWith(basename(this.#path))).map((name) => join(folder, name));
  }

  /** The pieces of a file, until another has its name. */
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
      // Its writer may have it open still after it has been renamed: it is looked at once more.
      if (isRenamed) break;
      isRenamed = await this.#isAnother(inode);
      await this.#pause();
    }
    if (this.#signal.aborted) return;
    // The file has its last line, whether or not that has a line feed.
    const rest = Buffer.concat(held);
    if (rest.length > 0) yield Buffer.concat([rest, Uint8Array.of(LINE_FEED)]);
    this.position = undefined;
  }

  async #isAnother(inode: number): Promise<boolean> {
    const now = await inodeOf(this.#path);
    return now !== undefined && now !== inode;
  }

  /** Nothing where the system cannot tell: then the interval is all there is. */
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

  /** Until the file may have changed. */
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

/** Nothing for a file that is not there. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

async function inodeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(absent))?.ino;
}
