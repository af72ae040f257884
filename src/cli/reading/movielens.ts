import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type MovieLens, parseMovieLens } from "../../logs/index.js";

/**
 * Reads MovieLens-100K from the folder that its archive unpacks to.
 *
 * @throws Error naming the file that is missing or cannot be read; those of {@link parseMovieLens} for bad content.
 */
export async function readMovieLens(folder: string): Promise<MovieLens> {
  const [data, item, user] = await Promise.all(["u.data", "u.item", "u.user"].map((name) => read(folder, name)));
  return parseMovieLens({ data: data!, item: item!, user: user! });
}

async function read(folder: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, name));
  } catch (cause) {
    throw new Error(`${name}: must be a readable file in ${JSON.stringify(folder)}, got ${(cause as Error).message}`, {
      cause,
    });
  }
}
