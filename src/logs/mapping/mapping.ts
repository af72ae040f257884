import type { LiveEvent } from "../../protocol/index.js";
import type { CsvDialect } from "../readers/records.js";
import type { TextOptions } from "../readers/text.js";

type Kind = LiveEvent["kind"];

/** A text, a number, or true or false. */
export type Scalar = string | number | boolean;

/** How the rows of a file are written. */
export interface MappedSource extends CsvDialect {
  /** Records with commas (`csv`) or tabs between fields, one JSON object a line, or a JSON array. Default csv. */
  format?: "csv" | "tsv" | "jsonl" | "json";
  /** The decimal mark of numbers. Default `.`. */
  decimal?: "." | ",";
  /** Texts that stand for a missing value, as JSON's null does. Default the empty text, `NULL`, `null` and `\N`. */
  nulls?: readonly string[];
  /** Encoding of bytes. Default utf-8. */
  encoding?: TextOptions["encoding"];
}

/** Where a time comes from, and how it is written. */
export interface TimeMapping {
  /** The column. */
  column?: string;
  /** Unit of times that are numbers. Default ms. */
  unit?: "ns" | "us" | "ms" | "s";
  /** Multiplies times that are numbers, beside `unit`. Default 1. */
  scale?: number;
  /** Forms of times that are text, such as `DD/MM/YYYY HH:mm:ss`. Default ISO 8601, as databases write it. */
  format?: string | readonly string[];
  /** Zone of texts that name none: `+08:00`, `Europe/Berlin`. Default UTC. */
  zone?: string;
}

/**
 * Where a field of events comes from, and how to convert it. Which options a field may have depends on what it holds: a
 * time, a duration, a number, true or false, tags, or text.
 */
export interface FieldMapping extends Omit<TimeMapping, "unit"> {
  /**
   * The column of a record, or the path of a value in a JSON object, such as `user.id`: `a|b` is the first of two that
   * exists, `?a` may be missing. `$` is the element of `each`, `$.id` a part of it, `$index` its position from 0.
   */
  column?: string;
  /** A value for all rows, in place of a column. */
  value?: Scalar | readonly string[];
  /** The value where the column has none. Default: the event lacks the field. */
  default?: Scalar | readonly string[];
  /** What texts stand for: `{ "1": "female" }`. Others stay as they are. */
  values?: Readonly<Record<string, Scalar>>;
  /** Unit of a time (ns, us, ms, s) or a duration (ms, s, min, h) that is a number. Default ms. */
  unit?: "ns" | "us" | "ms" | "s" | "min" | "h";
  /** Multiplies numbers, beside `unit`. Default 1. */
  scale?: number;
  /** Added to numbers, last: -1 for positions that begin with 1. Default 0. */
  offset?: number;
  /** Of ratings: the worst and the best on the platform's scale, such as `[1, 5]`. Default `[0, 1]`. */
  range?: readonly [worst: number, best: number];
  /** Of times: a duration to add, such as the length of a watch to its start. */
  add?: FieldMapping;
  /** Of durations: the column of the start, with `to`; `format`, `zone` and `unit` are those of both times. */
  from?: string;
  /** Of durations: the column of the end. */
  to?: string;
  /** Of text: columns whose texts are joined, with `separator` between them. */
  join?: readonly string[];
  /** Separates the parts of `join` (default `-`), or tags (default: they are a list of JSON). */
  separator?: string;
  /** Of text: comes before it, such as `film-`. */
  prefix?: string;
}

/** The kind of a rule's events by the value of a column. */
export interface KindMapping {
  /** The column, as in `FieldMapping`. */
  column: string;
  /** The kinds that its values stand for, if they are not kinds themselves. */
  values?: Readonly<Record<string, Kind>>;
  /** A row with another value: refused, left out, or of this kind. Default refuse. */
  otherwise?: "refuse" | "skip" | Kind;
}

/** What a value must be; all that is given must hold. */
export interface ValueCondition {
  /** Equal to this, as text, number or truth. */
  equals?: Scalar;
  /** Equal to one of these. */
  in?: readonly Scalar[];
  /** There, or not there. */
  exists?: boolean;
  /** Above this number. */
  ">"?: number;
  /** At least this number. */
  ">="?: number;
  /** Below this number. */
  "<"?: number;
  /** At most this number. */
  "<="?: number;
  /** The condition that must not hold. */
  not?: Condition;
}

/** A value to be equal to, values one of which to be equal to, or more conditions. */
export type Condition = Scalar | readonly Scalar[] | ValueCondition;

/** The list in a row for each element of which there is an event. */
export interface EachMapping {
  /** The column; a list of JSON unless `separator` is given. */
  column: string;
  /** Separates elements of a text. */
  separator?: string;
  /** Separates the parts of an element: of `N12-1` with `-`, `$.0` is `N12` and `$.1` is `1`. */
  parts?: string;
}

/** How a row becomes an event, or one for each element of a list in it. */
export interface EventRule {
  /** The kind, or where it comes from. */
  kind: Kind | KindMapping;
  /** For each column what it must be, or the rule does not apply. Default: it always does. */
  when?: Readonly<Record<string, Condition>>;
  /** The list, if there is one. */
  each?: string | EachMapping;
  /** For each field of events its column, or a mapping. A missing value leaves the field out. */
  fields?: Readonly<Record<string, string | FieldMapping>>;
}

/**
 * How the rows of a file become events: plain JSON. One rule stands in the mapping itself (`kind`, `fields`, ...), several
 * under `events`; each row is offered to all of them. `fields` beside `events` are those of all rules.
 */
export interface EventMapping extends Partial<EventRule> {
  /** How the file is written. */
  source?: MappedSource;
  /** The rules. */
  events?: EventRule | readonly EventRule[];
}
