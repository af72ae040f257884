import { show } from "../../check/index.js";
import { EventError } from "../../protocol/index.js";
import { parseIsoTime, parseNumber } from "../basics/index.js";

/** Longest text of a platform, in UTF-16 units: the limit of a title. */
const TEXT = 1024;
const DESCRIPTION = 16_384;
/** Longest id and name: with the platform's prefix it must fit the schema's limit of names. */
const NAME = 200;
/** One less than a stream may have: the parent of its category may be added. */
const TAGS = 31;
// biome-ignore lint/suspicious/noControlCharactersInRegex: They are what it finds.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Most rooms of one answer. */
const LIST = 5000;

/**
 * An unchecked object from a platform's answer or message. Each method reads one field, checks it, and names its path in
 * errors. Null and empty text count as missing.
 */
export class PlatformFields {
  readonly path: string;
  readonly #value: Readonly<Record<string, unknown>>;

  /** @throws EventError for a value that is not an object. */
  constructor(value: unknown, path = "") {
    this.path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const name = path === "" ? "an answer" : `"${path}"`;
      throw new EventError(path, `${name} must be an object, got ${show(value)}`);
    }
    this.#value = value as Record<string, unknown>;
  }

  /** @throws EventError if the status of an answer, such as `code`, is not 0. */
  requireZero(name: string): void {
    if (this.#get(name) !== 0) throw this.refuse(name, "0");
  }

  /** The unchecked object itself, as `elements` gives those of a list. */
  whole(): [path: string, value: unknown] {
    return [this.path, this.#value];
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  object(name: string): PlatformFields {
    return new PlatformFields(this.#get(name), this.#at(name));
  }

  /** The elements of a list, or the values of an object by id; unchecked, with their paths. */
  elements(name: string): [path: string, value: unknown][] {
    const value = this.#get(name);
    const isList = typeof value === "object" && value !== null;
    const found = isList ? Object.entries(value) : [];
    if (!isList || found.length > LIST) throw this.refuse(name, `a list of at most ${LIST}`);
    return found.map(([key, element]) => [`${this.#at(name)}.${key}`, element]);
  }

  /** Text, by default of at most 1024 characters. */
  text(name: string, longest = TEXT): string | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string" || value.length > longest) {
      throw this.refuse(name, `text of at most ${longest} characters`);
    }
    return value;
  }

  /** Text as long as a description may be. */
  description(name: string): string | undefined {
    return this.text(name, DESCRIPTION);
  }

  /** A required id: text without control characters, or an integer as text. */
  id(name: string): string {
    const value = this.#get(name);
    const text = Number.isSafeInteger(value) && (value as number) >= 0 ? String(value) : value;
    if (typeof text === "string" && text.length <= NAME && !CONTROL.test(text)) return text;
    throw this.refuse(name, `an integer >= 0 or text of 1 to ${NAME} characters`);
  }

  /** An optional id or name, such as a category. */
  name(name: string): string | undefined {
    return this.has(name) ? this.id(name) : undefined;
  }

  /** Names separated by commas. */
  names(name: string): string[] {
    const text = this.text(name) ?? "";
    const all = new Set(text.split(/[,，]/).flatMap((part) => part.trim() || []));
    const isFit = all.size <= TAGS && [...all].every((tag) => tag.length <= NAME);
    if (!isFit) throw this.refuse(name, `at most ${TAGS} names of at most ${NAME} characters, separated by commas`);
    return [...all];
  }

  /** An array of names, each once. */
  tags(name: string): string[] {
    const value = this.#get(name) ?? [];
    const all = Array.isArray(value) && value.length <= LIST ? new Set<unknown>(value) : undefined;
    const isFit = (tag: unknown) => typeof tag === "string" && tag !== "" && tag.length <= NAME;
    if (all === undefined || all.size > TAGS || ![...all].every(isFit)) {
      throw this.refuse(name, `an array of at most ${TAGS} names of 1 to ${NAME} characters`);
    }
    return [...all] as string[];
  }

  /** An integer >= 0, or one as text. */
  count(name: string): number | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (!Number.isSafeInteger(number) || (number as number) < 0) throw this.refuse(name, "an integer >= 0");
    return number as number;
  }

  /** A price: a number in [0, 1e12], or one as text. */
  amount(name: string): number | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    const number = typeof value === "string" ? parseNumber(value) : value;
    const isAmount = typeof number === "number" && number >= 0 && number <= 1e12;
    if (!isAmount) throw this.refuse(name, "a number in [0, 1e12]");
    return number;
  }

  /** True or false; undefined if it is missing. */
  truth(name: string): boolean | undefined {
    const value = this.#get(name);
    if (value !== undefined && typeof value !== "boolean") throw this.refuse(name, "true or false");
    return value;
  }

  /** Whether the field is true. */
  flag(name: string): boolean {
    return this.truth(name) === true;
  }

  /** Milliseconds, from a date and time of ISO 8601 with its zone; the year 1, Go's zero, counts as missing. */
  time(name: string): number | undefined {
    const value = this.#get(name);
    if (value === undefined || (typeof value === "string" && value.startsWith("0001-"))) return undefined;
    const time = typeof value === "string" ? parseIsoTime(value) : Number.NaN;
    if (!(time >= 0)) throw this.refuse(name, "a time such as 2026-06-30T23:45:00Z");
    return time;
  }

  /** Milliseconds, from Unix seconds or a date and time in China; 0 and `0000-...` count as missing. */
  moment(name: string): number | undefined {
    const value = this.#get(name);
    if (typeof value !== "string" || /^\d+$/.test(value)) {
      const seconds = this.count(name);
      return seconds === undefined || seconds === 0 ? undefined : seconds * 1000;
    }
    if (value.startsWith("0000-")) return undefined;
    const time = parseIsoTime(`${value}+08:00`);
    if (!(time >= 0)) throw this.refuse(name, "seconds, or a time such as 2026-06-30 23:45:00");
    return time;
  }

  /** The error that names the path, the requirement (`must` completes "must be ...") and the value. */
  refuse(name: string, must: string): EventError {
    return new EventError(this.#at(name), `"${this.#at(name)}" must be ${must}, got ${show(this.#get(name))}`);
  }

  #at(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  #get(name: string): unknown {
    const value = Object.hasOwn(this.#value, name) ? this.#value[name] : undefined;
    return value === null || value === "" ? undefined : value;
  }
}
