import fc from "fast-check";
import { expect, test } from "vitest";
import { Queue } from "../../src/collections/queue.js";

test("holds what a map does that deletes before it sets, in its order, whatever is done to it", () => {
  const key = fc.integer({ min: 0, max: 5 });
  const step = fc.record({ what: fc.constantFrom("set", "set", "delete", "first"), key, value: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new Queue<number, number>();
      const map = new Map<number, number>();
      for (const { what, key, value } of steps) {
        const oldest = [...map.keys()][0];
        if (what === "set") {
          map.delete(key);
          map.set(key, value);
          queue.set(key, value);
        } else if (what === "delete") expect(queue.delete(key)).toBe(map.delete(key));
        else if (oldest !== undefined) {
          map.delete(oldest);
          queue.delete(queue.first!.key);
        }
        expect([...queue.values()]).toEqual([...map.values()]);
        expect([queue.size, queue.get(key)]).toEqual([map.size, map.get(key)]);
        const first = [...map][0];
        expect(queue.first && [queue.first.key, queue.first.value]).toEqual(first);
      }
    }),
  );
});
