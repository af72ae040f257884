import { pow, Random } from "../../numeric/index.js";

/** The categories of generated streams, the most popular first. */
export const CATEGORIES = [
  "chatting",
  "shooter",
  "strategy",
  "sports",
  "music",
  "adventure",
  "racing",
  "cards",
  "art",
  "simulation",
  "cooking",
  "fitness",
  "chess",
  "coding",
  "travel",
  "puzzle",
  "science",
  "craft",
  "fashion",
  "outdoors",
] as const;

/** The dimensions of taste. A stream's tags are the names of its strongest topics. */
export const TOPICS = [
  "calm",
  "competitive",
  "funny",
  "educational",
  "scary",
  "social",
  "creative",
  "retro",
  "speed",
  "teamwork",
  "story",
  "skill",
] as const;

/** Words that a stream with a topic may have in its title, by topic. */
const WORDS: readonly (readonly string[])[] = [
  ["cozy", "relaxed", "quiet"],
  ["ranked", "tournament", "finals"],
  ["chaos", "laughs", "fails"],
  ["lesson", "guide", "explained"],
  ["horror", "midnight", "haunted"],
  ["community", "friends", "hangout"],
  ["making", "drawing", "building"],
  ["classic", "retro", "arcade"],
  ["speedrun", "record", "fast"],
  ["squad", "duo", "together"],
  ["story", "chapter", "journey"],
  ["challenge", "no-hit", "mastery"],
];

/** Languages, and their shares among streamers and viewers. Set by hand. */
export const LANGUAGES = ["en", "es", "pt", "de", "ja"] as const;
export const LANGUAGE_SHARES = [0.6, 0.14, 0.1, 0.09, 0.07] as const;

/** Slope of the categories' shares: measured 1.2 to 1.45 over the first hundred games of Twitch. */
const ZIPF = 1.45;
/** Weights of a category's topics, its own first. Set by hand. */
const CENTRE = [1, 0.6, 0.35] as const;
/** Weight of the streamer's own topic beside those of the category. Set by hand. */
const PERSONAL = 0.8;
/** A second topic is tagged when it has at least this share of the strongest. */
const SECOND_TAG = 0.55;

/** The categories of a world: how common each is, and where it lies among the topics. */
export class Content {
  readonly categories: readonly string[];
  /** How common each category is, relative to the first. */
  readonly shares: Float64Array;
  readonly #centres: Float64Array[];

  /** @param categories - Their names, the most common first. */
  constructor(seed: number, categories: readonly string[] = CATEGORIES) {
    this.categories = categories;
    this.shares = Float64Array.from(categories, (_, rank) => pow(rank + 1, -ZIPF));
    this.#centres = categories.map((_, category) => {
      const random = Random.named(seed, "category", category);
      const order = random.shuffle(TOPICS.map((_, topic) => topic));
      const centre = new Float64Array(TOPICS.length);
      CENTRE.forEach((weight, i) => {
        centre[order[i]!] = weight;
      });
      return centre;
    });
  }

  /** The topics of a stream in a category by a streamer with an own topic: a vector of length 1. */
  topics(category: number, own: number): Float64Array {
    const topics = Float64Array.from(this.#centres[category]!);
    topics[own]! += PERSONAL;
    let squares = 0;
    for (const weight of topics) squares += weight * weight;
    const length = Math.sqrt(squares);
    return topics.map((weight) => weight / length);
  }
}

/** The strongest topic, and the second where it is nearly as strong; of equal ones the first. */
function strongest(topics: Float64Array): number[] {
  let first = 0;
  for (let i = 1; i < topics.length; i++) if (topics[i]! > topics[first]!) first = i;
  let second = first === 0 ? 1 : 0;
  for (let i = 0; i < topics.length; i++) if (i !== first && topics[i]! > topics[second]!) second = i;
  return topics[second]! >= SECOND_TAG * topics[first]! ? [first, second] : [first];
}

/** The names of the strongest topic, and of the second where it is nearly as strong. */
export function tagsOf(topics: Float64Array): string[] {
  return strongest(topics).map((topic) => TOPICS[topic]!);
}

/** A word for each tag and the category: `ranked chess`. */
export function titleOf(topics: Float64Array, category: string, random: Random): string {
  const words = strongest(topics).map((topic) => random.pick(WORDS[topic]!));
  return [...words, category].join(" ");
}
