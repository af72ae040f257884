import { expect, test } from "vitest";
import { Recent } from "../../../src/logs/cleaning/recent.js";
import { Random } from "../../../src/numeric/index.js";

test("holds what was set within its span, as a map of all would say", () => {
  const random = Random.named(1, "recent");
  const recent = new Recent(100, 1000);
  const all = new Map<string, number>();
  for (let time = 0, i = 0; i < 5000; i++, time += random.below(random.bernoulli(0.02) ? 400 : 8)) {
    const key = `k${random.below(40)}`;
    const [own, known] = [recent.get(key), all.get(key) ?? -Infinity];
    expect(time - own < 100).toBe(time - known < 100);
    if (time - known < 100) expect(own).toBe(known);
    if (random.bernoulli(0.6)) {
      recent.set(key, time);
      all.set(key, time);
    }
  }
});

test("of too many keys holds the latest", () => {
  const recent = new Recent(1e9, 10);
  for (let i = 0; i < 100; i++) recent.set(`k${i}`, i);
  for (let i = 90; i < 100; i++) expect(recent.get(`k${i}`)).toBe(i);
  expect(recent.get("k70")).toBe(-Infinity);
});
