/** Programs from outside npm: compilers, OpenBLAS, PyTorch. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const HERE = import.meta.dirname;
const OUT = ".build/peers";
const NEWEST_CLANG = 24;
const OLDEST_CLANG = 14;

/** A file that was built, or why it was not. */
export type Built = { file: string } | { missing: string };

/** Whether a command runs and ends well. */
function runs(command: string, words: readonly string[]): boolean {
  return spawnSync(command, words, { stdio: "ignore" }).status === 0;
}

/** gcc, and the newest clang. */
export function compilers(): { gcc?: string; clang?: string } {
  const versions = Array.from({ length: NEWEST_CLANG - OLDEST_CLANG + 1 }, (_, i) => `clang-${NEWEST_CLANG - i}`);
  const clang = [...versions, "clang"].find((name) => runs(name, ["--version"]));
  return { ...(runs("gcc", ["--version"]) ? { gcc: "gcc" } : {}), ...(clang ? { clang } : {}) };
}

/** The first Python that has PyTorch, the system's own before any other. */
export function pythonWithTorch(given?: string): string | undefined {
  const candidates = given ? [given] : ["/usr/bin/python3", "python3"];
  return candidates.find((python) => runs(python, ["-c", "import torch, numpy"]));
}

function build(compiler: string | undefined, name: string, words: readonly string[]): Built {
  if (!compiler) return { missing: "no compiler" };
  mkdirSync(OUT, { recursive: true });
  const file = join(OUT, name);
  const { status, stderr } = spawnSync(compiler, [...words, "-o", file], { encoding: "utf8" });
  if (status === 0) return { file };
  const reason = /error: .*/.exec(stderr)?.[0] ?? stderr.trim().split("\n")[0];
  return { missing: `${compiler}: ${reason}` };
}

const source = (name: string) => join(HERE, "native", name);

/** LiveQ's algorithm for this processor. */
export function buildNative(compiler: string, flags: readonly string[], name: string): Built {
  return build(compiler, `${name}-${compiler}`, ["-O3", ...flags, source("dqn.c"), source("serve.c"), "-lm"]);
}

export function buildBlas(compiler: string | undefined): Built {
  const flags = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math"];
  return build(compiler, "blas", [...flags, source("blas.c"), source("serve.c"), "-lopenblas", "-lm"]);
}

export function buildWasm(clang: string | undefined): Built {
  if (!clang) return { missing: "no clang" };
  const target = ["--target=wasm32", "-msimd128", "-mbulk-memory", "-nostdlib", "-fvisibility=hidden"];
  return build(clang, "dqn.wasm", ["-O3", ...target, "-Wl,--no-entry", "-Wl,--export-dynamic", source("dqn.c")]);
}

/** Whether the processor has AVX-512, where Linux lists its features. */
export function hasAvx512(): boolean {
  return existsSync("/proc/cpuinfo") && /\bavx512f\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
}

/** Installs the peers of npm, unless they match the lock file; runs none of their scripts. */
export function installPackages(): void {
  const installed = join(HERE, "node_modules", ".package-lock.json");
  const lock = join(HERE, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const words = ["ci", "--prefix", HERE, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", words, { stdio: ["ignore", "ignore", "inherit"] });
}

/** Installs compilers, OpenBLAS and PyTorch by apt. */
export function installSystem(): void {
  const apt = (...words: string[]) => execFileSync("apt-get", words, { stdio: ["ignore", "ignore", "inherit"] });
  apt("update");
  const suffix = runs("apt-cache", ["show", "clang-19"]) ? "-19" : "";
  const packages = [`clang${suffix}`, `lld${suffix}`, "gcc", "libc6-dev", "libopenblas-dev", "python3-torch"];
  apt("install", "--yes", "--no-install-recommends", ...packages);
}
