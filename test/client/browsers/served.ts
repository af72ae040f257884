import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { LiveEvent } from "../../../src/protocol/index.js";
import { openLog, SqliteStore } from "../../../src/storage/index.js";

/** A server as a process: `liveq serve`, or another command that says where it is. */
export class Served {
  url = "";
  readonly #address: RegExp;
  #told = "";
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;

  constructor(
    command: readonly string[],
    words: readonly string[],
    cwd: string,
    { verb = "serve", address = /serving at (\S+),/ } = {},
  ) {
    this.#address = address;
    const [program, ...first] = command;
    // A group of its own: npx starts a program that starts another.
    this.#child = spawn(program!, [...first, verb, "--port", "0", ...words], {
      ...{ cwd, detached: true, stdio: ["ignore", "ignore", "pipe"] },
    });
    this.#child.stderr!.on("data", (piece) => (this.#told += piece));
    this.#closed = once(this.#child, "close");
    process.once("exit", () => this.#end("SIGKILL"));
  }

  /** Resolves when it answers. @throws Error where it ends before. */
  async start(): Promise<this> {
    for (let found: RegExpExecArray | null = null; found === null; ) {
      if (this.#child.exitCode !== null) throw new Error(this.#told);
      await new Promise((resolve) => setTimeout(resolve, 5));
      found = this.#address.exec(this.#told);
      if (found) this.url = found[1]!;
    }
    return this;
  }

  async stop(): Promise<void> {
    this.#end("SIGTERM");
    await this.#closed;
  }

  #end(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#child.pid!, signal);
    } catch {
      // It has ended.
    }
  }
}

/** An event in the log, and when the server took it. */
export interface Logged {
  now: number;
  event: LiveEvent;
}

/** The events in the log of a stopped server. */
export async function logged(folder: string): Promise<Logged[]> {
  const log = openLog(await SqliteStore.open(folder));
  const found: Logged[] = [];
  for await (const { bytes } of log.read(0)) {
    const text = new TextDecoder().decode(bytes);
    if (!text.startsWith("e")) continue;
    const [now, event] = JSON.parse(text.slice(1)) as [number, LiveEvent];
    found.push({ now, event });
  }
  await log.close();
  return found;
}
