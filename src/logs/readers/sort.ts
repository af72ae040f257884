import { checked, integer, type Rules } from "../../check/index.js";
import type { LiveEvent } from "../../protocol/index.js";
import { compareEvents } from "../simultaneous.js";
import { Batched, inBatches } from "./batches.js";

/** Bytes outside memory, such as a temporary file. */
export interface RunStore {
  /** Adds bytes at the end. */
  write(bytes: Uint8Array): void;
  /** The bytes [from, to) of what was written. */
  read(from: number, to: number): Uint8Array;
  /** Gives the bytes up. */
  close(): void;
}

/** How to sort events that do not fit into memory. */
export interface SortOptions {
  /** Characters of the events, as JSON, that are sorted at a time in memory. Default 2^26. */
  runSize?: number;
  /** Most sorted runs that are merged at a time; more take another pass. Default 256. */
  fanIn?: number;
}

const RULES: Rules<SortOptions> = { runSize: integer(1, 2 ** 30), fanIn: integer(2, 4096) };

/** A sorted run: its bytes in a store. */
interface Run {
  from: number;
  to: number;
}

const BATCH = 512;
/** Bytes in one write. */
const PIECE = 1 << 18;
/** Bytes of a run in memory while it is merged. */
const READ = 1 << 16;

/**
 * Sorts events by time, whatever their number: runs of `runSize` are sorted in memory, written to a store, and merged.
 * Events that fit into one run are written nowhere. Simultaneous events come in an order of their own, by stream or user,
 * then by kind: what was shuffled comes out the same.
 *
 * @param openStore Called for each pass; a store is closed at the end, by an error and when the reading ends early.
 * @throws TypeError for an unknown option, RangeError for a wrong value.
 */
export function sortEvents(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
  openStore: () => RunStore,
  options: SortOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  const { runSize, fanIn } = checked<SortOptions>(options, RULES, { runSize: 2 ** 26, fanIn: 256 });
  return new Batched(sorted(inBatches(events), openStore, runSize!, fanIn!));
}

async function* sorted(
  batches: AsyncIterable<readonly LiveEvent[]>,
  openStore: () => RunStore,
  runSize: number,
  fanIn: number,
): AsyncGenerator<LiveEvent[], void, undefined> {
  let store: RunStore | undefined;
  let runs: Run[] = [];
  let held: LiveEvent[] = [];
  let size = 0;
  let end = 0;
  try {
    for await (const batch of batches) {
      for (const event of batch) {
        held.push(event);
        size += sizeOf(event);
        if (size < runSize) continue;
        store ??= openStore();
        runs.push(writeRun(store, held.sort(compareEvents), end));
        end = runs.at(-1)!.to;
        held = [];
        size = 0;
      }
    }
    held.sort(compareEvents);
    if (store === undefined) {
      for (let at = 0; at < held.length; at += BATCH) yield held.slice(at, at + BATCH);
      return;
    }
    if (held.length > 0) runs.push(writeRun(store, held, end));
    held = [];
    while (runs.length > fanIn) {
      const next = openStore();
      const source = store;
      store = next;
      try {
        const groups = Array.from({ length: Math.ceil(runs.length / fanIn) }, (_, i) => i * fanIn);
        let to = 0;
        runs = groups.map((first) => {
          const run = writeRun(next, mergedRuns(source, runs.slice(first, first + fanIn)), to);
          to = run.to;
          return run;
        });
      } finally {
        source.close();
      }
    }
    let batch: LiveEvent[] = [];
    for (const event of mergedRuns(store, runs)) {
      if (batch.push(event) < BATCH) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  } finally {
    store?.close();
  }
}

/** About how many characters an event takes. */
function sizeOf(event: LiveEvent): number {
  let size = 2;
  for (const field in event) {
    const value = (event as unknown as Record<string, unknown>)[field];
    size += field.length + 4;
    size +=
      typeof value === "string" ? value.length + 2 : typeof value === "object" ? JSON.stringify(value).length : 14;
  }
  return size;
}

/** Writes events as JSON lines. */
function writeRun(store: RunStore, events: Iterable<LiveEvent>, from: number): Run {
  const encoder = new TextEncoder();
  let to = from;
  let piece = "";
  const flush = () => {
    const bytes = encoder.encode(piece);
    store.write(bytes);
    to += bytes.length;
    piece = "";
  };
  for (const event of events) {
    piece += `${JSON.stringify(event)}\n`;
    if (piece.length >= PIECE) flush();
  }
  flush();
  return { from, to };
}

/** The events of a run, of which it holds a piece. */
class RunReader {
  /** The next event; undefined at the end. */
  event: LiveEvent | undefined;
  readonly #store: RunStore;
  readonly #decoder = new TextDecoder();
  #at: number;
  readonly #to: number;
  #lines: string[] = [];
  #next = 0;
  #rest = "";

  constructor(
    store: RunStore,
    { from, to }: Run,
    readonly index: number,
  ) {
    this.#store = store;
    this.#at = from;
    this.#to = to;
    this.advance();
  }

  advance(): void {
    while (this.#next === this.#lines.length) {
      if (this.#at === this.#to) {
        this.event = undefined;
        return;
      }
      const to = Math.min(this.#at + READ, this.#to);
      const text = this.#rest + this.#decoder.decode(this.#store.read(this.#at, to), { stream: true });
      this.#at = to;
      this.#lines = text.split("\n");
      // Runs end in a line feed: what comes after the last one is the start of a line, or nothing.
      this.#rest = this.#lines.pop()!;
      this.#next = 0;
    }
    this.event = JSON.parse(this.#lines[this.#next++]!) as LiveEvent;
  }
}

function* mergedRuns(store: RunStore, runs: readonly Run[]): Generator<LiveEvent, void, undefined> {
  const heap = new Heap(runs.map((run, index) => new RunReader(store, run, index)).filter(({ event }) => event));
  for (let first = heap.first; first !== undefined; first = heap.first) {
    yield first.event!;
    first.advance();
    heap.settle();
  }
}

/** Readers with the one of the earliest event first. */
class Heap {
  readonly #readers: RunReader[];

  constructor(readers: RunReader[]) {
    this.#readers = readers.sort((a, b) => (isEarlier(a, b) ? -1 : 1));
  }

  get first(): RunReader | undefined {
    return this.#readers[0];
  }

  /** Puts the first in its place after it has moved on, or takes it out at its end. */
  settle(): void {
    const readers = this.#readers;
    if (readers[0]!.event === undefined) {
      const last = readers.pop()!;
      if (readers.length === 0) return;
      if (last !== readers[0]) readers[0] = last;
    }
    const moved = readers[0]!;
    let place = 0;
    for (let child = 1; child < readers.length; child = 2 * place + 1) {
      if (child + 1 < readers.length && isEarlier(readers[child + 1]!, readers[child]!)) child++;
      if (!isEarlier(readers[child]!, moved)) break;
      readers[place] = readers[child]!;
      place = child;
    }
    readers[place] = moved;
  }
}

/** Runs hold the events in the order in which they came: of equal ones the earlier run is first. */
function isEarlier(a: RunReader, b: RunReader): boolean {
  return (compareEvents(a.event!, b.event!) || a.index - b.index) < 0;
}
