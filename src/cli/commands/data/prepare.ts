import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import {
  Batched,
  type CleanEventsOptions,
  cleanEvents,
  collectRatings,
  cutInteractionsAt,
  DenseIds,
  dealFolds,
  emptyQualityReport,
  type Interactions,
  inBatches,
  type LogFormat,
  lastOfEachPair,
  leaveLastTwoOut,
  type QualityReport,
  qualityReportLines,
  type RatingLog,
  type RatingRecord,
  readLineBlocks,
  selectInteractions,
  splitInstants,
} from "../../../logs/index.js";
import { type LiveEvent, MAX_AHEAD_MS, MINUTE } from "../../../protocol/index.js";
import { UsageError } from "../../reading/arguments.js";
import { type EventFormat, eventsOf, formatOf, Inputs, recordsOf, until } from "../../reading/input.js";
import { inOrder, type Order, type Ordering } from "../../reading/order.js";
import { isHtml } from "../../registry/record.js";
import { amount, Progress } from "../../reports/index.js";
import { Output, print, STANDARD, tryOutputs, writeJson, writing } from "../../writing/output.js";
import { noteListing } from "../../writing/results.js";
import { tooFew } from "./kept.js";
import {
  foldsOf,
  instantsOf,
  makeFolders,
  namesOf,
  openParts,
  partsOf,
  type Router,
  routerOf,
  type SplitOptions,
  shareOut,
} from "./split.js";

export interface PrepareOptions extends SplitOptions {
  format: string;
  out?: string;
  report?: string;
  strict: boolean;
  json: boolean;
  /** Durations are in seconds, but the longest watch in minutes; times are in milliseconds. */
  from?: number;
  to?: number;
  order: Order;
  /** Share of the events read. */
  minKept: number;
  lateness: number;
  late: NonNullable<CleanEventsOptions["late"]>;
  offAir: NonNullable<CleanEventsOptions["offAir"]>;
  emptyWatch: NonNullable<CleanEventsOptions["emptyWatch"]>;
  long: NonNullable<CleanEventsOptions["long"]>;
  watchMax: number;
  giftAfter: number;
  giftGap: number;
  userLimit: number;
  pairLimit: number;
  limitWindow: number;
}

/** The contents of `report.json`. */
interface Report {
  format: string;
  inputs: readonly string[];
  /** False if Ctrl-C ended the reading. */
  complete: boolean;
  /** Whether the events had to be sorted. */
  sorted: boolean;
  split: SplitOptions;
  /** Lines in each written file. */
  parts: Record<string, number>;
  /** Clean events that are in no file, if Ctrl-C ended the splitting. */
  unsplit?: number;
  quality: QualityReport;
}

/** Maximum number of ratings to search for duplicates: a table of all pairs of more would not fit. Set by hand. */
const PAIRS_MAX = 10_000_000;
/** Events between two waits for the reader of stdout. */
const DRAIN_EVERY = 256;

function cleaningOf(options: PrepareOptions): CleanEventsOptions {
  const { from, to, late, offAir, emptyWatch, long, userLimit, pairLimit } = options;
  return {
    ...(from === undefined ? {} : { from }),
    // Nothing has happened yet that is dated ahead of the present.
    to: to ?? Date.now() + MAX_AHEAD_MS,
    latenessMs: 1000 * options.lateness,
    late,
    offAir,
    emptyWatch,
    long,
    watchMaxMs: MINUTE * options.watchMax,
    giftAfterMs: 1000 * options.giftAfter,
    giftGapMs: 1000 * options.giftGap,
    userLimit,
    pairLimit,
    limitMs: 1000 * options.limitWindow,
    simultaneous: options.order === "keep" ? "keep" : "sort",
  };
}

/**
 * Reads any known layout, cleans it, reports on its quality, and writes it in parts. Returns false if the signal ended the
 * reading early; it writes the part that was read, and marks the report as incomplete.
 */
export async function prepare(
  given: readonly string[],
  options: PrepareOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { out, split } = options;
  if (out === STANDARD && split !== "none") throw new UsageError('"--out -" needs "--split none": stdout is one file');
  const inputs = new Inputs(given, signal);
  const format = await formatOf(inputs, options.format);
  if (format.yields === "broadcasts" || format.yields === "bandit") {
    const use =
      format.yields === "bandit" ? "readOpenBandit of liveq/logs reads it" : "liveq simulate --schedule takes it";
    throw new Error(`${inputs.title}: holds neither events nor ratings (${format.description}); ${use}`);
  }
  if (format.yields === "events" && split === "leave-last-out") {
    throw new UsageError('"--split leave-last-out" is for ratings; events are split by time, users or folds');
  }
  tryOutputs(options.report);
  if (out !== undefined && out !== STANDARD) tryParts(out, format.yields, options);
  const progress = new Progress("B");
  const { written, quality, isSorted } =
    format.yields === "events"
      ? await prepareEvents(format, inputs, options, progress, signal)
      : { ...(await prepareRatings(format, inputs, options, progress, signal)), isSorted: false };
  progress.end();
  const { fractions, folds, seed } = options;
  const report: Report = {
    format: format.name,
    inputs: inputs.names,
    complete: !signal.aborted,
    sorted: isSorted,
    split: { split, fractions, folds, seed },
    ...written,
    quality,
  };
  const isRange = options.from !== undefined || options.to !== undefined;
  const { title } = inputs;
  const nothing = quality.read > 0 ? "" : await inputs.nothing();
  const failure = tooFew(quality, format.yields, { minKept: options.minKept, isRange, title, nothing });
  if (quality.read > 0 || signal.aborted) publish(report, options);
  if (failure !== undefined && !signal.aborted) throw failure;
  return !signal.aborted;
}

/** Makes the folder, and tries the files in it. */
function tryParts(out: string, yields: "events" | "ratings", options: SplitOptions): void {
  const parts = options.split === "none" ? [yields] : namesOf(options);
  makeFolders(out, parts);
  tryOutputs(join(out, "report.json"), ...parts.map((part) => join(out, `${part}.jsonl`)));
}

/** Prints and writes the report. */
function publish(report: Report, { out, report: file, json }: PrepareOptions): void {
  if (out !== undefined && out !== STANDARD) writeJson(join(out, "report.json"), report);
  if (isHtml(file)) noteQuality(report);
  else if (file !== undefined) writeJson(file, report);
  if (json) {
    print(`${JSON.stringify(report, null, 2)}\n`, out, file);
    return;
  }
  const width = Math.max(0, ...Object.keys(report.parts).map((part) => part.length));
  const parts = Object.entries(report.parts).map(([part, lines]) => `${part.padEnd(width)}  ${lines}`);
  if (report.unsplit !== undefined) parts.push(`events in no part, as splitting was interrupted  ${report.unsplit}`);
  const order = report.sorted ? "not in order of time, sorted\n" : "";
  print(
    `format: ${report.format}\n${order}${[...qualityReportLines(report.quality), ...parts].join("\n")}\n`,
    out,
    file,
  );
}

/** What was read, kept and dropped, and why, for a report. */
function noteQuality({ format, quality, parts }: Report): void {
  const { read, kept, dropped, droppedBy, changedBy, addedBy, examplesBy, warnings = {} } = quality;
  const share = (n: number) => `${((100 * n) / Math.max(read, 1)).toFixed(1)} %`;
  const counts = { read, kept, dropped };
  noteListing({
    title: `What was read as ${format}`,
    header: ["what", "number", "share"],
    rows: Object.entries(counts).map(([what, n]) => [what, n, share(n)]),
  });
  const changes = Object.entries(changedBy).flatMap(([reason, columns]) =>
    Object.entries(columns).map(([column, n]): [string, number] => [`changed ${column}: ${reason}`, n]),
  );
  const faults = [
    ...Object.entries(droppedBy).map(([reason, n]): [string, number] => [`dropped: ${reason}`, n]),
    ...changes,
    ...Object.entries(addedBy).map(([reason, n]): [string, number] => [`added: ${reason}`, n]),
    ...Object.entries(warnings).map(([what, n]): [string, number] => [`warning: ${what}`, n]),
  ];
  const example = (what: string) => examplesBy[what.replace(/^dropped: /, "")] ?? "";
  const rows = faults.map(([what, n]) => [what, n, share(n), example(what)]);
  if (rows.length > 0) {
    noteListing({ title: "What was dropped, changed or added", header: ["what", "number", "share", "example"], rows });
  }
  noteListing({ title: "What was written", header: ["part", "lines"], rows: Object.entries(parts) });
}

/** Lines, by written file. */
type Parts = Record<string, number>;
type Written = Pick<Report, "parts" | "unsplit">;

async function prepareEvents(
  format: EventFormat,
  inputs: Inputs,
  options: PrepareOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ written: Written; quality: QualityReport; isSorted: boolean }> {
  const { out, split, strict, order } = options;
  const isWhole = split === "none" || out === undefined;
  // The parts are known only at the end: until then the clean events wait in a file.
  const path =
    out === undefined || out === STANDARD ? out : join(out, isWhole ? "events.jsonl" : `.${process.pid}.tmp`);
  const cleaning = cleaningOf(options);
  const ordering: Ordering = {
    order,
    isOnce: out === STANDARD || !inputs.isAgain,
    cleaning,
    folder: out === undefined || out === STANDARD ? undefined : out,
    signal,
    open: (joining, report) => {
      inputs.read = 0;
      const read = inBatches(eventsOf(format, inputs, { onError: strict ? "throw" : "skip", report }, joining));
      let count = 0;
      const text = () => amount(count, "events");
      const see = (batch: readonly LiveEvent[]) => {
        count += batch.length;
        progress.show({ count: inputs.read, fraction: inputs.fraction, text });
      };
      return new Batched(seen(until(signal, read), see));
    },
  };
  const { result, isSorted } = await inOrder(ordering, async ({ events, report, check }) => {
    const whole = path === undefined ? undefined : new Output(path, signal);
    const users = new DenseIds();
    const usersCount = !isWhole && split !== "time";
    let count = 0;
    await writing([whole], async () => {
      for await (const batch of inBatches(cleanEvents(events, { ...cleaning, report }))) {
        for (const event of batch) {
          whole?.write(event);
          if (usersCount && "user" in event) users.of(event.user);
        }
        count += batch.length;
        await whole?.drain();
      }
      check();
    });
    return { count, users, quality: report };
  });
  const { count, users, quality } = result;
  const done = (written: Written) => ({ written, quality, isSorted });
  if (path === undefined || path === STANDARD) return done({ parts: {} });
  if (isWhole) return done({ parts: { "events.jsonl": count } });
  try {
    if (count === 0) return done({ parts: {} });
    const instants = split === "time" ? await instantsOf(path, count, options.fractions) : [];
    const { parts, routed } = await route(path, routerOf(options, { instants, users: users.ids }), out!, signal);
    return done(routed === count ? { parts } : { parts, unsplit: count - routed });
  } finally {
    rmSync(path, { force: true });
  }
}

async function* seen<T>(items: AsyncIterable<T>, see: (item: T) => void): AsyncGenerator<T, void, undefined> {
  for await (const item of items) {
    see(item);
    yield item;
  }
}

/**
 * Distributes the lines of a file of clean events over parts. A signal meanwhile ends it at its next pause; a signal that
 * ended the reading before does not, as this saves the part that was read.
 */
async function route(
  file: string,
  router: Router,
  out: string,
  signal: AbortSignal,
): Promise<{ parts: Parts; routed: number }> {
  const outputs = openParts(out, router.parts, signal);
  const isLast = signal.aborted;
  const progress = new Progress("events");
  let routed = 0;
  await writing(outputs, async () => {
    for await (const { lines } of readLineBlocks(createReadStream(file), { maxLine: 2 ** 28 })) {
      if (signal.aborted && !isLast) break;
      for (const line of lines as string[]) {
        for (const part of router.of(JSON.parse(line) as LiveEvent)) outputs[part]!.line(line);
      }
      routed += lines.length;
      progress.show({ count: routed, text: "split" });
    }
  });
  progress.end();
  return { parts: Object.fromEntries(router.parts.map((part, i) => [`${part}.jsonl`, outputs[i]!.lines])), routed };
}

async function prepareRatings(
  format: Extract<LogFormat, { yields: "ratings" }>,
  inputs: Inputs,
  options: PrepareOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ written: Written; quality: QualityReport }> {
  const read = until(signal, recordsOf(format, inputs));
  const log = await collectRatings(
    watched(read, (count) => {
      progress.show({ count: inputs.read, fraction: inputs.fraction, text: () => amount(count, "ratings") });
    }),
  );
  const { ratings } = log;
  const kept = ratings.user.length > PAIRS_MAX ? ratings : lastOfEachPair(ratings);
  const quality = emptyQualityReport();
  quality.read = ratings.user.length;
  quality.kept = kept.user.length;
  quality.dropped = quality.read - quality.kept;
  if (quality.dropped > 0) quality.droppedBy["rated again later"] = quality.dropped;
  return { written: { parts: await writtenRatings(log, kept, options, signal) }, quality };
}

async function writtenRatings(
  log: RatingLog,
  kept: Interactions,
  options: PrepareOptions,
  signal: AbortSignal,
): Promise<Parts> {
  const { out } = options;
  if (out === undefined) return {};
  if (out === STANDARD) {
    await writeRatings(new Output(out, signal), log, kept);
    return {};
  }
  const parts = splitRatings(kept, options);
  const outputs = openParts(out, [...parts.keys()], signal);
  await writing(outputs, async () => {
    for (const [i, part] of [...parts.values()].entries()) await writeRatings(outputs[i]!, log, part);
  });
  return Object.fromEntries([...parts.keys()].map((part, i) => [`${part}.jsonl`, outputs[i]!.lines]));
}

async function* watched(
  records: AsyncIterable<RatingRecord>,
  see: (count: number) => void,
): AsyncGenerator<RatingRecord> {
  let count = 0;
  for await (const record of records) {
    see(++count);
    yield record;
  }
}

/** The parts of ratings, by name. */
function splitRatings(log: Interactions, { split, fractions, folds, seed }: SplitOptions): Map<string, Interactions> {
  if (split === "none" || log.user.length === 0) return new Map([["ratings", log]]);
  if (split === "leave-last-out") return new Map(Object.entries(leaveLastTwoOut(log)));
  const among = (isIn: (i: number) => boolean) =>
    selectInteractions(log, Int32Array.from(log.user.keys()).filter(isIn));
  if (split === "folds") {
    const dealt = dealFolds(log.user.length, folds, seed);
    return new Map(foldsOf(folds).map((name, i) => [name, among((at) => (dealt[at] === i >> 1) === (i % 2 === 1))]));
  }
  const names = partsOf(fractions);
  if (split === "time") {
    const cut = cutInteractionsAt(log, splitInstants(log.time, fractions));
    return new Map(names.map((name, i) => [name, cut[i]!]));
  }
  const part = shareOut(log.users, fractions, seed);
  return new Map(names.map((name, i) => [name, among((at) => part[log.user[at]!] === i)]));
}

/** Writes ratings, one JSON object a line: `{"user":"1","item":"50","value":4,"time":881250949000}`. */
async function writeRatings(output: Output, { users, items }: RatingLog, part: Interactions): Promise<void> {
  for (let i = 0; i < part.user.length; i++) {
    const [user, item] = [users[part.user[i]!]!, items[part.item[i]!]!];
    output.write({ user, item, value: part.value[i]!, time: part.time[i]! } satisfies RatingRecord);
    if (i % DRAIN_EVERY === 0) await output.drain();
  }
  await output.drain();
}
