import { pow } from "../../math.js";
import { Random } from "../../random.js";

/** What streams are about; popular categories first. */
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

/** Slope of the categories' shares: measured 1.2 to 1.45 over the first hundred games of Twitch. */
const ZIPF = 1.3;
/** Weights of a category's topics, its own first. Set by hand. */
const CENTRE = [1, 0.6, 0.35] as const;
/** Weight of the streamer's own topic beside those of the category. Set by hand. */
const PERSONAL = 0.8;
/** A second topic is tagged when it has at least this share of the strongest. */
const SECOND_TAG = 0.55;

/** The categories of a world: how common each is, and where it lies among the topics. */
export class Content {
  /** How common each category is, relative to the first. */
  readonly shares: Float64Array;
  readonly #centres: Float64Array[];

  constructor(seed: number) {
    this.shares = Float64Array.from(CATEGORIES, (_, rank) => pow(rank + 1, -ZIPF));
    this.#centres = CATEGORIES.map((_, category) => {
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

/** The names of the strongest topic, and of the second where it is nearly as strong. */
export function tagsOf(topics: Float64Array): string[] {
  const order = Array.from(topics, (_, topic) => topic).sort((a, b) => topics[b]! - topics[a]!);
  const [first, second] = order as [number, number];
  const close = topics[second]! >= SECOND_TAG * topics[first]!;
  return close ? [TOPICS[first]!, TOPICS[second]!] : [TOPICS[first]!];
}
