import { checked, integer, positive, type Rule, type Rules } from "../../src/check/index.js";

/** Options of a shop, for the tests of the generator. */
export interface ShopOptions {
  /** Seats for guests, [1, 100]. Default 12. */
  seats?: number;
  /** How long it is open, milliseconds, > 0. Default 8 hours. */
  openMs?: number;
  /** Tables of four seats. Default: a quarter of `seats`. */
  tables?: number;
}

const HOUR = 3_600_000;
const rule: Rule = [Number.isSafeInteger, "an integer >= 0"];

const TABLE: Rules<ShopOptions> = {
  seats: integer(1, 100),
  openMs: positive,
  tables: rule,
};

const DEFAULTS = {
  seats: 12,
  openMs: 8 * HOUR,
};

export function openShop(given: ShopOptions): ShopOptions {
  return checked<ShopOptions>(given, TABLE, { ...DEFAULTS, tables: (given.seats ?? 12) / 4 }, "shop.");
}
