import { describe, expect, test } from "vitest";
import { chiSquare } from "../reference/moments.js";
import { Pcg32 } from "../reference/rng.js";
import { NaiveSumTree } from "../reference/sumtree.js";
import { KernelBench } from "../support/kernels.js";

const BASE = 65536;
/** Behind every tree of these tests. */
const SCRATCH = 60 * 65536;

function treeOf(capacity: number) {
  const { exports } = new KernelBench(64);
  const tree = exports.treeAt(BASE, capacity);
  const findAll = (targets: readonly number[]) => {
    new Float64Array(exports.memory.buffer, SCRATCH, targets.length).set(targets);
    const leaves = SCRATCH + 8 * targets.length;
    exports.treeFind(tree, targets.length, SCRATCH, leaves);
    return [...new Int32Array(exports.memory.buffer, leaves, targets.length)];
  };
  const setAll = (leaves: readonly number[], priorities: readonly number[]) => {
    new Int32Array(exports.memory.buffer, SCRATCH, leaves.length).set(leaves);
    const values = SCRATCH + 4 * leaves.length;
    new Float32Array(exports.memory.buffer, values, leaves.length).set(priorities);
    exports.treeSetAll(tree, leaves.length, SCRATCH, values);
  };
  return {
    setAll,
    set: (i: number, priority: number) => exports.treeSet(tree, i, priority),
    get: (i: number) => exports.treeGet(tree, i),
    total: () => exports.treeTotal(tree),
    find: (target: number) => findAll([target])[0]!,
    findAll,
    rebuild: () => exports.treeRebuild(tree, capacity),
  };
}

describe("sum tree", () => {
  test.each([1, 2, 15, 16, 17, 255, 256, 257, 1000])(
    "equals its naive twin over random operations, capacity %i",
    (capacity) => {
      const tree = treeOf(capacity);
      const twin = new NaiveSumTree(capacity);
      const random = Pcg32.seeded(BigInt(capacity), 1n);
      // Nine capacities, 12,000 operations each: more than 100,000 in all.
      for (let operation = 0; operation < 12_000; operation++) {
        const i = random.below(capacity);
        // Multiples of 1/8: sums are exact in f32, so that both must find the same leaf.
        const priority = random.below(4) === 0 ? 0 : random.below(64) / 8;
        tree.set(i, priority);
        twin.priorities[i] = priority;
        if (operation % 16 !== 0) continue;
        expect(tree.get(i)).toBe(priority);
        expect(tree.total()).toBe(twin.total);
        if (twin.total === 0) continue;
        const targets = Array.from({ length: 1 + random.below(5) }, () => random.uniform() * twin.total);
        expect(tree.findAll(targets)).toEqual(targets.map((target) => twin.find(target)));
      }
    },
  );

  test("many at once are as one after the other, of a leaf twice the last", () => {
    const random = Pcg32.seeded(5n, 1n);
    for (let round = 0; round < 200; round++) {
      const capacity = 1 + random.below(600);
      const [one, all] = [treeOf(capacity), treeOf(capacity)];
      const leaves = Array.from({ length: 1 + random.below(70) }, () => random.below(capacity));
      const priorities = leaves.map(() => random.uniform());
      leaves.forEach((leaf, i) => {
        one.set(leaf, priorities[i]!);
      });
      all.setAll(leaves, priorities);
      expect(all.total()).toBe(one.total());
      for (const leaf of leaves) expect(all.get(leaf)).toBe(one.get(leaf));
      all.rebuild();
      expect(all.total()).toBe(one.total());
    }
  });

  test("draws every leaf in proportion to its priority", () => {
    const capacity = 300;
    const tree = treeOf(capacity);
    const random = Pcg32.seeded(1n, 2n);
    const priorities = Array.from({ length: capacity }, (_, i) => (i % 7 === 0 ? 0 : 0.01 + random.uniform() ** 4));
    priorities.forEach((p, i) => {
      tree.set(i, p);
    });
    const total = priorities.reduce((sum, p) => sum + p, 0);
    const counts = new Array<number>(capacity).fill(0);
    const n = 300_000;
    for (let j = 0; j < n; j++) counts[tree.find(((j + random.uniform()) / n) * tree.total())]!++;
    const share = (i: number) => (n * priorities[i]!) / total;
    const drawable = [...priorities.keys()].filter((i) => priorities[i]! > 0);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(drawable.reduce((sum, i) => sum + counts[i]!, 0));
    // Stratified draws scatter less than independent ones: a chi-square well below its degrees of freedom.
    expect(
      chiSquare(
        drawable.map((i) => counts[i]!),
        (bin) => share(drawable[bin]!),
      ),
    ).toBeLessThan(capacity);
  });

  test("never draws a leaf of priority 0, at any scale and however the sums round", () => {
    const random = Pcg32.seeded(3n, 1n);
    for (let round = 0; round < 300; round++) {
      const capacity = 1 + random.below(600);
      const tree = treeOf(capacity);
      const alive = new Set<number>();
      for (let k = 0; k < 40; k++) {
        const i = random.below(capacity);
        tree.set(i, 10 ** (60 * random.uniform() - 32));
        alive.add(i);
      }
      const total = tree.total();
      for (const target of [0, total * (1 - 2 ** -53), total, total * 1.001])
        expect(alive).toContain(tree.find(target));
      for (let k = 0; k < 50; k++) expect(alive).toContain(tree.find(random.uniform() * total));
    }
  });

  test("a target at the end of a leaf's share belongs to the next leaf that has one", () => {
    const tree = treeOf(300);
    tree.set(3, 1);
    tree.set(4, 0);
    tree.set(5, 2);
    tree.set(290, 0.5);
    expect([0, 0.999, 1, 2.999, 3, 3.499].map((target) => tree.find(target))).toEqual([3, 3, 5, 5, 290, 290]);
  });

  test("does not drift: after a million changes the total is that of a fresh tree", () => {
    const capacity = 500;
    const tree = treeOf(capacity);
    const random = Pcg32.seeded(4n, 1n);
    for (let i = 0; i < 1_000_000; i++) tree.set(i % capacity, random.uniform() * (i < 900_000 ? 10 : 0.01));
    const total = tree.total();
    tree.rebuild();
    expect(tree.total()).toBe(total);
    const sum = Array.from({ length: capacity }, (_, i) => tree.get(i)).reduce((x, y) => x + y, 0);
    expect(Math.abs(total / sum - 1)).toBeLessThan(1e-6);
  });
});
