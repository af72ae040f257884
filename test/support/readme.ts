import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The programs in a README: its blocks of `ts`. */
export function programsIn(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(/```ts\n([\s\S]*?)```/g)].map(([, program]) => program!);
}

/** Runs a program by package name in a folder of its own. @returns Its output. @throws Error if it fails. */
export function runProgram(program: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "liveq-readme-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(resolve("."), join(folder, "node_modules", "liveq"), "junction");
  const words = ["--input-type=module", "-e", program];
  return new Promise<string>((done, fail) => {
    execFile(process.execPath, words, { cwd: folder }, (error, out) => (error ? fail(error) : done(out)));
  }).finally(() => rmSync(folder, { recursive: true }));
}
