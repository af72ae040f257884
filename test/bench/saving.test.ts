import { expect, test } from "vitest";
import { measureSaving } from "../../bench/recommender/speed/saving.js";

test("saving is measured with requests between the chunks: times, pauses and what it holds", async () => {
  const rows = await measureSaving({ users: 20, pending: 30 }, () => {}, 6);
  const metrics = ["start", "pause_max", "pause_own_max", "chunks", "save", "load"].map((each) => `${each}_us`);
  expect(rows.map((row) => [row.case, row.metric])).toEqual(
    ["file_bytes", "chunk_max_bytes", ...metrics, "held_bytes"].map((metric) => ["save/20-users-30-decisions", metric]),
  );
  for (const { value, metric } of rows) {
    if (!metric.includes("cpu") && metric !== "held_bytes") expect(value, metric).toBeGreaterThan(0);
  }
  const chunk = rows.find(({ metric }) => metric === "chunk_max_bytes")!.value;
  expect(chunk).toBeLessThanOrEqual(1 << 20);
});
