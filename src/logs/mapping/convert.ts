import { show } from "../../check/index.js";
import { EventError } from "../../protocol/index.js";
import { parseDuration, parseIsoTime, parseNumber, universal } from "../basics/index.js";
import { holdingOf } from "./check.js";
import { timeReader, zoneOf } from "./clock.js";
import type { FieldMapping } from "./mapping.js";

/** Reads a value of a row; undefined where there is none. */
export type Get = (row: unknown) => unknown;

/** Converts a value that is there. @throws EventError naming the field. */
type Convert = (value: unknown) => unknown;

/** What the conversion of fields needs from the file. */
export interface Conversion {
  /** The getter of a column. */
  get(column: string): Get;
  readonly decimal: "." | ",";
  /** Is told of values that are probably in another unit. */
  warn(what: string): void;
}

const PER: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1e3, min: 6e4, h: 3.6e6 };

/** Times that lie in 1970 to 1973, and after 1979 as seconds, and those after the year 5000 are in another unit. */
const SECONDS = 3e8;
const EARLIEST = 1e11;
const LATEST = 1e14;

function refuse(field: string, must: string, got: unknown): EventError {
  return new EventError(field, `"${field}" must be ${must}, got ${show(got)}`);
}

/** A number as the source writes it; NaN for what is none. */
function numberReader(decimal: "." | ","): (value: unknown) => number {
  const parse = (text: string) => {
    const value = parseNumber(text);
    return Number.isNaN(value) ? parseNumber(text.trim()) : value;
  };
  const read =
    decimal === "." ? parse : (text: string) => (text.includes(".") ? Number.NaN : parse(text.replace(",", ".")));
  return (value) => (typeof value === "number" ? value : typeof value === "string" ? read(value) : Number.NaN);
}

function timeConverter(
  field: string,
  mapping: FieldMapping,
  { decimal, warn }: Conversion,
): (value: unknown) => number {
  const { unit = "ms", scale = 1, format, zone: place } = mapping;
  const zone = place === undefined ? universal : zoneOf(place)!;
  const forms = format === undefined ? [] : typeof format === "string" ? [format] : format;
  const readers = forms.map((form) => timeReader(form)!);
  const toNumber = numberReader(decimal);
  // One division, since the product with .001 is not exact.
  const toMs =
    PER[unit]! < 1
      ? (value: number) => (value * scale) / (1 / PER[unit]!)
      : (value: number) => value * scale * PER[unit]!;
  const units = `"unit" ${show(unit)}`;
  if (readers.length > 0) {
    return (value) => {
      const text = String(value).trim();
      for (const reader of readers) {
        const time = text.length > 80 ? Number.NaN : reader(text, zone);
        if (!Number.isNaN(time)) return time;
      }
      throw refuse(field, `a time as ${forms.join(" or ")}`, value);
    };
  }
  return (value) => {
    if (typeof value === "string") {
      const time = parseIsoTime(value, zone);
      if (!Number.isNaN(time)) return time;
    }
    const time = toMs(toNumber(value));
    if (time < EARLIEST && time >= SECONDS)
      warn(`${field}: lies in 1970 to 1973 with ${units}; are the numbers in seconds?`);
    else if (time > LATEST)
      warn(`${field}: lies after the year 5000 with ${units}; are the numbers in a smaller unit?`);
    else if (Number.isNaN(time)) {
      const text = typeof value === "string" ? parseIsoTime(value.trim(), zone) : Number.NaN;
      if (!Number.isNaN(text)) return text;
      throw refuse(field, 'a number or a time such as 2019-06-30T23:45:00Z ("format" reads other forms)', value);
    }
    return time;
  };
}

/** A slice of at least this length keeps the whole text alive in V8. */
const CUT = 13;
const REMEMBERED = 65_536;

/** Copies of texts, one for each, so that a remembered id does not keep the piece alive from which it was cut. */
function keeper(): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    if (text.length < CUT) return text;
    let own = known.get(text);
    if (own === undefined) {
      if (known.size >= REMEMBERED) known.clear();
      own = JSON.parse(JSON.stringify(text)) as string;
      known.set(own, own);
    }
    return own;
  };
}

function textConverter(field: string, keep: (text: string) => string, prefix = ""): Convert {
  return (value) => {
    if (typeof value === "string") return prefix === "" ? keep(value) : prefix + value;
    if (Number.isSafeInteger(value)) return prefix + String(value);
    throw refuse(field, "text, or an integer up to 2^53 - 1", value);
  };
}

const TRUE = /^(?:1|true|t|yes|y)$/i;
const FALSE = /^(?:0|false|f|no|n)$/i;

/** True or false as databases write it; undefined for other values. */
export function truthOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  const text = String(value);
  return TRUE.test(text) ? true : FALSE.test(text) ? false : undefined;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function tagConverter(field: string, keep: (text: string) => string, separator?: string): Convert {
  const tag = textConverter(field, keep);
  return (value) => {
    const parts = typeof value !== "string" ? value : separator === undefined ? json(value) : value.split(separator);
    if (!Array.isArray(parts)) throw refuse(field, 'a list of texts ("separator" cuts a text)', value);
    const tags = parts.map((part) => (typeof part === "string" && separator !== undefined ? part.trim() : part));
    return tags.filter((part) => part !== "" && part !== null).map(tag);
  };
}

function numberConverter(mapping: FieldMapping, { decimal }: Conversion): Convert {
  const { scale = 1, offset = 0, range: [low, high] = [0, 1] } = mapping;
  const toNumber = numberReader(decimal);
  return (value) => {
    const number = toNumber(value);
    // The schema says what the field must be.
    return Number.isNaN(number) ? value : (number * scale + offset - low) / (high - low);
  };
}

function durationConverter(field: string, { unit = "ms", scale = 1 }: FieldMapping, { decimal }: Conversion): Convert {
  const toNumber = numberReader(decimal);
  const factor = PER[unit]! * scale;
  return (value) => {
    const number = toNumber(value) * factor;
    if (!Number.isNaN(number)) return number;
    const duration = typeof value === "string" ? parseDuration(value.trim()) : Number.NaN;
    if (Number.isNaN(duration)) throw refuse(field, "a number >= 0 or a duration as 01:23:45 or PT1H23M45S", value);
    return duration;
  };
}

function converterOf(field: string, mapping: FieldMapping, conversion: Conversion): Convert {
  const keep = keeper();
  switch (holdingOf(field)) {
    case "time":
      return timeConverter(field, mapping, conversion);
    case "duration":
      return durationConverter(field, mapping, conversion);
    case "number":
      return numberConverter(mapping, conversion);
    case "truth":
      return (value) => truthOf(value) ?? value;
    case "tags":
      return tagConverter(field, keep, mapping.separator);
    case "vectors":
      return (value) => (typeof value === "string" ? json(value) : value);
    default:
      return textConverter(field, keep, mapping.prefix);
  }
}

/** The difference of two times. */
function span(field: string, mapping: FieldMapping, conversion: Conversion): Get {
  const [from, to] = [conversion.get(mapping.from!), conversion.get(mapping.to!)];
  const time = timeConverter(field, mapping, conversion);
  return (row) => {
    const [start, end] = [from(row), to(row)];
    return start === undefined || end === undefined ? undefined : time(end) - time(start);
  };
}

function joined(mapping: FieldMapping, conversion: Conversion, convert: Convert): Get {
  const parts = mapping.join!.map((column) => conversion.get(column));
  const { separator = "-" } = mapping;
  return (row) => {
    const texts = parts.map((get) => get(row));
    return texts.includes(undefined) ? undefined : convert(texts.join(separator));
  };
}

/** How to read a field of events from a row. The mapping has been checked. */
export function fieldGetter(field: string, given: string | FieldMapping, conversion: Conversion): Get {
  const mapping = typeof given === "string" ? { column: given } : given;
  const { column, value, values, add, from, join } = mapping;
  const spare = mapping.default;
  if (value !== undefined) return () => value;
  const convert = converterOf(field, mapping, conversion);
  let read: Get;
  if (from !== undefined) read = span(field, mapping, conversion);
  else if (join !== undefined) read = joined(mapping, conversion, convert);
  else {
    const get = conversion.get(column!);
    read = (row) => {
      const found = get(row);
      return found === undefined ? undefined : convert(found);
    };
    if (values !== undefined) {
      read = (row) => {
        const found = get(row);
        if (found === undefined) return undefined;
        const text = String(found);
        return Object.hasOwn(values, text) ? values[text] : convert(found);
      };
    }
  }
  if (add !== undefined) {
    const [start, length] = [read, fieldGetter("watchMs", add, conversion)];
    read = (row) => {
      const time = start(row) as number | undefined;
      return time === undefined ? undefined : time + ((length(row) as number | undefined) ?? 0);
    };
  }
  if (spare === undefined) return read;
  const inner = read;
  return (row) => inner(row) ?? spare;
}
