import { skipLine } from "../basics/index.js";
import { Line, type LineError } from "./lines.js";
import { type CsvOptions, Records } from "./records.js";
import { type ByteSource, readLineBlocks } from "./text.js";

export interface RowOptions extends CsvOptions {
  /** Columns to read, in this order: `a|b` is the first that exists, `?a` is empty if there is none. Default all. */
  wanted?: readonly string[];
}

/** Where a column that a reader asks for is among those of a file. */
export interface FoundColumn {
  name: string;
  /** Its position; -1 for an optional column that is missing. */
  at: number;
}

/**
 * The column that a text asks for: `a|b` is the first that exists, `?a` may be missing.
 * @param where Prefix of messages.
 * @throws Error for a missing column.
 */
export function findColumn(columns: readonly string[], wanted: string, where: string): FoundColumn {
  const names = columns.includes(wanted) ? [wanted] : wanted.replace(/^\?/, "").split("|");
  const name = names.find((one) => columns.includes(one));
  if (name !== undefined) return { name, at: columns.indexOf(name) };
  if (wanted.startsWith("?")) return { name: names[0]!, at: -1 };
  throw new Error(`${where}must have a column "${names.join('" or "')}", got ${columns.join(", ")}`);
}

/** The records of each block of lines: fields, or an error in place of a record, and the line on which each begins. */
export async function* readRecords(
  source: ByteSource,
  records: Records,
): AsyncGenerator<(readonly [readonly string[] | LineError, number])[], void, undefined> {
  let block: (readonly [readonly string[] | LineError, number])[] = [];
  const give = (fields: readonly string[] | LineError, line: number) => void block.push([fields, line]);
  for await (const { first, lines } of readLineBlocks(source, records.text)) {
    for (let i = 0; i < lines.length; i++) records.take(lines[i]!, first + i, give);
    yield block;
    block = [];
  }
  records.end(give);
  yield block;
}

/**
 * Reads comma-separated records as in RFC 4180: quoted fields may hold separators, line feeds and doubled quotes. Blank
 * lines are skipped. Holds one piece of the source and one record at a time. A quote that is never closed costs its line,
 * not those after it.
 *
 * @returns Each record as an object of text by column name.
 * @throws LineError naming the line of an invalid record, or of one whose number of fields differs from the header's,
 * unless `onError` is `skip`; an Error for a header that names a column twice.
 */
export async function* readCsv(
  source: ByteSource,
  options: CsvOptions = {},
): AsyncGenerator<Record<string, string>, void, undefined> {
  for await (const row of readRows(source, options)) {
    yield Object.fromEntries(row.columns.map((name, column) => [name, row.text(column)]));
  }
}

/** As `readCsv`, but each row has its line number and checks its fields. */
export async function* readRows(source: ByteSource, options: RowOptions): AsyncGenerator<Line, void, undefined> {
  const { wanted, ...csv } = options;
  const records = new Records(csv);
  const { name, onError, report } = records.text;
  let found: FoundColumn[] | undefined;
  let columns: readonly string[] = [];
  for await (const block of readRecords(source, records)) {
    if (columns.length === 0) columns = records.columns;
    if (wanted !== undefined && columns.length > 0 && found === undefined) {
      found = wanted.map((one) => findColumn(columns, one, records.where));
      columns = found.map((one) => one.name);
    }
    for (const [fields, line] of block) {
      if (fields instanceof Error) {
        if (onError === "throw") throw fields;
        if (report !== undefined) skipLine(report, fields.message);
        continue;
      }
      yield new Line(name, line, columns, found?.map(({ at }) => fields[at] ?? "") ?? fields);
    }
  }
}
