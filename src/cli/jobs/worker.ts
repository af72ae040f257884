import { parentPort, workerData } from "node:worker_threads";
import { rankFilms } from "../tuning/films.js";
import { fitLog } from "../tuning/fit.js";
import { serveWorld } from "./contest.js";
import type { Message, Task } from "./tasks.js";

const REPORTS = 50;

const task = workerData as Task;
const start = performance.now();
let reported = 0;
const send = (message: Message) => parentPort!.postMessage(message);

function onProgress(fraction: number): void {
  if (fraction * REPORTS < reported) return;
  reported++;
  send({ fraction });
}

async function run(): Promise<unknown> {
  if (task.kind === "world") return serveWorld(task, onProgress);
  return task.kind === "log" ? fitLog(task, onProgress) : rankFilms(task, onProgress);
}

try {
  send({ result: await run(), seconds: (performance.now() - start) / 1000 });
} catch (error) {
  send({ error: (error as Error).message });
}
