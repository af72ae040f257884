import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { resolve } from "node:path";
import { COMMAND } from "./command.js";

/** The answer of a server. */
export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: of any route
  body: any;
}

/** How a server is started. */
export interface ServedOptions {
  /** Its working folder. */
  cwd?: string;
  /** Beside the environment of this process. */
  env?: Readonly<Record<string, string>>;
  /** The descriptor of a bound socket in this process, as a supervisor hands it over. */
  socket?: number;
}

/** `liveq serve` as a process. */
export class Served {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown[]>;
  url = "";
  told = "";

  constructor(words: readonly string[], { cwd = ".", env = {}, socket }: ServedOptions = {}) {
    const port = words.includes("--port") || socket !== undefined ? [] : ["--port", "0"];
    const command = [process.execPath, resolve(COMMAND), "serve", ...port, ...words];
    // The protocol of systemd names the process, which its parent does not know before.
    const handing = ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh", ...command];
    const [program, ...rest] = socket === undefined ? command : handing;
    const stdio = ["ignore", "ignore", "pipe", ...(socket === undefined ? [] : [socket])] as const;
    this.child = spawn(program!, rest, { cwd, env: { ...process.env, ...env }, stdio: [...stdio] });
    this.child.stderr!.on("data", (piece) => (this.told += piece));
    this.ended = once(this.child, "close");
  }

  /** Resolves when it answers. @throws Error if it ends before. */
  async start(): Promise<this> {
    for (let found: RegExpExecArray | null = null; found === null; ) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(this.told);
      await new Promise((done) => setTimeout(done, 5));
      found = /serving at (\S+),/.exec(this.told);
      if (found) this.url = found[1]!;
    }
    return this;
  }

  async ask(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<Answer> {
    const init: RequestInit = { method, headers: { "content-type": "application/json", ...more } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(`${this.url}${path}`, init);
    return { status: response.status, body: await response.json() };
  }

  /** Sends a signal, waits for the end, and gives the exit code. */
  async stop(signal: NodeJS.Signals): Promise<unknown> {
    this.child.kill(signal);
    return (await this.ended)[0];
  }
}

/** A client that keeps its connections, and tells of each failure. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** @throws Error of the connection. */
  ask(method: string, path: string, body: unknown): Promise<Answer> {
    return new Promise((done, fail) => {
      const headers = { "content-type": "application/json" };
      const where = { host: "127.0.0.1", port: this.#port, agent: this.#agent };
      const asked = request({ ...where, method, path, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece) => (text += piece));
        response.on("end", () => done({ status: response.statusCode!, body: JSON.parse(text) }));
        response.on("error", fail);
      });
      asked.on("error", fail);
      asked.end(JSON.stringify(body));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
