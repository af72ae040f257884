import { AtomicFile, saveFile } from "../../node/index.js";

/** Stands for stdin or stdout where a file is asked for. */
export const STANDARD = "-";

/** Characters that are written at once. */
const PIECE = 1 << 16;

/**
 * Where data goes: a file that appears whole at `commit`, or stdout, which gets it as it comes.
 *
 * Lines are taken at any pace, and held for a moment; call `drain` now and then.
 */
export class Output {
  /** Lines taken. */
  lines = 0;
  readonly #file: AtomicFile | undefined;
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
    try {
      this.#file = new AtomicFile(path);
    } catch (cause) {
      throw new Error(`${path}: cannot be written: ${(cause as Error).message}`, { cause });
    }
  }

  /** Takes a value as a line of JSON. */
  write(value: object): void {
    this.line(JSON.stringify(value));
  }

  /** Takes a line. */
  line(text: string): void {
    this.#piece += `${text}\n`;
    this.lines++;
    if (this.#file !== undefined && this.#piece.length >= PIECE) this.#flush(this.#file);
  }

  /** Hands on what is held, at the pace of the reader of stdout. */
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
    this.#file.commit();
  }

  /** Leaves the file as it was. */
  discard(): void {
    this.#file?.discard();
  }

  #flush(file: AtomicFile): void {
    file.write(this.#encoder.encode(this.#piece));
    this.#piece = "";
  }
}

/** Opens outputs, all or, where one cannot be opened, none; nothing for what is not asked for. */
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

/** Resolves when the reader has kept up, or has gone. */
async function toStdout(text: string, signal: AbortSignal): Promise<void> {
  if (process.stdout.destroyed || process.stdout.write(text)) return;
  await new Promise<void>((resolve) => {
    process.stdout.once("drain", resolve);
    process.stdout.once("error", () => resolve());
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Runs something that writes outputs, and commits all of them when it is done; where it throws, none. */
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
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (path === STANDARD) process.stdout.write(text);
  else saveFile(path, new TextEncoder().encode(text));
}

/** Tells the user what came out: on stdout, or on stderr where one of these outputs has taken stdout for data. */
export function tell(text: string, ...outputs: (string | undefined)[]): void {
  (outputs.includes(STANDARD) ? process.stderr : process.stdout).write(text);
}
