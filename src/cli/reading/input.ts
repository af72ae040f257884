import { createReadStream, readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import {
  Batched,
  type BatchSource,
  type ByteSource,
  detectLogFormat,
  emptyQualityReport,
  inBatches,
  LineError,
  LOG_FORMATS,
  type LogFormat,
  mergeBatches,
  type OpenFile,
  type OwnLayout,
  ownLayoutOf,
  type RatingRecord,
  type ReaderOptions,
  readCsvEvents,
  readJsonArray,
  readJsonl,
  readLineBlocks,
} from "../../logs/index.js";
import { type Compression, compressionOf, decompressed } from "../../node/index.js";
import { type LiveEvent, type LoggedDecision, parseDecision } from "../../protocol/index.js";
import { Progress } from "../reports/index.js";
import { STANDARD } from "../writing/output.js";
import { UsageError } from "./arguments.js";
import { chosenFormat, withChosen } from "./mapping.js";

/** Bytes at the start of a file that identify its layout and hold its first event. */
const HEAD = 1 << 16;
/** Of those the bytes that stay in memory. */
const KEPT = 4096;

/** A format of events. */
export type EventFormat = Extract<LogFormat, { yields: "events" }>;

/** What the start of an input says. */
interface Head {
  /** The first bytes, decompressed. */
  bytes: Uint8Array;
  compression: Compression | undefined;
  /** Undefined if it is none of LiveQ's own. */
  layout: OwnLayout | undefined;
  /** Whether its first line is an object that is no event, such as a decision. */
  isForeign: boolean;
  /** The time of its first event; -Infinity if unknown. */
  from: number;
}

/** Input files with their total size and the number of bytes read so far. */
export class Inputs {
  /** Paths, in the order given; `-` for stdin. */
  names: readonly string[];
  /** Total bytes; undefined if unknown. */
  readonly total: number | undefined;
  read = 0;
  readonly #signal: AbortSignal;
  /** Files that a folder holds, which may be of other kinds. */
  readonly #found: ReadonlySet<string>;
  /** Pipes whose first bytes were read to identify their layout. */
  readonly #peeked = new Map<string, AsyncGenerator<Uint8Array, void, undefined>>();
  readonly #heads = new Map<string, Head>();
  readonly #compressions = new Map<string, Compression | undefined>();

  /**
   * @param given - Files, folders (their files, not those of folders within), or `-`.
   * @param signal - Ends the reading.
   * @throws Error that names an unreadable file; UsageError for a file given twice.
   */
  constructor(given: readonly string[], signal: AbortSignal) {
    this.#signal = signal;
    const files = given.map(filesOf);
    this.names = files.flat();
    this.#found = new Set(given.flatMap((path, i) => (files[i]!.includes(path) ? [] : files[i]!)));
    const twice = this.names.find((name, i) => this.names.indexOf(name) < i);
    if (twice !== undefined) throw new UsageError(`${titleOf(twice)} must be read once only`);
    let total = 0;
    for (const name of this.names) total += sizeOf(name);
    this.total = Number.isNaN(total) ? undefined : total;
  }

  /** Their names for messages. */
  get title(): string {
    const shown = this.names.slice(0, 3).map(titleOf).join(", ");
    return this.names.length > 3 ? `${shown} and ${this.names.length - 3} more` : shown;
  }

  /** The share of the bytes read so far; undefined if unknown. */
  get fraction(): number | undefined {
    if (this.total === undefined) return undefined;
    return this.total === 0 ? 1 : Math.min(1, this.read / this.total);
  }

  /** Whether all can be read a second time. */
  get isAgain(): boolean {
    return this.total !== undefined;
  }

  /** Whether a file was found in a folder, in place of being named. */
  isFound(name: string): boolean {
    return this.#found.has(name);
  }

  /** Leaves files out that a folder holds beside those of a layout. */
  keep(names: readonly string[]): void {
    const rest = this.names.filter((name) => !names.includes(name));
    if (rest.length > 0) process.stderr.write(`not read, as they hold no events: ${rest.join(", ")}\n`);
    this.names = names;
  }

  /** What inputs without any item are, in words. */
  async nothing(): Promise<string> {
    const heads = await Promise.all(this.names.map((name) => this.head(name)));
    if (heads.some(({ bytes }) => bytes.length > 0)) return "nothing but blank lines";
    const compression = heads.find((head) => head.compression)?.compression;
    if (compression !== undefined) return `${compression} of an empty file`;
    return heads.length > 1 ? "empty files" : "an empty file";
  }

  /** The pieces of a file, decompressed. @throws Error that names the file; the signal's reason if it ends the reading. */
  open(name: string): AsyncGenerator<Uint8Array, void, undefined> {
    return (
      this.#peeked.get(name) ??
      this.#unpacked(name, (bytes) => {
        this.read += bytes;
      })
    );
  }

  async *#unpacked(name: string, see: (bytes: number) => void): AsyncGenerator<Uint8Array, void, undefined> {
    const stream = name === STANDARD ? process.stdin : createReadStream(name);
    const stop = () => void stream.destroy();
    this.#signal.addEventListener("abort", stop);
    const [signal, compressions] = [this.#signal, this.#compressions];
    const seen = async function* () {
      for await (const piece of stream as AsyncIterable<Uint8Array>) {
        if (!compressions.has(name)) compressions.set(name, compressionOf(piece));
        see(piece.length);
        yield piece;
        signal.throwIfAborted();
      }
    };
    try {
      yield* decompressed(seen());
    } catch (cause) {
      this.#signal.throwIfAborted();
      throw cannotBeRead(name, cause);
    } finally {
      this.#signal.removeEventListener("abort", stop);
      stream.destroy();
    }
  }

  /** What the start of a file or a pipe says; `open` still reads it from its start. */
  async head(name: string): Promise<Head> {
    const known = this.#heads.get(name);
    if (known !== undefined) return known;
    const isPipe = Number.isNaN(sizeOf(name));
    const pieces = this.#unpacked(name, (bytes) => {
      if (isPipe) this.read += bytes;
    });
    const held: Uint8Array[] = [];
    // A pipe may be slow: its first piece is enough.
    for (let length = 0; length < (isPipe ? 1 : HEAD); length += held.at(-1)!.length) {
      const { done, value } = await pieces.next();
      if (done) break;
      held.push(value);
    }
    if (!isPipe) await pieces.return();
    const bytes = Buffer.concat(held).subarray(0, HEAD);
    if (isPipe) this.#peeked.set(name, chained(held, pieces));
    const layout = ownLayoutOf(bytes);
    const from = layout === undefined ? -Infinity : await firstOf(readOwn(layout, [bytes], { onError: "skip" }));
    const isForeign = layout?.name === "jsonl" && isOther(bytes);
    const head = { bytes: bytes.slice(0, KEPT), compression: this.#compressions.get(name), layout, isForeign, from };
    this.#heads.set(name, head);
    return head;
  }
}

async function* chained(
  held: Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* held;
  yield* rest;
}

/** The time of the first event at the start of a file; -Infinity if there is none. */
async function firstOf(events: AsyncIterable<LiveEvent>): Promise<number> {
  try {
    for await (const { time } of events) return time;
  } catch {
    // The reading of the whole file says why.
  }
  return -Infinity;
}

/** Whether the first line is an object without a kind. */
function isOther(bytes: Uint8Array): boolean {
  const line = new TextDecoder().decode(bytes).trimStart().split("\n", 1)[0]!;
  try {
    return !("kind" in JSON.parse(line));
  } catch {
    return false;
  }
}

/** The events of one file of LiveQ's own. */
function readOwn(layout: OwnLayout, source: ByteSource, options: ReaderOptions): AsyncIterable<LiveEvent> {
  if (layout.name === "jsonl") return readJsonl(source, options);
  if (layout.name === "json") return readJsonArray(source, options);
  return readCsvEvents(source, { ...options, ...(layout.separator && { separator: layout.separator }) });
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

/** A name without the ending of its compression. */
function plainName(name: string): string {
  return name.replace(/\.(?:gz|gzip|zst|zstd)$/i, "");
}

/** The values of `--format`. */
export const FORMAT_NAMES: readonly string[] = ["auto", ...LOG_FORMATS.map(({ name }) => name)];

const OWN = ["jsonl", "json", "csv"];

/**
 * The layout of the inputs: by name, or with `auto` by their names and first bytes. LiveQ's own layouts are recognised by
 * the first bytes of each file alone; of a folder, files of no such layout are left out.
 *
 * @throws Error when nothing fits.
 */
export async function formatOf(inputs: Inputs, name: string): Promise<LogFormat> {
  const named = chosenFormat() ?? LOG_FORMATS.find((format) => format.name === name);
  if (named !== undefined) return named;
  const heads: Record<string, Uint8Array> = {};
  for (const input of inputs.names) heads[plainName(input)] = (await inputs.head(input)).bytes;
  const known = detectLogFormat(Object.keys(heads), heads);
  if (known !== undefined && !OWN.includes(known.name)) return known;
  const own = await ownFiles(inputs);
  if (own === undefined) {
    const choices = FORMAT_NAMES.slice(1).join(", ");
    throw new Error(`${inputs.title}: unknown layout; "--format" must be one of ${choices}`);
  }
  inputs.keep(own.files);
  const [first] = own.layouts;
  const format = LOG_FORMATS.find((one) => one.name === first) as EventFormat;
  return { ...format, name: own.layouts.join(", ") };
}

/** The files of LiveQ's own events, and their layouts; undefined if a named file is none, or there are none at all. */
async function ownFiles(inputs: Inputs): Promise<{ files: string[]; layouts: string[] } | undefined> {
  const files: string[] = [];
  const layouts = new Set<string>();
  // A folder of lines or columns may hold a report beside them, one of JSON arrays has nothing else.
  const hasLines = inputs.names.some((name) => /\.(?:jsonl|ndjson|csv|tsv)$/i.test(plainName(name)));
  for (const name of inputs.names) {
    const { layout, isForeign } = await inputs.head(name);
    const isReport = hasLines && /\.json$/i.test(plainName(name));
    if (inputs.isFound(name) && (layout === undefined || isForeign || isReport)) continue;
    if (layout === undefined) return undefined;
    files.push(name);
    layouts.add(layout.name);
  }
  return files.length === 0 ? undefined : { files, layouts: [...layouts] };
}

/** The inputs by their names without the endings of compressions, which layouts know them by. */
function plainFiles(inputs: Inputs): { names: string[]; open: OpenFile } {
  const paths = new Map(inputs.names.map((name) => [plainName(name), name]));
  return { names: [...paths.keys()], open: (name) => inputs.open(paths.get(name)!) };
}

/** The ratings of the inputs. */
export function recordsOf(
  format: Extract<LogFormat, { yields: "ratings" }>,
  inputs: Inputs,
): AsyncIterable<RatingRecord> {
  const { names, open } = plainFiles(inputs);
  return format.read(names, open);
}

/** How several inputs become one: merged by time, or one after the other as they are given. */
export type Joining = "merge" | "append";

/** The events of the inputs. */
export function eventsOf(
  format: EventFormat,
  inputs: Inputs,
  given: ReaderOptions,
  joining: Joining = "merge",
): AsyncIterable<LiveEvent> {
  const options = withChosen(given);
  if (OWN.includes(format.name.split(",")[0]!)) return new Batched(ownEvents(format, inputs, options, joining));
  const { names, open } = plainFiles(inputs);
  if (!format.isByFile || joining === "append" || names.length < 2) return format.read(names, open, options);
  return new Batched(otherEvents(format, inputs, options));
}

/** The events of files that can each be read alone, merged by time. */
async function* otherEvents(
  format: EventFormat,
  inputs: Inputs,
  options: ReaderOptions,
): AsyncGenerator<readonly LiveEvent[], void, undefined> {
  const { names, open } = plainFiles(inputs);
  const sources: BatchSource<LiveEvent>[] = [];
  for (const [i, name] of names.entries()) {
    const { bytes } = await inputs.head(inputs.names[i]!);
    const from = await firstOf(format.read([name], () => [bytes], { onError: "skip", report: emptyQualityReport() }));
    sources.push({ from, open: () => inBatches(format.read([name], open, options)) });
  }
  yield* mergeBatches(sources);
}

async function* ownEvents(
  format: EventFormat,
  inputs: Inputs,
  options: ReaderOptions,
  joining: Joining,
): AsyncGenerator<readonly LiveEvent[], void, undefined> {
  const sources: BatchSource<LiveEvent>[] = [];
  for (const name of inputs.names) {
    const head = await inputs.head(name);
    const layout = formatted(format, head.layout);
    // LiveQ's own files may have any name, which messages show in full.
    const open = () => inBatches(readOwn(layout, inputs.open(name), { ...options, name: titleOf(name) }));
    sources.push({ from: head.from, open });
  }
  if (joining === "merge" && sources.length > 1) yield* mergeBatches(sources);
  else for (const { open } of sources) yield* open();
}

/** The layout of a file: as its first bytes say, if the format does not say otherwise. */
function formatted({ name }: EventFormat, layout: OwnLayout | undefined): OwnLayout {
  if (layout !== undefined && name.split(", ").includes(layout.name)) return layout;
  return { name: name.split(", ")[0] as OwnLayout["name"] };
}

/** The events of the inputs, in any layout of events. Default: merged by time. @throws Error for another layout. */
export async function openEvents(inputs: Inputs, joining: Joining = "merge"): Promise<AsyncIterable<LiveEvent>> {
  const format = await formatOf(inputs, "auto");
  if (format.yields !== "events") {
    throw new Error(`${inputs.title}: must hold events, got ${format.yields} (${format.description})`);
  }
  return eventsOf(format, inputs, {}, joining);
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
