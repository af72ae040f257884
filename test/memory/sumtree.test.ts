import fc from "fast-check";
import { expect, test } from "vitest";
import { NaiveSumTree } from "../reference/sumtree.js";
import { PlacedArena } from "./arena.js";

/** A share of the calls of all kernels. */
const TREES = Math.ceil(Number(process.env["MEMORY_CALLS"] ?? 6000) / 60);

/** Places of one operation, whose calls take from one on. */
const MOST = 6;

const operation = fc.record({
  kind: fc.constantFrom("set", "set all", "set all", "find", "find", "total", "rebuild"),
  places: fc.array(
    fc.record({
      where: fc.nat(),
      /** Multiples of 1/8: sums are exact in f32, so that both must find the same leaf. */
      priority: fc.oneof(
        fc.constant(0),
        fc.nat(511).map((x) => x / 8),
      ),
      share: fc.oneof(
        fc.constantFrom(0, 1 - 2 ** -53),
        fc.nat(1000).map((x) => x / 1001),
      ),
    }),
    { minLength: MOST, maxLength: MOST },
  ),
});

/** Wrong sums on all levels above the priorities: they are not believed. */
function spoilSums(arena: PlacedArena, levels: number, capacity: number): void {
  let n = capacity;
  for (const { at } of arena.tensors.slice(1, levels)) {
    n = Math.ceil(n / 16);
    new Float32Array(arena.exports.memory.buffer, at, n).fill(3);
  }
}

test("a sum tree touches nothing but its levels, and equals its naive twin", () => {
  const capacities = fc.oneof(fc.integer({ min: 1, max: 67 }), fc.constantFrom(255, 256, 257, 4096, 4097));
  fc.assert(
    fc.property(
      capacities,
      fc.array(operation, { maxLength: 40 }),
      fc.integer({ min: 1, max: MOST }),
      fc.nat(6),
      (capacity, operations, width, flush) => {
        for (const isChecked of [true, false]) {
          const layout = { poison: isChecked ? 1.5 : -70_000, isChecked, pages: 4, flush: isChecked ? -1 : flush };
          const arena = new PlacedArena("kernels", layout, 65536);
          const { memory, treeAt, treeSet, treeSetAll, treeGet, treeTotal, treeFind, treeRebuild } = arena.exports;
          const tree = treeAt(65536, capacity);
          const levels = arena.tensors.length;
          const targets = new Float64Array(memory.buffer, arena.take(8 * width), width);
          const leaves = new Int32Array(memory.buffer, arena.take(4 * width), width);
          const priorities = new Float32Array(memory.buffer, arena.take(4 * width), width);
          const twin = new NaiveSumTree(capacity);
          for (const { kind, places } of operations) {
            const given = places.slice(0, width);
            const i = given[0]!.where % capacity;
            if (kind === "set") {
              twin.priorities[i] = given[0]!.priority;
              treeSet(tree, i, twin.priorities[i]!);
              expect(treeGet(tree, i)).toBe(twin.priorities[i]);
            } else if (kind === "set all") {
              given.forEach(({ where, priority }, j) => {
                leaves[j] = where % capacity;
                priorities[j] = priority;
                twin.priorities[where % capacity] = priority;
              });
              treeSetAll(tree, width, leaves.byteOffset, priorities.byteOffset);
            } else if (kind === "rebuild") {
              spoilSums(arena, levels, capacity);
              treeRebuild(tree, capacity);
            } else if (kind === "total") expect(treeTotal(tree)).toBe(twin.total);
            else if (twin.total > 0) {
              const wanted = given.map(({ share }) => share * twin.total);
              targets.set(wanted);
              treeFind(tree, width, targets.byteOffset, leaves.byteOffset);
              expect([...leaves]).toEqual(wanted.map((target) => twin.find(target)));
            }
          }
          arena.requireGuards();
        }
      },
    ),
    { numRuns: TREES, seed: 1, includeErrorInReport: true },
  );
});
