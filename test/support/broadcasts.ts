import { readFileSync } from "node:fs";
import type { ScheduledBroadcast } from "../../src/simulator/index.js";

/** The broadcasts of the first days of a folder: the columns that a replay needs. */
export function realBroadcasts(folder: string, days: number): ScheduledBroadcast[] {
  const lines = readFileSync(`${folder}/broadcasts.csv`, "utf8").trimEnd().split("\n").slice(1);
  const all = lines.map((line): ScheduledBroadcast => {
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
