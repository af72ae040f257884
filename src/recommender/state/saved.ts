/** What the plain values of a saved state must be, where another part than their own reads them. */
import {
  between,
  distinct,
  entries,
  fields,
  finite,
  list,
  nonNegativeInteger,
  numbers,
  or,
  requireShape,
  text,
  tuple,
  where,
} from "../../check/index.js";
import type { SavedNeighbours } from "./neighbours.js";
import type { SavedReturns } from "./rhythm.js";
import type { SavedUsers } from "./users.js";

/** A sum that a file may hold: far beyond any, so that products and quotients of two stay finite. */
const SUM_MAX = 1e12;
const sum = between(0, SUM_MAX);
const signed = between(-SUM_MAX, SUM_MAX);

/** Whether a 4 x 4 matrix can be a covariance: elimination leaves no pivot below 0, but for rounding. */
function isCovariance(given: readonly number[]): boolean {
  const p = [...given];
  for (let k = 0; k < 4; k++) {
    const pivot = p[5 * k]!;
    if (pivot < -1e-9) return false;
    for (let i = k + 1; i < 4; i++) {
      if (given[4 * i + k] !== given[4 * k + i]) return false;
      for (let j = k + 1; j < 4; j++) if (pivot > 1e-9) p[4 * i + j]! -= (p[4 * i + k]! * p[4 * k + j]!) / pivot;
    }
  }
  return true;
}

const USERS = fields<SavedUsers>({
  returns: fields<SavedReturns>({
    returns: sum,
    logGaps: signed,
    weights: numbers(4, between(-1e3, 1e3)),
    covariance: where<number[]>(numbers(16, between(-1, 1)), isCovariance, "a covariance"),
  }),
  dropped: tuple(nonNegativeInteger, nonNegativeInteger),
});

/** Requires the plain values of `Users.save`. @throws RangeError that names what is wrong. */
export function requireUsers(saved: unknown): void {
  requireShape(USERS, saved, "users");
}

/** Later visits weigh more: up to 2^64. */
const weight = between(0, 1e30);

const NEIGHBOURS = fields<SavedNeighbours>({
  origin: or(undefined, finite),
  audiences: distinct<SavedNeighbours["audiences"][number]>(list(tuple(text, weight, entries(weight))), ([own]) => own),
});

/** Requires the plain values of `Neighbours.save`. @throws RangeError that names what is wrong. */
export function requireNeighbours(saved: unknown): void {
  requireShape(NEIGHBOURS, saved, "neighbours");
}
