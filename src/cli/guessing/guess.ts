import type { EventMapping, EventRule, FieldMapping } from "../../logs/index.js";
import { type Fields, type Guess, Guesser } from "./guesser.js";
import { byBroadcasts, byContent, byFlags, byKind, byLists } from "./rules.js";
import type { Sample } from "./sample.js";

/** A mapping that was guessed, and why. */
export interface GuessedMapping {
  /** Undefined if something is missing without which there are no events. */
  mapping: EventMapping | undefined;
  guesses: Guess[];
  /** What could not be found, in words: `a user`. */
  missing: string[];
  /** What the log does not tell, and what that means for learning. */
  notes: string[];
  /** Columns that nothing is read from. */
  unused: string[];
}

/** What is missing for learning, in words. */
function gaps(rules: readonly EventRule[]): string[] {
  const kinds = new Set(rules.map(({ kind }) => kind));
  const notes: string[] = [];
  const has = (...some: string[]) => some.some((kind) => kinds.has(kind as EventRule["kind"]));
  if (has("on_air") && !has("click", "watch")) return ["no users: these events only say which streams were on air"];
  if (!has("impression")) notes.push("no impressions: what was shown is not known, only what was chosen");
  if (!has("watch", "rating", "purchase")) {
    notes.push("no watch times, ratings or purchases: that something was chosen is all there is to learn from");
  }
  if (!has("on_air")) notes.push("no streams going on and off air: items are there from their first event on");
  return notes;
}

/** A watch is over at its end, but the time of its row is that of its start: then its length is added. */
function atEnd(rule: EventRule, time: FieldMapping, isStart: boolean): EventRule {
  const watch = rule.fields?.["watchMs"];
  if (rule.kind !== "watch" || typeof watch !== "object" || !isStart) return rule;
  const end = watch.to === undefined ? { ...time, add: watch } : { ...time, column: watch.to };
  return { ...rule, fields: { ...rule.fields, time: end } };
}

/** Guesses how the rows of a sample become events, by the names and the values of its columns. */
export function guessMapping(sample: Sample): GuessedMapping {
  const guesser = new Guesser(sample);
  const { roles, columns } = guesser;
  // Rows that begin and end are dated by their start.
  const isStart = roles.start !== undefined && (roles.end !== undefined || roles.time === undefined);
  const time = guesser.time(isStart ? "start" : "time");
  const user = guesser.id("user");
  let rules = byLists(guesser);
  const stream = rules.length > 0 ? undefined : guesser.id("stream");
  const onAir = user === undefined ? byBroadcasts(guesser) : [];
  const missing = [
    ...(time === undefined ? ["a time"] : []),
    ...(user === undefined && onAir.length === 0 ? ["a user"] : []),
    ...(stream === undefined && rules.length === 0 ? ["an item or a stream"] : []),
  ];
  if (rules.length === 0) rules = onAir;
  for (const by of [byKind, byFlags, byContent]) if (rules.length === 0) rules = by(guesser);
  guesser.notes.push(...gaps(rules));
  const named: Fields = { ...(time && { time }), ...(user && { user }), ...(stream && { stream }) };
  if (time !== undefined) rules = rules.map((rule) => atEnd(rule, time, isStart));
  const hasCommas = columns.some(({ name, hasCommas }) => hasCommas && guesser.used.has(name));
  const source = { ...sample.source, ...(hasCommas ? { decimal: "," as const } : {}) };
  const [only] = rules;
  const mapping: EventMapping =
    rules.length === 1
      ? { source, ...only!, fields: { ...named, ...only!.fields } }
      : { source, fields: named, events: rules };
  return {
    mapping: missing.length === 0 ? mapping : undefined,
    guesses: guesser.guesses,
    missing,
    notes: [...new Set(guesser.notes)],
    unused: columns.map(({ name }) => name).filter((name) => !guesser.used.has(name)),
  };
}
