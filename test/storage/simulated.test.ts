import { describe, expect, test } from "vitest";
import { live, STEPS } from "../faults/disk.js";

const SEEDS = Number(process.env["STORAGE_SEEDS"] ?? 150);

describe("on a disk that drops, tears and reorders what was not flushed, and rots", () => {
  test("no acknowledged record is lost, none is learned twice, and the order stays", async () => {
    let crashes = 0;
    for (let seed = 0; seed < SEEDS; seed++) crashes += await live(seed);
    expect(crashes).toBeGreaterThan(3 * SEEDS);
    console.log(`${crashes} crashes in ${SEEDS} lives`);
  });

  test.each(STEPS)("without the %s some are", async (fault) => {
    let failed = 0;
    for (let seed = 0; seed < SEEDS && failed === 0; seed++) await live(seed, fault).catch(() => failed++);
    expect(failed).toBeGreaterThan(0);
  });
});
