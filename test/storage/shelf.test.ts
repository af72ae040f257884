import { expect, test } from "vitest";
import { Random } from "../../src/numeric/random.js";
import { Shelf } from "../../src/storage/index.js";
import { SimulatedDisk } from "../support/disk.js";

test("items are there whole or not at all, and the mark is the old one or the new one, whenever the power goes", () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = new Random(seed);
    const disk = new SimulatedDisk();
    const shelf = new Shelf(disk);
    for (let number = 1; number <= 5; number++) shelf.put(number, new Uint8Array(1000).fill(number));
    shelf.mark = 4;
    shelf.keep(new Set([3, 4, 5]));
    // What is not flushed may go.
    const file = disk.create(".unfinished");
    file.write(new Uint8Array(10));
    file.close();
    disk.crash(random);
    const again = new Shelf(disk);
    expect(again.mark).toBe(4);
    const items = [...again.items()];
    for (const { number, bytes } of items) expect(bytes).toEqual(new Uint8Array(1000).fill(number));
    expect(items.map(({ number }) => number)).toEqual(expect.arrayContaining([3, 4, 5]));
    again.mark = undefined;
    expect(new Shelf(disk).mark).toBeUndefined();
  }
});
