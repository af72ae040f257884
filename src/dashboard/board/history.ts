import type { TailItem, TrialReport, WatchState } from "../../server/index.js";

/** States that are kept: ten minutes of them. */
const KEPT = 600;
const TAIL = 200;
/** Readings of what the policy has brought, and of a test, that are kept. */
const READINGS = 200;

/** One moment of the curves. */
export interface Moment {
  /** Seconds since the page began to watch. */
  readonly second: number;
  readonly slates: number;
  readonly events: number;
  readonly loss: number | null;
  readonly qMean: number | null;
  readonly tdErrorP50: number | null;
  readonly tdErrorP90: number | null;
  readonly gradientNorm: number | null;
  readonly exploration: number | null;
  readonly p99: number | null;
}

type Figures = WatchState["figures"];

/** What a server had measured at a moment. */
export interface Reading<T> {
  readonly second: number;
  readonly of: T;
}

/** What the page has seen of a server. */
export interface History {
  readonly state: WatchState;
  readonly moments: readonly Moment[];
  /** The newest first. */
  readonly tail: readonly TailItem[];
  /** Each time that they became others. */
  readonly figures: readonly Reading<Figures>[];
  /** Of the test that runs. */
  readonly trial: readonly Reading<TrialReport>[];
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
    tdErrorP50: known(newest?.tdErrorP50),
    tdErrorP90: known(newest?.tdErrorP90),
    gradientNorm: known(newest?.gradientNorm),
    exploration: before !== undefined && places > 0 ? 1 - chances / places : null,
    p99: quantileMs(now, before, "/v1/recommend", 0.99),
  };
}

/** Readings with one more, where it says something new. */
function read<T>(
  before: readonly Reading<T>[],
  second: number,
  of: T,
  isSame: (a: T, b: T) => boolean,
): readonly Reading<T>[] {
  const last = before.at(-1);
  return last !== undefined && isSame(last.of, of) ? before : [...before, { second, of }].slice(-READINGS);
}

const areSame = (a: Figures, b: Figures) =>
  a.length === b.length && a.every(({ value, lo, n }, i) => value === b[i]!.value && lo === b[i]!.lo && n === b[i]!.n);

function trialsOf(before: readonly Reading<TrialReport>[], second: number, trial: TrialReport | undefined) {
  if (trial === undefined) return [];
  const own = before.filter(({ of }) => of.startedAt === trial.startedAt && of.options.name === trial.options.name);
  return read(
    own,
    second,
    trial,
    (a, b) => a.result.a.users + a.result.b.users === b.result.a.users + b.result.b.users,
  );
}

/** The history with one more state. @param clock The page's, milliseconds. */
export function followed(history: History | undefined, state: WatchState, clock: number): History {
  const moments = [...(history?.moments ?? []), momentOf(state, history, clock)].slice(-KEPT);
  const tail = [...[...state.tail].reverse(), ...(history?.tail ?? [])].slice(0, TAIL);
  const { second } = moments.at(-1)!;
  const figures = state.figures.length === 0 ? [] : read(history?.figures ?? [], second, state.figures, areSame);
  const trial = trialsOf(history?.trial ?? [], second, state.trial);
  return { state, moments, tail, figures, trial, begun: history?.begun ?? clock, seen: clock };
}
