import { log, poisson, Random } from "../../numeric/index.js";
import { DAY, HOUR } from "../../protocol/index.js";
import { Content } from "./content.js";
import type { PlatformOptions, ScheduledBroadcast } from "./options.js";
import { planDay } from "./schedule.js";
import { drawSize, drawStreamer, nextCategory, Stream, type Streamer } from "./streamers.js";

/** New streamers per streamer and day; about as many retire. Set by hand. */
const ARRIVALS = 1 / 150;
/** A streamer rests at least this long between two broadcasts. */
const REST = HOUR;

/** Which streams there will be. */
export interface Programme {
  readonly content: Content;
  /** The streams planned for a day; asked for each day once, in order from the day before the first. */
  plan(day: number): Stream[];
}

interface StreamerState {
  readonly streamer: Streamer;
  /** Broadcasts so far. */
  serial: number;
  /** When the streamer can start again. */
  freeAt: number;
  /** Category of the last broadcast. */
  category: number | undefined;
}

/** Streamers who come and go, and go on air by their habits. */
class GeneratedProgramme implements Programme {
  readonly content: Content;
  readonly #options: PlatformOptions;
  readonly #states: StreamerState[] = [];

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.content = new Content(options.seed);
    for (let i = 0; i < options.streamers; i++) this.#add(Number.NEGATIVE_INFINITY);
  }

  plan(day: number): Stream[] {
    const { seed, streamers } = this.#options;
    if (day > 0) {
      const born = poisson(Random.named(seed, "arrivals", day), ARRIVALS * streamers);
      for (let i = 0; i < born; i++) this.#add(day * DAY);
    }
    const streams: Stream[] = [];
    for (const state of this.#states) this.#planOne(state, day, streams);
    return streams;
  }

  #add(born: number): void {
    const streamer = drawStreamer(this.#options.seed, this.#states.length, born, this.content);
    this.#states.push({ streamer, serial: 0, freeAt: Number.NEGATIVE_INFINITY, category: undefined });
  }

  #planOne(state: StreamerState, day: number, streams: Stream[]): void {
    const { seed } = this.#options;
    const { streamer } = state;
    if (day * DAY - DAY >= streamer.retires) return;
    for (const { start, end } of planDay(streamer.habit, day, Random.named(seed, "day", streamer.index, day))) {
      if (start < state.freeAt || start < streamer.born || start >= streamer.retires) continue;
      state.freeAt = end + REST;
      const serial = state.serial++;
      const random = Random.named(seed, "stream", streamer.index, serial);
      const category = nextCategory(streamer, state.category, random);
      state.category = category;
      const size = drawSize(streamer, random);
      if (end <= 0) continue;
      streams.push(new Stream({ streamer, serial, start, end, category, size, varies: true }, random, this.content));
    }
  }
}

/** Broadcasts that are given, moved so that the first falls into the first day. */
class ReplayedProgramme implements Programme {
  readonly content: Content;
  readonly #seed: number;
  /** In order of start. */
  readonly #broadcasts: readonly ScheduledBroadcast[];
  readonly #origin: number;
  readonly #category: ReadonlyMap<string, number>;
  readonly #streamers: ReadonlyMap<string, Streamer>;
  readonly #serials = new Map<Streamer, number>();
  #next = 0;

  constructor(seed: number, broadcasts: readonly ScheduledBroadcast[]) {
    this.#seed = seed;
    this.#broadcasts = broadcasts
      .map((broadcast, order) => ({ broadcast, order }))
      .sort((a, b) => a.broadcast.startMs - b.broadcast.startMs || a.order - b.order)
      .map(({ broadcast }) => broadcast);
    this.#origin = Math.floor(this.#broadcasts[0]!.startMs / DAY) * DAY;
    const categories = byFalling(this.#broadcasts, ({ category }) => category);
    this.content = new Content(seed, categories);
    this.#category = new Map(categories.map((category, index) => [category, index]));
    this.#streamers = this.#draw();
  }

  plan(day: number): Stream[] {
    const streams: Stream[] = [];
    for (; this.#next < this.#broadcasts.length; this.#next++) {
      const { channel, startMs, lengthMs, category, averageViewers } = this.#broadcasts[this.#next]!;
      const start = startMs - this.#origin;
      if (start >= (day + 1) * DAY) break;
      const streamer = this.#streamers.get(channel)!;
      const serial = this.#serials.get(streamer) ?? 0;
      this.#serials.set(streamer, serial + 1);
      const plan = {
        streamer,
        serial,
        start,
        end: start + lengthMs,
        category: this.#category.get(category)!,
        size: logViewers(averageViewers),
        varies: false,
      };
      streams.push(new Stream(plan, Random.named(this.#seed, "stream", streamer.index, serial), this.content));
    }
    return streams;
  }

  /** Popularity and categories from the data, the rest by the seed. */
  #draw(): Map<string, Streamer> {
    const own = new Map<string, ScheduledBroadcast[]>();
    for (const broadcast of this.#broadcasts) {
      const list = own.get(broadcast.channel);
      if (list) list.push(broadcast);
      else own.set(broadcast.channel, [broadcast]);
    }
    const channels = [...own];
    const logs = channels.map(([, list]) => meanOf(list.map(({ averageViewers }) => logViewers(averageViewers))));
    const mean = meanOf(logs);
    const deviation = Math.sqrt(meanOf(logs.map((x) => (x - mean) * (x - mean)))) || 1;
    return new Map(
      channels.map(([id, list], index) => {
        const repertoire = byFalling(list, ({ category }) => category).map((name) => this.#category.get(name)!);
        const logAudience = logs[index]!;
        const given = { id, repertoire, logAudience, standing: (logAudience - mean) / deviation };
        return [id, drawStreamer(this.#seed, index, Number.NEGATIVE_INFINITY, this.content, given)];
      }),
    );
  }
}

/** Half a viewer stands for none, whose logarithm there is not. */
function logViewers(viewers: number): number {
  return log(Math.max(viewers, 0.5));
}

function meanOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** The names, the most frequent first; of equally frequent ones that which came first. */
function byFalling(
  broadcasts: readonly ScheduledBroadcast[],
  nameOf: (broadcast: ScheduledBroadcast) => string,
): string[] {
  const counts = new Map<string, { count: number; order: number }>();
  for (const broadcast of broadcasts) {
    const name = nameOf(broadcast);
    const known = counts.get(name);
    if (known) known.count++;
    else counts.set(name, { count: 1, order: counts.size });
  }
  return [...counts].sort(([, a], [, b]) => b.count - a.count || a.order - b.order).map(([name]) => name);
}

/** The given schedule, or else a generated one. */
export function programmeOf(options: PlatformOptions): Programme {
  const { seed, schedule } = options;
  return schedule ? new ReplayedProgramme(seed, schedule) : new GeneratedProgramme(options);
}
