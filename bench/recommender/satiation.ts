/**
 * Whether people come back later after a long session, within each person: on MovieLens-100K, the nearest public log with users
 * and times that is at hand, and on the simulated platform.
 */

import { RandomPolicy } from "../../src/baselines/random.js";
import { readMovieLens } from "../../src/cli/reading/movielens.js";
import { userHistories } from "../../src/logs/index.js";
import { HOUR, type Id, MINUTE } from "../../src/protocol/index.js";
import { Platform } from "../../src/simulator/index.js";
import { arithmeticMean, bootstrapInterval } from "../../src/statistics/intervals.js";
import type { Result } from "../harness/suite.js";

/** A person's session: what it held, ratings or minutes, and when, in milliseconds. */
export interface Session {
  size: number;
  start: number;
  end: number;
}

/** An hour without activity ends a session (Halfaker et al. 2015, arXiv:1411.2878). */
const SESSION_GAP = HOUR;
/** Pairs of a session and a gap that a person must have. */
const PAIRS_LEAST = 4;
const RESAMPLES = 400;
const WORLD = { viewers: 300, streamers: 300, days: 21, newcomers: false, seed: 1 } as const;
const SATIATIONS = [45, 120, 180, Number.POSITIVE_INFINITY];

/** Log sizes and log gaps of one person, without what is the person's own. */
interface Deviations {
  sizes: number[];
  gaps: number[];
}

/** Values without their mean, or without their line over their order. */
function residuals(values: readonly number[], isDetrended: boolean): number[] {
  const mean = arithmeticMean(values);
  const middle = (values.length - 1) / 2;
  let [covariance, variance] = [0, 0];
  values.forEach((value, i) => {
    covariance += (i - middle) * (value - mean);
    variance += (i - middle) ** 2;
  });
  const slope = isDetrended ? covariance / variance : 0;
  return values.map((value, i) => value - mean - slope * (i - middle));
}

/** @param side - Whether the gap is the one after each session, or the one before. */
function deviations(sessions: readonly Session[], side: "after" | "before", isDetrended: boolean): Deviations {
  // The first session, at which people sign up, is unlike others.
  const first = side === "before" || isDetrended ? 1 : 0;
  const own = sessions.slice(first, side === "after" ? -1 : undefined);
  const gaps = own.map((_, i) => {
    const at = first + i + (side === "after" ? 1 : 0);
    return Math.log(Math.max(1, sessions[at]!.start - sessions[at - 1]!.end));
  });
  if (own.length < PAIRS_LEAST) return { sizes: [], gaps: [] };
  const sizes = own.map(({ size }) => Math.log1p(size));
  return { sizes: residuals(sizes, isDetrended), gaps: residuals(gaps, isDetrended) };
}

/** Ranks from 0; equal values share the mean of theirs. */
function ranks(values: readonly number[]): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const result = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let i = from; i < to; i++) result[order[i]!] = (from + to - 1) / 2;
    from = to;
  }
  return result;
}

/** Spearman's rank correlation. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)];
  const middle = (a.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i]! - middle) * (y[i]! - middle);
    xx += (x[i]! - middle) ** 2;
    yy += (y[i]! - middle) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

/**
 * Rank correlations of how much a session held with the gap after it, and, for comparison, before it, within people.
 * `detrended`: without each person's first session and own linear trends, since people who tire of a service have ever shorter
 * sessions and longer gaps.
 */
export function withinPeople(people: readonly (readonly Session[])[]): Result[] {
  const row = (metric: string, side: "after" | "before", isDetrended: boolean): Result => {
    const all = people
      .map((sessions) => deviations(sessions, side, isDetrended))
      .filter(({ sizes }) => sizes.length > 0);
    const correlation = (chosen: ArrayLike<number>) => {
      const own = Array.from(chosen, (i) => all[i]!);
      return rankCorrelation(
        own.flatMap(({ sizes }) => sizes),
        own.flatMap(({ gaps }) => gaps),
      );
    };
    const interval = bootstrapInterval([...all.keys()], { statistic: correlation, resamples: RESAMPLES, seed: 1 });
    return { metric, unit: "1", ...interval };
  };
  return [
    row("gap_after_rank_correlation", "after", false),
    row("gap_after_rank_correlation_detrended", "after", true),
    row("gap_before_rank_correlation_detrended", "before", true),
  ];
}

/**
 * Rank correlation, between people, of the mean size of their sessions with their mean gap. Of 91,518 chatters on Twitch with
 * five visits or more, -.14 (sums of the public sample of 100,000 users over 43 days, FuugaMo/Twitch-Livestream-EDA).
 */
export function betweenPeople(people: readonly (readonly Session[])[]): Result {
  const chosen = people.filter(({ length }) => length > PAIRS_LEAST);
  const sizes = chosen.map((own) => arithmeticMean(own.map(({ size }) => size)));
  const gaps = chosen.map((own) => (own.at(-1)!.start - own[0]!.start) / (own.length - 1));
  const correlation = (of: ArrayLike<number>) =>
    rankCorrelation(
      Array.from(of, (i) => sizes[i]!),
      Array.from(of, (i) => gaps[i]!),
    );
  const interval = bootstrapInterval([...chosen.keys()], { statistic: correlation, resamples: RESAMPLES, seed: 1 });
  return { metric: "between_people_rank_correlation", unit: "1", ...interval, published: -0.14, source: "twitch" };
}

/** Sessions of a user's ratings, at times in order. */
export function ratingSessions(times: ArrayLike<number>): Session[] {
  const sessions: Session[] = [];
  for (const time of Array.from(times)) {
    const last = sessions.at(-1);
    if (last !== undefined && time - last.end <= SESSION_GAP) {
      last.size++;
      last.end = time;
    } else sessions.push({ size: 1, start: time, end: time });
  }
  return sessions;
}

/** Sessions of simulated viewers, with the minutes that they watched. */
function simulatedSessions(satiation: number): Session[][] {
  const sessions = new Map<Id, Session[]>();
  const platform = new Platform(
    new RandomPolicy(1),
    { ...WORLD, satiation },
    {
      onEvent(event) {
        if (!("user" in event) || event.user === undefined || event.kind === "user" || event.kind === "friend") return;
        const own = sessions.get(event.user) ?? [];
        sessions.set(event.user, own);
        if (own.length < platform.viewer(event.user).sessions) own.push({ size: 0, start: event.time, end: 0 });
        const last = own.at(-1)!;
        last.end = event.time;
        if (event.kind === "watch") last.size += event.watchMs / MINUTE;
      },
    },
  );
  platform.advance(WORLD.days * 24 * HOUR);
  return [...sessions.values()];
}

function rowsOf(name: string, people: readonly (readonly Session[])[]): Result[] {
  return [...withinPeople(people), betweenPeople(people)].map((row) => ({ case: name, ...row }));
}

/** The rows of the simulated platform by satiation, after those of MovieLens if its folder is given. */
export async function measureSatiation(movielens: string | undefined): Promise<Result[]> {
  const rows: Result[] = [];
  if (movielens !== undefined) {
    const { ratings } = await readMovieLens(movielens);
    const { start, event } = userHistories(ratings);
    const people = Array.from({ length: ratings.users }, (_, user) =>
      ratingSessions(Array.from(event.subarray(start[user], start[user + 1]), (i) => ratings.time[i]!)),
    );
    rows.push(...rowsOf("satiation/ml-100k", people));
  }
  for (const satiation of SATIATIONS) {
    const name = `satiation/simulated-${Number.isFinite(satiation) ? satiation : "none"}`;
    rows.push(...rowsOf(name, simulatedSessions(satiation)));
  }
  return rows;
}
