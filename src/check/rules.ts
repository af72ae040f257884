/** Whether a value is right for an option, and what it must be, in words. */
export type Rule = readonly [holds: (value: unknown) => boolean, must: string];

/** Rules by option name. */
export type Rules<T> = { readonly [K in keyof Required<T>]: Rule };

/** A value as messages show it: short, on one line. */
export function show(value: unknown, depth = 0): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (Array.isArray(value)) {
    // Of arrays in arrays from outside there may be any number.
    if (value.length > 8 || depth === 3) return `an array of ${value.length}`;
    return `[${value.map((one) => show(one, depth + 1)).join(", ")}]`;
  }
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function") return "a function";
  return String(value);
}

/** The error for a wrong value: `"gamma" must be in [0, 1], got 1.5`. */
export function mustBe(name: string, must: string, got: unknown): RangeError {
  return new RangeError(`"${name}" must be ${must}, got ${show(got)}`);
}

/**
 * Checks given options against a table and fills in defaults; the same object may be passed again.
 *
 * @param path - Put before the names in messages, such as `"candidates."`.
 * @throws TypeError for an unknown option, RangeError for a wrong value:
 *   `"gamma" must be in [0, 1], got 1.5`.
 */
export function checked<T extends object>(given: unknown, table: Rules<T>, defaults: Partial<T>, path = ""): T {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(`${path === "" ? "options" : show(path.slice(0, -1))} must be an object, got ${show(given)}`);
  }
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(table, key)) {
      throw new TypeError(`"${path}${key}" is not an option; there are ${Object.keys(table).join(", ")}`);
    }
  }
  const result = { ...defaults } as Record<string, unknown>;
  for (const [key, [holds, must]] of Object.entries<Rule>(table)) {
    const value = (given as Record<string, unknown>)[key];
    if (value !== undefined) result[key] = value;
    if (!holds(result[key])) throw mustBe(`${path}${key}`, must, result[key]);
  }
  return result as T;
}

/** The range of numbers up to an absolute value, in words: `in [-1e6, 1e6]`. */
export function bounded(max: number): string {
  const bound = max.toExponential().replace("+", "");
  return `in [-${bound}, ${bound}]`;
}

/** An integer in [low, high]. */
export function integer(low: number, high: number): Rule {
  const must = `an integer in [${low}, ${high}]`;
  return [(value) => Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high, must];
}

export const nonNegativeInteger: Rule = [
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  "an integer >= 0",
];

export const positiveInteger: Rule = [
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  "an integer >= 1",
];

/** A number in [low, high]. */
export function between(low: number, high: number): Rule {
  return [(value) => typeof value === "number" && value >= low && value <= high, `in [${low}, ${high}]`];
}

/** 0, which turns the option off, or a number in [low, high]. */
export function zeroOr(low: number, high: number): Rule {
  return [(value) => value === 0 || between(low, high)[0](value), `0, or in [${low}, ${high}]`];
}

/** A number in (low, high]. */
export function above(low: number, high: number): Rule {
  return [(value) => typeof value === "number" && value > low && value <= high, `in (${low}, ${high}]`];
}

/** One of some strings. */
export function oneOf(...values: string[]): Rule {
  return [(value) => values.includes(value as string), values.map((value) => `"${value}"`).join(" or ")];
}

export const boolean: Rule = [(value) => typeof value === "boolean", "true or false"];

export const callback: Rule = [(value) => typeof value === "function", "a function"];

export const abortSignal: Rule = [
  (value) => typeof value === "object" && value !== null && "aborted" in value,
  "an AbortSignal",
];

/** The same rule for an option that may be left out and has no default. */
export function optional([holds, must]: Rule): Rule {
  return [(value) => value === undefined || holds(value), must];
}

/** Options of a part, which checks them itself. */
export const group: Rule = [(value) => typeof value === "object" && value !== null, "an object"];

export const nonNegative: Rule = [(value) => Number.isFinite(value) && (value as number) >= 0, "a finite number >= 0"];

export const positive: Rule = [(value) => Number.isFinite(value) && (value as number) > 0, "a finite number > 0"];
