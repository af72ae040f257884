import { show } from "../../check/index.js";
import { EventError } from "../../protocol/index.js";
import { parseNumber, parseTime } from "../values.js";

/** Longest text of a platform that is taken, in UTF-16 units: that of a title. */
const TEXT = 1024;
/** Longest id and name: with the platform before it, a name of the schema. */
const NAME = 200;
/** One less than a stream may have: the parent of its category may join them. */
const TAGS = 31;
/** Most rooms of one answer. */
const LIST = 5000;

/**
 * An object of which nothing is known, as a platform's answers are parsed; every reader of a field names its path when it
 * refuses it. Null and empty text are fields that are missing.
 */
export class Fields {
  readonly path: string;
  readonly #value: Readonly<Record<string, unknown>>;

  /** @throws EventError for what is no object. */
  constructor(value: unknown, path = "") {
    this.path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const what = path === "" ? "an answer" : `"${path}"`;
      throw new EventError(path, `${what} must be an object, got ${show(value)}`);
    }
    this.#value = value as Record<string, unknown>;
  }

  /** @throws EventError where the status of an answer, such as `code`, is not 0. */
  requireZero(name: string): void {
    if (this.#get(name) !== 0) throw this.refuse(name, "0");
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  object(name: string): Fields {
    return new Fields(this.#get(name), this.#at(name));
  }

  /** The elements of a list, or the values of an object that has them by id; with their paths, unchecked. */
  elements(name: string): [path: string, value: unknown][] {
    const value = this.#get(name);
    const isList = typeof value === "object" && value !== null;
    const found = isList ? Object.entries(value) : [];
    if (!isList || found.length > LIST) throw this.refuse(name, `a list of at most ${LIST}`);
    return found.map(([key, element]) => [`${this.#at(name)}.${key}`, element]);
  }

  /** Text of at most 1024 characters. */
  text(name: string): string | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string" || value.length > TEXT) throw this.refuse(name, `text of at most ${TEXT} characters`);
    return value;
  }

  /** An id: text, or a whole number as text. */
  id(name: string): string {
    const value = this.#get(name);
    const text = Number.isSafeInteger(value) && (value as number) >= 0 ? String(value) : value;
    if (typeof text === "string" && text.length <= NAME) return text;
    throw this.refuse(name, `an integer >= 0 or text of 1 to ${NAME} characters`);
  }

  /** A category or the like. */
  name(name: string): string | undefined {
    return this.has(name) ? this.id(name) : undefined;
  }

  /** Names with commas between them. */
  names(name: string): string[] {
    const text = this.text(name) ?? "";
    const all = new Set(text.split(/[,，]/).flatMap((part) => part.trim() || []));
    const isFit = all.size <= TAGS && [...all].every((tag) => tag.length <= NAME);
    if (!isFit) throw this.refuse(name, `at most ${TAGS} names of at most ${NAME} characters with commas between`);
    return [...all];
  }

  /** A whole number >= 0, or one as text. */
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

  /** Whether a field is true. */
  flag(name: string): boolean {
    const value = this.#get(name);
    if (value !== undefined && typeof value !== "boolean") throw this.refuse(name, "true or false");
    return value === true;
  }

  /** A moment in milliseconds of Unix seconds, or of a date and time of China; 0 and `0000-...` are missing. */
  moment(name: string): number | undefined {
    const value = this.#get(name);
    if (typeof value !== "string" || /^\d+$/.test(value)) {
      const seconds = this.count(name);
      return seconds === undefined || seconds === 0 ? undefined : seconds * 1000;
    }
    if (value.startsWith("0000-")) return undefined;
    const time = parseTime(`${value}+08:00`);
    if (!(time >= 0)) throw this.refuse(name, "seconds, or a time such as 2026-06-30 23:45:00");
    return time;
  }

  /** The error that says what a field must be and what it was. */
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
