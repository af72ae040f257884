import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { threadId } from "node:worker_threads";

let written = 0;

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
  const temporary = `${file}.${process.pid}-${threadId}-${written++}.tmp`;
  // One of this name is of a process that had this number before.
  rmSync(temporary, { force: true });
  try {
    const descriptor = openSync(temporary, "wx");
    try {
      for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
        for (let at = 0; at < piece.byteLength; ) at += writeSync(descriptor, piece, at);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(file));
}

/** Makes a rename durable; Windows opens no folders, and needs no such call. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
