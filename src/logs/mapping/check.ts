import { boolean, checked, mustBe, oneOf, optional, type Rule, type Rules, show } from "../../check/index.js";
import { fieldsOf, KINDS, type LiveEvent } from "../../protocol/index.js";
import { DIALECT } from "../readers/records.js";
import { timeReader, zoneOf } from "./clock.js";
import type {
  Condition,
  EachMapping,
  EventMapping,
  EventRule,
  FieldMapping,
  KindMapping,
  MappedSource,
  ValueCondition,
} from "./mapping.js";

/** What a field of events holds. */
export type Holding = "time" | "duration" | "number" | "truth" | "tags" | "vectors" | "text";

const NUMBERS = new Set("position viewers likes rating amount value age".split(" "));

export function holdingOf(field: string): Holding {
  if (field === "time" || field === "tags") return field;
  if (field === "watchMs" || field === "dwellMs") return "duration";
  if (field === "mature") return "truth";
  if (field === "embeddings") return "vectors";
  return NUMBERS.has(field) ? "number" : "text";
}

/** Fields without which an event is none. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  ...{ on_air: ["stream", "streamer"], update: ["stream"], off_air: ["stream"], user: ["user"] },
  ...{ watch: ["user", "stream", "watchMs"], heartbeat: ["user", "stream", "watchMs"], page_view: ["user", "dwellMs"] },
  ...{ rating: ["user", "stream", "rating"], gift: ["user", "stream", "amount"] },
  ...{ purchase: ["user", "stream", "amount"], signal: ["user", "stream", "name", "value"] },
  ...{ friend: ["user", "friend"], unfriend: ["user", "friend"] },
};

export function neededOf(kind: string): readonly string[] {
  return ["time", ...(NEEDED[kind] ?? ["user", "stream"])];
}

const name: Rule = [(value) => typeof value === "string" && value !== "", "a text of at least one character"];
const names: Rule = [(value) => Array.isArray(value) && value.length > 0 && value.every(name[0]), "an array of names"];
const isScalar = (value: unknown) => typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
const scalars: Rule = [(value) => Array.isArray(value) && value.every(isScalar), "an array of texts and numbers"];
const finite: Rule = [(value) => Number.isFinite(value), "a finite number"];
const factor: Rule = [(value) => Number.isFinite(value) && value !== 0, "a finite number other than 0"];
const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const table: Rule = [
  (value) => isPlain(value) && Object.values(value).every(isScalar),
  "an object of texts and numbers",
];
const constant: Rule = [
  (value) => isScalar(value) || (Array.isArray(value) && value.every((one) => typeof one === "string")),
  "a text, a number, true or false, or an array of texts",
];
/** A part that is checked after the others. */
const part = (must: string): Rule => [() => true, must];
const form: Rule = [
  (value) =>
    (Array.isArray(value) && value.length > 0 ? value : [value]).every(
      (one) => typeof one === "string" && timeReader(one),
    ),
  'a form with a year, a month and a day such as "DD/MM/YYYY HH:mm:ss" (hh with A), or an array of such',
];
const zone: Rule = [
  (value) => typeof value === "string" && zoneOf(value) !== undefined,
  'an offset such as "+08:00" or a zone such as "Europe/Berlin"',
];

const SOURCE: Rules<MappedSource> = {
  ...DIALECT,
  format: optional(oneOf("csv", "tsv", "jsonl", "json")),
  decimal: optional(oneOf(".", ",")),
  nulls: optional([
    (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
    "an array of texts",
  ]),
  encoding: optional(oneOf("utf-8", "latin-1")),
};

const FIELD: Rules<FieldMapping> = {
  column: optional(name),
  value: optional(constant),
  default: optional(constant),
  values: optional(table),
  unit: optional(oneOf("ns", "us", "ms", "s", "min", "h")),
  scale: optional(factor),
  offset: optional(finite),
  range: optional([
    (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] !== value[1],
    "two different numbers, the worst and the best",
  ]),
  format: optional(form),
  zone: optional(zone),
  add: part("the mapping of a duration"),
  from: optional(name),
  to: optional(name),
  join: optional(names),
  separator: optional([(value) => typeof value === "string", "text"]),
  prefix: optional(name),
};

/** The options of a field, by what it holds. */
const OPTIONS: Readonly<Record<Holding, string>> = {
  time: "column value default unit scale format zone add",
  duration: "column value default unit scale from to format zone",
  number: "column value default values scale offset",
  truth: "column value default values",
  tags: "column value default separator",
  vectors: "column",
  text: "column value default values prefix join separator",
};
const TIME_UNITS = oneOf("ns", "us", "ms", "s");
const LENGTH_UNITS = oneOf("ms", "s", "min", "h");

const RULE: Rules<EventRule> = {
  kind: part("a kind of events, or an object of column, values and otherwise"),
  when: part("an object of conditions by column"),
  each: part("a column, or an object of column, separator and parts"),
  fields: part("an object of columns and mappings"),
};
const MAPPING: Rules<EventMapping> = {
  source: part("an object"),
  ...RULE,
  events: part("a rule or an array of rules"),
};
const KIND: Rules<KindMapping> = { column: name, values: optional(table), otherwise: optional(name) };
const EACH: Rules<EachMapping> = { column: name, separator: optional(name), parts: optional(name) };
const CONDITION: Rules<ValueCondition> = {
  equals: optional([isScalar, "a text, a number, true or false"]),
  in: optional(scalars),
  exists: optional(boolean),
  ">": optional(finite),
  ">=": optional(finite),
  "<": optional(finite),
  "<=": optional(finite),
  not: part("a condition"),
};

function requireObject(value: unknown, path: string): asserts value is Readonly<Record<string, unknown>> {
  if (!isPlain(value)) throw new TypeError(`"${path}" must be an object, got ${show(value)}`);
}

/** Checks the mapping of a field. @throws TypeError or RangeError naming the path. */
export function checkField(field: string, given: unknown, path: string): void {
  if (typeof given === "string") {
    if (given === "") throw mustBe(path, name[1], given);
    return;
  }
  requireObject(given, path);
  const holding = holdingOf(field);
  const own = `${OPTIONS[holding]}${field === "rating" ? " range" : ""}`.split(" ");
  const other = Object.keys(given).find((key) => !own.includes(key));
  if (other !== undefined) throw new TypeError(`"${path}.${other}" is not an option; there are ${own.join(", ")}`);
  const { column, value, from, to, join, add, unit, ...more } = checked<FieldMapping>(given, FIELD, {}, `${path}.`);
  const isSpan = from !== undefined || to !== undefined;
  const [holds, units] = holding === "time" || isSpan ? TIME_UNITS : LENGTH_UNITS;
  if (unit !== undefined && !holds(unit)) throw mustBe(`${path}.unit`, units, unit);
  const sources = Object.entries({ column, value, "from and to": from ?? to, join }).filter(
    ([, one]) => one !== undefined,
  );
  if (sources.length !== 1) {
    const choice = { duration: "column, value, or from and to", text: "column, value or join" };
    const must = `have one of ${choice[holding as "text"] ?? "column and value"}`;
    throw new TypeError(`"${path}" must ${must}, got ${sources.map(([key]) => key).join(" and ") || "none of them"}`);
  }
  if (isSpan && (from === undefined || to === undefined)) {
    throw new TypeError(`"${path}" must have both from and to, got ${from === undefined ? "to" : "from"} alone`);
  }
  if (holding === "duration" && !isSpan && (more.format !== undefined || more.zone !== undefined)) {
    throw new TypeError(`"${path}.${more.format === undefined ? "zone" : "format"}" goes with from and to`);
  }
  if (add !== undefined) checkField("watchMs", add, `${path}.add`);
}

function checkCondition(given: unknown, path: string): void {
  if (isScalar(given)) return;
  if (Array.isArray(given)) {
    if (!scalars[0](given)) throw mustBe(path, scalars[1], given);
    return;
  }
  const { not } = checked<ValueCondition>(given, CONDITION, {}, `${path}.`);
  if (Object.keys(given as object).length === 0) throw new TypeError(`"${path}" must have a condition, got none`);
  if (not !== undefined) checkCondition(not as Condition, `${path}.not`);
}

/** The kinds that a rule can give; all if it reads them from a column. Checks them. */
function checkKind(kind: unknown, path: string): readonly string[] {
  const must = `one of ${KINDS.join(", ")}`;
  const isKind = (value: unknown) => KINDS.includes(value as LiveEvent["kind"]);
  if (typeof kind === "string" || kind === undefined) {
    if (!isKind(kind)) throw mustBe(path, must, kind);
    return [kind!];
  }
  const { values, otherwise } = checked<KindMapping>(kind, KIND, {}, `${path}.`);
  for (const [value, one] of Object.entries(values ?? {})) {
    if (!isKind(one)) throw mustBe(`${path}.values.${value}`, must, one);
  }
  if (otherwise !== undefined && otherwise !== "skip" && otherwise !== "refuse" && !isKind(otherwise)) {
    throw mustBe(`${path}.otherwise`, `refuse, skip or ${must}`, otherwise);
  }
  return KINDS;
}

/** Checks a rule; `shared` are the fields that the mapping has for all rules. */
function checkRule(given: unknown, shared: Readonly<Record<string, unknown>>, path: string): Set<string> {
  const { kind, when, each, fields = {} } = checked<EventRule>(given, RULE, {}, path);
  const kinds = checkKind(kind, `${path}kind`);
  requireObject(fields, `${path}fields`);
  const known = new Set(kinds.flatMap((one) => fieldsOf(one)));
  for (const [field, source] of Object.entries(fields)) {
    if (!known.has(field)) {
      const of = kinds.length > 1 ? "events" : kinds[0];
      throw new TypeError(`"${path}fields.${field}" is not a field of ${of}; there are ${[...known].join(", ")}`);
    }
    checkField(field, source, `${path}fields.${field}`);
  }
  const certain = typeof kind === "string" ? [kind] : Object.values(kind.values ?? {});
  for (const one of certain) {
    const missing = neededOf(one).find((field) => !Object.hasOwn(fields, field) && !Object.hasOwn(shared, field));
    if (missing !== undefined)
      throw new TypeError(`"${path}fields.${missing}" must be given: events of kind ${one} need it`);
  }
  if (when !== undefined) {
    requireObject(when, `${path}when`);
    for (const [column, condition] of Object.entries(when)) checkCondition(condition, `${path}when.${column}`);
  }
  if (typeof each === "string" ? each === "" : each !== undefined) checked<EachMapping>(each, EACH, {}, `${path}each.`);
  return known;
}

/**
 * Checks a mapping, such as one read from a file of JSON.
 * @returns The mapping itself.
 * @throws TypeError for an unknown key or a missing field, RangeError for a wrong value; both name the path:
 * `"events.1.fields.time.units" is not an option; there are column, value, ...`.
 */
export function checkMapping(mapping: unknown): EventMapping {
  requireObject(mapping, "mapping");
  const given = checked<EventMapping>(mapping, MAPPING, {});
  const { source, events, fields: shared = {}, ...rule } = given;
  if (source !== undefined) checked<MappedSource>(source, SOURCE, {}, "source.");
  if (events === undefined) {
    checkRule({ ...rule, fields: shared }, {}, "");
    return mapping;
  }
  const alone = Object.keys(rule).filter((key) => rule[key as keyof typeof rule] !== undefined);
  if (alone.length > 0) throw new TypeError(`"${alone[0]}" must be in the rules of "events", got it beside them`);
  requireObject(shared, "fields");
  const isList = Array.isArray(events);
  if (isList && events.length === 0) throw mustBe("events", "a rule or an array of rules", events);
  const known = new Set<string>();
  (isList ? events : [events]).forEach((one, i) => {
    for (const field of checkRule(one, shared, isList ? `events.${i}.` : "events.")) known.add(field);
  });
  for (const [field, one] of Object.entries(shared)) {
    if (!known.has(field)) throw new TypeError(`"fields.${field}" is not a field of any of the rules' events`);
    checkField(field, one, `fields.${field}`);
  }
  return mapping;
}
