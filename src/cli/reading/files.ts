import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { STANDARD } from "../writing/output.js";

/** Bytes of the length and the header of a LiveQ file, at most. */
const HEADER_MAX = 8 + (1 << 20);

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
    throw unreadable(file, cause);
  }
}

/** The error for a file that cannot be read. */
export function unreadable(file: string, cause: unknown): Error {
  return new Error(`${file === STANDARD ? "stdin" : file}: cannot be read: ${(cause as Error).message}`, { cause });
}

/** The kind of a LiveQ file; undefined for any other file and for a missing one. */
export function kindOf(file: string): string | undefined {
  try {
    const bytes = file === STANDARD ? readFile(file) : beginningOf(file);
    const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + Number(length))));
    return header.__metadata__.kind;
  } catch {
    return undefined;
  }
}

/** The first bytes of a file, as many as a header of LiveQ has at most. */
function beginningOf(file: string): Uint8Array {
  const descriptor = openSync(file, "r");
  try {
    const bytes = new Uint8Array(HEADER_MAX);
    return bytes.subarray(0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}
