import { type ChildProcess, execFile, spawn } from "node:child_process";
import type { Row } from "../../src/cli/writing/results.js";

/** The rows that `--json` prints. */
export function rowsIn(text: string): Row[] {
  return JSON.parse(text) as Row[];
}

/** The command as it is built. */
export const COMMAND = "dist/cli/liveq.js";

/** A finished run of the command. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs the command to its end. */
export function liveq(...words: string[]): Promise<Ran> {
  return liveqOn("", ...words);
}

/** Runs the command with `input` on stdin. */
export function liveqOn(input: string, ...words: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 2 ** 28 };
    const child = execFile(process.execPath, [COMMAND, ...words], options, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
    child.stdin!.on("error", () => {});
    child.stdin!.end(input);
  });
}

/** Starts the command and sends it Ctrl-C once its stderr matches `when`. Stdin stays open after `input`. */
export function interrupted(when: RegExp, input: string | undefined, ...words: string[]): Promise<Ran> {
  return signalled("SIGINT", when, input, ...words);
}

/** The same with any signal. */
export function signalled(
  signal: NodeJS.Signals,
  when: RegExp,
  input: string | undefined,
  ...words: string[]
): Promise<Ran> {
  const child = spawn(process.execPath, [COMMAND, ...words], { stdio: ["pipe", "pipe", "pipe"] });
  if (input !== undefined) child.stdin.write(input);
  let [out, err, isKilled] = ["", "", false];
  child.stdout.on("data", (text: Buffer) => {
    out += text.toString();
  });
  child.stderr.on("data", (text: Buffer) => {
    err += text.toString();
    if (!isKilled && when.test(err)) isKilled = child.kill(signal);
  });
  return ended(child).then((code) => ({ code, out, err }));
}

export function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once("close", (code) => resolve(code ?? -1)));
}
