import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A new folder, removed after the tests of the file that asks for it, and the paths of files in it. */
export function temporaryFolder(): { folder: string; at: (...names: string[]) => string } {
  const folder = mkdtempSync(join(tmpdir(), "liveq-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return { folder, at: (...names) => join(folder, ...names) };
}
