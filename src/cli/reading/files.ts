import { readFileSync } from "node:fs";
import { readSafetensors } from "../../exchange/index.js";

/** Runs something on a file. @throws Error that names the file, with the original error as its cause. */
export function naming<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}

/** @throws Error that names the file. */
export function readFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** The kind of a LiveQ file; undefined for any other file and for a missing one. */
export function kindOf(file: string): string | undefined {
  try {
    return readSafetensors(readFileSync(file)).metadata.get("kind");
  } catch {
    return undefined;
  }
}
