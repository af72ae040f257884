import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Scheduled } from "../../src/simulator/index.js";

const file = fileURLToPath(new URL("../../../shared/data/twitch-broadcasts-2019/broadcasts.csv", import.meta.url));

/** Whether the real data is there; tests on it are skipped where it is not. */
export const hasRealBroadcasts: boolean = existsSync(file);
if (!hasRealBroadcasts) console.warn(`the Twitch broadcasts are not in ${file}: tests on them are skipped`);

/** The real broadcasts of the first days: the columns that a replay needs. */
export function realBroadcasts(days: number): Scheduled[] {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(1);
  const all = lines.map((line): Scheduled => {
    const [channel, start, minutes, , viewers, , , , categories] = line.split(",") as string[];
    return {
      channel: channel!,
      startMs: Date.parse(`${start}Z`),
      lengthMs: Number(minutes) * 60_000,
      category: categories!.split("|")[0] || "none",
      averageViewers: Number(viewers),
    };
  });
  const first = Math.floor(Math.min(...all.slice(0, 1000).map(({ startMs }) => startMs)) / 86_400_000) * 86_400_000;
  return all.filter(({ startMs, lengthMs }) => startMs < first + days * 86_400_000 && lengthMs > 0);
}
