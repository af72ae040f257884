import type { Id } from "../../protocol/index.js";
import { readRows } from "../readers/csv.js";
import type { Source } from "../readers/text.js";

/** One broadcast that has ended, with what it drew. */
export interface Broadcast {
  /** The channel, as the id of the streamer. */
  channel: Id;
  /** When it went on air, milliseconds since the Unix epoch. */
  startMs: number;
  /** Milliseconds on air. */
  lengthMs: number;
  /** The first of `categories`; `unknown` where there is none. */
  category: string;
  categories: string[];
  /** Viewers, on average over its time on air. */
  averageViewers: number;
  peakViewers: number;
  /** Milliseconds watched by all viewers together. */
  watchMs: number;
  /** Less than 0 where more left than came. */
  followersGained: number;
  /** Visits of the page. */
  views: number;
}

const COLUMNS = [
  ...["channel", "start", "length_min", "watch_min", "avg_viewers", "peak_viewers", "followers_gained", "views"],
  "categories",
];
const MINUTE = 60_000;
const COUNT_MAX = 1e12;

/**
 * Reads broadcasts: a CSV with the columns channel, start (ISO 8601 to the minute, taken as UTC), length_min, watch_min,
 * avg_viewers, peak_viewers, followers_gained, views and categories (`|` separated), as the file tells them.
 *
 * @param name Of the file, for messages. Default none.
 * @throws LineError naming line and field, what it must be and what it was.
 */
export async function* readBroadcasts(source: Source, name?: string): AsyncGenerator<Broadcast, void, undefined> {
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
