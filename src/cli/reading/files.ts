import { readFileSync } from "node:fs";
import { readSafetensors } from "../../exchange/index.js";
import { STANDARD } from "../writing/output.js";

/** The contents of stdin, which can be read once. */
let standard: Uint8Array | undefined;

/** Runs something on a file. @throws Error that names the file, with the original error as its cause. */
export function naming<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}

/** The contents of a file, or (`-`) of stdin. @throws Error that names the file. */
export function readFile(file: string): Uint8Array {
  try {
    if (file !== STANDARD) return readFileSync(file);
    standard ??= readFileSync(process.stdin.fd);
    return standard;
  } catch (cause) {
    throw new Error(`${file === STANDARD ? "stdin" : file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** The kind of a LiveQ file; undefined for any other file and for a missing one. */
export function kindOf(file: string): string | undefined {
  try {
    return readSafetensors(readFile(file)).metadata.get("kind");
  } catch {
    return undefined;
  }
}
