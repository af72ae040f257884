import { mustBe } from "../../check/index.js";
import { asEvent, fieldsOf, KINDS, type LiveEvent } from "../../protocol/index.js";
import { skipLine } from "../report.js";
import { parseIsoTime, parseNumber } from "../values.js";
import { type CsvOptions, readRows } from "./csv.js";
import { PIECE } from "./jsonl.js";
import { LineError } from "./lines.js";
import type { ByteSource } from "./text.js";

/** The column of a field of events, and how to convert its text. */
export interface CsvFieldMapping {
  /** `a|b` is the first of two that exists; `?a` may be missing. */
  column: string;
  /** Unit of a `time` that is a number; ISO 8601 dates are read in any case. Default ms. */
  unit?: "s" | "ms";
  /** Multiplies numbers: 60000 converts minutes to milliseconds. Default 1. */
  scale?: number;
  /** Separates the entries of `tags`. Default: they are a JSON list, as `toCsv` writes them. */
  separator?: string;
}

/** How to convert records to events. */
export interface CsvEventMapping {
  /** The kind of all events; or its column, with the kinds that its values stand for if they are not kinds themselves. */
  kind: LiveEvent["kind"] | { column: string; values?: Readonly<Record<string, LiveEvent["kind"]>> };
  /** For each field of events its column, or a mapping. Empty text leaves the field out. */
  fields: Readonly<Record<string, string | CsvFieldMapping>>;
}

/** Every field of events, in the order in which `toCsv` writes them. */
const FIELDS: readonly string[] = [...new Set(KINDS.flatMap((kind) => fieldsOf(kind)))];
const NUMBERS = new Set("watchMs dwellMs position viewers likes rating amount value age".split(" "));

/** The mapping of files that `toCsv` writes, and of files with some of their columns. */
const OWN: CsvEventMapping = {
  kind: { column: "kind" },
  fields: Object.fromEntries(FIELDS.map((field) => [field, `?${field}`])),
};

type Convert = (text: string) => unknown;

/** Inconvertible text stays text; the schema then refuses it with a message. */
function converter(field: string, { unit = "ms", scale = 1, separator }: CsvFieldMapping): Convert {
  if (unit !== "ms" && unit !== "s") throw mustBe(`fields.${field}.unit`, '"s" or "ms"', unit);
  if (!Number.isFinite(scale)) throw mustBe(`fields.${field}.scale`, "a finite number", scale);
  const factor = unit === "s" ? 1000 : scale;
  const number: Convert = (text) => {
    const value = parseNumber(text);
    return Number.isNaN(value) ? text : value * factor;
  };
  if (NUMBERS.has(field)) return number;
  if (field === "time") {
    return (text) => {
      const moment = parseIsoTime(text);
      return Number.isNaN(moment) ? number(text) : moment;
    };
  }
  if (field === "mature")
    return (text) => (/^(?:true|1)$/i.test(text) ? true : /^(?:false|0)$/i.test(text) ? false : text);
  if (field === "tags" && separator !== undefined) return (text) => text.split(separator).map(own);
  if (field === "tags" || field === "embeddings") return json;
  return own;
}

/** A slice of at least this length keeps the whole text alive in V8. */
const CUT = 13;

/** A copy of the text, so that a remembered id does not keep the piece alive from which it was cut. */
function own(text: string): string {
  return text.length < CUT ? text : JSON.parse(JSON.stringify(text));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

interface Setter {
  column: number;
  field: string;
  convert: Convert;
}

/** For each kind, how to read its fields from the wanted columns; column 0 is the kind if it is not fixed. */
function plan(mapping: CsvEventMapping): { wanted: string[]; setters: Map<string, Setter[]> } {
  const { kind, fields } = mapping;
  const kinds = typeof kind === "string" ? [kind] : KINDS;
  if (typeof kind === "string" && !KINDS.includes(kind)) throw mustBe("kind", `one of ${KINDS.join(", ")}`, kind);
  const wanted = typeof kind === "string" ? [] : [kind.column];
  const all: Setter[] = Object.entries(fields).map(([field, given]) => {
    const known = kinds.some((one) => fieldsOf(one).includes(field));
    if (!known) throw new TypeError(`"fields.${field}" is not a field of ${kinds.length > 1 ? "events" : kinds[0]}`);
    const more = typeof given === "string" ? { column: given } : given;
    return { field, column: wanted.push(more.column) - 1, convert: converter(field, more) };
  });
  const setters = kinds.map((one): [string, Setter[]] => {
    const own = new Set(fieldsOf(one));
    return [one, all.filter(({ field }) => own.has(field))];
  });
  return { wanted, setters: new Map(setters) };
}

/**
 * Reads events from comma-separated records.
 *
 * @param mapping The columns of the fields. If the kind is read from a column, fields that the kind of a record does not
 * have are left out. Default: as `toCsv` writes them.
 * @throws LineError naming line and field of an invalid event, unless `onError` is `skip`.
 */
export async function* readCsvEvents(
  source: ByteSource,
  mapping: CsvEventMapping = OWN,
  options: CsvOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  const { wanted, setters } = plan(mapping);
  const { kind } = mapping;
  const values = typeof kind === "string" ? undefined : kind.values;
  const { onError, report } = options;
  for await (const row of readRows(source, { ...options, wanted })) {
    const given = typeof kind === "string" ? kind : row.text(0);
    const name = values === undefined ? given : Object.hasOwn(values, given) ? values[given]! : given;
    const event: Record<string, unknown> = { kind: name };
    for (const { column, field, convert } of setters.get(name) ?? []) {
      const text = row.text(column);
      if (text !== "") event[field] = convert(text);
    }
    let checked: LiveEvent;
    try {
      checked = asEvent(event);
    } catch (cause) {
      const error = new LineError(options.name, row.number, cause);
      if (onError !== "skip") throw error;
      if (report !== undefined) skipLine(report, error.message);
      continue;
    }
    yield checked;
  }
}

function cell(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Writes events as `readCsvEvents` reads them, in pieces of whole records: a header, with one column for each field that
 * events may have, then the events. An empty title or description reads back as a missing one.
 */
export async function* toCsv(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
): AsyncGenerator<string, void, undefined> {
  let piece = `kind,${FIELDS.join(",")}\n`;
  for await (const event of events) {
    const fields = event as unknown as Record<string, unknown>;
    piece += `${event.kind},${FIELDS.map((field) => cell(fields[field])).join(",")}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
