import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Message, ResultOf, Task } from "./tasks.js";

export interface Outcome<R> {
  result: R;
  seconds: number;
}

/** The number of tasks that run side by side by default: one for each core. */
export const JOBS = availableParallelism();

/** What runs a task that it gets as a message, and answers with messages. */
const WORKER = new URL("./worker.js", import.meta.url);

/**
 * Runs tasks in processes, at most so many at a time, the others in the order in which they came. A thread that runs out of
 * memory, or dies of a fault of the runtime, may take all with it; of a process only its own task fails.
 */
export class Pool {
  readonly #jobs: number;
  readonly #signal: AbortSignal;
  readonly #worker: URL;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param signal - Ends all tasks; their promises then reject with its reason. */
  constructor(jobs: number, signal: AbortSignal, worker: URL = WORKER) {
    this.#jobs = jobs;
    this.#signal = signal;
    this.#worker = worker;
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
      return (await inProcess(this.#worker, task, this.#signal, onFraction)) as Outcome<ResultOf<T>>;
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

/** Runs one task in a process, which ends with the signal, and with this process. */
function inProcess(
  worker: URL,
  task: Task,
  signal: AbortSignal,
  onFraction: (share: number) => void,
): Promise<Outcome<unknown>> {
  return new Promise((resolve, reject) => {
    // Without the options of this process: a debugger's port is taken.
    const child = fork(fileURLToPath(worker), [], { serialization: "advanced", execArgv: [], stdio: "ignore" });
    const stop = () => void child.kill("SIGKILL");
    signal.addEventListener("abort", stop);
    child.on("message", (message: Message) => {
      if ("error" in message) reject(new Error(message.error));
      else if ("fraction" in message) onFraction(message.fraction);
      else {
        onFraction(1);
        resolve(message);
      }
    });
    child.on("error", reject);
    child.on("close", (code, by) => {
      signal.removeEventListener("abort", stop);
      const why = by === null ? `with code ${code}` : `by ${by}`;
      reject(signal.aborted ? signal.reason : new Error(`the process of a task ended ${why} before its result`));
    });
    child.send(task, (error) => {
      if (error !== null) reject(error);
    });
  });
}
