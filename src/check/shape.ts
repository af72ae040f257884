import { between, mustBe, type Rule } from "./rules.js";

/** The first fault of a value, and where in it: `entries.0.time`; the empty text: the value itself. */
export interface Fault {
  readonly path: string;
  readonly must: string;
  readonly got: unknown;
}

/**
 * What a plain value from a file must be: a rule for the value itself, or a function that finds the first fault of its
 * parts. A shape reads each part once and copies nothing, so that its work is that of parsing the value.
 */
export type Shape = Rule | ((value: unknown) => Fault | undefined);

function faultOf(shape: Shape, value: unknown): Fault | undefined {
  if (typeof shape === "function") return shape(value);
  return shape[0](value) ? undefined : { path: "", must: shape[1], got: value };
}

function faultIn(key: string | number, shape: Shape, value: unknown): Fault | undefined {
  const fault = faultOf(shape, value);
  return fault && { ...fault, path: fault.path === "" ? `${key}` : `${key}.${fault.path}` };
}

/**
 * Requires a value from outside to have a shape.
 * @param path - Where the value stands: `"pending"`.
 * @throws RangeError that names the part: `"pending.entries.0.time" must be a finite number, got null`.
 */
export function requireShape(shape: Shape, value: unknown, path: string): void {
  const fault = faultIn(path, shape, value);
  if (fault !== undefined) throw mustBe(fault.path, fault.must, fault.got);
}

/** An object with these fields and no other. */
export function fields<T extends object>(shapes: { readonly [K in keyof Required<T>]: Shape }): Shape {
  const table = Object.entries<Shape>(shapes);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return { path: "", must: "an object", got: value };
    }
    const given = value as Readonly<Record<string, unknown>>;
    for (const key in given) {
      if (!Object.hasOwn(shapes, key)) return { path: key, must: "absent", got: given[key] };
    }
    for (const [key, shape] of table) {
      const fault = faultIn(key, shape, Object.hasOwn(given, key) ? given[key] : undefined);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

/** An array of one shape, with a number of items in [low, high]. */
export function list(shape: Shape, low = 0, high: number = Number.MAX_SAFE_INTEGER): Shape {
  return items(() => shape, low, high);
}

function items(shapeAt: (index: number) => Shape, low: number, high: number): Shape {
  const must = high < Number.MAX_SAFE_INTEGER ? `an array of ${low} to ${high}` : "an array";
  return (value) => {
    if (!Array.isArray(value) || value.length < low || value.length > high) return { path: "", must, got: value };
    for (let i = 0; i < value.length; i++) {
      const fault = faultIn(i, shapeAt(i), value[i]);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

/** An array with one shape for each of its items. */
export function tuple(...shapes: readonly Shape[]): Shape {
  const n = shapes.length;
  return items((i) => shapes[i]!, n, n);
}

/** A shape whose values also obey a rule as a whole; the rule sees only values of the shape. */
export function where<T>(shape: Shape, holds: (value: T) => boolean, must: string): Shape {
  return (value) => faultOf(shape, value) ?? faultOf([holds as Rule[0], must], value);
}

/** A list without the same item twice, by what `key` gives of each. Default: by the items themselves. */
export function distinct<T>(shape: Shape, key: (item: T) => unknown = (item) => item): Shape {
  return where<T[]>(shape, (items) => new Set(items.map(key)).size === items.length, "without an item twice");
}

/** The entries of a map of at most `high`: pairs of a key, each once, and a value of one shape. */
export function entries(value: Shape, high?: number, key: Shape = text): Shape {
  return distinct<[unknown, unknown]>(list(tuple(key, value), 0, high), ([own]) => own);
}

/** The shape, or a value that stands for none: undefined for a field that may be absent, or null. */
export function or(none: unknown, shape: Shape): Shape {
  return (value) => (value === none ? undefined : faultOf(shape, value));
}

/** An array of so many finite numbers. */
export function numbers(count: number, one: Shape = finite): Shape {
  return list(one, count, count);
}

export const finite: Rule = [(value) => Number.isFinite(value), "a finite number"];

/** A time in milliseconds, in the range of `Date`. */
export const moment: Rule = between(-8.64e15, 8.64e15);

export const text: Rule = [(value) => typeof value === "string", "a string"];
