import { EventError } from "../../protocol/index.js";
import { type FoundColumn, findColumn } from "../readers/csv.js";
import type { Get } from "./convert.js";
import type { MappedSource } from "./mapping.js";

/** Texts of databases for a missing value. */
const NULLS: readonly string[] = ["", "NULL", "null", "\\N"];

/** A test for missing values. */
function absence(nulls: readonly string[] = NULLS): (value: unknown) => boolean {
  const texts = new Set(nulls);
  const longest = Math.max(0, ...nulls.map((text) => text.length));
  return (value) =>
    value === undefined ||
    value === null ||
    (typeof value === "string" && value.length <= longest && texts.has(value)) ||
    Number.isNaN(value);
}

function own(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

/** The value at a path in a value of JSON; a key with dots in it comes before the path that it would be. */
function pathGetter(path: string): Get {
  if (!path.includes(".")) return (value) => own(value, path);
  const keys = path.split(".");
  return (value) => {
    const whole = own(value, path);
    if (whole !== undefined) return whole;
    let at = value;
    for (let i = 0; i < keys.length; i++) at = own(at, keys[i]!);
    return at;
  };
}

/** The element of a list that a rule is at. */
export interface Place {
  element: unknown;
  index: number;
}

/** The names that `a|b` and `?a` stand for. */
function alternatives(column: string): string[] {
  return column.replace(/^\?/, "").split("|");
}

/** A getter of a part of an element: `$`, `$.id`, `$index`; undefined for a column of the row. */
function elementGetter(name: string, place: Place): Get | undefined {
  if (name === "$") return () => place.element;
  if (name === "$index") return () => place.index;
  if (!name.startsWith("$.")) return undefined;
  const get = pathGetter(name.slice(2));
  return () => get(place.element);
}

/** Makes getters of values by name. */
export type Columns = (column: string) => Get;

/** The values of JSON objects. Of alternatives, the first that a row has. */
export function objectColumns({ nulls }: MappedSource, place: Place): Columns {
  const isAbsent = absence(nulls);
  return (column) => {
    const getters = alternatives(column).map((name) => elementGetter(name, place) ?? pathGetter(name));
    return (row) => {
      for (let i = 0; i < getters.length; i++) {
        const value = getters[i]!(row);
        if (!isAbsent(value)) return value;
      }
      return undefined;
    };
  };
}

/** The column that holds a name's value as JSON, and the path in it: `payload.user.id` in the column `payload`. */
function holderOf(columns: readonly string[], name: string): [at: number, path: string] | undefined {
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
    const at = columns.indexOf(name.slice(0, dot));
    if (at >= 0) return [at, name.slice(dot + 1)];
  }
  return undefined;
}

/** A getter of the values of a column that holds JSON; several may share one, and each row is parsed once. */
function parsed(at: number, column: string): Get {
  let last: unknown;
  let value: unknown;
  return (row) => {
    if (row === last) return value;
    const text = (row as readonly string[])[at]!;
    try {
      value = text === "" ? undefined : JSON.parse(text);
    } catch {
      throw new EventError("", `the column "${column}" must hold JSON, got ${JSON.stringify(text.slice(0, 40))}`);
    }
    last = row;
    return value;
  };
}

/** The values of records with these columns. @throws Error for a column that is not among them. */
export function recordColumns(
  columns: readonly string[],
  { nulls }: MappedSource,
  place: Place,
  where: string,
): Columns {
  const isAbsent = absence(nulls);
  const shared = new Map<number, Get>();
  return (column) => {
    const part = elementGetter(alternatives(column)[0]!, place);
    if (part !== undefined) {
      return (row) => {
        const value = part(row);
        return isAbsent(value) ? undefined : value;
      };
    }
    for (const name of alternatives(column)) {
      const holder = columns.includes(name) ? undefined : holderOf(columns, name);
      if (holder === undefined) continue;
      const [at, path] = holder;
      const whole = shared.get(at) ?? parsed(at, columns[at]!);
      shared.set(at, whole);
      const get = pathGetter(path);
      return (row) => {
        const value = get(whole(row));
        return isAbsent(value) ? undefined : value;
      };
    }
    const { at }: FoundColumn = findColumn(columns, column, where);
    if (at < 0) return () => undefined;
    return (row) => {
      const text = (row as readonly string[])[at];
      return isAbsent(text) ? undefined : text;
    };
  };
}
