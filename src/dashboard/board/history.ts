import type { TailItem, WatchState } from "../../server/index.js";

/** States that are kept: ten minutes of them. */
const KEPT = 600;
const TAIL = 200;

/** One moment of the curves. */
export interface Moment {
  /** Seconds since the page began to watch. */
  readonly second: number;
  readonly slates: number;
  readonly events: number;
  readonly loss: number | null;
  readonly qMean: number | null;
  readonly exploration: number | null;
  readonly p99: number | null;
}

/** What the page has seen of a server. */
export interface History {
  readonly state: WatchState;
  readonly moments: readonly Moment[];
  /** The newest first. */
  readonly tail: readonly TailItem[];
  /** The page's clock, milliseconds, at the first state and at this one: a simulated server's own runs ahead. */
  readonly begun: number;
  readonly seen: number;
}

const known = (value: number | null | undefined) => (Number.isFinite(value) ? value! : null);

/** The bound below which a share of the answers since an earlier state came, milliseconds; null without answers. */
export function quantileMs(
  now: WatchState,
  before: WatchState | undefined,
  route: string,
  share: number,
): number | null {
  const of = (state: WatchState | undefined) => state?.metrics.latencies.find((one) => one.route === route)?.counts;
  const [counts, earlier] = [of(now), of(before)];
  if (counts === undefined) return null;
  const own = counts.map((count, i) => count - (earlier?.[i] ?? 0));
  const total = own.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  const bucket = own.findIndex((count) => (below += count) >= share * total);
  return 1000 * (now.metrics.bounds[bucket] ?? Number.POSITIVE_INFINITY);
}

function momentOf(now: WatchState, history: History | undefined, clock: number): Moment {
  const before = history?.state;
  const seconds = history === undefined ? 1 : Math.max((clock - history.seen) / 1000, 1e-3);
  const rate = (of: (state: WatchState) => number) =>
    before === undefined ? 0 : Math.max(0, of(now) - of(before)) / seconds;
  const newest = now.models.at(-1);
  const places = now.stats.firstPlaces - (before?.stats.firstPlaces ?? 0);
  const chances = now.stats.firstPropensities - (before?.stats.firstPropensities ?? 0);
  return {
    second: history === undefined ? 0 : (clock - history.begun) / 1000,
    slates: rate(({ stats }) => stats.requests),
    events: rate(({ stats }) => stats.events),
    loss: known(newest?.loss),
    qMean: known(newest?.qMean),
    exploration: before !== undefined && places > 0 ? 1 - chances / places : null,
    p99: quantileMs(now, before, "/v1/recommend", 0.99),
  };
}

/** The history with one more state. @param clock The page's, milliseconds. */
export function followed(history: History | undefined, state: WatchState, clock: number): History {
  const moments = [...(history?.moments ?? []), momentOf(state, history, clock)].slice(-KEPT);
  const tail = [...[...state.tail].reverse(), ...(history?.tail ?? [])].slice(0, TAIL);
  return { state, moments, tail, begun: history?.begun ?? clock, seen: clock };
}
