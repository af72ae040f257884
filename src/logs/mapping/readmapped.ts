import type { LiveEvent } from "../../protocol/index.js";
import { readRecords } from "../readers/csv.js";
import { parseLine } from "../readers/jsonl.js";
import { LineError } from "../readers/lines.js";
import { Records } from "../readers/records.js";
import {
  type ByteSource,
  type CheckedReader,
  checkedReader,
  type ReaderOptions,
  readLineBlocks,
} from "../readers/text.js";
import { countWarning, leaveOut, skipLine } from "../report.js";
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

async function* objectBlocks(source: ByteSource, reading: Reading): AsyncGenerator<Block, void, undefined> {
  const { mapping, options, place, warn, known } = reading;
  const { encoding } = mapping.source ?? {};
  const read = compile(mapping, objectColumns(mapping.source ?? {}, place), place, warn);
  for await (const { first, lines } of readLineBlocks(source, { ...options, ...(encoding && { encoding }) })) {
    const events: Block = [];
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      if (typeof line !== "string") {
        events.push(line);
        continue;
      }
      const row = parseLine(line, DEPTH);
      if (row === undefined) continue;
      const fault = faultOf(row, known);
      if (fault !== undefined) events.push(new LineError(options.name, first + i, fault));
      else takeRow(read, row, first + i, events, reading);
    }
    yield events;
  }
}

/**
 * Reads events from a file of another platform by a mapping: records with commas, tabs or other separators, or one JSON
 * object a line. Holds one piece of the source at a time; an invalid row gives none of its events.
 *
 * @param mapping How rows become events; `checkMapping` checks it first. Default: of files that `toCsv` writes.
 * @param options Options of readers; `encoding` in the mapping comes before theirs. With `unknown: "refuse"` columns that
 * the mapping does not read are an error.
 * @throws TypeError or RangeError naming the path of a wrong key or value of the mapping; an Error for a column that the
 * file does not have; LineError naming line and field of an invalid row, unless `onError` is `skip`.
 */
export async function* readMapped(
  source: ByteSource,
  mapping: EventMapping = LIVE_CSV,
  options: ReaderOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  const reader = checkedReader(options);
  const { onError, report } = reader;
  const warn = (what: string) => {
    if (report !== undefined && mapping !== LIVE_CSV) countWarning(report, what);
  };
  const reading: Reading = {
    mapping: checkMapping(mapping),
    options: reader,
    place: { element: undefined, index: 0 },
    warn,
    known:
      options.unknown === "refuse"
        ? new Set(columnsOf(mapping).flatMap((name) => [name, name.split(".")[0]!]))
        : undefined,
  };
  const blocks = mapping.source?.format === "jsonl" ? objectBlocks(source, reading) : recordBlocks(source, reading);
  for await (const block of blocks) {
    for (const event of block) {
      if (!(event instanceof LineError)) yield event;
      else if (onError === "throw") throw event;
      else if (report !== undefined) skipLine(report, event.message);
    }
  }
}
