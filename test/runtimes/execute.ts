/** Runs code in a runtime: a script in those with a command line, a page in browsers, a worker in workerd. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import type { Runtime } from "./install.js";

/** The content that a server has under a path such as `/index.html`; undefined is 404. */
export type Site = (path: string) => string | Uint8Array | undefined;

/** The files of a folder. */
export function folderSite(folder: string): Site {
  return (path) => {
    try {
      return readFileSync(join(folder, normalize(path)));
    } catch {
      return undefined;
    }
  };
}

/** How long to wait for an answer. */
export interface Limits {
  timeoutMs: number;
  /** How often a browser is started that does not answer. Default: three times. */
  starts?: number;
}

/** So long that only what hangs takes it, on any machine. */
export const PATIENT: Limits = { timeoutMs: 600_000 };

/** A page that runs `/main.js`. */
export const PAGE = '<!doctype html><meta charset="utf-8"><script type="module" src="/main.js"></script>';

/** With these a page may share memory with its workers. */
export const ISOLATION: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** A process with all that it has started, which ends with `stop`. */
export interface Running {
  child: ChildProcess;
  /** What it wrote to its standard output, once it has ended well; rejects with what it said last where it fails. */
  ended: Promise<string>;
  stop: (signal?: NodeJS.Signals) => Promise<void>;
}

/** Process groups that run, and their folders; they do not end with this process by themselves. */
const groups = new Map<number, string>();

function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // All of the group have ended.
  }
}

function endAll(): void {
  for (const [pid, folder] of groups) {
    endGroup(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

let isGuarded = false;

/** Lets nothing run on when this process ends. */
function guard(): void {
  isGuarded = true;
  process.on("exit", endAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
}

/** @param folder - Where it runs and puts its temporary files. */
export function start({ command, env }: Runtime, args: readonly string[], folder: string): Running {
  const [program, ...first] = command;
  const child = spawn(program!, [...first, ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", TMPDIR: folder, ...env },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    // A group of its own, so that browsers' many processes can be ended together.
    detached: true,
  });
  let out = "";
  let said = "";
  child.stdout!.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr!.setEncoding("utf8").on("data", (text) => (said = `${said}${text}`.slice(-2000)));
  const ended = new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(out);
      const lines = (said.trim() || out.trim()).split("\n").filter((line) => !/^\s*at /.test(line));
      const last = lines.slice(-5).join("\n");
      reject(new Error(`${program} ended with ${signal ?? code}: ${last}`));
    });
  });
  ended.catch(() => {});
  const { pid } = child;
  if (pid === undefined) return { child, ended, stop: async () => {} };
  if (!isGuarded) guard();
  groups.set(pid, folder);
  const stop = async (signal: NodeJS.Signals = "SIGTERM") => {
    endGroup(pid, signal);
    const late = setTimeout(() => endGroup(pid, "SIGKILL"), 3000);
    await ended.catch(() => {});
    clearTimeout(late);
    endGroup(pid, "SIGKILL");
    groups.delete(pid);
  };
  return { child, ended, stop };
}

/** A promise that rejects after a time, and how to forget it. */
function deadline(name: string, ms: number): { passed: Promise<never>; clear: () => void } {
  let timer: NodeJS.Timeout;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not answer within ${ms / 1000} s`)), ms);
  });
  passed.catch(() => {});
  return { passed, clear: () => clearTimeout(timer) };
}

/** Starts something in a folder of its own, and ends it when it has answered, has ended by itself, or the time is over. */
async function within(
  runtime: Runtime,
  ms: number,
  begin: (folder: string) => { running: Running; answer: Promise<string> },
  end: NodeJS.Signals = "SIGTERM",
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "liveq-runtime-"));
  const { passed, clear } = deadline(runtime.name, ms);
  let running: Running | undefined;
  try {
    const begun = begin(folder);
    running = begun.running;
    const early = running.ended.then((): Promise<string> => {
      if (begun.answer === begun.running.ended) return begun.answer;
      throw new Error(`${runtime.name} ended before it answered`);
    });
    return await Promise.race([begun.answer, early, passed]);
  } finally {
    clear();
    await running?.stop(end);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Runs a program with arguments, in Node, Bun or Deno.
 *
 * @param files - Put into the folder that it runs in, by name.
 * @returns What it wrote to its standard output.
 * @throws Error where it fails or takes too long.
 */
export function execute(
  runtime: Runtime,
  args: readonly string[],
  { timeoutMs }: Limits,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  return within(runtime, timeoutMs, (folder) => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const running = start(runtime, args, folder);
    return { running, answer: running.ended };
  });
}

/** What keeps a browser from talking about itself, with a profile of its own. */
export function browserArguments({ name }: Runtime, folder: string, url: string): string[] {
  if (name === "chromium") {
    const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--mute-audio"];
    const plain = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", `--user-data-dir=${folder}`];
    return [...sandbox, ...quiet, ...plain, url];
  }
  if (name === "firefox") {
    const off = ["browser.shell.checkDefaultBrowser", "datareporting.policy.dataSubmissionEnabled", "app.update.auto"];
    const lines = [...off, "browser.aboutwelcome.enabled", "dom.max_script_run_time_enabled"];
    const preferences = lines.map((key) => `user_pref("${key}", false);\n`).join("");
    writeFileSync(join(folder, "user.js"), `${preferences}user_pref("dom.max_script_run_time", 0);\n`);
    return ["--headless", "--no-remote", "--profile", folder, url];
  }
  return ["--private", url];
}

/**
 * Opens a page in a browser: `/` of a site on a local server. The page answers by itself:
 * `fetch("/answer", { method: "POST", body: text })`.
 *
 * @param headers - Sent with every answer of the server, such as ISOLATION or a Content-Security-Policy.
 * @returns What the page has posted.
 * @throws Error where the browser ends or takes too long.
 */
export async function openPage(
  browser: Runtime,
  site: Site,
  { headers = {}, timeoutMs }: Limits & { headers?: Readonly<Record<string, string>> },
): Promise<string> {
  let resolve: (text: string) => void;
  const answer = new Promise<string>((done) => {
    resolve = done;
  });
  const server = createServer((request, response) => {
    const { pathname: path } = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "POST") {
      const parts: Buffer[] = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        response.writeHead(204).end();
        if (path === "/answer") resolve(Buffer.concat(parts).toString());
      });
      return;
    }
    const name = path === "/" ? "/index.html" : path;
    const content = site(name);
    const type = TYPES[extname(name)] ?? "application/octet-stream";
    response.writeHead(content === undefined ? 404 : 200, { ...headers, "Content-Type": type }).end(content);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  try {
    return await browse(browser, `http://localhost:${port}/`, answer, { timeoutMs });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A browser that has no answer by then may hang, as WebKitGTK does at times when it starts: it is started again. */
const HANGS_MS = 90_000;
const STARTS = 3;

/**
 * Shows a browser an address of another server until that has an answer.
 *
 * @param end - How the browser is ended: SIGKILL lets no page notice it.
 * @throws Error where the browser ends or takes too long.
 */
export async function browse(
  browser: Runtime,
  url: string,
  answer: Promise<string>,
  { end = "SIGTERM", starts = STARTS, ...limits }: Limits & { end?: NodeJS.Signals },
): Promise<string> {
  const open = (timeoutMs: number) =>
    within(
      browser,
      timeoutMs,
      (folder) => {
        return { running: start(browser, browserArguments(browser, folder, url), folder), answer };
      },
      end,
    );
  for (let started = 1; started < starts && limits.timeoutMs > HANGS_MS; started++) {
    try {
      return await open(HANGS_MS);
    } catch (error) {
      process.stderr.write(`${browser.name}: ${(error as Error).message}; started again\n`);
    }
  }
  return open(limits.timeoutMs);
}

/** The modules of a worker by name; the first is its entry, and names end in .js or .wasm. */
export type Modules = Readonly<Record<string, string | Uint8Array>>;

/** A Durable Object of a worker: the variable that it is bound to, its class, and the folder of its storage. */
export interface Objects {
  binding: string;
  className: string;
  folder: string;
  /** Texts of the environment. */
  variables?: Readonly<Record<string, string>>;
}

/**
 * Serves a worker with workerd and requests `/` from it.
 *
 * @returns The body of its answer.
 * @throws Error where workerd ends, takes too long, or the worker fails.
 */
export function openWorker(workerd: Runtime, modules: Modules, limits: Limits): Promise<string> {
  return useWorker(workerd, { modules }, limits, (url) => bodyAt(url, limits.timeoutMs));
}

/** Serves a worker with workerd while `use` asks it; then workerd is ended. */
export function useWorker(
  workerd: Runtime,
  { modules, objects }: { modules: Modules; objects?: Objects },
  { timeoutMs }: Limits,
  use: (url: string) => Promise<string>,
): Promise<string> {
  return within(workerd, timeoutMs, (folder) => {
    const list = Object.entries(modules).map(([name, content], i) => {
      writeFileSync(join(folder, `${i}`), content);
      return `(name = "${name}", ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed "${i}")`;
    });
    const variables = Object.entries(objects?.variables ?? {}).map(([name, text]) => {
      return `, (name = "${name}", text = ${JSON.stringify(text)})`;
    });
    const stored =
      objects &&
      `,
  durableObjectNamespaces = [(className = "${objects.className}", uniqueKey = "one")],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "${objects.binding}", durableObjectNamespace = "${objects.className}")${variables.join("")}]`;
    const disk = objects ? `, (name = "disk", disk = (path = "${objects.folder}", writable = true))` : "";
    writeFileSync(
      join(folder, "worker.capnp"),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)${disk}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-01-01", modules = [${list.join(", ")}]${stored ?? ""}
);
`,
    );
    const running = start(workerd, ["serve", "worker.capnp", "--control-fd=3"], folder);
    return { running, answer: listening(running.child).then(use) };
  });
}

async function bodyAt(url: string, timeoutMs: number): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  const body = await response.text();
  if (!response.ok) throw new Error(`the worker answered ${response.status}: ${body.slice(0, 300)}`);
  return body;
}

/** The address that workerd prints. */
async function listening(child: ChildProcess): Promise<string> {
  const port = await new Promise<number>((resolve) => {
    let said = "";
    child.stdio[3]!.on("data", (bytes) => {
      said += bytes;
      const match = /"listen".*"port":(\d+)/.exec(said);
      if (match) resolve(Number(match[1]));
    });
  });
  return `http://127.0.0.1:${port}/`;
}
