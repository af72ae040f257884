import { InvalidArgumentError } from "commander";
import { parseIsoTime } from "../../logs/index.js";

/** Thrown for wrong arguments, such as options that exclude each other; not for wrong files. */
export class UsageError extends Error {}

/** A parser for a whole number in [low, high]. */
export function integer(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`It must be an integer in [${low}, ${high}].`);
    }
    return value;
  };
}

/** A parser for a number in [low, high]. */
export function number(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= low && value <= high)) {
      throw new InvalidArgumentError(`It must be in [${low}, ${high}].`);
    }
    return value;
  };
}

/** Parses a factor above 1: `4x`, or `4`. */
export function times(text: string): number {
  const value = Number(text.endsWith("x") ? text.slice(0, -1) : text || "none");
  if (!(value > 1 && value <= 1000)) throw new InvalidArgumentError("It must be a factor in (1, 1000], such as 4x.");
  return value;
}

/** Parses a share below 1: `2%`, or `0.02`. */
export function percentage(text: string): number {
  const value = text.endsWith("%") ? Number(text.slice(0, -1) || "none") / 100 : Number(text || "none");
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError("It must be a share in [0, 1), such as 2% or 0.02.");
  return value;
}

/** Parses minutes above 0, or `none`, which is Infinity. */
export function minutesOrNone(text: string): number {
  const value = text === "none" ? Number.POSITIVE_INFINITY : Number(text);
  if (text.trim() === "" || !(value > 0) || (value === Number.POSITIVE_INFINITY && text !== "none")) {
    throw new InvalidArgumentError("It must be a number > 0, or none.");
  }
  return value;
}

/** A parser for names with commas between them, each one of `known`. */
export function names<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) => {
    const given = text.split(",");
    const isList = given.every((name, i) => (known as readonly string[]).includes(name) && given.indexOf(name) === i);
    if (!isList) {
      throw new InvalidArgumentError(`It must be comma-separated names, each once, of: ${known.join(", ")}.`);
    }
    return given as T[];
  };
}

/** Parses the shares of training, validation (if there are three) and test. */
export function fractions(text: string): number[] {
  const shares = text.split(",").map(Number);
  const sum = shares.reduce((total, share) => total + share, 0);
  const isShares = shares.every((share) => share > 0) && Math.abs(sum - 1) <= 1e-9;
  if (!isShares || shares.length < 2 || shares.length > 3) {
    throw new InvalidArgumentError("It must be two or three numbers > 0 with a sum of 1, such as .8,.1,.1.");
  }
  return shares;
}

/** Parses a time: milliseconds since 1970, or ISO 8601. */
export function moment(text: string): number {
  const time = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : parseIsoTime(text);
  if (!(time >= 0)) {
    throw new InvalidArgumentError("It must be milliseconds since 1970, or a date such as 2026-06-30T23:45:00Z.");
  }
  return time;
}
