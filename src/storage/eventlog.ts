import { checked, positiveInteger, type Rules } from "../check/index.js";
import { checksum, joined, opened, sealed } from "./blocks.js";
import { type BlockStore, StorageError } from "./store.js";

/** A record of a log. */
export interface LogRecord {
  /** Numbers count from 0 without a gap. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** What a log has done since it was opened, and what waits. */
export interface LogStats {
  /** Blocks and records that were written. */
  readonly commits: number;
  readonly records: number;
  /** Bytes of records that are not yet durable. */
  readonly waitingBytes: number;
  /** How long writes took, milliseconds: all together, and the longest. */
  readonly commitMs: number;
  readonly commitMsMax: number;
  /** Writes by how long they took: up to each of `COMMIT_BOUNDS_MS` and above the one before it, and last those above all. */
  readonly commitCounts: readonly number[];
}

/** Bounds for flushes of anything from memory to a disk that is at its end, milliseconds. */
export const COMMIT_BOUNDS_MS: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000];

/** Of a log that has written nothing. */
export const NO_STATS: LogStats = {
  ...{ commits: 0, records: 0, waitingBytes: 0, commitMs: 0, commitMsMax: 0 },
  commitCounts: new Array<number>(COMMIT_BOUNDS_MS.length + 1).fill(0),
};

/** How a log groups and bounds what is written. */
export interface LogOptions {
  /** Most bytes of one block; a batch is never cut. Default 4 MiB. */
  blockBytes: number;
  /** Most bytes that may wait to be written; more are refused. Default 64 MiB. */
  waitingBytes: number;
}

const DEFAULTS: LogOptions = { blockBytes: 4 << 20, waitingBytes: 64 << 20 };
const RULES: Rules<LogOptions> = { blockBytes: positiveInteger, waitingBytes: positiveInteger };

/** @throws TypeError for an unknown option, RangeError for a wrong value. */
export function checkedLog(options: Partial<LogOptions>): LogOptions {
  return checked(options, RULES, DEFAULTS);
}

/** A durable log of records: what a server has taken, in order. */
export interface EventLog {
  /** The sequence number that the next record gets. */
  readonly next: number;
  /**
   * Adds records, all or none, and resolves once they are on disk. Batches of the same moment share one write.
   *
   * @returns The sequence number of the first one.
   * @throws StorageError `busy` if too much waits, `full` without space, `failed` if the disk fails, `closed` after `close`.
   */
  append(records: readonly Uint8Array[]): Promise<number>;
  /**
   * Yields the durable records from a sequence number on.
   *
   * @throws StorageError `damaged` that names the block that is not as it was written, or the first record that is gone.
   */
  read(from: number): AsyncIterable<LogRecord>;
  /** The sequence number of the oldest record that is there; `next` where there is none. */
  first(): Promise<number>;
  /** Lets go of the blocks that hold records before `to` alone. */
  trim(to: number): Promise<void>;
  stats(): LogStats;
  /** Writes what waits, and closes the store. */
  close(): Promise<void>;
}

interface Batch {
  readonly parts: Uint8Array;
  readonly count: number;
  resolve(first: number): void;
  reject(error: unknown): void;
}

/** Writes to a store, and groups what came meanwhile into one block: a write takes as long for one record as for thousands. */
export class Committer {
  next: number;
  readonly #store: BlockStore;
  readonly #options: LogOptions;
  /** Checksum of the newest block. */
  #previous = 0;
  #waiting: Batch[] = [];
  #isDue = false;
  #commits = 0;
  #records = 0;
  #waitingBytes = 0;
  #commitMs = 0;
  #commitMsMax = 0;
  readonly #commitCounts = [...NO_STATS.commitCounts];
  readonly #now: () => number;
  readonly #after: (run: () => void) => void;

  /**
   * @param after Runs a function when this thread has taken what already waits for it.
   * @param now Milliseconds, for the statistics alone.
   * @throws StorageError `damaged` if the store's newest block is.
   */
  constructor(store: BlockStore, options: LogOptions, after: (run: () => void) => void, now: () => number) {
    this.#store = store;
    this.#options = options;
    this.#now = now;
    this.#after = after;
    const { newest } = store;
    if (newest !== undefined) {
      opened(newest);
      this.#previous = checksum(newest);
    }
    this.next = newest === undefined ? 0 : newest.first + newest.count;
  }

  append(parts: Uint8Array, count: number): Promise<number> {
    const { waitingBytes } = this.#options;
    if (this.#waitingBytes > 0 && this.#waitingBytes + parts.byteLength > waitingBytes) {
      const must = `more than ${waitingBytes} bytes wait to be written`;
      return Promise.reject(new StorageError("busy", `${must}: try again later`));
    }
    this.#waitingBytes += parts.byteLength;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ parts, count, resolve, reject });
      if (this.#isDue) return;
      this.#isDue = true;
      this.#after(() => this.flush());
    });
  }

  /** Writes all that waits. */
  flush(): void {
    this.#isDue = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < waiting.length; ) {
      let [end, size] = [at, 0];
      do size += waiting[end++]!.parts.byteLength;
      while (end < waiting.length && size + waiting[end]!.parts.byteLength <= this.#options.blockBytes);
      this.#commit(waiting.slice(at, end), size);
      at = end;
    }
  }

  trim(to: number): void {
    this.flush();
    this.#store.trim(to);
  }

  stats(): LogStats {
    return {
      commits: this.#commits,
      records: this.#records,
      waitingBytes: this.#waitingBytes,
      commitMs: this.#commitMs,
      commitMsMax: this.#commitMsMax,
      commitCounts: [...this.#commitCounts],
    };
  }

  close(): void {
    this.flush();
    this.#store.close();
  }

  #commit(batches: readonly Batch[], size: number): void {
    const count = batches.reduce((sum, batch) => sum + batch.count, 0);
    const block = sealed(
      this.next,
      count,
      batches.map(({ parts }) => parts),
      this.#previous,
    );
    this.#waitingBytes -= size;
    const from = this.#now();
    try {
      this.#store.append(block);
    } catch (error) {
      for (const { reject } of batches) reject(error);
      return;
    }
    const took = this.#now() - from;
    this.#commitMs += took;
    this.#commitMsMax = Math.max(this.#commitMsMax, took);
    const bucket = COMMIT_BOUNDS_MS.findIndex((bound) => took <= bound);
    this.#commitCounts[bucket < 0 ? COMMIT_BOUNDS_MS.length : bucket]!++;
    this.#commits++;
    this.#records += count;
    this.#previous = checksum(block);
    for (const batch of batches) {
      batch.resolve(this.next);
      this.next += batch.count;
    }
  }
}

/**
 * The durable records of a store from a sequence number on, each block checked against the one before it.
 *
 * @param end The sequence number at which to end.
 * @throws StorageError `damaged` that names the block that is not as it was written, or the first record that is gone.
 */
export function* recordsOf(store: BlockStore, from: number, end: number): Generator<LogRecord, void, undefined> {
  let [next, previous]: [number, number | undefined] = [from, undefined];
  if (from >= end) return;
  for (const block of store.read(from)) {
    const isNext = previous === undefined ? block.first <= from : block.first === next;
    if (!isNext) throw new StorageError("damaged", `record ${next} is gone: the next one is ${block.first}`);
    const records = opened(block, previous);
    for (let sequence = Math.max(from, block.first); sequence < block.first + block.count; sequence++) {
      if (sequence >= end) return;
      yield { sequence, bytes: records[sequence - block.first]! };
    }
    next = block.first + block.count;
    previous = checksum(block);
  }
  if (next < end) throw new StorageError("damaged", `record ${next} is gone: the log should end at ${end}`);
}

/** The sequence number of the oldest record of a store; `next` where there is none. */
export function firstOf(store: BlockStore, next: number): number {
  for (const { first } of store.read(0)) return first;
  return next;
}

/** A log that writes on this thread: for stores in memory, and where there are no threads. */
class LocalLog implements EventLog {
  readonly #store: BlockStore;
  readonly #committer: Committer;
  #isOpen = true;

  constructor(store: BlockStore, options: LogOptions) {
    this.#store = store;
    // A macrotask: requests that came together are all taken before it runs.
    const after: (run: () => void) => unknown = globalThis.setImmediate ?? setTimeout;
    this.#committer = new Committer(
      store,
      options,
      (run) => void after(run),
      () => performance.now(),
    );
  }

  get next(): number {
    return this.#committer.next;
  }

  async append(records: readonly Uint8Array[]): Promise<number> {
    this.#requireOpen();
    if (records.length === 0) return this.next;
    return this.#committer.append(joined(records), records.length);
  }

  async *read(from: number): AsyncGenerator<LogRecord, void, undefined> {
    this.#requireOpen();
    yield* recordsOf(this.#store, from, this.next);
  }

  async first(): Promise<number> {
    this.#requireOpen();
    return firstOf(this.#store, this.next);
  }

  async trim(to: number): Promise<void> {
    this.#requireOpen();
    this.#committer.trim(to);
  }

  stats(): LogStats {
    return this.#committer.stats();
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#committer.close();
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new StorageError("closed", "the log was closed");
  }
}

/**
 * Opens a log over a store, on this thread.
 *
 * @throws TypeError, RangeError for wrong options; StorageError `damaged` if the newest block is.
 */
export function openLog(store: BlockStore, options: Partial<LogOptions> = {}): EventLog {
  return new LocalLog(store, checkedLog(options));
}
