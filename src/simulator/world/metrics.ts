import { DAY, HOUR, MINUTE } from "../../protocol/index.js";
import { gini, quantile } from "../../statistics/index.js";
import type { PlatformOptions } from "./options.js";
import type { Stream, Streamer } from "./streamers.js";
import type { Outcome } from "./viewers.js";

/** Metrics of a run so far. Rates count from the end of the warm-up; `NaN` where the denominator is 0. */
export interface PlatformMetrics {
  /** Minutes watched per viewer's place and day, of watches that have ended: the figure to maximise. */
  watchMinutesPerViewerDay: number;
  /** Clicks on shown streams, per impression. */
  clickRate: number;
  /** Share of clicks that became a visit, not a bounce. */
  engagedPerClick: number;
  sessionsPerViewerDay: number;
  /** Minutes watched per session. */
  watchMinutesPerSession: number;
  /** Mean hours from the end of a session to the viewer's next, of those who came back in the time that counts. */
  returnHours: number;
  /** Viewers who took the place of one who was lost, warm-up included. */
  newcomers: number;
  /** Share of clicks that went to a streamer the viewer had visited before. */
  repeatPerClick: number;
  /** Share of the streams on air that were shown at least once. */
  coverage: number;
  requests: number;
  impressions: number;
  /** All clicks, and the clicks on a favourite that no slate showed. */
  clicks: number;
  sought: number;
  /** Events of all kinds, warm-up included. */
  events: number;
}

/** Metrics of a whole run. */
export interface SimulationResult extends PlatformMetrics {
  /** Quantiles and mean of the length of a visit, seconds. */
  watchSeconds: { p50: number; p90: number; p99: number; mean: number };
  /** Gini coefficient of the time watched by streamer, among streamers who were on air, in [0, 1]: 0 is equal shares. */
  gini: number;
  /** Mean satisfaction of all viewers at the end, in (-2, 2). Hidden from policies. */
  satisfaction: number;
  /** Minutes watched per viewer on each day, warm-up included. */
  watchMinutesByDay: number[];
}

interface ClickTraits {
  outcome: Outcome;
  /** Whether the viewer has visited the streamer before. */
  isRepeat: boolean;
  /** Whether a slate showed the stream. */
  isShown: boolean;
}

/** Computes the metrics of a platform. */
export class Metrics {
  events = 0;
  newcomers = 0;
  readonly #options: PlatformOptions;
  readonly #watchMs: number[] = [];
  readonly #msByDay: Float64Array;
  readonly #msByStreamer = new Map<Streamer, number>();
  #totalMs = 0;
  #requests = 0;
  #impressions = 0;
  #clicks = 0;
  #sought = 0;
  #engaged = 0;
  #repeats = 0;
  #sessions = 0;
  #returns = 0;
  #returnMs = 0;
  #streams = 0;
  #shown = 0;

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.#msByDay = new Float64Array(options.days);
  }

  #counts(now: number): boolean {
    return now >= this.#options.warmupDays * DAY;
  }

  /** A stream goes on air; it counts unless it is gone before the warm-up ends. */
  onAir(stream: Stream): void {
    if (!this.#counts(stream.end)) return;
    this.#streams++;
    if (!this.#msByStreamer.has(stream.streamer)) this.#msByStreamer.set(stream.streamer, 0);
  }

  /** A session begins. @param leftAt - When the viewer's last one ended, if there was one. */
  session(leftAt: number | undefined, now: number): void {
    if (!this.#counts(now)) return;
    this.#sessions++;
    if (leftAt === undefined) return;
    this.#returns++;
    this.#returnMs += now - leftAt;
  }

  slate(streams: readonly Stream[], now: number): void {
    if (!this.#counts(now)) return;
    this.#requests++;
    this.#impressions += streams.length;
    for (const stream of streams) {
      if (stream.shown) continue;
      stream.shown = true;
      this.#shown++;
    }
  }

  click({ outcome, isRepeat, isShown }: ClickTraits, now: number): void {
    if (!this.#counts(now)) return;
    this.#clicks++;
    if (!isShown) this.#sought++;
    if (outcome === "engaged") this.#engaged++;
    if (isRepeat) this.#repeats++;
  }

  watch(streamer: Streamer, watchMs: number, now: number): void {
    const day = Math.min(this.#options.days - 1, Math.floor(now / DAY));
    this.#msByDay[day]! += watchMs;
    if (!this.#counts(now)) return;
    this.#totalMs += watchMs;
    this.#watchMs.push(watchMs);
    this.#msByStreamer.set(streamer, (this.#msByStreamer.get(streamer) ?? 0) + watchMs);
  }

  /** The metrics until `now`; takes O(1). */
  soFar(now: number): PlatformMetrics {
    const viewerDays = this.#options.viewers * Math.max(0, now / DAY - this.#options.warmupDays);
    return {
      watchMinutesPerViewerDay: this.#totalMs / MINUTE / viewerDays,
      clickRate: (this.#clicks - this.#sought) / this.#impressions,
      engagedPerClick: this.#engaged / this.#clicks,
      sessionsPerViewerDay: this.#sessions / viewerDays,
      watchMinutesPerSession: this.#totalMs / MINUTE / this.#sessions,
      returnHours: this.#returnMs / HOUR / this.#returns,
      newcomers: this.newcomers,
      repeatPerClick: this.#repeats / this.#clicks,
      coverage: this.#shown / this.#streams,
      requests: this.#requests,
      impressions: this.#impressions,
      clicks: this.#clicks,
      sought: this.#sought,
      events: this.events,
    };
  }

  result(now: number, satisfaction: number): SimulationResult {
    const seconds = Float64Array.from(this.#watchMs, (ms) => ms / 1000).sort();
    const at = (p: number) => (seconds.length === 0 ? Number.NaN : quantile(seconds, p));
    return {
      ...this.soFar(now),
      watchSeconds: {
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        mean: this.#totalMs / 1000 / seconds.length,
      },
      gini: gini([...this.#msByStreamer.values()]),
      satisfaction,
      watchMinutesByDay: Array.from(this.#msByDay, (ms) => ms / MINUTE / this.#options.viewers),
    };
  }
}
