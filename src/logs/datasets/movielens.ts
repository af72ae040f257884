import { decodeLatin1, readLines } from "../readers/lines.js";
import { type Interactions, sortInteractions } from "../splits/interactions.js";

/** The genre flags of `u.item`, in their order in the file. */
export const MOVIELENS_GENRES: readonly string[] = (
  "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy " +
  "Film-Noir Horror Musical Mystery Romance Sci-Fi Thriller War Western"
).split(" ");

/** The occupations of `u.user`. */
export const MOVIELENS_OCCUPATIONS: readonly string[] = (
  "administrator artist doctor educator engineer entertainment executive healthcare homemaker lawyer librarian " +
  "marketing none other programmer retired salesman scientist student technician writer"
).split(" ");

/** A line of `u.user`. */
export interface MovieLensUser {
  id: number;
  /** Years, in [1, 120]. */
  age: number;
  gender: "F" | "M";
  /** Position in {@link MOVIELENS_OCCUPATIONS}. */
  occupation: number;
  zip: string;
}

/** A line of `u.item`. */
export interface MovieLensItem {
  id: number;
  /** With the year in brackets, as in the file. */
  title: string;
  /** Year of the release date; NaN if the file has none. */
  year: number;
  /** Bit g is set if the film has genre `MOVIELENS_GENRES[g]`. */
  genres: number;
}

/** MovieLens-100K. `users[u]` and `items[i]` describe the dense integers u and i of `ratings`. */
export interface MovieLens {
  users: MovieLensUser[];
  items: MovieLensItem[];
  /** Ordered by time (simultaneous ones by line); `value` is the rating, 1 to 5. */
  ratings: Interactions;
}

/** The three files, as bytes. */
export interface MovieLensFiles {
  /** `u.data` */
  data: Uint8Array;
  /** `u.item` */
  item: Uint8Array;
  /** `u.user` */
  user: Uint8Array;
}

const ID_MAX = 2 ** 31 - 1;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ").join("|");
const DATE = new RegExp(`^\\d{1,2}-(?:${MONTHS})-(\\d{4})$`);
const USER_COLUMNS = ["id", "age", "gender", "occupation", "zip"];
const ITEM_COLUMNS = ["id", "title", "release date", "video release date", "url", ...MOVIELENS_GENRES];
const RATING_COLUMNS = ["user", "item", "rating", "timestamp"];

/**
 * Reads MovieLens-100K: `u.data` (tab separated: user, item, rating 1 to 5, Unix time in seconds), `u.item`
 * (`|` separated, latin-1, 19 genre flags) and `u.user` (`|` separated). Ids become dense integers in the order of
 * `u.user` and `u.item`.
 *
 * Harper & Konstan 2015, "The MovieLens Datasets: History and Context". The data may not be redistributed.
 *
 * @throws Error naming file, line, field, requirement and value: `u.data:17: "rating" must be an integer
 * in [1, 5], got "x"`.
 */
export function parseMovieLens(files: MovieLensFiles): MovieLens {
  const users = readUsers("u.user", decodeLatin1("u.user", files.user));
  const items = readItems("u.item", decodeLatin1("u.item", files.item));
  const ratings = readRatings("u.data", decodeLatin1("u.data", files.data), users, items);
  return { users, items, ratings };
}

function readUsers(file: string, text: string): MovieLensUser[] {
  const users: MovieLensUser[] = [];
  const ids = new Set<number>();
  for (const line of readLines(file, text, "|", USER_COLUMNS)) {
    const user: MovieLensUser = {
      id: line.integer(0, 1, ID_MAX),
      age: line.integer(1, 1, 120),
      gender: line.choice(2, ["F", "M"]) === 0 ? "F" : "M",
      occupation: line.choice(3, MOVIELENS_OCCUPATIONS),
      zip: line.text(4),
    };
    if (ids.has(user.id)) throw line.refuse(0, "be unique");
    if (user.zip === "") throw line.refuse(4, "not be empty");
    ids.add(user.id);
    users.push(user);
  }
  return users;
}

function readItems(file: string, text: string): MovieLensItem[] {
  const items: MovieLensItem[] = [];
  const ids = new Set<number>();
  for (const line of readLines(file, text, "|", ITEM_COLUMNS)) {
    const item: MovieLensItem = { id: line.integer(0, 1, ID_MAX), title: line.text(1), year: Number.NaN, genres: 0 };
    if (ids.has(item.id)) throw line.refuse(0, "be unique");
    if (item.title === "") throw line.refuse(1, "not be empty");
    if (line.text(2) !== "") {
      const date = DATE.exec(line.text(2));
      if (!date) throw line.refuse(2, "be a date such as 01-Jan-1995 or empty");
      item.year = Number(date[1]);
    }
    for (let genre = 0; genre < MOVIELENS_GENRES.length; genre++) item.genres |= line.integer(5 + genre, 0, 1) << genre;
    ids.add(item.id);
    items.push(item);
  }
  return items;
}

function readRatings(file: string, text: string, users: MovieLensUser[], items: MovieLensItem[]): Interactions {
  const userIndex = new Map(users.map((user, index) => [user.id, index]));
  const itemIndex = new Map(items.map((item, index) => [item.id, index]));
  const seen = new Set<number>();
  const user: number[] = [];
  const item: number[] = [];
  const value: number[] = [];
  const time: number[] = [];
  for (const line of readLines(file, text, "\t", RATING_COLUMNS)) {
    const u = userIndex.get(line.integer(0, 1, ID_MAX));
    if (u === undefined) throw line.refuse(0, "be in u.user");
    const i = itemIndex.get(line.integer(1, 1, ID_MAX));
    if (i === undefined) throw line.refuse(1, "be in u.item");
    const pair = u * items.length + i;
    if (seen.has(pair)) throw line.refuse(1, `be rated once by user ${users[u]!.id}`);
    seen.add(pair);
    user.push(u);
    item.push(i);
    value.push(line.integer(2, 1, 5));
    // The largest time of a Date.
    time.push(line.integer(3, 0, 8.64e12) * 1000);
  }
  return sortInteractions({
    users: users.length,
    items: items.length,
    user: Int32Array.from(user),
    item: Int32Array.from(item),
    value: Float32Array.from(value),
    time: Float64Array.from(time),
  });
}
