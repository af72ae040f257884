/** The package in pages: bundled, and under a Content-Security-Policy. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { browse, execute, folderSite, ISOLATION, openPage, PAGE, PATIENT, type Site } from "../runtimes/execute.js";
import { installPackages, type Runtime } from "../runtimes/install.js";
import { type Answer, checkHash } from "./scripts.js";
import type { Installed } from "./tarball.js";

const WITH_WASM = "script-src 'self' 'wasm-unsafe-eval'";

/** What bundles a page into a folder. */
interface Bundler {
  version: string;
  packages?: Record<string, string>;
  bundle: (app: string, out: string) => Promise<unknown>;
}

export const VITE = { vite: "8.3.8" };
const WEBPACK = { webpack: "5.112.2", "webpack-cli": "7.3.1" };

function tool(packages: Record<string, string>, script: string): Runtime {
  const [[name, version]] = Object.entries(packages) as [[string, string]];
  const path = join(installPackages(packages), "node_modules", script);
  return { name, version, command: [process.execPath, path], env: {} };
}

const manifestOf = (path: string) => JSON.parse(readFileSync(join(path, "package.json"), "utf8"));

export const BUNDLERS: Readonly<Record<string, Bundler>> = {
  esbuild: {
    version: manifestOf("node_modules/esbuild").version,
    bundle: (app, out) => esbuild(app, "page.mjs", join(out, "main.js")),
  },
  vite: {
    version: VITE.vite,
    packages: VITE,
    bundle: (app, out) =>
      execute(tool(VITE, "vite/bin/vite.js"), ["build", app, "--outDir", out, "--logLevel", "warn"], PATIENT),
  },
  webpack: {
    version: WEBPACK.webpack,
    packages: WEBPACK,
    bundle: (app, out) =>
      execute(
        tool(WEBPACK, "webpack-cli/bin/cli.js"),
        ["build", "--config", join(app, "webpack.config.mjs"), "--env", `out=${out}`],
        PATIENT,
      ),
  },
};

function esbuild(app: string, entry: string, outfile: string) {
  const output = { outfile, format: "esm", target: "es2022", minify: true, metafile: true } as const;
  return build({ entryPoints: [join(app, entry)], absWorkingDir: app, bundle: true, logLevel: "warning", ...output });
}

/** The line of the report about a bundled page. */
type Scenario = (site: Site, browser: Runtime) => Promise<void>;

async function ask(site: Site, browser: Runtime, run: object, headers: Record<string, string>): Promise<Answer> {
  const asked: Site = (path) =>
    path === "/run.json" ? JSON.stringify(run) : (site(path) ?? (path === "/index.html" ? PAGE : undefined));
  return JSON.parse(await openPage(browser, asked, { ...PATIENT, headers }));
}

const policy = (value: string) => ({ "Content-Security-Policy": value });

const works: Scenario = async (site, browser) => {
  checkHash("with 'wasm-unsafe-eval'", await ask(site, browser, {}, policy(WITH_WASM)));
};

async function checkRefusal(site: Site, browser: Runtime, run: object): Promise<void> {
  const headers = { ...ISOLATION, ...policy("script-src 'self'; worker-src blob:") };
  const { error, cause } = await ask(site, browser, run, headers);
  const isClear = error?.includes("a page needs script-src 'wasm-unsafe-eval'");
  if (!isClear || cause !== "CompileError")
    throw new Error(`without 'wasm-unsafe-eval' it ends with ${error} (${cause})`);
}

const refused: Scenario = (site, browser) => checkRefusal(site, browser, {});

/** Threads, where workers may come from blobs and where not. */
const threads: Scenario = async (site, browser) => {
  const answer = (rest: string) =>
    ask(site, browser, { threads: 2 }, { ...ISOLATION, ...policy(`${WITH_WASM}${rest}`) });
  const two = await answer("; worker-src 'self' blob:");
  checkHash("two threads", two);
  if (two.threads !== 2) throw new Error(`two threads: ${two.threads}, ${two.threadsReason}`);
  for (const rest of ["; worker-src 'self'", ""]) {
    const one = await answer(rest);
    checkHash("without worker-src blob:", one);
    const isClear = one.threads === 1 && one.threadsReason?.includes("worker-src needs blob:");
    if (!isClear) throw new Error(`without worker-src blob: ${one.threads} threads, ${one.threadsReason}`);
  }
  await checkRefusal(site, browser, { threads: 2 });
};

const made = new Map<string, string>();

/** The folder of a bundled page. */
async function bundled({ app, folder }: Installed, name: string): Promise<string> {
  const out = made.get(name) ?? join(folder, `out-${name}`);
  if (!made.has(name)) await BUNDLERS[name]!.bundle(app, out);
  made.set(name, out);
  return out;
}

/** A bundled page in a browser. What workers may do is the same in all bundles, as their code is a string. */
export async function checkPage(installed: Installed, bundler: string, browser: Runtime): Promise<string> {
  const out = await bundled(installed, bundler);
  const scenarios = { works, refused, ...(bundler === "esbuild" ? { threads } : {}) };
  for (const scenario of Object.values(scenarios)) await scenario(folderSite(out), browser);
  return `${sizeOf(out)}; under CSP: ${Object.keys(scenarios).join(", ")}`;
}

/** Bytes of all scripts in a folder. */
function sizeOf(out: string): string {
  const scripts = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const all = scripts.map((name) => readFileSync(join(out, name)));
  const sum = (sizes: number[]) => (sizes.reduce((a, b) => a + b, 0) / 1024).toFixed(1);
  return `${sum(all.map(({ length }) => length))} KiB, ${sum(all.map((each) => brotliCompressSync(each).length))} brotli`;
}

/** A page from Vite's development server. */
export async function checkViteDev({ app, folder }: Installed, browser: Runtime): Promise<string> {
  const { createServer } = await import(join(installPackages(VITE), "node_modules/vite/dist/node/index.js"));
  let resolve: (text: string) => void;
  const answer = new Promise<string>((done) => {
    resolve = done;
  });
  // biome-ignore lint/suspicious/noExplicitAny: Vite is not among what is installed here.
  const configureServer = ({ middlewares }: any) => {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    middlewares.use((request: any, response: any, next: () => void) => {
      if (request.url === "/run.json") return response.end("{}");
      if (request.url !== "/answer") return next();
      let text = "";
      request.on("data", (part: Buffer) => (text += part));
      request.on("end", () => {
        response.end();
        resolve(text);
      });
    });
  };
  const server = await createServer({
    configFile: false,
    root: app,
    cacheDir: join(folder, "vite"),
    logLevel: "warn",
    server: { host: "127.0.0.1", port: 0, headers: policy(WITH_WASM), hmr: false },
    plugins: [{ name: "answer", configureServer }],
  });
  try {
    await server.listen();
    const { port } = server.httpServer.address();
    checkHash("vite dev", JSON.parse(await browse(browser, `http://127.0.0.1:${port}/`, answer, PATIENT)));
    return "development server, CSP";
  } finally {
    await server.close();
  }
}

/** Words that stand in a part of the package, and in no page that uses the engine alone. */
const MARKS = [
  ["recommender/index.js", "on_air"],
  ["logs/index.js", "bilibili"],
  ["exchange/index.js", "safetensors"],
  ["exchange/index.js", "brain.Event"],
  ["cli/liveq.js", "--format"],
] as const;

/** An import of the engine alone brings nothing of the rest, in all bundlers. */
export async function checkParts(installed: Installed): Promise<string> {
  const { app, folder } = installed;
  const out = join(folder, "out-engine");
  const { metafile } = await esbuild(app, "engine.mjs", join(out, "main.js"));
  const packages = Object.keys(metafile.inputs).map(
    (path) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path,
  );
  const found = [...new Set(packages)].sort().join(", ");
  if (found !== "engine.mjs, liveq") throw new Error(`the bundle is made of ${found}`);
  for (const [entry, mark] of MARKS) {
    const whole = await build({
      entryPoints: [join(app, "node_modules/liveq/dist", entry)],
      bundle: true,
      write: false,
      minify: true,
      format: "esm",
      platform: "node",
      outfile: "main.js",
    });
    if (!whole.outputFiles[0]!.text.includes(mark)) throw new Error(`${entry} has no "${mark}"`);
    for (const each of [out, ...made.values()]) {
      for (const name of readdirSync(each, { recursive: true, encoding: "utf8" }).filter((name) =>
        name.endsWith(".js"),
      )) {
        if (readFileSync(join(each, name), "utf8").includes(mark)) throw new Error(`${name} has "${mark}" of ${entry}`);
      }
    }
  }
  return `{ DQN } alone: ${sizeOf(out)}; nothing of recommender, logs, exchange, command`;
}
