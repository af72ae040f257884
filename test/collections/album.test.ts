import fc from "fast-check";
import { expect, test } from "vitest";
import { Album, type AlbumPicture, Latest } from "../../src/collections/index.js";

const key = fc.integer({ min: 0, max: 5 });

test("holds what a map does that deletes before it sets, in its order, whatever is done to it", () => {
  const step = fc.record({ what: fc.constantFrom("set", "set", "delete", "first"), key, value: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const album = new Album<number, number>();
      const map = new Map<number, number>();
      for (const { what, key, value } of steps) {
        const oldest = [...map.keys()][0];
        if (what === "set") {
          map.delete(key);
          map.set(key, value);
          album.set(key, value);
        } else if (what === "delete") expect(album.delete(key)).toBe(map.delete(key));
        else if (oldest !== undefined) {
          map.delete(oldest);
          album.delete(album.first!.key);
        }
        expect([...album]).toEqual([...map]);
        expect([[...album.keys()], [...album.values()]]).toEqual([[...map.keys()], [...map.values()]]);
        expect([album.size, album.get(key), album.has(key)]).toEqual([map.size, map.get(key), map.has(key)]);
        const first = [...map][0];
        expect(album.first && [album.first.key, album.first.value]).toEqual(first);
      }
    }),
  );
});

test("drops what `Latest` drops", () => {
  const [album, latest] = [new Album<number, number>(40), new Latest<number, number>(40)];
  for (let i = 0; i < 500; i++) {
    const key = (i * i * 7) % 90;
    album.set(key, i);
    latest.set(key, i);
    expect([...album]).toEqual([...latest]);
  }
});

test("pictures of any moments stay as they were, whatever changes, in its place too, and however they are walked", () => {
  type Value = { n: number };
  const step = fc.record({
    what: fc.constantFrom("set", "set", "change", "delete", "open", "walk", "walk", "close"),
    key,
    n: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const album = new Album<number, Value>(4, (value) => ({ ...value }));
      const open: { picture: AlbumPicture<number, Value>; was: string; walk: Iterator<unknown>; walked: unknown[] }[] =
        [];
      for (const { what, key, n } of steps) {
        if (what === "set") album.set(key, { n });
        else if (what === "delete") album.delete(key);
        else if (what === "change") {
          album.keep(key);
          const value = album.get(key);
          if (value) value.n = n;
        } else if (what === "open" && open.length < 3) {
          const picture = album.picture();
          open.push({ picture, was: JSON.stringify([...album]), walk: picture.entries(), walked: [] });
        } else if (what === "walk" && open.length > 0) {
          const { walk, walked } = open[n % open.length]!;
          const { done, value } = walk.next();
          if (!done) walked.push(JSON.parse(JSON.stringify(value)));
        } else if (what === "close" && open.length > 0) {
          const [{ picture, was, walk, walked }] = open.splice(n % open.length, 1) as typeof open;
          for (let next = walk.next(); !next.done; next = walk.next()) walked.push(next.value);
          expect(JSON.stringify(walked)).toBe(was);
          expect(JSON.stringify([...picture.entries()])).toBe(was);
          picture.close();
          expect([...picture.entries()]).toEqual([]);
        }
        for (const { picture, was } of open) expect(JSON.stringify([...picture.entries()])).toBe(was);
      }
      const entries = [...album];
      for (const { picture } of open) picture.close();
      for (let i = 0; i < 200; i++) album.set(i % 3, { n: i });
      expect(entries.length).toBeLessThanOrEqual(4);
      expect([...album.keys()]).toEqual([...album.keys()].slice(0, album.size));
    }),
    { numRuns: 400 },
  );
});
