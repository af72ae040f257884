import { type ChildProcess, execFile, spawn } from "node:child_process";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
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

/** A module with Node's own import: that of the test runner would transform the file that is built. */
const NATIVE = "data:text/javascript,export const load = (url) => import(url)";
/** Ends when the last run in this process has ended. */
let last: Promise<unknown> = Promise.resolve();
let runs = 0;
/** What the command does at the end of its process, and here at the end of each run. */
const atExit = new Set<() => void>();

/**
 * Runs the command to its end, with nothing on stdin: the built file, whose module is evaluated afresh, in this process,
 * for most of the time of a process of its own goes by before it does anything. One run at a time.
 */
export function liveq(...words: string[]): Promise<Ran> {
  const run = last.then(() => ranHere(words));
  last = run.catch(() => {});
  return run;
}

async function ranHere(words: string[]): Promise<Ran> {
  const { argv, stdin, stdout, stderr, exitCode } = process;
  const before = new Map(LISTENED.map((name) => [name, process.listeners(name)]));
  const ends = process.listeners("exit");
  const errors = stdout.listeners("error");
  const [out, err] = [capture(stdout), capture(stderr)];
  const empty = Object.assign(Readable.from([]), { fd: -1 });
  Object.defineProperty(process, "stdin", { value: empty, configurable: true });
  process.argv = [argv[0]!, COMMAND, ...words];
  process.exitCode = 0;
  try {
    const { load } = (await import(NATIVE)) as { load(url: string): Promise<unknown> };
    await load(`${pathToFileURL(COMMAND).href}?run=${runs++}`);
    return { code: Number(process.exitCode), out: out.text(), err: err.text() };
  } finally {
    for (const one of process.listeners("exit")) if (!ends.includes(one)) atExit.add(one as () => void);
    for (const one of atExit) one();
    for (const each of [out, err]) each.restore();
    Object.defineProperty(process, "stdin", { value: stdin, configurable: true });
    Object.assign(process, { argv, exitCode });
    for (const [name, kept] of before) {
      for (const one of process.listeners(name)) if (!kept.includes(one)) process.removeListener(name, one);
    }
    for (const one of stdout.listeners("error")) {
      if (!errors.includes(one)) stdout.removeListener("error", one as () => void);
    }
  }
}

/** Signals that the command listens to. */
const LISTENED = ["SIGINT", "SIGTERM"] as const;

/** Takes what is written to a stream, until it is restored. */
function capture(stream: NodeJS.WriteStream): { text(): string; restore(): void } {
  const pieces: Buffer[] = [];
  const own = Object.getOwnPropertyDescriptor(stream, "write");
  const write = (piece: string | Uint8Array) => pieces.push(Buffer.from(piece as string)) > 0;
  Object.defineProperty(stream, "write", { value: write, configurable: true, writable: true });
  return {
    text: () => Buffer.concat(pieces).toString(),
    restore() {
      if (own) Object.defineProperty(stream, "write", own);
      else Reflect.deleteProperty(stream, "write");
    },
  };
}

/** Runs the command to its end in a process of its own, with nothing on stdin. */
export function liveqAlone(...words: string[]): Promise<Ran> {
  return liveqOn("", ...words);
}

/** The same with `input` on stdin. */
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
