import { checked, oneOf, positive, type Rules } from "../../check/index.js";
import type { LiveEvent } from "../../protocol/index.js";
import { ColumnMeter, quartileFences } from "./table.js";

/** The largest usual values of numbers in events: plain data, as `fitEventBounds` measures it on training data. */
export interface EventBounds {
  /** Longest usual watch, milliseconds. Default none. */
  watchMs?: number;
  /** Longest usual dwell of a page view, milliseconds. Default none. */
  dwellMs?: number;
  /** Largest usual amount of a gift. Default none. */
  amount?: number;
  /** Largest usual amount of a purchase. Default none. */
  purchase?: number;
}

/** How to measure bounds on training events. */
export interface EventBoundsOptions {
  /**
   * Outliers lie above the third quartile by more than `factor` interquartile ranges (`iqr`), or above the mean by more
   * than `factor` standard deviations (`z`). Default `iqr`.
   */
  outliers?: "iqr" | "z";
  /** Distance of the bound, in interquartile ranges or standard deviations. Default 1.5 for `iqr`, 3 for `z`. */
  factor?: number;
}

const BOUNDS_TABLE: Rules<EventBoundsOptions> = {
  outliers: oneOf("iqr", "z"),
  factor: positive,
};

/**
 * Measures on training events the values above which watches, dwells, gifts and purchases are outliers, in one pass and in bounded
 * memory. There is no lower bound: a very short watch is a bounce, which is information.
 *
 * @returns The option `bounds` of `cleanEvents`; a field without any event is absent.
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export async function fitEventBounds(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
  options: EventBoundsOptions = {},
): Promise<EventBounds> {
  const { outliers, factor } = checked<EventBoundsOptions>(options, BOUNDS_TABLE, {
    outliers: "iqr",
    factor: options.outliers === "z" ? 3 : 1.5,
  }) as Required<EventBoundsOptions>;
  const meters = {
    watchMs: new ColumnMeter(),
    dwellMs: new ColumnMeter(),
    amount: new ColumnMeter(),
    purchase: new ColumnMeter(),
  };
  for await (const event of events) {
    if (event.kind === "watch") meters.watchMs.add(event.watchMs);
    else if (event.kind === "page_view") meters.dwellMs.add(event.dwellMs);
    else if (event.kind === "gift") meters.amount.add(event.amount);
    else if (event.kind === "purchase") meters.purchase.add(event.amount);
  }
  const bounds: EventBounds = {};
  for (const field of ["watchMs", "dwellMs", "amount", "purchase"] as const) {
    const statistics = meters[field].statistics;
    const { n, mean, sd } = statistics;
    if (n === 0) continue;
    const high = outliers === "z" ? mean! + factor * sd! : quartileFences({ [field]: statistics }, field, factor)[1];
    // If all values are 0, no bound can be derived.
    if (high > 0) bounds[field] = high;
  }
  return bounds;
}
