/** The package in runtimes with a command line, and in workerd. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { execute, folderSite, type Modules, openWorker, PATIENT } from "../runtimes/execute.js";
import { installPackages, npm, type Runtime, run } from "../runtimes/install.js";
import type { Installed } from "./tarball.js";

/** The output of a program. */
export interface Answer {
  hash?: string;
  threads?: number;
  threadsReason?: string;
  error?: string;
  cause?: string;
}

/** What the programs come to, committed. */
export const HASH: string = readFileSync("test/packaging/hash.txt", "utf8").trim();

/** @throws Error where the answer is not the committed one. */
export function checkHash(what: string, { hash, error }: Answer): void {
  if (error !== undefined) throw new Error(`${what}: ${error}`);
  if (hash !== HASH) throw new Error(`${what}: the hash is ${hash}`);
}

/** Command-line arguments that a runtime is given before a script, with all permissions or none. */
function before({ name }: Runtime, isTrusted: boolean): string[] {
  if (name !== "deno") return [];
  return isTrusted ? ["run", "--allow-all"] : ["run", "--no-prompt"];
}

/** `import`, with threads too; `require`; all doors; the command. */
export async function checkScripts({ app }: Installed, runtime: Runtime): Promise<string> {
  const call = async (isTrusted: boolean, script: string, ...args: string[]) =>
    execute(runtime, [...before(runtime, isTrusted), join(app, script), ...args], PATIENT);
  // The engine needs no permission.
  checkHash("import", JSON.parse(await call(false, "console.mjs")));
  const two: Answer = JSON.parse(await call(false, "console.mjs", JSON.stringify({ threads: 2 })));
  checkHash("two threads", two);
  if (two.threads !== 2) throw new Error(`two threads: ${two.threads}, ${two.threadsReason}`);
  checkHash("require", JSON.parse(await call(true, "required.cjs")));
  const file = join(app, `${runtime.name}.liveq`);
  checkHash("all doors", JSON.parse(await call(true, "entries.mjs", file)));
  const command = "node_modules/liveq/dist/cli/liveq.js";
  const help = await call(true, command, "--help");
  if (!help.includes("inspect")) throw new Error(`liveq --help: ${help}`);
  const said = await call(true, command, "inspect", file);
  if (!/dqn/.test(said)) throw new Error(`liveq inspect: ${said}`);
  return "import, 2 threads, require, all doors, liveq --help, liveq inspect";
}

/** The command by its name, as npm links it. */
export async function checkCommand({ app }: Installed): Promise<string> {
  const program = join(app, "node_modules/.bin/liveq");
  const liveq = { name: "liveq", version: "", command: [program], env: {} };
  const file = join(app, "own.liveq");
  const node = { ...liveq, command: [process.execPath] };
  checkHash("all doors", JSON.parse(await execute(node, [join(app, "entries.mjs"), file], PATIENT)));
  const out = join(app, "own.safetensors");
  await execute(liveq, ["export", file, "--format", "safetensors", "--out", out], PATIENT);
  if (!(await execute(liveq, ["inspect", out], PATIENT)).includes("safetensors")) throw new Error("liveq inspect");
  if (!run([...npm(), "exec", "--prefix", app, "--", "liveq", "--help"], { cwd: app }).includes("inspect")) {
    throw new Error("npx liveq --help");
  }
  return `liveq ${(await execute(liveq, ["--version"], PATIENT)).trim()}: export, inspect; npx liveq`;
}

const REGISTRY = process.env["npm_config_registry"] ?? "https://registry.npmjs.org/";

/** Deno's `npm:` specifier, from a registry that has the package beside all others. */
export async function checkDenoRegistry({ app, tarball, version }: Installed, deno: Runtime): Promise<string> {
  const site = folderSite(join(app, ".."));
  const server = createServer(async (request, response) => {
    const path = request.url ?? "/";
    if (path.endsWith(basename(tarball))) return response.end(site(basename(tarball)));
    if (path !== "/liveq") {
      const answer = await fetch(new URL(path, REGISTRY), { headers: { accept: request.headers.accept ?? "*/*" } });
      return response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
    }
    const manifest = JSON.parse(readFileSync(join(app, "node_modules/liveq/package.json"), "utf8"));
    const { port } = server.address() as AddressInfo;
    const dist = { tarball: `http://127.0.0.1:${port}/liveq/-/${basename(tarball)}` };
    const time = { [version]: "2026-01-01T00:00:00.000Z" };
    const packument = {
      name: "liveq",
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist } },
      time,
    };
    return response.end(JSON.stringify(packument));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const { port } = server.address() as AddressInfo;
    const registry = `http://127.0.0.1:${port}/`;
    const runtime = { ...deno, env: { NPM_CONFIG_REGISTRY: registry, DENO_DIR: join(app, "..", "deno") } };
    const files = {
      "main.mjs": readFileSync(join(app, "console.mjs"), "utf8").replace('"liveq"', `"npm:liveq@${version}"`),
      "program.mjs": readFileSync(join(app, "program.mjs")),
    };
    checkHash("npm:", JSON.parse(await execute(runtime, ["run", "--no-prompt", "main.mjs"], PATIENT, files)));
    return `npm:liveq@${version}`;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A worker as esbuild bundles it. */
async function bundledWorker(app: string, entry: string, conditions: string[]): Promise<Modules> {
  const { outputFiles } = await build({
    entryPoints: [join(app, entry)],
    absWorkingDir: app,
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions,
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    outfile: "main.js",
    logLevel: "warning",
  });
  const files = outputFiles.map(({ path, contents }) => [basename(path), contents] as const);
  return Object.fromEntries(files.sort(([a], [b]) => Number(b === "main.js") - Number(a === "main.js")));
}

/** The condition `workerd`; without it a clear error, or the module by hand. */
export async function checkWorkerd({ app }: Installed, workerd: Runtime): Promise<string> {
  const answer = async (entry: string, conditions: string[]): Promise<Answer> =>
    JSON.parse(await openWorker(workerd, await bundledWorker(app, entry, conditions), PATIENT));
  checkHash("the condition workerd", await answer("worker.mjs", ["workerd"]));
  checkHash("{ module }", await answer("worker-module.mjs", []));
  const { error } = await answer("worker.mjs", []);
  if (!error?.includes('{ module } of "liveq/dqn.wasm"')) {
    throw new Error(`bundled without the condition it ends with ${error}`);
  }
  return "by its condition, by { module }; clear error without";
}

export const WRANGLER = { wrangler: "4.86.0" };

/** A worker as wrangler would deploy it, served by workerd. */
export async function checkWrangler({ app }: Installed, workerd: Runtime): Promise<string> {
  const script = join(installPackages(WRANGLER), "node_modules/wrangler/bin/wrangler.js");
  const env = { WRANGLER_SEND_METRICS: "false", CI: "1", XDG_CONFIG_HOME: join(app, "..", "config") };
  const wrangler = { name: "wrangler", version: WRANGLER.wrangler, command: [process.execPath, script], env };
  const out = join(app, "wrangler");
  const options = ["--name", "app", "--compatibility-date", "2026-01-01", "--dry-run", "--outdir", out];
  await execute(wrangler, ["deploy", join(app, "worker.mjs"), ...options], PATIENT);
  const site = folderSite(out);
  const main = site("worker.js")!.toString();
  const [, wasm] = /"\.\/([^"]+\.wasm)"/.exec(main)!;
  checkHash("wrangler", JSON.parse(await openWorker(workerd, { "worker.js": main, [wasm!]: site(wasm!)! }, PATIENT)));
  return "deploy --dry-run, served by workerd";
}
