import { type MessagePort, parentPort, Worker, workerData } from "node:worker_threads";
import { joined, parted } from "./blocks.js";
import {
  Committer,
  checkedLog,
  type EventLog,
  firstOf,
  type LogOptions,
  type LogRecord,
  type LogStats,
  NO_STATS,
  recordsOf,
} from "./eventlog.js";
import { type SqliteOptions, SqliteStore } from "./sqlite.js";
import { StorageError, type StorageReason } from "./store.js";

/** Bytes of records that cross at once when a log is read. */
const PAGE_BYTES = 1 << 20;

/** What the log's thread is asked for. */
type Call =
  | { id: number; call: "append"; parts: Uint8Array; count: number }
  | { id: number; call: "read"; from: number; end: number }
  | { id: number; call: "first" }
  | { id: number; call: "trim"; to: number }
  | { id: number; call: "close" };

/** What it answers. */
type Answer =
  | { id: number; value: unknown; stats: LogStats; next: number }
  | { id: number; reason: StorageReason; message: string };

interface ThreadData {
  folder: string;
  options: LogOptions;
  sqlite: SqliteOptions;
}

/** How to open a log on a thread of its own. */
export interface LogThreadOptions extends LogOptions, SqliteOptions {}

/** The log's thread: the main thread of its worker calls it. */
export async function serveLog(): Promise<void> {
  const { folder, options, sqlite } = workerData as ThreadData;
  const port = parentPort!;
  let store: SqliteStore;
  let committer: Committer;
  try {
    store = await SqliteStore.open(folder, sqlite);
    committer = new Committer(
      store,
      options,
      (run) => void setImmediate(run),
      () => performance.now(),
    );
  } catch (error) {
    port.postMessage(failed(0, error));
    return;
  }
  const answer = (id: number, value: unknown) =>
    port.postMessage({ id, value, stats: committer.stats(), next: committer.next } satisfies Answer);
  answer(0, store.binding);
  port.on("message", (call: Call) => {
    if (call.call === "append") {
      committer.append(call.parts, call.count).then(
        (first) => answer(call.id, first),
        (error) => port.postMessage(failed(call.id, error)),
      );
      return;
    }
    try {
      if (call.call === "read") {
        // In one piece: of many, each costs the thread that answers requests some microseconds.
        const bytes = joined(page(store, call.from, call.end));
        port.postMessage({ id: call.id, value: bytes, stats: committer.stats(), next: committer.next }, [bytes.buffer]);
      } else if (call.call === "first") answer(call.id, firstOf(store, committer.next));
      else if (call.call === "trim") answer(call.id, committer.trim(call.to));
      else close(port, committer, call.id);
    } catch (error) {
      port.postMessage(failed(call.id, error));
    }
  });
}

function close(port: MessagePort, committer: Committer, id: number): void {
  committer.close();
  // Behind the answers of the batches that the closing wrote: those are given in microtasks.
  setImmediate(() => {
    port.postMessage({ id, value: undefined, stats: committer.stats(), next: committer.next } satisfies Answer);
    port.close();
  });
}

/** The first records of a range, as many as cross at once. */
function page(store: SqliteStore, from: number, end: number): Uint8Array[] {
  const records: Uint8Array[] = [];
  let size = 0;
  for (const { bytes } of recordsOf(store, from, end)) {
    if (size > 0 && size + bytes.byteLength > PAGE_BYTES) break;
    records.push(bytes);
    size += bytes.byteLength;
  }
  return records;
}

function failed(id: number, error: unknown): Answer {
  const { message } = error as Error;
  return { id, reason: error instanceof StorageError ? error.reason : "failed", message };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A log whose writes and flushes are on a thread of its own. */
class ThreadLog implements EventLog {
  next = 0;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #bytesMax: number;
  #stats: LogStats = NO_STATS;
  #waitingBytes = 0;
  #calls = 0;
  #ended: StorageError | undefined;

  constructor(worker: Worker, bytesMax: number) {
    this.#worker = worker;
    this.#bytesMax = bytesMax;
    worker.on("message", (answer: Answer) => this.#take(answer));
    worker.on("error", (cause) => this.#end(new StorageError("failed", `the log's thread ended: ${cause.message}`)));
    worker.on("exit", () => this.#end(new StorageError("closed", "the log was closed")));
  }

  /** Resolves with the binding of SQLite, once the log is open. */
  opened(): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
  }

  async append(records: readonly Uint8Array[]): Promise<number> {
    if (records.length === 0) return this.next;
    const parts = joined(records);
    const size = parts.byteLength;
    if (this.#waitingBytes > 0 && this.#waitingBytes + size > this.#bytesMax) {
      throw new StorageError("busy", `more than ${this.#bytesMax} bytes wait to be written: try again later`);
    }
    this.#waitingBytes += size;
    try {
      return (await this.#call({ call: "append", parts, count: records.length }, parts.buffer)) as number;
    } finally {
      this.#waitingBytes -= size;
    }
  }

  async *read(from: number): AsyncGenerator<LogRecord, void, undefined> {
    const end = this.next;
    for (let sequence = from; sequence < end; ) {
      const records = parted((await this.#call({ call: "read", from: sequence, end })) as Uint8Array);
      for (const bytes of records) yield { sequence: sequence++, bytes };
    }
  }

  async first(): Promise<number> {
    return (await this.#call({ call: "first" })) as number;
  }

  async trim(to: number): Promise<void> {
    await this.#call({ call: "trim", to });
  }

  stats(): LogStats {
    return { ...this.#stats, waitingBytes: this.#waitingBytes };
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    await this.#call({ call: "close" });
    this.#ended ??= new StorageError("closed", "the log was closed");
    await this.#worker.terminate();
  }

  #call(call: { call: Call["call"] } & Record<string, unknown>, ...transfer: ArrayBuffer[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...call }, transfer);
    });
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("reason" in answer) {
      waiting?.reject(new StorageError(answer.reason, answer.message));
      return;
    }
    this.#stats = answer.stats;
    this.next = Math.max(this.next, answer.next);
    waiting?.resolve(answer.value);
  }

  #end(error: StorageError): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/**
 * Opens the log of a folder, which writes on a thread of its own: a flush takes milliseconds, in which this thread goes on.
 *
 * @param worker The file of the thread, which calls `serveLog`.
 * @throws TypeError, RangeError for wrong options; StorageError `locked` if another process has the folder, `damaged` if
 *   the log's newest block is not as it was written.
 */
export async function openLogThread(
  folder: string,
  worker: URL | string,
  { bindings, ...options }: Partial<LogThreadOptions> = {},
): Promise<EventLog> {
  const checked = checkedLog(options);
  const data: ThreadData = { folder, options: checked, sqlite: bindings === undefined ? {} : { bindings } };
  const log = new ThreadLog(new Worker(worker, { workerData: data }), checked.waitingBytes);
  await log.opened();
  return log;
}
