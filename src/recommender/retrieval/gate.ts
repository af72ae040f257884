import { boolean, checked, group, nonNegative, nonNegativeInteger, type Rule, type Rules } from "../../check/index.js";
import type { Filter, Id } from "../../protocol/index.js";
import type { CatalogStream } from "../state/index.js";

const names: Rule = [
  (value) =>
    value === undefined || (Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")),
  "an array of strings that are not empty",
];

function optional([holds, must]: Rule): Rule {
  return [(value) => value === undefined || holds(value), must];
}

const TABLE: Rules<Filter> = {
  languages: names,
  mature: optional(boolean),
  categories: optional(group),
  blocked: names,
  streams: optional(group),
  own: optional(boolean),
  seenWithinMs: optional(nonNegative),
  minAgeMs: optional(nonNegative),
  maxAgeMs: optional(nonNegative),
  minViewers: optional(nonNegativeInteger),
};

const CATEGORIES: Rules<NonNullable<Filter["categories"]>> = { include: names, exclude: names };
const STREAMS: Rules<NonNullable<Filter["streams"]>> = { exclude: names };

/**
 * Checks a filter given as an option.
 * @throws TypeError or RangeError when a field is unknown or out of its range.
 */
export function checkedFilter(given: unknown, path: string): Filter {
  const filter = checked<Filter>(given, TABLE, {}, path);
  if (filter.categories) checked(filter.categories, CATEGORIES, {}, `${path}categories.`);
  if (filter.streams) checked(filter.streams, STREAMS, {}, `${path}streams.`);
  return filter;
}

function setOf(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names && new Set(names);
}

/** Who asks. */
export interface Visitor {
  user: Id;
  /** When the user last entered or left a stream of a streamer, milliseconds; -Infinity where that is not known. */
  lastVisit(streamer: Id): number;
}

/** A filter prepared for many streams. Every policy asks it what a request may show. */
export class Gate {
  readonly #filter: Filter;
  readonly #languages: ReadonlySet<string> | undefined;
  readonly #include: ReadonlySet<string> | undefined;
  readonly #exclude: ReadonlySet<string> | undefined;
  readonly #blocked: ReadonlySet<Id> | undefined;
  readonly #excluded: ReadonlySet<Id> | undefined;
  readonly #visitor: Visitor | undefined;

  /** @param visitor - The user of a request. Default: the streams of none are own or seen. */
  constructor(filter: Filter, visitor?: Visitor) {
    this.#filter = filter;
    this.#visitor = visitor;
    this.#excluded = setOf(filter.streams?.exclude);
    this.#languages = setOf(filter.languages);
    this.#include = setOf(filter.categories?.include);
    this.#exclude = setOf(filter.categories?.exclude);
    this.#blocked = setOf(filter.blocked);
  }

  /** The only categories that may pass; undefined without such a list. */
  get categories(): ReadonlySet<string> | undefined {
    return this.#include;
  }

  /** Whether a stream may be shown at `now`. */
  passes(stream: CatalogStream, now: number): boolean {
    const { mature = true, minAgeMs = 0, maxAgeMs = Number.POSITIVE_INFINITY, minViewers = 0 } = this.#filter;
    const age = Math.max(now - stream.startedAt, 0);
    return (
      (mature || !stream.mature) &&
      age >= minAgeMs &&
      age <= maxAgeMs &&
      stream.viewers >= minViewers &&
      (stream.language === undefined || this.#languages?.has(stream.language) !== false) &&
      this.#include?.has(stream.category) !== false &&
      this.#exclude?.has(stream.category) !== true &&
      this.#blocked?.has(stream.streamer) !== true &&
      this.#excluded?.has(stream.id) !== true &&
      (this.#visitor === undefined || this.#fits(this.#visitor, stream, now))
    );
  }

  /** Whether a stream is not the visitor's own, and one that the visitor has not seen. */
  #fits({ user, lastVisit }: Visitor, { streamer, startedAt }: CatalogStream, now: number): boolean {
    const { own = false, seenWithinMs = 0 } = this.#filter;
    if (!own && streamer === user) return false;
    return seenWithinMs === 0 || lastVisit(streamer) < Math.max(startedAt, now - seenWithinMs);
  }
}
