/** What `liveq prepare` does with JSON lines: its speed beside a plain JSON.parse of the same lines, and its memory. */

import {
  type CleanEventsOptions,
  cleanEvents,
  type EventMapping,
  inBatches,
  readJsonl,
  readMapped,
  sortEvents,
} from "../../../src/logs/index.js";
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
/** Events of a log of 10 GB. */
const LONG = 112_000_000;
/** Copies of the clicks and watches in a CSV. */
const COPIES = 8;
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

/** How the rows of an export become events. */
const MAPPING: EventMapping = {
  kind: { column: "action", values: { enter: "click", leave: "watch" } },
  fields: {
    time: "event_time",
    user: "viewer_id",
    stream: "room_id",
    watchMs: { column: "watch_seconds", unit: "s" },
  },
};

/** The clicks and watches of a log as another platform exports them: dates, seconds, columns that nothing reads. */
async function exported(pieces: readonly Uint8Array[]): Promise<{ rows: Uint8Array[]; count: number }> {
  const encoder = new TextEncoder();
  const rows: Uint8Array[] = [encoder.encode("event_time,viewer_id,room_id,action,watch_seconds,device,session\n")];
  let count = 0;
  for await (const batch of inBatches(readJsonl(pieces))) {
    let text = "";
    for (const event of batch) {
      if (event.kind !== "click" && event.kind !== "watch") continue;
      const time = new Date(1.6e12 + event.time).toISOString().slice(0, 19).replace("T", " ");
      const watched = event.kind === "watch" ? `leave,${event.watchMs / 1000}` : "enter,";
      text += `${time}+00,${event.user},${event.stream},${watched},mobile,${count++}\n`;
    }
    rows.push(encoder.encode(text));
  }
  // As many rows as the log has events of all kinds, or thereabouts.
  const [header, ...body] = rows;
  return { rows: [header!, ...Array.from({ length: COPIES }, () => body).flat()], count: COPIES * count };
}

/** Events a second of the processor, and as a share of what JSON.parse alone does with the same lines in the same round. */
export async function measurePreparing(say: (text: string) => void): Promise<Result[]> {
  const pieces = await loggedPieces(LOG);
  let events = 0;
  for await (const batch of inBatches(readJsonl(pieces))) events += batch.length;
  const { rows: csv, count } = await exported(pieces);
  const ways: Readonly<Record<string, () => Promise<void>>> = {
    "csv-mapped": () => drained(readMapped(csv, MAPPING)),
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
    const repeats = rounds.map((round): Measured[] =>
      way === "csv-mapped"
        ? [["events_per_second", count / round[way]!, "events/s"]]
        : [
            ["events_per_second", events / round[way]!, "events/s"],
            ["of_json_parse", round["parse"]! / round[way]!, "ratio"],
          ],
    );
    return repeatedRows(`prepare/${way}`, repeats);
  });
  return [...rows, ...(await memoryRows(say))];
}

/**
 * Bytes in use at the most, above those before, while a stream of events is read and cleaned.
 *
 * @param look Called with the bytes read so far.
 */
export async function peakBytes(
  events: number,
  every = LOOK,
  options: CleanEventsOptions = {},
  look: (bytes: number) => void = () => {},
): Promise<number> {
  const before = liveBytes();
  let peak = 0;
  const looked = function* () {
    let [pieces, bytes] = [0, 0];
    for (const piece of generatedLog(events)) {
      yield piece;
      look((bytes += piece.byteLength));
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
    rows.push({ case: `prepare/${events}-events`, metric: "peak_bytes", value, unit: "B", isExact: true });
  }
  return rows;
}

/** A log that no memory holds: bytes read, events, and the memory that it takes to read and clean it. */
export async function measureLongLog(say: (text: string) => void): Promise<Result[]> {
  let [bytes, told] = [0, 0];
  const peak = await peakBytes(LONG, 100 * LOOK, {}, (now) => {
    bytes = now;
    if (bytes - told < 1e9) return;
    told = bytes;
    say(`${(bytes / 1e9).toFixed(1)} GB`);
  });
  say(`${LONG} events: ${(peak / 1e6).toFixed(1)} MB at the most`);
  const row = (metric: string, value: number, unit: string): Result => {
    return { case: "prepare/long", metric, value, unit, isExact: true };
  };
  return [row("events", LONG, "events"), row("bytes", bytes, "B"), row("peak_bytes", peak, "B")];
}
