import type { LiveEvent } from "../../protocol/index.js";
import { Batched, countWarning, leaveOut, skipLine } from "../basics/index.js";
import { readRecords } from "../readers/csv.js";
import { readElements } from "../readers/jsonarray.js";
import { parseLine } from "../readers/jsonl.js";
import { LineError } from "../readers/lines.js";
import type { ByteSource } from "../readers/pieces.js";
import { type CsvOptions, Records } from "../readers/records.js";
import { type CheckedReader, checkedReader, type ReaderOptions, readLineBlocks } from "../readers/text.js";
import { checkMapping } from "./check.js";
import { objectColumns, type Place, recordColumns } from "./columns.js";
import { LIVE_CSV } from "./livecsv.js";
import type { EventMapping } from "./mapping.js";
import { columnsOf, compile, type ReadRow } from "./rows.js";

/** Events and errors of a block of lines, in their order; the numbers of the lines of errors are in the errors. */
type Block = (LiveEvent | LineError)[];

/** Depth of a nested row: what exports of databases and of trackers hold. */
const DEPTH = 64;

/** What reading needs to know of a mapping, beside how to read a row. */
interface Reading {
  readonly mapping: EventMapping;
  readonly options: CheckedReader;
  readonly place: Place;
  readonly warn: (what: string) => void;
  /** Names of the columns that the mapping reads, if others are refused. */
  readonly known: ReadonlySet<string> | undefined;
}

function refuseUnknown(columns: readonly string[], known: ReadonlySet<string> | undefined): string | undefined {
  if (known === undefined) return undefined;
  const other = columns.find((column) => !known.has(column));
  return other === undefined ? undefined : `the column ${JSON.stringify(other)} is not in the mapping`;
}

/** What is wrong with a row of JSON. */
function faultOf(row: unknown, known: ReadonlySet<string> | undefined): unknown {
  if (row instanceof Error) return row;
  if (typeof row !== "object" || row === null || Array.isArray(row)) return "must be one JSON object";
  return refuseUnknown(Object.keys(row), known);
}

/** Reads the rows of a block: its events and errors, and counts of those without either. */
function takeRow(read: ReadRow, row: unknown, line: number, block: Block, { options }: Reading): void {
  const isAny = read(row, (event) => {
    block.push(event instanceof Error ? new LineError(options.name, line, event) : event);
  });
  if (!isAny && options.report !== undefined) leaveOut(options.report);
}

async function* recordBlocks(source: ByteSource, reading: Reading): AsyncGenerator<Block, void, undefined> {
  const { mapping, options, place, warn, known } = reading;
  const { format, decimal: _, nulls: __, encoding, ...dialect } = mapping.source ?? {};
  const { unknown: ___, ...reader } = options;
  const separator = dialect.separator ?? (format === "tsv" ? "\t" : ",");
  const records = new Records({ ...reader, ...dialect, separator, ...(encoding === undefined ? {} : { encoding }) });
  let read: ReadRow | undefined;
  for await (const block of readRecords(source, records)) {
    if (read === undefined && records.columns.length > 0) {
      const fault = refuseUnknown(records.columns, known);
      if (fault !== undefined) throw new Error(`${records.where}${fault}`);
      read = compile(mapping, recordColumns(records.columns, mapping.source ?? {}, place, records.where), place, warn);
    }
    const events: Block = [];
    for (const [fields, line] of block) {
      if (fields instanceof LineError) events.push(fields);
      else takeRow(read!, fields, line, events, reading);
    }
    yield events;
  }
}

/** Texts of JSON objects, one a line or elements of an array, and the line on which each begins. */
type Texts = AsyncGenerator<(readonly [text: string | LineError, line: number])[]>;

async function* lineTexts(source: ByteSource, options: CheckedReader): Texts {
  for await (const { first, lines } of readLineBlocks(source, options)) yield lines.map((line, i) => [line, first + i]);
}

async function* objectBlocks(source: ByteSource, reading: Reading): AsyncGenerator<Block, void, undefined> {
  const { mapping, options, place, warn, known } = reading;
  const { encoding, format } = mapping.source ?? {};
  const read = compile(mapping, objectColumns(mapping.source ?? {}, place), place, warn);
  const reader = { ...options, ...(encoding && { encoding }) };
  for await (const block of format === "json" ? readElements(source, reader) : lineTexts(source, reader)) {
    const events: Block = [];
    for (const [text, line] of block) {
      const row = typeof text === "string" ? parseLine(text, DEPTH) : text;
      if (row === undefined) continue;
      const fault = faultOf(row, known);
      if (fault !== undefined) events.push(row instanceof LineError ? row : new LineError(options.name, line, fault));
      else takeRow(read, row, line, events, reading);
    }
    yield events;
  }
}

async function* mappedBatches(
  source: ByteSource,
  mapping: EventMapping,
  options: ReaderOptions,
  isOwn = false,
): AsyncGenerator<LiveEvent[], void, undefined> {
  const reader = checkedReader(options);
  const { onError, report } = reader;
  const columns = columnsOf(checkMapping(mapping)).flatMap((name) => [name, name.split(".")[0]!]);
  const reading: Reading = {
    mapping,
    options: reader,
    place: { element: undefined, index: 0 },
    // Times of simulated logs begin with 0.
    warn: report === undefined || isOwn ? () => {} : (what) => countWarning(report, what),
    known: reader.unknown === "refuse" ? new Set(columns) : undefined,
  };
  const isJson = mapping.source?.format?.startsWith("json");
  for await (const block of isJson ? objectBlocks(source, reading) : recordBlocks(source, reading)) {
    const events: LiveEvent[] = [];
    for (const event of block) {
      if (!(event instanceof LineError)) events.push(event);
      else if (onError === "throw") {
        yield events;
        throw event;
      } else if (report !== undefined) skipLine(report, event.message);
    }
    yield events;
  }
}

/**
 * Reads events from a file of another platform by a mapping: records with commas, tabs or other separators, or objects of
 * JSON. Holds one piece of the source at a time; an invalid row gives none of its events.
 *
 * @param mapping How rows become events; `checkMapping` checks it first.
 * @param options Options of readers; `encoding` in the mapping comes before theirs. With `unknown: "refuse"` columns that
 * the mapping does not read are an error.
 * @throws TypeError or RangeError naming the path of a wrong key or value of the mapping; an Error for a column that the
 * file does not have; LineError naming line and field of an invalid row, unless `onError` is `skip`.
 */
export function readMapped(
  source: ByteSource,
  mapping: EventMapping,
  options: ReaderOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  return new Batched(mappedBatches(source, mapping, options));
}

/**
 * Reads LiveQ's own events from records as `toCsv` writes them, with a column for each field, or some of them.
 * @throws LineError naming line and field of an invalid event, unless `onError` is `skip`.
 */
export function readCsvEvents(
  source: ByteSource,
  options: CsvOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  const { separator, quote, escape: escaping, comment, skip, columns, ...reader } = options;
  const given = Object.entries({ separator, quote, escape: escaping, comment, skip, columns });
  const dialect = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  return new Batched(mappedBatches(source, { ...LIVE_CSV, source: { ...LIVE_CSV.source, ...dialect } }, reader, true));
}
