import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Figure } from "./suite.js";

/** A case and a seed, to be run in a process of its own. */
export interface Job {
  case: string;
  seed: number;
}

/** What a process tells: how far it is, then what came out or what went wrong. */
export type Message = { text: string } | { figures: Figure[] } | { error: string };

/** What is told about jobs. */
export interface Listener {
  onText(job: Job, text: string): void;
  onFigures(job: Job, figures: Figure[]): void;
  onError(job: Job, error: string): void;
}

/** One job after the other in a child process. */
function work(queue: Job[], listener: Listener, children: Set<ChildProcess>): Promise<void> {
  return new Promise((resolve) => {
    // The same loader of TypeScript as here: fork passes the flags of this process on.
    const child = fork(fileURLToPath(new URL("./worker.ts", import.meta.url)));
    children.add(child);
    let job: Job | undefined;
    const next = () => {
      job = queue.shift();
      if (job) child.send(job);
      else child.disconnect();
    };
    child.on("message", (message: Message) => {
      if ("text" in message) listener.onText(job!, message.text);
      else {
        if ("figures" in message) listener.onFigures(job!, message.figures);
        else listener.onError(job!, message.error);
        next();
      }
    });
    child.on("exit", (code, signal) => {
      children.delete(child);
      // A process that dies takes its job with it, not those of the queue.
      if (job) {
        listener.onError(job, `the process ended with ${signal ?? `code ${code}`}`);
        void work(queue, listener, children).then(resolve);
      } else resolve();
    });
    next();
  });
}

/** Runs jobs in child processes, so many at a time; ends early, without errors, when the signal is given. */
export async function runAll(
  jobs: readonly Job[],
  processes: number,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  const queue = [...jobs];
  const children = new Set<ChildProcess>();
  const stop = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => {
      queue.length = 0;
      for (const child of children) child.removeAllListeners().kill("SIGKILL");
      resolve();
    });
  });
  const count = Math.min(processes, jobs.length);
  await Promise.race([stop, Promise.all(Array.from({ length: count }, () => work(queue, listener, children)))]);
}
