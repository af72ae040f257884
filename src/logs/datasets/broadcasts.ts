import { type Id, MINUTE } from "../../protocol/index.js";
import { readRows } from "../readers/csv.js";
import type { ByteSource } from "../readers/text.js";

/** A finished broadcast, with its audience. */
export interface Broadcast {
  /** The channel, as the id of the streamer. */
  channel: Id;
  /** Start, milliseconds since the Unix epoch. */
  startMs: number;
  /** Milliseconds on air. */
  lengthMs: number;
  /** The first of `categories`; `unknown` without any. */
  category: string;
  categories: string[];
  /** Viewers, on average over its time on air. */
  averageViewers: number;
  peakViewers: number;
  /** Watch time of all viewers together, milliseconds. */
  watchMs: number;
  /** Negative if more followers left than came. */
  followersGained: number;
  /** Visits of the page. */
  views: number;
}

const COLUMNS = [
  ...["channel", "start", "length_min", "watch_min", "avg_viewers", "peak_viewers", "followers_gained", "views"],
  "categories",
];
const COUNT_MAX = 1e12;

/**
 * Reads broadcasts: a CSV with the columns channel, start (ISO 8601 to the minute, taken as UTC), length_min, watch_min,
 * avg_viewers, peak_viewers, followers_gained, views and categories (`|` separated).
 *
 * @param name Of the file, for messages. Default none.
 * @throws LineError naming line, field, requirement and value.
 */
export async function* readBroadcasts(source: ByteSource, name?: string): AsyncGenerator<Broadcast, void, undefined> {
  for await (const row of readRows(source, { wanted: COLUMNS, ...(name === undefined ? {} : { name }) })) {
    const categories = row
      .text(8)
      .split("|")
      .filter((category) => category !== "");
    yield {
      channel: row.id(0),
      startMs: row.time(1),
      lengthMs: row.decimal(2, 0, COUNT_MAX) * MINUTE,
      category: categories[0] ?? "unknown",
      categories,
      averageViewers: row.decimal(4, 0, COUNT_MAX),
      peakViewers: row.decimal(5, 0, COUNT_MAX),
      watchMs: row.decimal(3, 0, COUNT_MAX) * MINUTE,
      followersGained: row.decimal(6, -COUNT_MAX, COUNT_MAX),
      views: row.decimal(7, 0, COUNT_MAX),
    };
  }
}
