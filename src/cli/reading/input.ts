import { closeSync, createReadStream, openSync, readdirSync, readSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import {
  detectLogFormat,
  LineError,
  LOG_FORMATS,
  type LogFormat,
  type ReaderOptions,
  readJsonl,
  readLineBlocks,
  readMapped,
} from "../../logs/index.js";
import { type LiveEvent, type LoggedDecision, parseDecision } from "../../protocol/index.js";
import { STANDARD } from "../writing/output.js";
import { Progress } from "../writing/progress.js";
import { UsageError } from "./arguments.js";
import { chosenFormat, withChosen } from "./mapping.js";

/** Bytes at the start of a file that identify its layout. */
const HEAD = 4096;

/** A format of events. */
type EventFormat = Extract<LogFormat, { yields: "events" }>;

/** Input files with their total size and the number of bytes read so far. */
export class Inputs {
  /** Paths, in the order given; `-` for stdin. */
  readonly names: readonly string[];
  /** Total bytes; undefined if unknown. */
  readonly total: number | undefined;
  read = 0;
  readonly #signal: AbortSignal;
  /** Pipes whose first bytes were read to identify their layout. */
  readonly #peeked = new Map<string, AsyncGenerator<Uint8Array, void, undefined>>();

  /**
   * @param given - Files, folders (their files, not those of folders within), or `-`.
   * @param signal - Ends the reading.
   * @throws Error that names an unreadable file; UsageError for a file given twice.
   */
  constructor(given: readonly string[], signal: AbortSignal) {
    this.#signal = signal;
    this.names = given.flatMap(filesOf);
    const twice = this.names.find((name, i) => this.names.indexOf(name) < i);
    if (twice !== undefined) throw new UsageError(`${titleOf(twice)} must be read once only`);
    let total = 0;
    for (const name of this.names) total += sizeOf(name);
    this.total = Number.isNaN(total) ? undefined : total;
  }

  /** Their names for messages. */
  get title(): string {
    return this.names.map(titleOf).join(", ");
  }

  /** The share of the bytes read so far; undefined if unknown. */
  get fraction(): number | undefined {
    if (this.total === undefined) return undefined;
    return this.total === 0 ? 1 : Math.min(1, this.read / this.total);
  }

  /** The pieces of a file. @throws Error that names the file; the signal's reason if it ends the reading. */
  async *open(name: string): AsyncGenerator<Uint8Array, void, undefined> {
    const peeked = this.#peeked.get(name);
    if (peeked !== undefined) {
      yield* peeked;
      return;
    }
    const stream = name === STANDARD ? process.stdin : createReadStream(name);
    const stop = () => void stream.destroy();
    this.#signal.addEventListener("abort", stop);
    try {
      for await (const piece of stream as AsyncIterable<Uint8Array>) {
        this.read += piece.length;
        yield piece;
        this.#signal.throwIfAborted();
      }
    } catch (cause) {
      this.#signal.throwIfAborted();
      throw cannotBeRead(name, cause);
    } finally {
      this.#signal.removeEventListener("abort", stop);
      stream.destroy();
    }
  }

  /** The first bytes of a file or a pipe; `open` still reads it from its start. */
  async head(name: string): Promise<Uint8Array> {
    if (!Number.isNaN(sizeOf(name))) return headOf(name);
    const pieces = this.open(name);
    const first = (await pieces.next()).value ?? new Uint8Array();
    const whole = async function* () {
      yield first;
      yield* pieces;
    };
    this.#peeked.set(name, whole());
    return first;
  }
}

/** An input's name for messages. */
function titleOf(name: string): string {
  return name === STANDARD ? "stdin" : name;
}

function cannotBeRead(name: string, cause: unknown): Error {
  return new Error(`${titleOf(name)}: cannot be read: ${(cause as Error).message}`, { cause });
}

/** The files of a folder, in the order of their names; a file itself. */
function filesOf(path: string): string[] {
  if (path === STANDARD || !statOf(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const files = entries.map(({ name }) => join(path, name)).sort();
  if (files.length === 0) throw new Error(`${path}: must hold files, got an empty folder`);
  return files;
}

/** Bytes of a file; NaN for a pipe or a device. */
function sizeOf(name: string): number {
  if (name === STANDARD) return Number.NaN;
  const stat = statOf(name);
  return stat.isFile() ? stat.size : Number.NaN;
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    throw cannotBeRead(path, cause);
  }
}

function headOf(name: string): Uint8Array {
  try {
    const descriptor = openSync(name, "r");
    try {
      const bytes = new Uint8Array(HEAD);
      return bytes.subarray(0, readSync(descriptor, bytes));
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw cannotBeRead(name, cause);
  }
}

/** The values of `--format`. */
export const FORMAT_NAMES: readonly string[] = ["auto", ...LOG_FORMATS.map(({ name }) => name)];

/**
 * The layout of the inputs: by name, or with `auto` by their names and first bytes. LiveQ's own layouts are recognised by
 * the first bytes alone.
 *
 * @throws Error when nothing fits.
 */
export async function formatOf(inputs: Inputs, name: string): Promise<LogFormat> {
  const named = chosenFormat() ?? LOG_FORMATS.find((format) => format.name === name);
  if (named !== undefined) return named;
  const heads: Record<string, Uint8Array> = {};
  for (const input of inputs.names) heads[input] = await inputs.head(input);
  const known = detectLogFormat(inputs.names, heads);
  if (known !== undefined) return known;
  // By content: a file of LiveQ's own events may have any name, and stdin has none.
  const own = LOG_FORMATS.find((format) => {
    const extension = { jsonl: ".jsonl", csv: ".csv" }[format.name];
    if (extension === undefined) return false;
    const renamed = Object.fromEntries(Object.entries(heads).map(([input, bytes]) => [`${input}${extension}`, bytes]));
    return format.detect(Object.keys(renamed), renamed);
  });
  if (own !== undefined) return own;
  const choices = FORMAT_NAMES.slice(1).join(", ");
  throw new Error(`${inputs.title}: unknown layout; "--format" must be one of ${choices}`);
}

/** The events of the inputs, in the order of the inputs. */
export function eventsOf(format: EventFormat, inputs: Inputs, given: ReaderOptions): AsyncIterable<LiveEvent> {
  const options = withChosen(given);
  // LiveQ's own files may have any name, which messages show in full.
  if (format.name === "jsonl")
    return each(inputs, (name) => readJsonl(inputs.open(name), { ...options, name: titleOf(name) }));
  if (format.name !== "csv") return format.read(inputs.names, (name) => inputs.open(name), options);
  return each(inputs, (name) => readMapped(inputs.open(name), undefined, { ...options, name: titleOf(name) }));
}

async function* each<T>(inputs: Inputs, read: (name: string) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  for (const name of inputs.names) yield* read(name);
}

/** The events of the inputs, in any layout of events. @throws Error for another layout. */
export async function openEvents(inputs: Inputs): Promise<AsyncIterable<LiveEvent>> {
  const format = await formatOf(inputs, "auto");
  if (format.yields !== "events") {
    throw new Error(`${inputs.title}: must hold events, got ${format.yields} (${format.description})`);
  }
  return eventsOf(format, inputs, {});
}

/** The decisions of the inputs, one JSON object a line. @throws LineError for an invalid line. */
export async function* readDecisions(inputs: Inputs): AsyncGenerator<LoggedDecision, void, undefined> {
  for (const name of inputs.names) {
    const file = titleOf(name);
    for await (const { first, lines } of readLineBlocks(inputs.open(name), { name: file })) {
      for (const [i, line] of lines.entries()) {
        if (typeof line !== "string") throw line;
        if (line.trim() === "") continue;
        try {
          yield parseDecision(JSON.parse(line));
        } catch (error) {
          const cause = error instanceof SyntaxError ? "must be one JSON object" : error;
          throw new LineError(file, first + i, cause);
        }
      }
    }
  }
}

/** The items of a source until the signal; then it ends as if there were no more. */
export async function* until<T>(signal: AbortSignal, source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    for await (const one of source) {
      if (signal.aborted) return;
      yield one;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * Reads a source over the inputs to its end or the signal, and shows progress.
 * @param text - Shown beside the progress. Default: the inputs' names.
 * @returns The number of items.
 */
export async function consume<T>(
  inputs: Inputs,
  source: AsyncIterable<T>,
  take: (item: T) => void,
  signal: AbortSignal,
  text: string = inputs.title,
): Promise<number> {
  const progress = new Progress("events");
  let count = 0;
  for await (const item of until(signal, source)) {
    take(item);
    progress.show({ count: ++count, fraction: inputs.fraction, text });
  }
  progress.end();
  return count;
}

/** @throws UsageError if events and decisions both come from stdin. */
export function requireOneStdin(events: readonly string[], decisions: readonly string[] = []): void {
  if (!events.includes(STANDARD) || !decisions.includes(STANDARD)) return;
  throw new UsageError('"--events" and "--decisions" must not both be -');
}
