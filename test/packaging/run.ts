/** The command: packs the package, installs it as its users do, and lets it work wherever they use it. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { execute, PATIENT } from "../runtimes/execute.js";
import {
  installPackages,
  type Missing,
  npm,
  type Runtime,
  type RuntimeName,
  run,
  runtime,
} from "../runtimes/install.js";
import { report } from "../runtimes/report.js";
import { BUNDLERS, checkPage, checkParts, checkViteDev, VITE } from "./pages.js";
import { checkCommand, checkDenoRegistry, checkScripts, checkWorkerd, checkWrangler, WRANGLER } from "./scripts.js";
import { checkServing } from "./serving.js";
import { checkInstalled, type Installed, installed } from "./tarball.js";
import { COMPILERS, checkTypes } from "./types.js";

/** One that the package must serve. */
interface Consumer {
  name: string;
  /** Of the tool, where it is not that of the runtime. */
  version?: string;
  runtime?: RuntimeName;
  /** What it needs from npm, by version. */
  packages?: Record<string, string>;
  /** What it has shown; throws with what has failed. */
  check: (installed: Installed, runtime: Runtime) => string | Promise<string>;
}

const LINTERS = { publint: "0.3.25", "@arethetypeswrong/cli": "0.18.5" };

/** A tool that looks at a tarball of its own, as attw takes it away. */
function linter(name: keyof typeof LINTERS, bin: string, ...args: string[]): Consumer {
  const version = LINTERS[name];
  const check = async ({ folder, tarball }: Installed) => {
    const copy = join(folder, `${bin}.tgz`);
    copyFileSync(tarball, copy);
    const program = join(installPackages({ [name]: version }), "node_modules/.bin", bin);
    await execute({ name, version, command: [program], env: {} }, [copy, ...args], { timeoutMs: 60_000 });
    return "clean";
  };
  return { name: bin, version, packages: { [name]: version }, check };
}

const CONSUMERS: Consumer[] = [
  { name: "npm", version: run([...npm(), "--version"]).trim(), check: checkInstalled },
  linter("publint", "publint", "--strict"),
  linter(
    "@arethetypeswrong/cli",
    "attw",
    "--profile",
    "esm-only",
    "--exclude-entrypoints",
    "dqn.wasm",
    "continuous.wasm",
    "int8.wasm",
  ),
  ...COMPILERS.map((version) => ({
    name: `typescript-${version[0]}`,
    version,
    packages: { typescript: version },
    check: (each: Installed) => checkTypes(each, version),
  })),
  { name: "command", check: checkCommand },
  ...(["node20", "node22", "node24", "node26", "bun", "deno"] as const).map((name) => ({
    name,
    runtime: name,
    check: checkScripts,
  })),
  ...(["node20", "node22", "node24", "node26", "bun", "deno"] as const).map((name) => ({
    name: `serving-${name}`,
    runtime: name,
    check: checkServing,
  })),
  { name: "deno-npm", runtime: "deno", check: checkDenoRegistry },
  { name: "workerd", runtime: "workerd", check: checkWorkerd },
  { name: "wrangler", version: WRANGLER.wrangler, runtime: "workerd", packages: WRANGLER, check: checkWrangler },
  ...Object.entries(BUNDLERS).flatMap(([name, { version, packages }]) =>
    (["chromium", "firefox", "webkit"] as const).map((browser) => ({
      name: `${name}-${browser}`,
      version,
      packages,
      runtime: browser,
      check: (each: Installed, found: Runtime) => checkPage(each, name, found),
    })),
  ),
  { name: "vite-dev", version: VITE.vite, packages: VITE, runtime: "chromium", check: checkViteDev },
  { name: "parts", check: checkParts },
];

/** @returns Whether it works. */
async function serve(consumer: Consumer, each: Installed, found: Runtime): Promise<boolean> {
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${PATIENT.timeoutMs / 1000} s`)), PATIENT.timeoutMs);
  });
  let text: string;
  let isOk = true;
  try {
    text = `ok: ${await Promise.race([consumer.check(each, found), late])}`;
  } catch (error) {
    text = `FAILED: ${(error as Error).message}`;
    isOk = false;
  }
  clearTimeout(timer);
  report(consumer.name, consumer.version ?? found.version, performance.now() - start, text);
  return isOk;
}

const HOST: Runtime = { name: "node", version: process.versions.node, command: [process.execPath], env: {} };

const program = new Command("test:packaging")
  .description(
    "Builds and packs the package, installs it into an empty folder, and uses it there in every runtime, bundler, " +
      "browser and compiler that it is for. Tools that are not there are installed from npm into LIVEQ_RUNTIMES (default " +
      "~/.cache/liveq-runtimes), browsers by apt as root. Ends with 1 where something fails or is missing.",
  )
  .addOption(new Option("--only <name...>", "only these").choices(CONSUMERS.map(({ name }) => name)))
  .option("--available", "missing runtimes are named, but do not fail")
  .parse();
const { only, available } = program.opts<{ only?: string[]; available?: true }>();

/** The runtime of a consumer, once all that it needs is there; or why not. */
function prepared({ name, runtime: needed, packages }: Consumer): Runtime | Missing {
  try {
    if (packages) installPackages(packages);
  } catch (error) {
    return { name, missing: (error as Error).message };
  }
  return needed ? runtime(needed) : HOST;
}

const each = installed();
for (const consumer of CONSUMERS.filter(({ name }) => !only || only.includes(name))) {
  const found = prepared(consumer);
  if ("missing" in found) {
    report(consumer.name, "missing", undefined, found.missing);
    if (!available) process.exitCode = 1;
  } else if (!(await serve(consumer, each, found))) process.exitCode = 1;
}
