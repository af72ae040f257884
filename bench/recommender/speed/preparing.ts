/** What `liveq prepare` does with JSON lines: its speed beside a plain JSON.parse of the same lines, and its memory. */

import { type CleanEventsOptions, cleanEvents, inBatches, readJsonl, sortEvents } from "../../../src/logs/index.js";
import { Spool } from "../../../src/node/index.js";
import type { LiveEvent } from "../../../src/protocol/index.js";
import type { Result } from "../../harness/suite.js";
import { generatedLog } from "./generated.js";
import { liveBytes } from "./memory.js";
import { loggedPieces } from "./pipeline.js";
import { type Measured, REPEATS, repeatedRows } from "./repeats.js";

/** Some 200,000 events. */
const LOG = { viewers: 1500, streamers: 800, days: 4, seed: 1 };
/** Events of the streams whose memory is compared. */
const SIZES = [1_000_000, 10_000_000];
/** Pieces between two looks at the memory. */
const LOOK = 100;

/** Seconds of the processor in the program itself: other processes do not count. */
async function seconds(run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  return process.cpuUsage(before).user / 1e6;
}

async function drained(events: AsyncIterable<LiveEvent>): Promise<void> {
  for await (const _ of inBatches(events));
}

async function parsed(pieces: readonly Uint8Array[]): Promise<void> {
  const decoder = new TextDecoder();
  for (const piece of pieces) {
    for (const line of decoder.decode(piece).split("\n")) if (line !== "") JSON.parse(line);
  }
}

/** Events a second of the processor, and as a share of what JSON.parse alone does with the same lines in the same round. */
export async function measurePreparing(say: (text: string) => void): Promise<Result[]> {
  const pieces = await loggedPieces(LOG);
  let events = 0;
  for await (const batch of inBatches(readJsonl(pieces))) events += batch.length;
  const ways: Readonly<Record<string, () => Promise<void>>> = {
    parse: () => parsed(pieces),
    jsonl: () => drained(readJsonl(pieces)),
    "jsonl-cleaned": () => drained(cleanEvents(readJsonl(pieces), { simultaneous: "sort" })),
    "jsonl-sorted": () => drained(sortEvents(readJsonl(pieces), () => new Spool(), { runSize: 2 ** 23 })),
  };
  const rounds: Record<string, number>[] = [];
  while (rounds.length < REPEATS) {
    const round: Record<string, number> = {};
    for (const [name, run] of Object.entries(ways)) round[name] = await seconds(run);
    rounds.push(round);
    say(`round ${rounds.length} of ${REPEATS}`);
  }
  const rows = Object.keys(ways).flatMap((way) => {
    if (way === "parse") return [];
    const repeats = rounds.map((round): Measured[] => [
      ["events_per_second", events / round[way]!, "events/s"],
      ["of_json_parse", round["parse"]! / round[way]!, "ratio"],
    ]);
    return repeatedRows(`prepare/${way}`, repeats);
  });
  return [...rows, ...(await memoryRows(say))];
}

/** Bytes in use at the most, above those before, while a stream of events is read and cleaned. */
export async function peakBytes(events: number, every = LOOK, options: CleanEventsOptions = {}): Promise<number> {
  const before = liveBytes();
  let peak = 0;
  const looked = function* () {
    let pieces = 0;
    for (const piece of generatedLog(events)) {
      yield piece;
      if (++pieces % every === 0) peak = Math.max(peak, liveBytes() - before);
    }
  };
  await drained(cleanEvents(readJsonl(looked()), { simultaneous: "sort", ...options }));
  return peak;
}

async function memoryRows(say: (text: string) => void): Promise<Result[]> {
  const rows: Result[] = [];
  for (const events of SIZES) {
    const value = await peakBytes(events);
    say(`${events} events: ${(value / 1e6).toFixed(1)} MB at the most`);
    rows.push({ case: `prepare/${events}-events`, metric: "peak_bytes", value, unit: "B" });
  }
  return rows;
}
