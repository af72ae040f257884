import { MOVIELENS_GENRES, MOVIELENS_OCCUPATIONS, type MovieLensFiles } from "../../src/logs/datasets/movielens.js";
import { lognormal, weightedIndex } from "../../src/numeric/distributions.js";
import { Random } from "../../src/numeric/random.js";

/** What the generated files must read back as, by line. */
export interface LookAlike {
  files: MovieLensFiles;
  users: number;
  items: number;
  /** Lines of `u.data`: user id, item id, rating, seconds. */
  ratings: [user: number, item: number, rating: number, seconds: number][];
}

const CLUSTERS = 3;
const WORDS = "Château Über Señor Gärten Nuit River Stone Winter Letter Signal Harbour Æon".split(" ");

/**
 * A small data set in the exact formats of MovieLens-100K, of made-up films and users: the real one may not be
 * redistributed. Each user likes one cluster of films, rates pages of three at a time, and popular films more often.
 */
export function lookAlike(seed: number, users = 60, items = 120): LookAlike {
  const random = Random.named(seed, "movielens");
  const popularity = Array.from({ length: items }, () => lognormal(random, 1, 0.5));
  const ratings: LookAlike["ratings"] = [];
  for (let user = 1; user <= users; user++) {
    const liked = random.below(CLUSTERS);
    let seconds = 874724710 + random.below(20_000_000);
    const count = 20 + random.below(11);
    const weights = popularity.map((weight, item) => (item % CLUSTERS === liked ? 10 * weight : weight));
    for (let n = 0; n < count; n++) {
      const item = weightedIndex(random, weights);
      weights[item] = 0;
      const rating = item % CLUSTERS === liked ? 3 + random.below(3) : 1 + random.below(5);
      if (n % 3 === 0) seconds += 1 + random.below(60);
      ratings.push([user, item + 1, rating, seconds]);
    }
  }
  random.shuffle(ratings);
  const data = ratings.map((rating) => `${rating.join("\t")}\n`).join("");
  const item = Array.from({ length: items }, (_, index) => itemLine(index, random)).join("");
  const user = Array.from({ length: users }, (_, index) => userLine(index, random)).join("");
  return { files: { data: latin1(data), item: latin1(item), user: latin1(user) }, users, items, ratings };
}

function itemLine(index: number, random: Random): string {
  const flags = MOVIELENS_GENRES.map((_, genre) =>
    genre === 1 + (index % CLUSTERS) || random.bernoulli(0.1) ? 1 : 0,
  ).join("|");
  // The real file has a film of which nothing is known, and a day of one digit.
  if (index === 7) return `8|unknown||||${flags}\n`;
  const year = 1930 + random.below(69);
  const title = `${random.pick(WORDS)} ${random.pick(WORDS)} (${year})`;
  const day = index === 8 ? "4" : String(1 + random.below(28)).padStart(2, "0");
  return `${index + 1}|${title}|${day}-Feb-${year}||http://example.com/${index + 1}|${flags}\n`;
}

function userLine(index: number, random: Random): string {
  const zip = index === 3 ? "V3N4P" : String(10_000 + random.below(90_000));
  return `${index + 1}|${10 + random.below(60)}|${random.pick(["F", "M"])}|${random.pick(MOVIELENS_OCCUPATIONS)}|${zip}\n`;
}

/** Text of characters below 256 as bytes. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
