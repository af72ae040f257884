import { Timekeeper } from "../../evaluation/index.js";
import {
  Batched,
  type CleanEventsOptions,
  EventCleaner,
  emptyQualityReport,
  inBatches,
  OverlapError,
  type QualityReport,
  sortEvents,
} from "../../logs/index.js";
import { Spool } from "../../node/index.js";
import { type LiveEvent, MAX_AHEAD_MS, MINUTE } from "../../protocol/index.js";
import { consume, Inputs, type Joining, openEvents } from "./input.js";

/** The values of `--order`. */
export const ORDERS = ["auto", "sort", "keep"] as const;
export type Order = (typeof ORDERS)[number];

/** Events that wait in memory where the input can be read, or the output written, only once. */
const AHEAD = 1 << 17;

/** Thrown by a pass whose events are not in order. */
class Unordered extends Error {}

export interface Ordering {
  order: Order;
  /** Whether the events can be read and written only once: then the first ones decide. */
  isOnce: boolean;
  /** Which events are late. */
  cleaning: CleanEventsOptions;
  /** Where to sort what does not fit into memory. Default: the folder for temporary files. */
  folder: string | undefined;
  signal: AbortSignal;
  /** The events, unclean; called for each pass. */
  open(joining: Joining, report: QualityReport): AsyncIterable<LiveEvent>;
}

/** A pass over events in order. */
export interface Pass {
  events: AsyncIterable<LiveEvent>;
  /** The report of this pass; an earlier one is void. */
  report: QualityReport;
  /** Call it after the last event and before anything is committed. */
  check(): void;
}

/**
 * Runs a pass over events in order of time. With `auto` the inputs are merged as they are read; the first event that comes
 * too late to be put in order ends that pass, and another one reads the inputs again and sorts them.
 *
 * @returns What the pass returns, and whether the events were sorted.
 */
export async function inOrder<T>(
  { order, isOnce, cleaning, folder, signal, open }: Ordering,
  pass: (pass: Pass) => Promise<T>,
): Promise<{ result: T; isSorted: boolean }> {
  const sort = (events: AsyncIterable<LiveEvent>) =>
    new Batched(untilThen(signal, inBatches(sortEvents(events, () => new Spool(folder)))));
  const nothing = () => {};
  const report = emptyQualityReport();
  if (order === "keep") {
    return { result: await pass({ events: open("append", report), report, check: nothing }), isSorted: false };
  }
  if (order === "auto" && isOnce) {
    const ahead = new Ahead(cleaning, sort);
    const events = new Batched(ahead.events(inBatches(open("merge", report))));
    return { result: await pass({ events, report, check: nothing }), isSorted: ahead.isSorted };
  }
  if (order === "auto") {
    try {
      const check = () => {
        // After Ctrl-C there is no other pass.
        if (isLate(report) && !signal.aborted) throw new Unordered();
      };
      const events = new Batched(checked(inBatches(open("merge", report)), check));
      return { result: await pass({ events, report, check }), isSorted: false };
    } catch (error) {
      if (!(error instanceof Unordered || error instanceof OverlapError)) throw error;
    }
  }
  const fresh = emptyQualityReport();
  return { result: await pass({ events: sort(open("append", fresh)), report: fresh, check: nothing }), isSorted: true };
}

/** A signal ends the merge of sorted runs, but not one that has ended the reading: then this saves what was read. */
async function* untilThen<T>(signal: AbortSignal, batches: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  let isLast: boolean | undefined;
  for await (const batch of batches) {
    isLast ??= signal.aborted;
    if (signal.aborted && !isLast) return;
    yield batch;
  }
}

function isLate({ droppedBy, changedBy }: QualityReport): boolean {
  return droppedBy["late"] !== undefined || changedBy["late"] !== undefined;
}

async function* checked<T>(batches: AsyncIterable<T>, check: () => void): AsyncGenerator<T, void, undefined> {
  for await (const batch of batches) {
    yield batch;
    check();
  }
}

/** Holds the first events until it is known whether they are in order. */
class Ahead {
  isSorted = false;
  readonly #cleaning: CleanEventsOptions;
  readonly #sort: (events: AsyncIterable<LiveEvent>) => AsyncIterable<LiveEvent>;

  constructor(cleaning: CleanEventsOptions, sort: (events: AsyncIterable<LiveEvent>) => AsyncIterable<LiveEvent>) {
    this.#cleaning = cleaning;
    this.#sort = sort;
  }

  async *events(source: AsyncIterable<readonly LiveEvent[]>): AsyncGenerator<readonly LiveEvent[], void, undefined> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      const held: (readonly LiveEvent[])[] = [];
      const report = emptyQualityReport();
      const cleaner = new EventCleaner({ ...this.#cleaning, report }, () => {});
      let isOver = false;
      while (report.read < AHEAD && !isOver && !isLate(report)) {
        const { done, value } = await iterator.next();
        if (done) isOver = true;
        else held.push(value);
        for (const event of value ?? []) cleaner.push(event);
        if (isOver) cleaner.end();
      }
      this.isSorted = isLate(report);
      const rest = async function* () {
        for (let batch = held.shift(); batch !== undefined; batch = held.shift()) yield batch;
        yield* { [Symbol.asyncIterator]: () => iterator };
      };
      yield* this.isSorted ? inBatches(this.#sort(new Batched(rest()))) : rest();
    } finally {
      await iterator.return?.();
    }
  }
}

/** Share of the events that are late above which a log is sorted. Set by hand. */
const LATE_MAX = 0.01;

/** A log that was read once to know its time. */
export interface LookedThrough {
  /** Times of the first and the last event, milliseconds. */
  first: number;
  last: number;
  /** The events in order of time. */
  open(inputs: Inputs): Promise<AsyncIterable<LiveEvent>>;
}

/**
 * Reads files once for their span of time, and whether they are in order; if not, they will be sorted as they are opened, at
 * most 64 MB at a time in memory.
 * @throws the signal's reason if it ends the reading.
 */
export async function lookThrough(files: readonly string[], signal: AbortSignal): Promise<LookedThrough> {
  let [first, last, events, late] = [Infinity, 0, 0, 0];
  // Of a log out of order only the times themselves tell, but for those that have not come yet.
  let [earliest, latest] = [Infinity, 0];
  const present = Date.now() + MAX_AHEAD_MS;
  const keeper = new Timekeeper<LiveEvent>(({ entry, now }) => {
    first = Math.min(first, now);
    last = now;
    events++;
    if (entry.time < now - MINUTE) late++;
  });
  const look = async (joining: Joining) => {
    const inputs = new Inputs(files, signal);
    const take = (event: LiveEvent) => {
      keeper.push(event);
      earliest = Math.min(earliest, event.time);
      if (event.time <= present) latest = Math.max(latest, event.time);
    };
    await consume(inputs, await openEvents(inputs, joining), take, signal, "looked through");
    keeper.end();
  };
  let isOverlapping = false;
  try {
    await look("merge");
  } catch (error) {
    if (!(error instanceof OverlapError)) throw error;
    isOverlapping = true;
    await look("append");
  }
  if (!isOverlapping && late <= LATE_MAX * events) return { first, last, open: openEvents };
  const how = isOverlapping ? "files are not each in order of time" : `${late} of ${events} events are late`;
  process.stderr.write(`${how}: sorted as they are read; liveq prepare does so once for all\n`);
  const open = async (inputs: Inputs) => sortEvents(await openEvents(inputs, "append"), () => new Spool());
  return { first: earliest, last: latest, open };
}
