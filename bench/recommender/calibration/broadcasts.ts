/** The statistics of a log's broadcasts that were published of Twitch. */

import { DAY, HOUR, type LiveEvent, MINUTE, WEEK } from "../../../src/protocol/index.js";
import { gini } from "../../../src/statistics/index.js";
import { mean, sortedQuantile } from "./numbers.js";

/** Published: share of the broadcasts that start in each hour. */
const START_SHARE = [
  0.0475, 0.0471, 0.0418, 0.0348, 0.0299, 0.0257, 0.0228, 0.0248, 0.0254, 0.0268, 0.0321, 0.0372, 0.0426, 0.0446,
  0.0459, 0.0477, 0.0539, 0.06, 0.0623, 0.0585, 0.0501, 0.0469, 0.0453, 0.0462,
];

/** Channels with fewer broadcasts show no habits; broadcasts with fewer viewers are all rounding. */
const BROADCASTS_LEAST = 5;
const VIEWERS_LEAST = 5;
const LOG_LEAST = 0.5;

interface Running {
  streamer: string;
  start: number;
  viewers: number;
  since: number;
  viewerMs: number;
  peak: number;
  categories: string[];
}

interface Ended extends Running {
  end: number;
}

export class Broadcasts {
  readonly #days: number;
  readonly #running = new Map<string, Running>();
  readonly #ended: Ended[] = [];
  /** Sums over the days, by the hour of the day. */
  readonly #live = new Float64Array(24);
  #hours = 0;

  constructor(days: number) {
    this.#days = days;
  }

  feedback(event: LiveEvent): void {
    if (event.kind === "on_air") {
      const { streamer, time, category = "" } = event;
      const running = { streamer, start: time, viewers: 0, since: time, viewerMs: 0, peak: 0, categories: [category] };
      this.#running.set(event.stream, running);
    } else if (event.kind === "update") {
      const running = this.#running.get(event.stream)!;
      this.#watch(running, event.time);
      running.viewers = event.viewers!;
      running.peak = Math.max(running.peak, running.viewers);
      if (event.category !== undefined) running.categories.push(event.category);
    } else if (event.kind === "off_air") {
      const running = this.#running.get(event.stream)!;
      this.#running.delete(event.stream);
      this.#watch(running, event.time);
      // Those on air when the clock starts began before.
      if (running.start > 0) this.#ended.push({ ...running, end: event.time });
    }
  }

  #watch(running: Running, now: number): void {
    running.viewerMs += running.viewers * (now - running.since);
    running.since = now;
  }

  /** An hour is over. The first day is left out: what ended in it had begun before. */
  hour(): void {
    const hour = this.#hours++ % 24;
    if (this.#hours <= 24) return;
    this.#live[hour]! += this.#running.size;
  }

  statistics(): [name: string, value: number][] {
    const channels = new Map<string, Ended[]>();
    // In order of start, as habits are about what follows.
    for (const broadcast of this.#ended.sort((a, b) => a.start - b.start)) {
      const list = channels.get(broadcast.streamer);
      if (list) list.push(broadcast);
      else channels.set(broadcast.streamer, [broadcast]);
    }
    const lists = [...channels.values()];
    return [
      ...this.#lengths(),
      ...popularity(lists),
      ...habits(lists, this.#days),
      ...categories(lists),
      ["live, peak / trough", ratio(this.#live)],
      ["start hours, distance of shares", this.#startDistance()],
      ...this.#peaks(),
    ];
  }

  #lengths(): [string, number][] {
    const minutes = this.#ended.map(({ start, end }) => (end - start) / MINUTE);
    const at = sortedQuantile(minutes);
    return [
      ["length P10", at(0.1)],
      ["length P50", at(0.5)],
      ["length mean", mean(minutes)],
      ["length P90", at(0.9)],
      ["length P99", at(0.99)],
    ];
  }

  #startDistance(): number {
    const counts = new Float64Array(24);
    for (const { start } of this.#ended) counts[Math.floor((start % DAY) / HOUR)]!++;
    const distance = START_SHARE.map((share, hour) => Math.abs(share - counts[hour]! / this.#ended.length));
    return distance.reduce((sum, x) => sum + x, 0) / 2;
  }

  #peaks(): [string, number][] {
    const ratios: number[] = [];
    for (const { viewerMs, start, end, peak } of this.#ended) {
      const average = viewerMs / (end - start);
      if (average >= VIEWERS_LEAST) ratios.push(peak / average);
    }
    const at = sortedQuantile(ratios);
    return [
      ["peak / average viewers P50", at(0.5)],
      ["peak / average viewers P90", at(0.9)],
    ];
  }
}

function ratio(byHour: Float64Array): number {
  return Math.max(...byHour) / Math.min(...byHour);
}

function logViewers({ viewerMs, start, end }: Ended): number {
  return Math.log(Math.max(LOG_LEAST, viewerMs / (end - start)));
}

function popularity(channels: readonly Ended[][]): [string, number][] {
  const viewerMs = channels.map((list) => list.reduce((sum, broadcast) => sum + broadcast.viewerMs, 0));
  const meanViewers = channels.map((list, i) => {
    const airMs = list.reduce((sum, { start, end }) => sum + end - start, 0);
    return viewerMs[i]! / airMs;
  });
  const logs = meanViewers.map((viewers) => Math.log(Math.max(LOG_LEAST, viewers)));
  const within = channels
    .filter((list) => list.length >= BROADCASTS_LEAST)
    .map((list) => deviation(list.map(logViewers)));
  const at = sortedQuantile(meanViewers);
  const falling = [...viewerMs].sort((a, b) => b - a);
  const total = falling.reduce((sum, x) => sum + x, 0);
  const top = (share: number) =>
    falling.slice(0, Math.round(share * falling.length)).reduce((sum, x) => sum + x, 0) / total;
  return [
    ["log viewers of a channel, mean", mean(logs)],
    ["log viewers of a channel, sd", deviation(logs)],
    ["log viewers within a channel, sd", mean(within)],
    ["viewers of a channel P50", at(0.5)],
    ["viewers of a channel P90", at(0.9)],
    ["viewers of a channel P99", at(0.99)],
    ["watch time of the top 1 %", top(0.01)],
    ["watch time of the top 5 %", top(0.05)],
    ["watch time of the top 10 %", top(0.1)],
    ["watch time of the top 20 %", top(0.2)],
    ["watch time, Gini of channels", gini(viewerMs)],
  ];
}

function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((x) => (x - centre) * (x - centre))));
}

function habits(channels: readonly Ended[][], days: number): [string, number][] {
  const weeks = (days * DAY) / WEEK;
  const weekly = channels.map((list) => list.length / weeks);
  const gaps: number[] = [];
  for (const list of channels) {
    for (let i = 1; i < list.length; i++) gaps.push((list[i]!.start - list[i - 1]!.start) / HOUR);
  }
  const spreads = channels.filter((list) => list.length >= BROADCASTS_LEAST).map(circularDeviation);
  const atWeek = sortedQuantile(weekly);
  const atGap = sortedQuantile(gaps);
  const atSpread = sortedQuantile(spreads);
  return [
    ["streams a week, mean", mean(weekly)],
    ["streams a week P50", atWeek(0.5)],
    ["streams a week P90", atWeek(0.9)],
    ["start hour, circular sd P5", atSpread(0.05)],
    ["start hour, circular sd P50", atSpread(0.5)],
    ["start hour, circular sd P95", atSpread(0.95)],
    ["gap between starts P25", atGap(0.25)],
    ["gap between starts P50", atGap(0.5)],
    ["gap between starts P90", atGap(0.9)],
    ["gaps of 20 to 28 h", gaps.filter((gap) => gap >= 20 && gap <= 28).length / gaps.length],
  ];
}

/** sqrt(-2 ln R) of the hours on the clock's face, in hours. */
function circularDeviation(list: readonly Ended[]): number {
  const angles = list.map(({ start }) => ((start % DAY) / DAY) * 2 * Math.PI);
  const resultant = Math.hypot(mean(angles.map(Math.cos)), mean(angles.map(Math.sin)));
  return (Math.sqrt(-2 * Math.log(Math.max(resultant, 1e-12))) * 24) / (2 * Math.PI);
}

function categories(channels: readonly Ended[][]): [string, number][] {
  let same = 0;
  let pairs = 0;
  let played = 0;
  const counts = new Map<string, number>();
  for (const list of channels) {
    list.forEach(({ categories }, i) => {
      played += new Set(categories).size;
      counts.set(categories[0]!, (counts.get(categories[0]!) ?? 0) + 1);
      if (i === 0) return;
      pairs++;
      if (categories[0] === list[i - 1]!.categories[0]) same++;
    });
  }
  const distinct = channels
    .filter((list) => list.length >= BROADCASTS_LEAST)
    .map((list) => new Set(list.map(({ categories }) => categories[0])).size);
  const broadcasts = channels.reduce((sum, list) => sum + list.length, 0);
  return [
    ["same category next", same / pairs],
    ["first categories of a channel P50", sortedQuantile(distinct)(0.5)],
    ["categories of a broadcast, mean", played / broadcasts],
    ["Zipf slope of categories", zipfSlope([...counts.values()])],
  ];
}

/** Slope of log count over log rank, by least squares. */
function zipfSlope(counts: readonly number[]): number {
  const points = [...counts].sort((a, b) => b - a).map((count, i) => [Math.log(i + 1), Math.log(count)] as const);
  const x = mean(points.map(([rank]) => rank));
  const y = mean(points.map(([, count]) => count));
  const covariance = mean(points.map(([rank, count]) => (rank - x) * (count - y)));
  return covariance / mean(points.map(([rank]) => (rank - x) ** 2));
}
