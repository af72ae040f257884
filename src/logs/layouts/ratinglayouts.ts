import type { RatingRecord } from "../datasets/ratings.js";
import { readRows } from "../readers/csv.js";
import { LineError } from "../readers/lines.js";
import type { CsvOptions } from "../readers/records.js";
import { type ByteSource, readLineBlocks } from "../readers/text.js";

/** A layout of public ratings. */
export interface RatingLayout {
  /** The name for `--format`. */
  name: string;
  /** One line. */
  description: string;
  /** Matches the names of its files, without their folder. */
  pattern: RegExp;
  about: string;
  /** Matches the first line of each. */
  first: RegExp;
  read(source: ByteSource, name: string): AsyncIterable<RatingRecord>;
}

/** Columns of user, item, rating and time in seconds; without a rating an item counts as 1, without a time all are 0. */
type Wanted = readonly [user: string, item: string, rating: string, time: string];

/** The largest time of a Date, in seconds. */
const SECONDS_MAX = 8.64e12;

async function* readRatings(source: ByteSource, csv: CsvOptions, wanted: Wanted): AsyncGenerator<RatingRecord> {
  for await (const row of readRows(source, { ...csv, wanted })) {
    const [rating, time] = [row.text(2), row.text(3)];
    yield {
      user: row.id(0),
      item: row.id(1),
      value: rating === "" ? 1 : row.decimal(2, -1e6, 1e6),
      time: time === "" ? 0 : row.decimal(3, 0, SECONDS_MAX) * 1000,
    };
  }
}

/** Reads a matrix of ratings, users by items, 0 for none. */
async function* readMatrix(source: ByteSource, name: string): AsyncGenerator<RatingRecord> {
  let user = 0;
  for await (const { first, lines } of readLineBlocks(source, { name })) {
    for (const [i, line] of lines.entries()) {
      if (typeof line !== "string") throw line;
      if (line.trim() === "") continue;
      const values = line.trim().split(" ");
      for (const [item, text] of values.entries()) {
        const value = Number(text);
        if (!(value >= 0 && value <= 5)) {
          throw new LineError(
            name,
            first + i,
            `item ${item} must have a rating in [0, 5], got ${JSON.stringify(text)}`,
          );
        }
        if (value > 0) yield { user: String(user), item: String(item), value, time: 0 };
      }
      user++;
    }
  }
}

/** Public ratings beside those with readers of their own. */
export const RATING_LAYOUTS: readonly RatingLayout[] = [
  {
    name: "movielens-latest",
    description: "MovieLens latest-small, 20M, 25M and 32M: ratings of films",
    pattern: /^ratings\.csv$/,
    about: "ratings",
    first: /^userId,movieId,rating,timestamp$/,
    read: (source, name) => readRatings(source, { name }, ["userId", "movieId", "rating", "timestamp"]),
  },
  {
    name: "recbole",
    description: "Atomic files of RecBole: interactions with typed headers; without a rating each counts as 1",
    pattern: /\.inter$/,
    about: "interactions",
    first: /^(?=.*\buser_id:token\b)(?=.*\bitem_id:token\b)/,
    read: (source, name) =>
      readRatings(source, { name, separator: "\t", quote: "none" }, [
        "user_id:token",
        "item_id:token",
        "?rating:float",
        "?timestamp:float",
      ]),
  },
  {
    name: "yahoo-r3",
    description: "Yahoo! R3: ratings of songs, of the users' choice (train) or drawn at random (test), without times",
    pattern: /^ydata-ymusic-rating-study\S*-(?:train|test)\.txt$/,
    about: "ratings",
    first: /^\d+[\t ]\d+[\t ][1-5]$/,
    read: (source, name) =>
      readRatings(source, { name, separator: "\t", columns: ["user", "song", "rating"] }, [
        "user",
        "song",
        "rating",
        "?time",
      ]),
  },
  {
    name: "coat",
    description: "Coat: a matrix of ratings of coats, users by items, without times",
    pattern: /^train\.ascii$/,
    about: "ratings of the users' choice",
    first: /^[0-5](?: [0-5])+$/,
    read: readMatrix,
  },
];
