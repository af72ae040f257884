import { rankFilms } from "../tuning/films.js";
import { fitLog } from "../tuning/fit.js";
import { serveWorld } from "./contest.js";
import type { Message, Task } from "./tasks.js";

const REPORTS = 50;

/** Runs a task, and reports how far it is. */
async function run(task: Task): Promise<Message> {
  const start = performance.now();
  let reported = 0;
  const onProgress = (fraction: number) => {
    if (fraction * REPORTS < reported) return;
    reported++;
    process.send!({ fraction } satisfies Message);
  };
  try {
    const result = await ran(task, onProgress);
    return { result, seconds: (performance.now() - start) / 1000 };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function ran(task: Task, onProgress: (fraction: number) => void): unknown {
  if (task.kind === "world") return serveWorld(task, onProgress);
  return task.kind === "log" ? fitLog(task, onProgress) : rankFilms(task, onProgress);
}

// Ctrl-C reaches all processes of a terminal; the one that started this decides.
process.on("SIGINT", () => {});
process.once("disconnect", () => process.exit());
process.once("message", async (task: Task) => {
  process.send!(await run(task), () => process.disconnect());
});
