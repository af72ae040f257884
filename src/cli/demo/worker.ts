import { parentPort, workerData } from "node:worker_threads";
import { type SimulationResult, simulate } from "../../simulator/index.js";
import { enter, type Job } from "./contest.js";

/** Messages of a worker: its progress, then its result. */
export type Message = { fraction: number } | { result: SimulationResult; seconds: number };

const REPORTS = 50;

const job = workerData as Job;
const { policy, dispose } = enter(job);
const start = performance.now();
let reported = 0;
const result = simulate(policy, job.platform, {
  onProgress(fraction) {
    if (fraction * REPORTS < reported) return;
    reported++;
    parentPort!.postMessage({ fraction } satisfies Message);
  },
});
dispose();
parentPort!.postMessage({ result, seconds: (performance.now() - start) / 1000 } satisfies Message);
