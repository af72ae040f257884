import { guessMapping, sampleOf } from "../../../src/cli/guessing/index.js";
import {
  checkMapping,
  cleanEvents,
  collectRatings,
  detectLogFormat,
  emptyQualityReport,
  type Interactions,
  type LogFormat,
  lastOfEachPair,
  type ReaderOptions,
  readMapped,
} from "../../../src/logs/index.js";
import type { LiveEvent } from "../../../src/protocol/index.js";
import type { Files } from "./lookalikes.js";

/** Events of files, in order and clean, as `liveq prepare` leaves them. */
export interface ReadLog {
  events: LiveEvent[];
  /** Lines of the files, without blank ones. */
  rows: number;
  /** Events that the rows gave, and those of them that were kept. */
  read: number;
  kept: number;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const linesOf = (text: string) => text.split("\n").filter((line) => line.trim() !== "").length;
const rowsOf = (files: Files) => Object.values(files).reduce((sum, text) => sum + linesOf(text), 0);

/** The layout that files are known by. @throws Error if it is another one. */
function knownAs(name: string, files: Files): LogFormat {
  const heads = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, bytesOf(text.slice(0, 4096))]));
  const format = detectLogFormat(Object.keys(files), heads);
  if (format?.name !== name) throw new Error(`files of ${name} are taken for ${format?.name}`);
  return format;
}

const opener = (files: Files) => (name: string) => [bytesOf(files[name]!)];

/** Sorts and cleans what a reader yields. */
async function prepared(files: Files, read: (options: ReaderOptions) => AsyncIterable<LiveEvent>): Promise<ReadLog> {
  const report = emptyQualityReport();
  const unsorted: LiveEvent[] = [];
  for await (const event of read({ onError: "skip", report })) unsorted.push(event);
  const order = unsorted.map((event, i) => ({ event, i })).sort((a, b) => a.event.time - b.event.time || a.i - b.i);
  const events: LiveEvent[] = [];
  const clean = cleanEvents(
    order.map(({ event }) => event),
    { report, simultaneous: "sort" },
  );
  for await (const event of clean) events.push(event);
  return { events, rows: rowsOf(files), read: report.read, kept: report.kept };
}

/** Events of files in a public layout, by their ready mapping. */
export async function eventsIn(name: string, files: Files): Promise<ReadLog> {
  const format = knownAs(name, files);
  if (format.yields !== "events") throw new Error(`${name} yields ${format.yields}`);
  return prepared(files, (options) => format.read(Object.keys(files), opener(files), options));
}

/** Events of a file of which nothing is known, by the mapping that is guessed from its first rows. */
export async function guessedEvents(text: string): Promise<ReadLog> {
  const { mapping } = guessMapping(await sampleOf(bytesOf(text), true));
  if (mapping === undefined) throw new Error("no mapping was found");
  return prepared({ export: text }, (options) => readMapped([bytesOf(text)], checkMapping(mapping), options));
}

/** Ratings of files in a public layout, the last of each user for each item. */
export async function ratingsIn(name: string, files: Files): Promise<{ ratings: Interactions; rows: number }> {
  const format = knownAs(name, files);
  if (format.yields !== "ratings") throw new Error(`${name} yields ${format.yields}`);
  const { ratings } = await collectRatings(format.read(Object.keys(files), opener(files)));
  return { ratings: lastOfEachPair(ratings), rows: rowsOf(files) };
}
