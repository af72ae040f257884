import { createHash } from "node:crypto";
import { join } from "node:path";
import { beginning, LocalLearner } from "../../src/server/index.js";
import { Checkpoints, diskFolder, openLog, SqliteStore } from "../../src/storage/index.js";

/**
 * What the learner of a server's folder is: records and SHA-256.
 *
 * @param seed - Of its recommender.
 * @param from - Its newest checkpoint and the rest of the log, or the whole log alone.
 */
export async function learnerHash(
  dir: string,
  seed: number,
  from: "checkpoint" | "log" = "checkpoint",
): Promise<string> {
  const checkpoints = from === "log" ? undefined : new Checkpoints(diskFolder(join(dir, "checkpoints")));
  const { file, sequence } = beginning(checkpoints, { seed });
  const learner = new LocalLearner(file, sequence);
  const log = openLog(await SqliteStore.open(dir));
  let next = sequence;
  for await (const { bytes } of log.read(sequence)) await learner.take(next++, [bytes]);
  const digest = createHash("sha256");
  for (const chunk of learner.chunks()) digest.update(chunk);
  await learner.close();
  await log.close();
  return `${next} ${digest.digest("hex")}`;
}
