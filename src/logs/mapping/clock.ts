import { clockOf, countDigits, dayOf, digitsAt, parseOffset, type Zone } from "../basics/index.js";

/** Wall times remembered with their offsets: a quarter of an hour each. */
const REMEMBERED = 65_536;
const QUARTER = 900_000;

/**
 * A zone by an offset such as `+08:00`, or by its name such as `Europe/Berlin`; undefined for an unknown one. Of an hour
 * that a place has twice in autumn, the one by which the offset is found first.
 */
export function zoneOf(name: string): Zone | undefined {
  const fixed = parseOffset(name);
  if (!Number.isNaN(fixed)) return () => fixed;
  let format: Intl.DateTimeFormat;
  try {
    const numeric = "numeric";
    const parts = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, calendar: "gregory", hourCycle: "h23", ...parts });
  } catch {
    return undefined;
  }
  const offsetAt = (time: number): number => {
    const read: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(time)) read[type] = Number(value);
    return Date.UTC(read["year"]!, read["month"]! - 1, read["day"], read["hour"], read["minute"]) - time;
  };
  const known = new Map<number, number>();
  return (wall) => {
    const start = Math.floor(wall / QUARTER) * QUARTER;
    if (!Number.isFinite(start)) return Number.NaN;
    let offset = known.get(start);
    if (offset === undefined) {
      offset = offsetAt(start - offsetAt(start));
      if (known.size >= REMEMBERED) known.clear();
      known.set(start, offset);
    }
    return offset;
  };
}

const MONTHS = "january february march april may june july august september october november december".split(" ");
const DAYS = "sunday monday tuesday wednesday thursday friday saturday".split(" ");

/** A text in brackets, a token, or another character. */
const TOKEN = /\[[^\]]*\]|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|DD|D|HH|H|hh|h|mm|m|ss|s|S+|A|a|ZZ|Z|[\s\S]/g;
/** What a token says of a time; the others are literal. */
const PARTS: Readonly<Record<string, string>> = {
  ...{ YYYY: "year", YY: "year", MMMM: "month", MMM: "month", MM: "month", M: "month", DD: "day", D: "day" },
  ...{ HH: "hour", H: "hour", hh: "hour", h: "hour", mm: "minute", m: "minute", ss: "second", s: "second" },
  ...{ dddd: "weekday", ddd: "weekday", A: "half", a: "half", Z: "zone", ZZ: "zone" },
};

/** A time as it is read, in parts. */
interface Read {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** Milliseconds below a second. */
  fraction: number;
  /** 12 for the afternoon of a clock of twelve hours, 0 for its morning, -1 without one. */
  half: number;
  /** The offset that the text names; NaN for none. */
  offset: number;
}

/** Reads a token at a position; returns the position behind it, or -1. */
type Step = (text: string, at: number, read: Read) => number;

/** The position of the name, or of its first three letters, in a list; and the position behind it. */
function nameAt(text: string, at: number, names: readonly string[]): [index: number, end: number] {
  const lower = text.slice(at, at + 9).toLowerCase();
  const index = names.findIndex((name) => lower.startsWith(name.slice(0, 3)));
  if (index < 0) return [-1, -1];
  return [index, at + (lower.startsWith(names[index]!) ? names[index]!.length : 3)];
}

function numberStep(part: "year" | "month" | "day" | "hour" | "minute" | "second", length: number): Step {
  return (text, at, read) => {
    // One letter stands for one or two digits.
    const count = length > 1 ? length : Math.min(2, countDigits(text, at));
    const value = count === 0 ? -1 : digitsAt(text, at, count);
    // As in POSIX: 69 is 1969, 68 is 2068.
    read[part] = part === "year" && length === 2 && value >= 0 ? value + (value < 69 ? 2000 : 1900) : value;
    return value < 0 ? -1 : at + count;
  };
}

function stepOf(token: string): Step {
  const part = PARTS[token];
  if (token.startsWith("S")) {
    return (text, at, read) => {
      const count = countDigits(text, at);
      read.fraction = Number(`.${text.slice(at, at + count)}`) * 1000;
      return count === 0 ? -1 : at + count;
    };
  }
  if (part === "weekday") return (text, at) => nameAt(text, at, DAYS)[1];
  if (part === "half") {
    return (text, at, read) => {
      const found = /^([ap])\.?m\.?/i.exec(text.slice(at, at + 4));
      if (found === null) return -1;
      read.half = found[1]!.toLowerCase() === "p" ? 12 : 0;
      return at + found[0].length;
    };
  }
  if (part === "zone") {
    return (text, at, read) => {
      const found = /^(?:[+-]\d\d(?::?\d\d)?|[A-Za-z]{1,3})/.exec(text.slice(at, at + 6));
      read.offset = found === null ? Number.NaN : parseOffset(found[0]);
      return Number.isNaN(read.offset) ? -1 : at + found![0].length;
    };
  }
  if (token.startsWith("MMM")) {
    return (text, at, read) => {
      const [index, end] = nameAt(text, at, MONTHS);
      read.month = index + 1;
      return end;
    };
  }
  if (part !== undefined) return numberStep(part as "year", token.length);
  const literal = token.length > 1 && token.startsWith("[") ? token.slice(1, -1) : token;
  return (text, at) => (text.startsWith(literal, at) ? at + literal.length : -1);
}

/** Reads a text as a time, in milliseconds; NaN for a text in another form. */
export type ReadTime = (text: string, zone: Zone) => number;

/**
 * A reader of times in a form such as `DD/MM/YYYY HH:mm:ss`; undefined if the form does not say which day it is. Tokens
 * are YYYY YY, MMMM MMM MM M, DD D, dddd ddd, HH H or hh h with A, mm m, ss s, S and Z; other text stands for itself, in
 * brackets if it has such letters.
 */
export function timeReader(form: string): ReadTime | undefined {
  const tokens: readonly string[] = form.match(TOKEN) ?? [];
  const has = (part: string) => tokens.filter((token) => PARTS[token] === part).length === 1;
  const twelve = tokens.includes("hh") || tokens.includes("h");
  if (!has("year") || !has("month") || !has("day") || twelve !== has("half")) return undefined;
  const steps = tokens.map(stepOf);
  const read: Read = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, fraction: 0, half: -1, offset: 0 };
  return (text, zone) => {
    read.hour = read.minute = read.second = read.fraction = 0;
    read.half = -1;
    read.offset = Number.NaN;
    let at = 0;
    for (let i = 0; i < steps.length; i++) {
      at = steps[i]!(text, at, read);
      if (at < 0) return Number.NaN;
    }
    if (at !== text.length) return Number.NaN;
    const isHalf = read.half >= 0;
    if (isHalf && (read.hour < 1 || read.hour > 12)) return Number.NaN;
    const hour = isHalf ? (read.hour % 12) + read.half : read.hour;
    const wall = dayOf(read.year, read.month, read.day) + clockOf(hour, read.minute, read.second, read.fraction);
    return wall - (Number.isNaN(read.offset) ? zone(wall) : read.offset);
  };
}
