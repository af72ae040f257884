import { expect, test } from "vitest";
import { PriorityQueue } from "../../src/collections/priorityqueue.js";
import { Random } from "../../src/numeric/random.js";

test("returns the earliest first, simultaneous items in the order of arrival", () => {
  const random = new Random(1);
  const queue = new PriorityQueue<{ time: number; order: number }>();
  const items = Array.from({ length: 2000 }, (_, order) => ({ time: random.below(200), order }));
  for (const item of items) queue.push(item);
  const popped = items.map(() => queue.pop());
  expect(popped).toEqual(items.sort((a, b) => a.time - b.time || a.order - b.order));
  expect([queue.size, queue.first]).toEqual([0, undefined]);
});

test("takes new items while it is emptied", () => {
  const queue = new PriorityQueue<{ time: number }>();
  const times: number[] = [];
  queue.push({ time: 2 });
  queue.push({ time: 4.5 });
  while (queue.size > 0) {
    const { time } = queue.pop();
    times.push(time);
    if (time < 4) queue.push({ time: time + 1 });
  }
  expect(times).toEqual([2, 3, 4, 4.5]);
});
