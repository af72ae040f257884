import { AtomicFile, checkWritable, type FileLock, lockFile, saveFile, saveFileAsync } from "../../node/index.js";

/** Stands for stdin or stdout in place of a file. */
export const STANDARD = "-";

/** An output's name for messages. */
export function titleOf(path: string): string {
  return path === STANDARD ? "stdout" : path;
}

/** Characters in one write. */
const PIECE = 1 << 16;

/**
 * An output for lines: a file that appears as a whole at `commit`, or stdout as a stream. It buffers lines; call `drain`
 * regularly.
 */
export class Output {
  /** Number of lines. */
  lines = 0;
  readonly #file: AtomicFile | undefined;
  readonly #path: string = STANDARD;
  readonly #signal: AbortSignal;
  readonly #encoder = new TextEncoder();
  #piece = "";

  /**
   * @param path - A file, or `-` for stdout.
   * @param signal - Ends the wait for a reader of stdout.
   * @throws Error that names the file.
   */
  constructor(path: string, signal: AbortSignal) {
    this.#signal = signal;
    if (path === STANDARD) return;
    this.#path = path;
    this.#file = named(path, () => new AtomicFile(path));
  }

  /** Adds a value as a line of JSON. */
  write(value: object): void {
    this.line(JSON.stringify(value));
  }

  /** Adds a line. */
  line(text: string): void {
    this.#piece += `${text}\n`;
    this.lines++;
    if (this.#file !== undefined && this.#piece.length >= PIECE) this.#flush(this.#file);
  }

  /** Flushes the buffer to stdout, at its reader's pace. */
  async drain(): Promise<void> {
    if (this.#file !== undefined || this.#piece === "") return;
    const piece = this.#piece;
    this.#piece = "";
    await toStdout(piece, this.#signal);
  }

  async commit(): Promise<void> {
    await this.drain();
    if (this.#file === undefined) return;
    this.#flush(this.#file);
    const file = this.#file;
    named(this.#path, () => file.commit());
  }

  /** Leaves the file as it was. */
  discard(): void {
    this.#file?.discard();
  }

  #flush(file: AtomicFile): void {
    const bytes = this.#encoder.encode(this.#piece);
    named(this.#path, () => file.write(bytes));
    this.#piece = "";
  }
}

/** Opens all outputs, or none if one fails; an undefined path gives undefined. */
export function openOutputs<T extends string | undefined>(
  paths: readonly T[],
  signal: AbortSignal,
): (T extends string ? Output : Output | undefined)[] {
  const outputs: (Output | undefined)[] = [];
  try {
    for (const path of paths) outputs.push(path === undefined ? undefined : new Output(path, signal));
  } catch (error) {
    for (const output of outputs) output?.discard();
    throw error;
  }
  return outputs as (T extends string ? Output : Output | undefined)[];
}

/** Resolves when the reader has caught up, or is gone. */
async function toStdout(text: string, signal: AbortSignal): Promise<void> {
  if (process.stdout.destroyed || process.stdout.write(text)) return;
  await new Promise<void>((resolve) => {
    process.stdout.once("drain", resolve);
    process.stdout.once("error", () => resolve());
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Runs something that writes outputs, then commits all of them, or none if it throws. */
export async function writing<T>(outputs: readonly (Output | undefined)[], run: () => Promise<T>): Promise<T> {
  try {
    const result = await run();
    for (const output of outputs) await output?.commit();
    return result;
  } catch (error) {
    for (const output of outputs) output?.discard();
    throw error;
  }
}

/** Writes a value as JSON, to a file or (`-`) stdout. */
export function writeJson(path: string, value: unknown): void {
  writeText(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Writes text, to a file or (`-`) stdout. */
export function writeText(path: string, text: string): void {
  writeFile(path, new TextEncoder().encode(text));
}

/** Writes a file as a whole, or (`-`) to stdout. @throws Error that names the file. */
export function writeFile(path: string, bytes: Uint8Array | Iterable<Uint8Array>): void {
  if (path !== STANDARD) named(path, () => saveFile(path, bytes));
  else for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) process.stdout.write(piece);
}

/** Writes a file while other work goes on. @throws Error that names the file. */
export async function writeMeanwhile(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  try {
    await saveFileAsync(path, chunks);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/**
 * Tries outputs before long work; an undefined path is none, `-` is stdout.
 * @throws Error that names a file that could not be written.
 */
export function tryOutputs(...paths: (string | undefined)[]): void {
  for (const path of paths) {
    if (path !== undefined && path !== STANDARD) named(path, () => checkWritable(path));
  }
}

/**
 * Tries the file of a model, and takes it for this process alone until it ends.
 * @throws Error that names the file, and the process that writes it.
 */
export function takeModel(path: string): FileLock {
  tryOutputs(path);
  return path === STANDARD ? { release() {} } : lockFile(path);
}

function named<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): Error {
  return new Error(`${path}: cannot be written: ${(cause as Error).message}`, { cause });
}

/** Prints results to stdout, or to stderr if one of these outputs uses stdout for data. */
export function print(text: string, ...outputs: (string | undefined)[]): void {
  (outputs.includes(STANDARD) ? process.stderr : process.stdout).write(text);
}
