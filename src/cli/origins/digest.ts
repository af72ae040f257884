import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** The word for stdin, which has no contents yet. */
const STANDARD = "-";

/** Bytes of a file up to which its contents are hashed: half a second. Set by hand. */
const CONTENTS_MAX = 256 << 20;
const PIECE = 1 << 20;

/** What a run read. */
export interface DataDigest {
  file: string;
  bytes?: number;
  /** SHA-256 in hexadecimal digits; left out for stdin and for a file that cannot be read. */
  sha256?: string;
  /** What was hashed: the contents, or of a file above 256 MiB its full name, size and time of change. */
  of?: "contents" | "name, size and time";
}

/** Digests of files, and of the files in folders; what is no file, such as stdin or a pipe, has none. */
export function digestsOf(paths: readonly string[], contentsMax = CONTENTS_MAX): DataDigest[] {
  return paths.flatMap((path) => {
    try {
      if (path === STANDARD) return [{ file: "stdin" }];
      const stat = statSync(path);
      if (!stat.isDirectory()) return [digestOf(path, contentsMax)];
      const held = readdirSync(path).sort();
      const files = held.map((name) => join(path, name)).filter((name) => statSync(name).isFile());
      return files.map((name) => digestOf(name, contentsMax));
    } catch {
      return [{ file: path }];
    }
  });
}

function digestOf(file: string, contentsMax: number): DataDigest {
  const stat = statSync(file);
  if (!stat.isFile()) return { file };
  const hash = createHash("sha256");
  if (stat.size > contentsMax) {
    hash.update(`${resolve(file)}\0${stat.size}\0${stat.mtimeMs}`);
    return { file, bytes: stat.size, sha256: hash.digest("hex"), of: "name, size and time" };
  }
  const piece = new Uint8Array(PIECE);
  const descriptor = openSync(file, "r");
  try {
    for (let n = readSync(descriptor, piece); n > 0; n = readSync(descriptor, piece)) hash.update(piece.subarray(0, n));
  } finally {
    closeSync(descriptor);
  }
  return { file, bytes: stat.size, sha256: hash.digest("hex"), of: "contents" };
}
