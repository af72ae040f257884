import { describe, expect, test } from "vitest";
import { SortedList } from "../../src/collections/sortedlist.js";
import { Random } from "../../src/numeric/random.js";

interface Item {
  id: number;
  key: number;
}

const before = (a: Item, b: Item) => (a.key === b.key ? a.id < b.id : a.key > b.key);

describe("SortedList", () => {
  test("agrees with a sorted list over 20 000 random comings, goings and changes", () => {
    const random = new Random(1);
    const order = new SortedList(before);
    const items = new Map<number, Item>();
    for (let step = 0; step < 20_000; step++) {
      const id = random.below(3000);
      const item = items.get(id);
      if (item !== undefined) order.delete(item);
      if (item !== undefined && random.bernoulli(0.3)) items.delete(id);
      else {
        const changed = item ?? { id, key: 0 };
        changed.key = random.below(40);
        items.set(id, changed);
        order.add(changed);
      }
      expect(order.size).toBe(items.size);
      if (step % 1999 === 0) expect([...order]).toEqual([...items.values()].sort((a, b) => (before(a, b) ? -1 : 1)));
    }
    for (const item of items.values()) order.delete(item);
    expect([...order]).toEqual([]);
  });

  test("refuses to delete a missing item, or one whose order has changed", () => {
    const order = new SortedList(before);
    const item = { id: 1, key: 1 };
    expect(() => order.delete(item)).toThrow("not in its sorted place");
    order.add(item);
    order.add({ id: 2, key: 5 });
    item.key = 9;
    expect(() => order.delete(item)).toThrow("not in its sorted place");
    expect(order.size).toBe(2);
  });
});
