import { setPriority } from "node:os";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { beginning, LocalLearner } from "../../server/index.js";
import { Checkpoints, diskFolder, parted, Shelf } from "../../storage/index.js";
import type { LearnerAnswer, LearnerCall, LearnerStart } from "./threads.js";

/** How much more willing to wait than the threads that answer, where the system knows it. */
const NICENESS = 10;

const port = parentPort!;
const { folder, options, rank, checkpointRecords, models } = workerData as LearnerStart;
const tell = (answer: LearnerAnswer) => port.postMessage(answer);

try {
  // Of this thread alone: Linux takes 0 for the calling thread.
  setPriority(0, NICENESS);
} catch {
  // A sandbox that forbids it forbids no learning.
}

try {
  const checkpoints = folder === undefined ? undefined : new Checkpoints(diskFolder(join(folder, "checkpoints")));
  const shelf = folder === undefined ? undefined : new Shelf(diskFolder(join(folder, "models")));
  const rankShelf = folder === undefined ? undefined : new Shelf(diskFolder(join(folder, "rank")));
  const begin = beginning(checkpoints, options, rank, { shelf, rankShelf });
  const learner = new LocalLearner(begin.file, begin.sequence, {
    ...models,
    checkpointRecords,
    ...(checkpoints && { checkpoints }),
    ...(shelf && { shelf }),
    ...(rankShelf && { rankShelf }),
  });
  tell({ id: 0, value: begin });
  // One after the other, in the order of the calls.
  let last: Promise<unknown> = Promise.resolve();
  port.on("message", (call: LearnerCall) => {
    last = last
      .then(() => run(learner, call))
      .then(
        (value) => tell({ id: call.id, value }),
        (error: Error) => tell({ id: call.id, error: error.message }),
      );
  });
} catch (error) {
  tell({ id: 0, error: (error as Error).message });
}

async function run(learner: LocalLearner, call: LearnerCall) {
  if (call.call === "take") return learner.take(call.first, parted(call.records));
  if (call.call === "save") return learner.save(call.isAlone);
  if (call.call === "keep") {
    await learner.keep(call.models);
    return undefined;
  }
  if (call.call === "figures") return learner.figures();
  if (call.call === "file") return learner.file();
  await learner.close();
  return undefined;
}
