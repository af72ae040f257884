import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Message, ResultOf, Task } from "./tasks.js";

export interface Outcome<R> {
  result: R;
  seconds: number;
}

/** The number of tasks that run side by side by default: one for each core. */
export const JOBS = availableParallelism();

/** Runs tasks in threads, at most so many at a time, the others in the order in which they came. */
export class Pool {
  readonly #jobs: number;
  readonly #signal: AbortSignal;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param signal - Ends all tasks; their promises then reject with its reason. */
  constructor(jobs: number, signal: AbortSignal) {
    this.#jobs = jobs;
    this.#signal = signal;
  }

  /** Whether the signal has ended all tasks. */
  get isEnded(): boolean {
    return this.#signal.aborted;
  }

  /** Runs a task. @param onFraction - Gets the share of the work that is done, [0, 1]. */
  async run<T extends Task>(task: T, onFraction: (share: number) => void = () => {}): Promise<Outcome<ResultOf<T>>> {
    if (this.#running < this.#jobs) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      this.#signal.throwIfAborted();
      return (await inThread(task, this.#signal, onFraction)) as Outcome<ResultOf<T>>;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** Runs tasks; results in the order of the tasks. */
  runAll<T extends Task>(tasks: readonly T[], onProgress: (share: number) => void): Promise<Outcome<ResultOf<T>>[]> {
    const shares = new Float64Array(tasks.length);
    return Promise.all(
      tasks.map((task, i) =>
        this.run(task, (share) => {
          shares[i] = share;
          onProgress(shares.reduce((sum, x) => sum + x, 0) / tasks.length);
        }),
      ),
    );
  }
}

/** Runs one task in a thread, which ends with the signal. */
function inThread(task: Task, signal: AbortSignal, onFraction: (share: number) => void): Promise<Outcome<unknown>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: task });
    const stop = () => void worker.terminate();
    signal.addEventListener("abort", stop);
    worker.on("message", (message: Message) => {
      if ("error" in message) reject(new Error(message.error));
      else if ("fraction" in message) onFraction(message.fraction);
      else {
        onFraction(1);
        resolve(message);
      }
    });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      signal.removeEventListener("abort", stop);
      reject(signal.aborted ? signal.reason : new Error(`a worker ended with code ${code} before its result`));
    });
  });
}
