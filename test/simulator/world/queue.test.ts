import { expect, test } from "vitest";
import { Random } from "../../../src/numeric/random.js";
import { EventQueue } from "../../../src/simulator/world/queue.js";

test("what is due first happens first, and in the order it was put in when due together", () => {
  const random = new Random(1);
  const queue = new EventQueue();
  const put: [time: number, order: number][] = [];
  const got: [time: number, order: number][] = [];
  for (let order = 0; order < 2000; order++) {
    const time = random.below(200);
    put.push([time, order]);
    queue.at(time, (now) => got.push([now, order]));
  }
  while (queue.next < Infinity) queue.step();
  expect(got).toEqual(put.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
});

test("takes new entries while it runs", () => {
  const queue = new EventQueue();
  const times: number[] = [];
  const again = (now: number) => {
    times.push(now);
    if (now < 5) queue.at(now + 1, again);
  };
  queue.at(2, again);
  queue.at(4, (now) => times.push(-now));
  while (queue.next < Infinity) queue.step();
  expect(times).toEqual([2, 3, -4, 4, 5]);
});
