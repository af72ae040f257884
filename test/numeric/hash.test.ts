import { expect, test } from "vitest";
import { hashText64 } from "../../src/numeric/index.js";

test("a key makes other hashes, of the same texts the same", () => {
  const texts = Array.from({ length: 2000 }, (_, i) => `user ${i}`);
  const hashes = (key?: readonly number[]) => texts.map((text) => String(hashText64(text, key)));
  expect(hashes([1, 2])).toEqual(hashes([1, 2]));
  expect(new Set([...hashes(), ...hashes([1, 2]), ...hashes([1, 3]), ...hashes([2, 2])]).size).toBe(8000);
  expect(hashes([0, 0])).toEqual(hashes());
});

test("texts that collide in a place of a table do not under another key", () => {
  const MASK = 1023;
  const placeOf = (text: string, key?: readonly number[]) => {
    const [low, high] = hashText64(text, key);
    return (low ^ high) & MASK;
  };
  const made = Array.from({ length: 200_000 }, (_, i) => `u${i}`).filter((text) => placeOf(text) === 7);
  expect(made.length).toBeGreaterThan(100);
  const places = new Set(made.map((text) => placeOf(text, [12345, 67890])));
  expect(places.size).toBeGreaterThan(made.length / 2);
});
