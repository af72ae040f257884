import { readFileSync } from "node:fs";
import { readSafetensors } from "../../exchange/index.js";

/** @throws Error that names the file. */
export function readFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** What a file of LiveQ says it is; undefined of any other file, and of one that is missing. */
export function kindOf(file: string): string | undefined {
  try {
    return readSafetensors(readFileSync(file)).metadata.get("kind");
  } catch {
    return undefined;
  }
}
