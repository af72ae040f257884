import { mustBe, show } from "../../check/index.js";
import { exp, log, type Random } from "../../numeric/index.js";

/** Numbers between two bounds. */
export interface SearchRange {
  /** Both bounds belong to it. */
  readonly min: number;
  readonly max: number;
  /** Whether ratios count alike, not differences, as for a learning rate; `min` must be above 0. Default false. */
  readonly log?: boolean;
  /** Whether only whole numbers are taken. Default false. */
  readonly integer?: boolean;
}

/** By name, a list of values to choose from, or a range of numbers. */
export type SearchSpace = Readonly<Record<string, readonly unknown[] | SearchRange>>;

/** A value for each name of a space. */
export type SearchPoint<S extends SearchSpace = SearchSpace> = {
  -readonly [K in keyof S]: S[K] extends readonly (infer V)[] ? V : S[K] extends SearchRange ? number : unknown;
};

/** Most points of a grid. */
const GRID_MAX = 100_000;

/**
 * Checks a search space, which may come from a file.
 * @param path - Put before the names in messages.
 * @throws TypeError or RangeError that names what is wrong.
 */
export function checkSpace(space: unknown, path = "space"): asserts space is SearchSpace {
  if (typeof space !== "object" || space === null || Array.isArray(space) || Object.keys(space).length === 0) {
    throw new TypeError(`"${path}" must be an object with a list or a range for each name, got ${show(space)}`);
  }
  for (const [name, values] of Object.entries(space)) {
    const at = `${path}.${name}`;
    if (!Array.isArray(values)) checkRange(values, at);
    else if (values.length === 0) throw mustBe(at, "a list of at least one value", values);
    else {
      const texts = values.map((value) => JSON.stringify(value) ?? String(value));
      const twice = texts.findIndex((text, i) => texts.indexOf(text) < i);
      if (twice >= 0) throw mustBe(`${at}[${twice}]`, "another value than the earlier ones", values[twice]);
    }
  }
}

function checkRange(range: unknown, at: string): void {
  const must = "a list of values, or { min, max, log?, integer? }";
  if (typeof range !== "object" || range === null) throw mustBe(at, must, range);
  const { min, max, log: isLog = false, integer = false, ...others } = range as Partial<SearchRange>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw new TypeError(`"${at}.${unknown}" is not known; a range has min, max, log, integer`);
  for (const [name, flag] of Object.entries({ log: isLog, integer })) {
    if (typeof flag !== "boolean") throw mustBe(`${at}.${name}`, "true or false", flag);
  }
  const isNumber = integer ? Number.isSafeInteger : Number.isFinite;
  const kind = integer ? "an integer" : "a finite number";
  if (!isNumber(min)) throw mustBe(`${at}.min`, kind, min);
  if (!isNumber(max)) throw mustBe(`${at}.max`, kind, max);
  if (!(max! > min!)) throw mustBe(`${at}.max`, `above min, ${min}`, max);
  if (isLog && !(min! > 0)) throw mustBe(`${at}.min`, "above 0 where log is true", min);
}

/** The number at a share of a range, [0, 1]. */
function within({ min, max, log: isLog, integer }: SearchRange, share: number): number {
  // The bounds of a range of whole numbers get as much room as the others.
  const [low, high] = integer ? [min - 0.5, max + 0.5] : [min, max];
  const isRatio = isLog && low > 0;
  const value = isRatio ? exp(log(low) + share * (log(high) - log(low))) : low + share * (high - low);
  return Math.min(Math.max(integer ? Math.round(value) : value, min), max);
}

function isRange(values: readonly unknown[] | SearchRange): values is SearchRange {
  return !Array.isArray(values);
}

/** A random point: of a list each value, of a range each number or ratio with the same chance. */
export function drawPoint(space: SearchSpace, random: Random): SearchPoint {
  return Object.fromEntries(
    Object.entries(space).map(([name, values]) => [
      name,
      isRange(values) ? within(values, random.uniform()) : values[random.below(values.length)],
    ]),
  );
}

/**
 * All combinations, the last name changing fastest.
 * @param steps - Numbers to take of each range, evenly spaced with both bounds; whole numbers each once.
 * @throws RangeError for more than 100,000 combinations.
 */
export function gridOf(space: SearchSpace, steps: number): SearchPoint[] {
  let points: SearchPoint[] = [{}];
  for (const [name, values] of Object.entries(space)) {
    const shares = Array.from({ length: steps }, (_, i) => (steps === 1 ? 0.5 : i / (steps - 1)));
    const own = isRange(values) ? [...new Set(shares.map((share) => within(values, share)))] : values;
    if (points.length * own.length > GRID_MAX) {
      throw new RangeError(`"space" must have at most ${GRID_MAX} combinations: use fewer values, or another search`);
    }
    points = points.flatMap((point) => own.map((value) => ({ ...point, [name]: value })));
  }
  return points;
}
