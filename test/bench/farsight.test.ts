import { expect, test } from "vitest";
import { figuresOf, LIVE } from "../../bench/recommender/farsight/live.js";
import { LONGTERM } from "../../bench/recommender/farsight/longterm.js";
import { Newness } from "../../bench/recommender/farsight/newness.js";
import { farsightRows } from "../../bench/recommender/farsight/rows.js";
import type { StoredRow } from "../../src/cli/writing/results.js";
import { DAY } from "../../src/protocol/time.js";
import type { Viewer } from "../../src/simulator/world/viewers.js";

test("the platform is measured over a range of satiation, and without an effect of satisfaction", () => {
  const names = ["live", "live-120", "live-180", "live-none", "live-heads", "live-weights", "live-no-effect"];
  expect(LIVE.map(({ name }) => name)).toEqual(names.map((name) => `farsight/${name}`));
  expect(LIVE.map(({ seeds }) => seeds)).toEqual([48, 16, 16, 16, 16, 16, 16]);
  // Rows with the same recipe are not measured again.
  expect(new Set(LIVE.map(({ recipe }) => JSON.stringify(recipe))).size).toBe(LIVE.length);
  expect(LONGTERM.map(({ name }) => name)).toContain("farsight/longterm/dqn");
});

test("gains are of each setting over its own arm without looking ahead", () => {
  const rows = ["live", "live-180"].flatMap((setting, i) =>
    [1, 2, 3].flatMap((seed) =>
      (["dqn", "gamma-0"] as const).map((arm) => ({
        case: `farsight/${setting}`,
        metric: `${arm}:watch_min_per_user_day`,
        unit: "min",
        value: arm === "dqn" ? 20 + 2 * i : 20,
        seeds: [seed],
      })),
    ),
  ) as StoredRow[];
  const gains = farsightRows(rows).filter(({ metric }) => metric === "watch_gain_percent");
  expect(gains.map(({ case: name, value }) => [name, Math.round(1000 * value) / 1000])).toEqual([
    ["live/dqn-over-gamma-0", 0],
    ["live-180/dqn-over-gamma-0", 10],
  ]);
});

test("viewers are new for three sessions and streamers for three streams, and what precedes the warm-up does not count", () => {
  const sessions: Record<string, number> = { a: 3, b: 4 };
  const newness = new Newness({ viewer: (id) => ({ sessions: sessions[id] }) as Viewer }, 1);
  for (let i = 0; i < 4; i++) {
    newness.feedback({ kind: "on_air", time: 0, stream: `s${i}`, streamer: "x", category: "c" });
  }
  const watch = (time: number, user: string, stream: string, minutes: number) => {
    newness.feedback({ kind: "impression", time, user, stream, position: 0 });
    newness.feedback({ kind: "watch", time, user, stream, watchMs: 60_000 * minutes });
  };
  watch(DAY - 1, "a", "s0", 100);
  watch(DAY, "a", "s2", 10);
  watch(DAY, "a", "s3", 20);
  watch(DAY, "b", "s3", 10);
  sessions["a"] = 2;
  watch(DAY, "a", "s3", 0);
  expect(newness.results("dqn")).toEqual([
    { metric: "dqn:new_viewer_min_per_session", unit: "min", value: 15 },
    { metric: "dqn:new_streamer_impression_share", unit: "share", value: 1 / 4 },
    { metric: "dqn:new_streamer_watch_share", unit: "share", value: 1 / 4 },
  ]);
});

test("a small world gives every figure of an arm", () => {
  const figures = figuresOf("dqn", { viewers: 30, streamers: 60, days: 3, warmupDays: 1, seed: 1, satiation: 120 });
  expect(figures.map(({ metric }) => metric)).toEqual(
    [
      "watch_min_per_user_day",
      "sessions_per_user_day",
      "satisfaction",
      "exposure_gini",
      "new_viewer_min_per_session",
      "new_streamer_impression_share",
      "new_streamer_watch_share",
    ].map((metric) => `dqn:${metric}`),
  );
  for (const { metric, value } of figures) expect(Number.isFinite(value), metric).toBe(true);
});
