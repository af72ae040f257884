import { show } from "../../check/index.js";
import { asEvent, EventError, fieldsOf, KINDS, type LiveEvent } from "../../protocol/index.js";
import type { Columns, Place } from "./columns.js";
import { rowTest } from "./conditions.js";
import { type Conversion, fieldGetter, type Get } from "./convert.js";
import type { EachMapping, EventMapping, EventRule, FieldMapping } from "./mapping.js";

/** Takes an event of a row, or why there is none. */
export type TakeEvent = (event: LiveEvent | Error) => void;

/** Gives the events of a row; returns whether there were any, or errors. */
export type ReadRow = (row: unknown, give: TakeEvent) => boolean;

interface Setter {
  field: string;
  get: Get;
}

/** The rules of a mapping, with the fields that all share. */
function rulesOf({ source: _, events, ...rule }: EventMapping): EventRule[] {
  if (events === undefined) return [rule as EventRule];
  const list = Array.isArray(events) ? (events as readonly EventRule[]) : [events as EventRule];
  return list.map((one) => ({ ...one, fields: { ...rule.fields, ...one.fields } }));
}

/** The columns that a mapping reads, without marks; `$` parts aside. */
export function columnsOf(mapping: EventMapping): string[] {
  const names: string[] = [];
  const add = (field: string | FieldMapping) => {
    if (typeof field === "string") names.push(field);
    else {
      names.push(...[field.column, field.from, field.to].filter((one) => one !== undefined), ...(field.join ?? []));
      if (field.add !== undefined) add(field.add);
    }
  };
  for (const { kind, when = {}, each, fields = {} } of rulesOf(mapping)) {
    if (typeof kind !== "string") names.push(kind.column);
    if (each !== undefined) names.push(typeof each === "string" ? each : each.column);
    names.push(...Object.keys(when));
    for (const field of Object.values(fields)) add(field);
  }
  return names.flatMap((name) => name.replace(/^\?/, "").split("|")).filter((name) => !/^\$(?:$|index$|\.)/.test(name));
}

/** How to read the kind of a row: the empty text for a row to leave out. */
function kindGetter(kind: Exclude<EventRule["kind"], string>, columns: Columns): (row: unknown) => string {
  const { column, values = {}, otherwise = "refuse" } = kind;
  const get = columns(column);
  const known: ReadonlySet<string> = new Set(KINDS);
  return (row) => {
    const value = get(row);
    const text = value === undefined ? "" : String(value);
    if (Object.hasOwn(values, text)) return values[text]!;
    if (known.has(text)) return text;
    if (otherwise === "skip") return "";
    if (otherwise !== "refuse") return otherwise;
    const choices = [...Object.keys(values), ...KINDS].join(", ");
    throw new EventError("kind", `"kind" must be one of ${choices}, got ${show(value)}`);
  };
}

/** Reads the elements of a row's list. */
function listGetter(each: string | EachMapping, columns: Columns): (row: unknown) => readonly unknown[] {
  const { column, separator, parts } = typeof each === "string" ? ({ column: each } as EachMapping) : each;
  const get = columns(column);
  const cut = parts === undefined ? (one: unknown) => one : (one: unknown) => String(one).split(parts);
  return (row) => {
    let list = get(row);
    if (list === undefined) return [];
    if (typeof list === "string" && separator !== undefined) list = list.split(separator).filter((one) => one !== "");
    if (typeof list === "string") {
      try {
        list = JSON.parse(list);
      } catch {
        // Refused below.
      }
    }
    if (!Array.isArray(list)) throw new EventError("", `"${column}" must be a list, got ${show(list)}`);
    return parts === undefined ? list : list.map(cut);
  };
}

/** Makes the event of a row by its setters. */
function build(kind: string, setters: readonly Setter[], row: unknown): LiveEvent {
  const event: Record<string, unknown> = { kind };
  for (let i = 0; i < setters.length; i++) {
    const { field, get } = setters[i]!;
    const value = get(row);
    if (value !== undefined) event[field] = value;
  }
  return asEvent(event);
}

/** Makes the one event of a row, or none. */
function maker({ kind, fields = {} }: EventRule, columns: Columns, conversion: Conversion) {
  const kinds: readonly string[] = typeof kind === "string" ? [kind] : KINDS;
  const known = new Set(kinds.flatMap((one) => fieldsOf(one)));
  const all = Object.entries(fields)
    .filter(([field]) => known.has(field))
    .map(([field, from]): Setter => ({ field, get: fieldGetter(field, from, conversion) }));
  const setters = new Map(
    kinds.map((one) => {
      const own = new Set(fieldsOf(one));
      return [one, all.filter(({ field }) => own.has(field))];
    }),
  );
  if (typeof kind === "string") return (row: unknown) => build(kind, all, row);
  const kindOf = kindGetter(kind, columns);
  return (row: unknown) => {
    const name = kindOf(row);
    return name === "" ? undefined : build(name, setters.get(name) ?? [], row);
  };
}

function compileRule(rule: EventRule, columns: Columns, conversion: Conversion, place: Place): ReadRow {
  const { when, each } = rule;
  // Columns in this order: the first that is missing is named.
  const make = maker(rule, columns, conversion);
  const applies = when === undefined ? undefined : rowTest(when, columns);
  const one: ReadRow = (row, give) => {
    try {
      if (applies !== undefined && !applies(row)) return false;
      const event = make(row);
      if (event === undefined) return false;
      give(event);
    } catch (error) {
      give(error as Error);
    }
    return true;
  };
  if (each === undefined) return one;
  const elements = listGetter(each, columns);
  return (row, give) => {
    let list: readonly unknown[];
    try {
      list = elements(row);
    } catch (error) {
      give(error as Error);
      return true;
    }
    let isAny = false;
    for (let i = 0; i < list.length; i++) {
      place.element = list[i];
      place.index = i;
      if (one(row, give)) isAny = true;
    }
    return isAny;
  };
}

/** Compiles a mapping that has been checked. */
export function compile(mapping: EventMapping, columns: Columns, place: Place, warn: (what: string) => void): ReadRow {
  const conversion: Conversion = { get: columns, decimal: mapping.source?.decimal ?? ".", warn };
  const rules = rulesOf(mapping).map((rule) => compileRule(rule, columns, conversion, place));
  if (rules.length === 1) return rules[0]!;
  return (row, give) => {
    let isAny = false;
    for (let i = 0; i < rules.length; i++) if (rules[i]!(row, give)) isAny = true;
    return isAny;
  };
}
