import { readRows } from "../readers/csv.js";
import type { Line } from "../readers/lines.js";
import type { ByteSource } from "../readers/text.js";
import { MOVIELENS_GENRES, type MovieLensItem } from "./movielens.js";
import { collectRatings, type RatingLog, type RatingRecord } from "./ratings.js";

/** The occupations of `users.dat`, by number. */
export const MOVIELENS_1M_OCCUPATIONS: readonly string[] = [
  ...["other", "academic", "artist", "clerical", "student", "customer service", "doctor", "executive", "farmer"],
  ...["homemaker", "pupil", "lawyer", "programmer", "retired", "sales", "scientist", "self-employed", "engineer"],
  ...["craftsman", "unemployed", "writer"],
];

/** The age groups of `users.dat`, by their least age; 1 is under 18. */
export const MOVIELENS_1M_AGES: readonly number[] = [1, 18, 25, 35, 45, 50, 56];

/** A line of `users.dat`. */
export interface MovieLens1MUser {
  id: number;
  gender: "F" | "M";
  /** One of {@link MOVIELENS_1M_AGES}. */
  age: number;
  /** Position in {@link MOVIELENS_1M_OCCUPATIONS}. */
  occupation: number;
  zip: string;
}

/** MovieLens-1M. `users[u]` and `items[i]` describe the dense integers u and i of `ratings`. */
export interface MovieLens1M {
  users: MovieLens1MUser[];
  /** Title, year and genres; the year is the one in brackets in the title. */
  items: MovieLensItem[];
  /** Ordered by time (simultaneous ones by line); `value` is the rating, 1 to 5. */
  ratings: RatingLog["ratings"];
}

/** The three files. */
export interface MovieLens1MFiles {
  /** `ratings.dat` */
  ratings: ByteSource;
  /** `movies.dat` */
  movies: ByteSource;
  /** `users.dat` */
  users: ByteSource;
}

const ID_MAX = 2 ** 31 - 1;
const COMMON = { separator: "::", encoding: "latin-1" } as const;

/**
 * Reads MovieLens-1M, whose fields are separated by `::`, in latin-1: `users.dat` (id, gender, age, occupation, zip),
 * `movies.dat` (id, title, genres separated by `|`) and `ratings.dat` (user, movie, rating 1 to 5, Unix time in seconds).
 *
 * Harper & Konstan 2015, "The MovieLens Datasets: History and Context". The data may not be redistributed.
 *
 * @throws LineError naming file, line, field, requirement and value.
 */
export async function readMovieLens1M(files: MovieLens1MFiles): Promise<MovieLens1M> {
  const users: MovieLens1MUser[] = [];
  const userRows = { ...COMMON, name: "users.dat", columns: ["UserID", "Gender", "Age", "Occupation", "Zip-code"] };
  for await (const line of readRows(files.users, userRows)) users.push(userOf(line));
  const items: MovieLensItem[] = [];
  const movieRows = { ...COMMON, name: "movies.dat", columns: ["MovieID", "Title", "Genres"] };
  for await (const line of readRows(files.movies, movieRows)) items.push(itemOf(line));
  const ids = (list: { id: number }[]) => list.map(({ id }) => String(id));
  const log = await collectRatings(readMovieLens1MRatings(files.ratings), ids(users), ids(items));
  const missing = (file: string, id: string) => new Error(`${file}: must have every rated id, ${id} is missing`);
  if (log.users.length > users.length) throw missing("users.dat", log.users[users.length]!);
  if (log.items.length > items.length) throw missing("movies.dat", log.items[items.length]!);
  return { users, items, ratings: log.ratings };
}

/** The ratings of `ratings.dat`, one by one. */
export async function* readMovieLens1MRatings(source: ByteSource): AsyncGenerator<RatingRecord, void, undefined> {
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
  if (!MOVIELENS_1M_AGES.includes(age)) throw line.refuse(2, `be one of ${MOVIELENS_1M_AGES.join(", ")}`);
  return {
    id: line.integer(0, 1, ID_MAX),
    gender: line.choice(1, ["F", "M"]) === 0 ? "F" : "M",
    age,
    occupation: line.integer(3, 0, MOVIELENS_1M_OCCUPATIONS.length - 1),
    zip: line.id(4),
  };
}

function itemOf(line: Line): MovieLensItem {
  const title = line.id(1);
  let genres = 0;
  for (const name of line.text(2).split("|")) {
    const genre = MOVIELENS_GENRES.indexOf(name);
    if (genre < 0) throw line.refuse(2, `be some of ${MOVIELENS_GENRES.join(", ")}, separated by |`);
    genres |= 1 << genre;
  }
  return { id: line.integer(0, 1, ID_MAX), title, year: Number(/\((\d{4})\)$/.exec(title)?.[1] ?? Number.NaN), genres };
}
