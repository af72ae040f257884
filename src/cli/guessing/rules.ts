import type { EventRule } from "../../logs/index.js";
import type { Facts } from "./facts.js";
import { eventKind, type Fields, type Guesser } from "./guesser.js";
import { flagKind, kindsOf } from "./kinds.js";

function withFields(fields: Fields): { fields?: Fields } {
  return Object.keys(fields).length === 0 ? {} : { fields };
}

/** How often each value of a column occurs. */
function countsOf({ values }: Facts): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) {
    if (value !== undefined) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  }
  return counts;
}

/** The kind that can be made of a guessed one with the columns at hand. */
function ableKind(kind: string, { roles }: Guesser): string {
  if (kind === "watch" && roles.duration === undefined) return "click";
  return kind === "rating" && roles.rating === undefined ? "like" : kind;
}

/** Rules for the values of a column of kinds; none if it tells no kind. */
export function byKind(guesser: Guesser): EventRule[] {
  const facts = guesser.roles.kind?.facts;
  if (facts === undefined) return [];
  const counts = countsOf(facts);
  const known = kindsOf([...counts.keys()]);
  const open = [...counts].filter(([value]) => !known.has(value));
  const shown = open.slice(0, 8).map(([value, n]) => `${value} (${n} rows)`);
  if (known.size === 0) {
    guesser.notes.push(`${facts.name} may tell kinds, but nothing tells what its values mean: ${shown.join(", ")}`);
    return [];
  }
  if (open.length > 0) {
    guesser.notes.push(`left out, as their kind is not known: ${facts.name} = ${shown.join(", ")}; add rules for them`);
  }
  const values = new Map<string, string[]>();
  for (const [value, { kind, why }] of known) {
    const able = ableKind(kind, guesser);
    // Of streams themselves, which need more than rows of users hold.
    if (["on_air", "off_air", "update"].includes(able)) continue;
    values.set(able, [...(values.get(able) ?? []), value]);
    guesser.say(eventKind(able), `${facts.name} = ${value}`, why ?? `${counts.get(value)} rows`);
  }
  guesser.used.add(facts.name);
  return Array.from(values, ([kind, own]) => ({
    kind: eventKind(kind),
    when: { [facts.name]: own.length === 1 ? own[0]! : own },
    ...withFields(guesser.fieldsOf(kind)),
  }));
}

/** Rules for columns of 0 and 1; none if there is none that tells a kind. */
export function byFlags(guesser: Guesser): EventRule[] {
  const flags = guesser.columns.flatMap((facts) => {
    const kind = facts.isFlag ? flagKind(facts.words) : undefined;
    return kind === undefined ? [] : [{ facts, kind }];
  });
  if (flags.length === 0) return [];
  const rules: EventRule[] = [];
  if (flags.some(({ kind, facts }) => kind === "click" && facts.distinct > 1)) {
    guesser.say("impression", "every row", "rows without a click are there too");
    rules.push({ kind: "impression", ...withFields(guesser.fieldsOf("impression")) });
  }
  for (const { facts, kind } of flags) {
    guesser.used.add(facts.name);
    guesser.say(eventKind(kind), `${facts.name} = 1`, "a column of 0 and 1 of that name");
    rules.push({ kind: eventKind(kind), when: { [facts.name]: true }, ...withFields(guesser.fieldsOf(kind)) });
  }
  const { duration } = guesser.roles;
  if (duration === undefined) return rules;
  return [...rules, { kind: "watch", when: { [duration.facts.name]: { ">": 0 } }, fields: guesser.fieldsOf("watch") }];
}

/** Rules for a log whose rows are all of one kind. */
export function byContent(guesser: Guesser): EventRule[] {
  const { rating, duration, start, end, message, amount } = guesser.roles;
  if (rating !== undefined) {
    guesser.say("rating", "every row", "the rows have ratings");
    return [{ kind: "rating", fields: guesser.fieldsOf("rating") }];
  }
  if (duration !== undefined || (start !== undefined && end !== undefined)) {
    guesser.say("click, watch", "every row", "the rows have durations");
    return [{ kind: "click" }, { kind: "watch", fields: guesser.fieldsOf("watch") }];
  }
  if (message !== undefined && message.fit > 0.4) {
    guesser.tell("comment", message, "the text itself is not kept: that a line was written is what counts");
    return [{ kind: "comment" }];
  }
  if (amount !== undefined && amount.fit > 0.4) {
    guesser.say("purchase", "every row", "the rows have amounts");
    return [{ kind: "purchase", fields: guesser.fieldsOf("purchase") }];
  }
  guesser.say("click", "every row", "nothing says what else the rows are");
  return [{ kind: "click" }];
}

/** Whether a value lists items with a mark of 0 or 1 for those clicked: `N12-1 N7-0`. */
function isMarked(value: unknown): boolean {
  return typeof value === "string" && value.split(" ").every((item) => item.length > 2 && /-[01]$/.test(item));
}

const SHOWN = /^(?:items|impressions?|slate|shown|products|streams|rooms|recommendations|candidates)$/;
const ITEM = /(?:^|_)id$|Id$|^(?:item|stream|room|product|sku)$/;

/** The rules of a column of lists; none if the column is another. */
function listRules(guesser: Guesser, facts: Facts): EventRule[] {
  const there = facts.values.filter((value) => value !== undefined);
  const column = facts.name;
  if (there.length > 0 && there.every(isMarked)) {
    guesser.say("impression, click", column, "lists of items with -1 for those clicked");
    const each = { column, separator: " ", parts: "-" };
    return [
      { kind: "impression", each, fields: { stream: "$.0", position: "$index" } },
      { kind: "click", each, when: { "$.1": 1 }, fields: { stream: "$.0" } },
    ];
  }
  if (!facts.isList || !SHOWN.test(facts.words.join(""))) return [];
  const element: unknown = there.flat(1)[0];
  const isObject = typeof element === "object" && element !== null;
  const key = isObject ? Object.keys(element).find((name) => ITEM.test(name)) : undefined;
  if (isObject && key === undefined) return [];
  guesser.say("impression", column, "a list of what was shown");
  return [{ kind: "impression", each: column, fields: { stream: key ? `$.${key}` : "$", position: "$index" } }];
}

/** Rules for lists in the rows: one impression for each element. */
export function byLists(guesser: Guesser): EventRule[] {
  for (const facts of guesser.columns) {
    const rules = listRules(guesser, facts);
    if (rules.length === 0) continue;
    guesser.used.add(facts.name);
    return rules;
  }
  return [];
}

/** Rules for a log of broadcasts, without users: streams go on air, and off. */
export function byBroadcasts(guesser: Guesser): EventRule[] {
  const { stream, start, end, duration, category, title, streamer } = guesser.roles;
  if (stream === undefined || start === undefined || (category === undefined && title === undefined)) return [];
  const length = guesser.duration();
  guesser.say("on_air", "every row", "no users, but starts with categories or titles");
  const optional = (["title", "tags", "language"] as const).flatMap((role) => {
    const choice = guesser.roles[role];
    if (choice === undefined) return [];
    guesser.tell(role, choice, `${choice.facts.distinct} different`);
    return [[role, role === "tags" ? { column: choice.facts.name, separator: "," } : choice.facts.name] as const];
  });
  if (category !== undefined) guesser.tell("category", category, `${category.facts.distinct} different`);
  const fields: Fields = {
    streamer: guesser.id("streamer") ?? (streamer ?? stream).facts.name,
    category: category === undefined ? { value: "live" } : { column: category.facts.name, default: "live" },
    ...Object.fromEntries(optional),
  };
  const rules: EventRule[] = [{ kind: "on_air", fields }];
  if (end === undefined && duration === undefined) return rules;
  const { time } = start.facts;
  const written = { ...(time!.unit && { unit: time!.unit }), ...(time!.format && { format: time!.format }) };
  const off =
    end !== undefined ? { column: end.facts.name, ...written } : { column: start.facts.name, ...written, add: length! };
  return [...rules, { kind: "off_air", fields: { time: off } }];
}
