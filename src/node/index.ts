import { NewFile } from "./file.js";

export { Tail, type TailOptions, type TailPosition, tail } from "./tail.js";

/**
 * Writes a file so that at any moment, whatever is killed or loses power, the old file or the new one is there, whole:
 * a temporary file beside it, fsync, rename, fsync of the folder. What a killed process leaves behind ends in `.tmp`.
 *
 * ```ts
 * saveFile("agent.liveq", agent.save());
 * saveFile("large.liveq", agent.saveChunks()); // no second copy of the replay
 * const agent = await DQN.loadChunks(createReadStream("large.liveq"));
 * ```
 *
 * @param bytes - The file, or its pieces in order.
 * @throws Error of the file system, or of the pieces; the file is as it was then.
 */
export function saveFile(file: string, bytes: Uint8Array | Iterable<Uint8Array>): void {
  const made = new NewFile(file);
  try {
    for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) made.write(piece);
  } catch (error) {
    made.discard();
    throw error;
  }
  made.commit();
}
