import { readRows } from "../readers/csv.js";
import type { Line } from "../readers/lines.js";
import type { Source } from "../readers/text.js";
import { GENRES, type MovieLensItem } from "./movielens.js";
import { collectRatings, type RatingLog, type RatingRecord } from "./ratings.js";

/** What the occupations of `users.dat` stand for, by their number. */
export const OCCUPATIONS_1M: readonly string[] = [
  ...["other", "academic", "artist", "clerical", "student", "customer service", "doctor", "executive", "farmer"],
  ...["homemaker", "pupil", "lawyer", "programmer", "retired", "sales", "scientist", "self-employed", "engineer"],
  ...["craftsman", "unemployed", "writer"],
];

/** The least ages of the groups that `users.dat` tells; 1 is under 18. */
export const AGES_1M: readonly number[] = [1, 18, 25, 35, 45, 50, 56];

/** A line of `users.dat`. */
export interface MovieLens1MUser {
  id: number;
  gender: "F" | "M";
  /** One of {@link AGES_1M}. */
  age: number;
  /** Position in {@link OCCUPATIONS_1M}. */
  occupation: number;
  zip: string;
}

/** MovieLens-1M. `users[u]` and `items[i]` describe the dense integers u and i of `ratings`. */
export interface MovieLens1M {
  users: MovieLens1MUser[];
  /** Title, year and genres; the year is that in brackets in the title. */
  items: MovieLensItem[];
  /** Ordered by time (simultaneous ones by line); `value` is the rating, 1 to 5. */
  ratings: RatingLog["ratings"];
}

/** The three files. */
export interface MovieLens1MFiles {
  /** `ratings.dat` */
  ratings: Source;
  /** `movies.dat` */
  movies: Source;
  /** `users.dat` */
  users: Source;
}

const ID_MAX = 2 ** 31 - 1;
const COMMON = { separator: "::", encoding: "latin-1" } as const;

/**
 * Reads MovieLens-1M, whose fields are separated by `::`, in latin-1: `users.dat` (id, gender, age, occupation, zip),
 * `movies.dat` (id, title, genres separated by `|`) and `ratings.dat` (user, movie, rating 1 to 5, Unix time in seconds).
 *
 * Harper & Konstan 2015, "The MovieLens Datasets: History and Context". The data may not be redistributed.
 *
 * @throws LineError naming file, line and field, what it must be and what it was.
 */
export async function readMovieLens1M(files: MovieLens1MFiles): Promise<MovieLens1M> {
  const users: MovieLens1MUser[] = [];
  const userRows = { ...COMMON, name: "users.dat", columns: ["UserID", "Gender", "Age", "Occupation", "Zip-code"] };
  for await (const line of readRows(files.users, userRows)) users.push(userOf(line));
  const items: MovieLensItem[] = [];
  const movieRows = { ...COMMON, name: "movies.dat", columns: ["MovieID", "Title", "Genres"] };
  for await (const line of readRows(files.movies, movieRows)) items.push(itemOf(line));
  const ids = (list: { id: number }[]) => list.map(({ id }) => String(id));
  const log = await collectRatings(readRatings1M(files.ratings), ids(users), ids(items));
  const missing = (file: string, id: string) => new Error(`${file}: must have all that is rated, ${id} is missing`);
  if (log.users.length > users.length) throw missing("users.dat", log.users[users.length]!);
  if (log.items.length > items.length) throw missing("movies.dat", log.items[items.length]!);
  return { users, items, ratings: log.ratings };
}

/** The lines of `ratings.dat` alone, one by one. */
export async function* readRatings1M(source: Source): AsyncGenerator<RatingRecord, void, undefined> {
  const columns = ["UserID", "MovieID", "Rating", "Timestamp"];
  for await (const line of readRows(source, { ...COMMON, name: "ratings.dat", columns })) {
    yield {
      user: String(line.integer(0, 1, ID_MAX)),
      item: String(line.integer(1, 1, ID_MAX)),
      value: line.integer(2, 1, 5),
      time: line.integer(3, 0, 8.64e12) * 1000,
    };
  }
}

function userOf(line: Line): MovieLens1MUser {
  const age = line.integer(2, 1, 150);
  if (!AGES_1M.includes(age)) throw line.refuse(2, `be one of ${AGES_1M.join(", ")}`);
  return {
    id: line.integer(0, 1, ID_MAX),
    gender: line.choice(1, ["F", "M"]) === 0 ? "F" : "M",
    age,
    occupation: line.integer(3, 0, OCCUPATIONS_1M.length - 1),
    zip: line.id(4),
  };
}

function itemOf(line: Line): MovieLensItem {
  const title = line.id(1);
  let genres = 0;
  for (const name of line.text(2).split("|")) {
    const genre = GENRES.indexOf(name);
    if (genre < 0) throw line.refuse(2, `be some of ${GENRES.join(", ")}, separated by |`);
    genres |= 1 << genre;
  }
  return { id: line.integer(0, 1, ID_MAX), title, year: Number(/\((\d{4})\)$/.exec(title)?.[1] ?? Number.NaN), genres };
}
