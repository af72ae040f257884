import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Job, Result } from "./suite.js";

/** A message of a child process: a line on its progress, its rows, or an error. */
export type Message = { text: string } | { results: Result[] } | { error: string };

/** A message to a child process. */
export interface Order {
  job: Job;
  options: object;
}

/** Takes the reports of the pool. */
export interface Listener<J extends Job = Job> {
  onText(job: J, text: string): void;
  onResults(job: J, results: Result[]): void;
  onError(job: J, error: string): void;
}

/** The module that child processes run, which exports `CASES`, and the suite's own options. */
export interface Program {
  module: URL;
  options: object;
}

/** One job after the other in a child process. */
function work<J extends Job>(
  queue: J[],
  program: Program,
  listener: Listener<J>,
  children: Set<ChildProcess>,
): Promise<void> {
  return new Promise((resolve) => {
    // Garbage can be collected before memory is measured.
    const child = fork(fileURLToPath(new URL("./child.ts", import.meta.url)), [program.module.href], {
      execArgv: ["--import", "tsx", "--expose-gc"],
    });
    children.add(child);
    let job: J | undefined;
    const next = () => {
      job = queue.shift();
      if (job) child.send({ job, options: program.options } satisfies Order);
      else child.disconnect();
    };
    child.on("message", (message: Message) => {
      if ("text" in message) listener.onText(job!, message.text);
      else {
        if ("results" in message) listener.onResults(job!, message.results);
        else listener.onError(job!, message.error);
        next();
      }
    });
    child.on("exit", (code, signal) => {
      children.delete(child);
      // A process that dies takes its job with it, not those of the queue.
      if (job) {
        listener.onError(job, `the process ended with ${signal ?? `code ${code}`}`);
        void work(queue, program, listener, children).then(resolve);
      } else resolve();
    });
    next();
  });
}

/** Runs jobs in child processes, so many at a time; ends early, without errors, when the signal comes. */
export async function runInPool<J extends Job>(
  jobs: readonly J[],
  processes: number,
  program: Program,
  listener: Listener<J>,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
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
  const workers = Array.from({ length: count }, () => work(queue, program, listener, children));
  await Promise.race([stop, Promise.all(workers)]);
}
