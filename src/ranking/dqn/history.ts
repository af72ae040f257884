import { log1p } from "../../numeric/index.js";
import type { RankerFeatureGroup } from "./groups.js";
import type { ItemTable } from "./items.js";

/** Factor on the weight of earlier interactions, at each later one, in recent sums. */
const RECENT = 0.8;

/** Number of genre bits in use. */
export const GENRE_BITS = 19;

/** Spans before a request, in milliseconds, whose interactions the pace counts: a minute, an hour, a day. */
const PACE_SPANS = [60_000, 3_600_000, 86_400_000];
const BASE = ["log_length", "mean_rating", "mean_log_popularity", "recent_log_popularity", "mean_year", "recent_year"];
const PACE = ["log_gap", "log_last_minute", "log_last_hour", "log_last_day"];

/** Names of the features of a state, in the order of a row. */
export function stateNames(features: readonly RankerFeatureGroup[]): string[] {
  const genres = Array.from({ length: GENRE_BITS }, (_, genre) => `genre_${genre}`);
  return [...BASE, ...genres, ...(features.includes("pace") ? PACE : [])];
}

/** Exponentially weighted sums over a user's items; with `rate` 1 all weigh the same. */
class Taste {
  weight = 0;
  popularity = 0;
  year = 0;
  readonly genres: Float64Array = new Float64Array(GENRE_BITS);

  constructor(private readonly rate: number) {}

  push(logCount: number, year: number, genres: number): void {
    this.weight = this.rate * this.weight + 1;
    this.popularity = this.rate * this.popularity + logCount;
    this.year = this.rate * this.year + year;
    for (let g = 0; g < GENRE_BITS; g++) this.genres[g] = this.rate * this.genres[g]! + ((genres >>> g) & 1);
  }

  clear(): void {
    this.weight = this.popularity = this.year = 0;
    this.genres.fill(0);
  }
}

/** One user's history so far, as running sums: a push costs the same at any length. */
export class UserHistory {
  user = -1;
  length = 0;
  /** The time of the request, in milliseconds: to be set before features are written. */
  now = 0;
  /** The first `length` are the user's items, in order. */
  readonly items: Int32Array;
  /** Their times. */
  readonly times: Float64Array;
  readonly all: Taste = new Taste(1);
  readonly recent: Taste = new Taste(RECENT);
  /** A row of (items) for each memory, see {@link ItemTable.remember}. */
  readonly memories: readonly Float64Array[];
  private ratings = 0;

  constructor(private readonly table: ItemTable) {
    this.items = new Int32Array(table.items);
    this.times = new Float64Array(table.items);
    this.memories = table.memories.map(() => new Float64Array(table.items));
  }

  /** Begins an empty history of `user`. */
  begin(user: number): void {
    this.user = user;
    this.length = 0;
    this.ratings = 0;
    this.all.clear();
    this.recent.clear();
    for (const row of this.memories) row.fill(0);
  }

  /** Appends an item that is new to the user. */
  push(item: number, rating: number, time: number): void {
    const { logCount, year, genres } = this.table;
    this.times[this.length] = time;
    this.items[this.length++] = item;
    this.ratings += rating;
    this.all.push(logCount[item]!, year[item]!, genres[item]!);
    this.recent.push(logCount[item]!, year[item]!, genres[item]!);
    this.table.remember(this.user, item, this.memories);
  }

  /** Writes the state, in the order of `stateNames`. */
  write(out: Float32Array): void {
    const n = Math.max(this.length, 1);
    const recent = Math.max(this.recent.weight, 1);
    out[0] = log1p(this.length);
    out[1] = this.ratings / n;
    out[2] = this.all.popularity / n;
    out[3] = this.recent.popularity / recent;
    out[4] = this.all.year / n;
    out[5] = this.recent.year / recent;
    for (let g = 0; g < GENRE_BITS; g++) out[6 + g] = this.all.genres[g]! / n;
    if (this.table.features.includes("pace")) this.writePace(out, 6 + GENRE_BITS);
  }

  private writePace(out: Float32Array, at: number): void {
    const { length, times, now } = this;
    // Before the first interaction, the gap is the longest that counts.
    const gap = length === 0 ? PACE_SPANS.at(-1)! : Math.max(now - times[length - 1]!, 0);
    out[at] = log1p(gap / 1000);
    let from = length;
    for (const [s, span] of PACE_SPANS.entries()) {
      while (from > 0 && times[from - 1]! > now - span) from--;
      out[at + 1 + s] = log1p(length - from);
    }
  }
}
