import fc from "fast-check";
import { expect, test } from "vitest";
import { type Key, Seen } from "../../src/collections/index.js";

/** A window as a plain map, oldest first. */
class Twin {
  readonly entries = new Map<string, number>();
  constructor(readonly max: number) {}
  add(key: Key, note: number): void {
    this.entries.set(String(key), note);
    if (this.entries.size > this.max) this.entries.delete(this.entries.keys().next().value!);
  }
}

/** Few keys, of which many meet in one slot of the table. */
const key = fc.tuple(fc.nat(40), fc.constantFrom(0, 2048, 4096, 0xffffffff));
const max = fc.constantFrom(1, 2, 7, 64, 1100);

test("remembers the latest keys with their notes, as a map does, also after saving and loading", () => {
  fc.assert(
    fc.property(max, fc.array(fc.tuple(key, fc.nat()), { maxLength: 200 }), fc.nat(200), (most, adds, saveAt) => {
      let seen = new Seen(most);
      const twin = new Twin(most);
      for (const [i, [each, note]] of adds.entries()) {
        if (i === saveAt) {
          const words = seen.save();
          seen = new Seen(most);
          seen.load(words);
        }
        expect(seen.get(each)).toBe(twin.entries.get(String(each)));
        if (seen.get(each) !== undefined) continue;
        seen.add(each, note);
        twin.add(each, note);
        expect(seen.size).toBe(twin.entries.size);
      }
      const saved = seen.save();
      const entries = Array.from({ length: seen.size }, (_, i) => saved.subarray(3 * i, 3 * i + 3));
      const all = entries.map(([low, high, note]) => [`${low},${high}`, note]);
      expect(all).toEqual([...twin.entries]);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("grows to its bound and forgets the oldest", () => {
  const seen = new Seen(3000);
  for (let i = 0; i < 10_000; i++) seen.add([Math.imul(i, 0x9e3779b1) >>> 0, i], i);
  expect(seen.size).toBe(3000);
  const note = (i: number) => seen.get([Math.imul(i, 0x9e3779b1) >>> 0, i]);
  expect([note(6999), note(7000), note(9999)]).toEqual([undefined, 7000, 9999]);
  const smaller = new Seen(10);
  smaller.load(seen.save());
  expect([smaller.size, smaller.get([Math.imul(9999, 0x9e3779b1) >>> 0, 9999])]).toEqual([10, 9999]);
});

test("keys made to collide cost as much as others, and do not disturb them", () => {
  const seen = new Seen(4096);
  // The slot is the exclusive or of the halves: all of these belong into the first one.
  for (let i = 1; i <= 4096; i++) if (seen.get([i, i]) === undefined) seen.add([i, i], i);
  const found = Array.from({ length: 4096 }, (_, i) => seen.get([i + 1, i + 1])).filter((note) => note !== undefined);
  expect(found.length).toBe(256);
  for (let i = 1; i <= 3000; i++) seen.add([i, 0x1000000 + 7919 * i], i);
  let lost = 0;
  for (let i = 1; i <= 3000; i++) if (seen.get([i, 0x1000000 + 7919 * i]) !== i) lost++;
  expect(lost).toBeLessThan(300);
  for (let i = 1; i <= 8192; i++) seen.add([5000 + i, 48271 * i], i);
  expect(seen.size).toBe(4096);
});
