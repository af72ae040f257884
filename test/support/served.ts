import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { COMMAND } from "./command.js";

/** `liveq serve` as a process, on a free port. */
export class Served {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown[]>;
  url = "";
  told = "";

  /** @param env - Beside the environment of this process. */
  constructor(folder: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [resolve(COMMAND), "serve", "--port", "0", ...words], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child.stderr!.on("data", (piece) => (this.told += piece));
    this.ended = once(this.child, "close");
  }

  /** Resolves when it answers. */
  async start(): Promise<this> {
    for (let found: RegExpExecArray | null = null; found === null; ) {
      if (this.child.exitCode !== null) throw new Error(this.told);
      await new Promise((done) => setTimeout(done, 5));
      found = /serving at (\S+),/.exec(this.told);
      if (found) this.url = found[1]!;
    }
    return this;
  }

  async ask(method: string, path: string, body?: unknown) {
    const init: RequestInit = { method, headers: { "content-type": "application/json" } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`${this.url}${path}`, init);
    return { status: response.status, body: await response.json() };
  }

  /** Its exit code. */
  async stop(signal: NodeJS.Signals): Promise<unknown> {
    this.child.kill(signal);
    return (await this.ended)[0];
  }
}
