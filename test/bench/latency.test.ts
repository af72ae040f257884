import { expect, test } from "vitest";
import { measureLatency } from "../../bench/recommender/speed/latency.js";

const SMALL = { rounds: 2, visits: 3, warmup: 3, replicas: 3 };

test("latency is measured of a build alone, and of two in turn with their ratios", async () => {
  const say = () => {};
  const metrics = ["recommend", "recommend_p99", "recommend_cpu", "recommend_cpu_p99", "feedback", "feedback_p99"];
  const alone = await measureLatency({ seed: 1, options: {}, say }, SMALL);
  expect(alone.map(({ case: name, metric }) => [name, metric])).toEqual(
    metrics.map((metric) => ["latency/defaults", `${metric}_us`]),
  );
  const options = { against: "dist", features: ["social", "traits"] };
  const rows = await measureLatency({ seed: 1, options, say }, SMALL);
  await expect(measureLatency({ seed: 1, options: { features: ["smell"] }, say }, SMALL)).rejects.toThrow(
    'a build has no group of features "smell"',
  );
  const name = "latency/core+social+traits";
  expect(rows.map((row) => [row.case, row.metric])).toEqual([
    ...metrics.map((metric) => [name, `${metric}_us`]),
    ...metrics.map((metric) => [`${name}/against`, `${metric}_us`]),
    ...metrics.map((metric) => [name, `${metric}_ratio`]),
  ]);
  // A call may take less CPU time than is counted.
  for (const { value, metric } of rows) {
    if (!metric.includes("cpu")) expect(value, metric).toBeGreaterThan(0);
  }
});
