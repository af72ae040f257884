import type { Random } from "../../src/numeric/random.js";

/** Everyday words, which are in titles of any topic. */
const COMMON = ["live", "new", "the", "day", "with", "playing", "stream", "first"];

/** Titles of planted topics: some words of the topic, the frequent ones more often, among everyday words. */
export function titles(count: number, topics: number, random: Random): { title: string; topic: number }[] {
  const word = (topic: number) => `t${topic}x${Math.floor(30 * random.uniform() ** 2)}`;
  return Array.from({ length: count }, () => {
    const topic = random.below(topics);
    const words = [
      ...Array.from({ length: 3 }, () => word(topic)),
      ...Array.from({ length: 3 }, () => random.pick(COMMON)),
    ];
    return { title: random.shuffle(words).join(" "), topic };
  });
}
