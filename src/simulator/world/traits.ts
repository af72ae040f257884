import { lognormal, Random, weightedIndex } from "../../numeric/index.js";
import { LANGUAGE_SHARES, LANGUAGES, TOPICS } from "./content.js";

/** A viewer's attributes, as `user` events carry them. All shares are set by hand. */
export interface Traits {
  /** Years, in [13, 80]. */
  readonly age: number;
  readonly gender: string;
  readonly region: string;
  readonly language: string;
  readonly device: string;
  /** How much more people of this age and gender like each topic. Hidden from policies. */
  readonly leaning: readonly number[];
}

const AGE_MEDIAN = 26;
const AGE_SIGMA = 0.35;
const AGE_LEAST = 13;
const AGE_MOST = 80;
const GENDERS = ["male", "female", "other"] as const;
const GENDER_SHARES = [0.62, 0.34, 0.04] as const;
/** Regions in which each language is spoken. */
const REGIONS_BY_LANGUAGE: Readonly<Record<(typeof LANGUAGES)[number], readonly string[]>> = {
  en: ["us", "gb", "ca", "au"],
  es: ["es", "mx", "ar"],
  pt: ["br", "pt"],
  de: ["de", "at"],
  ja: ["jp"],
};
export const REGIONS: readonly string[] = Object.values(REGIONS_BY_LANGUAGE).flat();
const DEVICES = ["phone", "desktop", "tablet", "tv"] as const;
const DEVICE_SHARES = [0.5, 0.36, 0.06, 0.08] as const;
/** By how much the topics of an age and of a gender are liked more. */
const LEANING = 0.15;
const YOUNG = ["competitive", "speed", "funny"];
const OLD = ["calm", "retro", "educational"];
const FEMALE = ["creative", "story"];
const MALE = ["competitive", "skill"];
const OLD_FROM = 30;

export function drawTraits(random: Random): Traits {
  const age = Math.floor(Math.min(AGE_MOST, Math.max(AGE_LEAST, lognormal(random, AGE_MEDIAN, AGE_SIGMA))));
  const gender = GENDERS[weightedIndex(random, GENDER_SHARES)]!;
  const language = LANGUAGES[weightedIndex(random, LANGUAGE_SHARES)]!;
  const region = random.pick(REGIONS_BY_LANGUAGE[language]);
  const device = DEVICES[weightedIndex(random, DEVICE_SHARES)]!;
  return { age, gender, region, language, device, leaning: leaningOf(age, gender) };
}

/** One list for each kind of viewer, shared by all of that kind. */
const leanings = new Map<string, readonly number[]>();

function leaningOf(age: number, gender: string): readonly number[] {
  const ofAge = age < OLD_FROM ? YOUNG : OLD;
  const ofGender = gender === "female" ? FEMALE : gender === "male" ? MALE : [];
  const key = `${ofAge[0]} ${ofGender[0]}`;
  const known = leanings.get(key);
  if (known) return known;
  const count = (topic: string) => Number(ofAge.includes(topic)) + Number(ofGender.includes(topic));
  const leaning = TOPICS.map((topic) => LEANING * count(topic));
  leanings.set(key, leaning);
  return leaning;
}

/** Each is a friend of so many neighbours to the right in a ring, */
const NEIGHBOURS = 2;
/** of whom this share is somebody else from anywhere: a small world (Watts and Strogatz 1998). */
const REWIRED = 0.1;

/**
 * The friends whom each of n viewers has made: each friendship is in the list of one of the two.
 *
 * @param circle - More friends of a viewer, by index.
 */
export function drawFriends(
  seed: number,
  n: number,
  circle: (index: number) => readonly number[] = () => [],
): number[][] {
  const known = Array.from({ length: n }, () => new Set<number>());
  return known.map((own, index) => {
    const made: number[] = [];
    const befriend = (friend: number) => {
      if (friend === index || own.has(friend)) return;
      own.add(friend);
      known[friend]!.add(index);
      made.push(friend);
    };
    const random = Random.named(seed, "friends", index);
    for (let step = 1; step <= NEIGHBOURS; step++) {
      const rewires = random.bernoulli(REWIRED);
      const anybody = random.below(n);
      befriend(rewires ? anybody : (index + step) % n);
    }
    circle(index).forEach(befriend);
    return made;
  });
}
