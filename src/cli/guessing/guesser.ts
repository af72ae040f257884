import type { EventRule, FieldMapping } from "../../logs/index.js";
import { type Facts, factsOf } from "./facts.js";
import { type Choice, type Roles, rolesOf } from "./roles.js";
import type { Sample } from "./sample.js";

/** One guess, explained. */
export interface Guess {
  what: string;
  from: string;
  why: string;
  others: string[];
}

export type Fields = Record<string, string | FieldMapping>;

/** Collects guesses while a mapping is made. */
export class Guesser {
  readonly guesses: Guess[] = [];
  readonly notes: string[] = [];
  readonly used = new Set<string>();
  readonly roles: Roles;
  readonly columns: readonly Facts[];

  constructor(sample: Sample) {
    this.columns = sample.columns.map(factsOf);
    this.roles = rolesOf(this.columns, sample.rows);
  }

  /** Tells of a guess, once. */
  say(what: string, from: string, why: string, others: string[] = []): void {
    const isNew = !this.guesses.some((guess) => guess.what === what && guess.from === from);
    if (isNew) this.guesses.push({ what, from, why, others });
  }

  /** Tells of a column for a field. */
  tell(what: string, { facts, fit, others }: Choice, more: string, alternatives: readonly string[] = []): void {
    const named =
      fit > 0.45 ? "by its name" : fit > 0.2 ? "perhaps, by part of its name" : "perhaps, by its values alone";
    this.used.add(facts.name);
    this.say(what, facts.name, `${named}; ${more}`, [...alternatives, ...others.map(({ name }) => name)]);
  }

  time(role: "time" | "start" | "end"): FieldMapping | undefined {
    const choice = this.roles[role];
    if (choice === undefined) return undefined;
    const { unit, format, why, isSure, others } = choice.facts.time!;
    this.tell(role === "time" ? "time" : `time (${role})`, choice, isSure ? why : `NOT SURE: ${why}`, others);
    return {
      column: choice.facts.name,
      ...(unit === undefined || unit === "ms" ? {} : { unit }),
      ...(format === undefined ? {} : { format }),
    };
  }

  id(role: "user" | "stream" | "streamer"): string | undefined {
    const choice = this.roles[role];
    if (choice === undefined) return undefined;
    const { distinct, count } = choice.facts;
    this.tell(role, choice, `${distinct} different in ${count} rows`);
    return choice.facts.name;
  }

  duration(): FieldMapping | undefined {
    const { duration, start, end } = this.roles;
    if (duration === undefined) {
      if (start === undefined || end === undefined) return undefined;
      this.used.add(end.facts.name);
      this.say("watchMs", `${start.facts.name} to ${end.facts.name}`, "end - start");
      const { unit, format } = start.facts.time!;
      const written = { ...(unit && unit !== "ms" ? { unit } : {}), ...(format && { format }) };
      return { from: start.facts.name, to: end.facts.name, ...written };
    }
    const { facts } = duration;
    const column = duration.facts.name;
    if (!facts.isNumber) {
      this.tell("watchMs", duration, "hours, minutes and seconds");
      return { column };
    }
    const { unit, why } = lengthUnit(facts);
    this.tell("watchMs", duration, why, unit === "ms" ? ['"unit": "s"'] : ['"unit": "ms"']);
    return { column, unit };
  }

  rating(): FieldMapping | undefined {
    const choice = this.roles.rating;
    if (choice === undefined) return undefined;
    const { min, max } = choice.facts;
    const scales = [
      [0, 1],
      [-1, 1],
      [1, 5],
      [0.5, 5],
      [0, 5],
      [1, 10],
      [0, 10],
      [0, 100],
    ] as const;
    const range = scales.find(([low, high]) => min >= low && max <= high && max > high / 2.5) ?? [
      min,
      max > min ? max : min + 1,
    ];
    this.tell("rating", choice, `from ${min} to ${max}, so the scale is ${range[0]} to ${range[1]}`);
    return {
      column: choice.facts.name,
      ...(range[0] === 0 && range[1] === 1 ? {} : { range: [range[0], range[1]] }),
    };
  }

  amount(): FieldMapping {
    const choice = this.roles.amount;
    if (choice === undefined) {
      this.notes.push("no price: each purchase counts as an amount of 1");
      return { value: 1 };
    }
    this.tell("amount", choice, `from ${choice.facts.min} to ${choice.facts.max}`);
    return { column: choice.facts.name, default: 0 };
  }

  /** Fields that events of a kind have beside user, stream and time. */
  fieldsOf(kind: string): Fields {
    const { position } = this.roles;
    if (kind === "watch" || kind === "heartbeat") return { watchMs: this.duration() ?? { value: 0 } };
    if (kind === "rating") return { rating: this.rating()! };
    if (kind === "purchase") return { amount: this.amount() };
    if (kind === "gift") return { amount: this.roles.amount ? this.amount() : { value: 1 } };
    if (kind === "cart" || kind === "uncart")
      return { name: { value: kind === "cart" ? "cart" : "remove_from_cart" }, value: { value: 1 } };
    if (kind === "impression" && position !== undefined) {
      this.tell("position", position, `from ${position.facts.min} to ${position.facts.max}`);
      return { position: { column: position.facts.name, ...(position.facts.min >= 1 ? { offset: -1 } : {}) } };
    }
    return {};
  }
}

/** The unit of durations that are numbers: by the name, or by their size. */
function lengthUnit({ words, median, max, name }: Facts): { unit: "ms" | "s" | "min" | "h"; why: string } {
  const last = words.at(-1) ?? "";
  const named = [
    ["ms", /^(?:ms|msec|millis|milliseconds)$|ms$/],
    ["s", /^(?:s|sec|secs|second|seconds)$/],
    ["min", /^(?:min|mins|minute|minutes)$/],
    ["h", /^(?:h|hr|hrs|hour|hours)$/],
  ] as const;
  const found = named.find(([, pattern]) => pattern.test(last) || words.some((word) => pattern.test(word)));
  if (found !== undefined) return { unit: found[0], why: `the name ${name} says ${found[0]}` };
  const unit = median >= 10_000 || max >= 1e6 ? "ms" : "s";
  return { unit, why: `NOT SURE: the middle one is ${median}, so ${unit === "ms" ? "milliseconds" : "seconds"}` };
}

/** The names of LiveQ's kinds for guessed ones. */
export const eventKind = (guess: string) =>
  (guess === "cart" || guess === "uncart" ? "signal" : guess) as Extract<EventRule["kind"], string>;
