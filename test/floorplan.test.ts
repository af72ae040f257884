import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

/** What may import what: each room names the rooms below it. A room may always import from itself. */
const SRC: Record<string, string[]> = {
  cli: ["server", "recommender", "node", "exchange", "agent", "snapshot"],
  node: ["options"],
  server: ["recommender", "agent", "options", "schedule", "random", "math"],
  recommender: ["agent", "environment", "options", "schedule", "snapshot", "random", "math"],
  index: [
    "agent",
    "engine",
    "environment",
    "environments",
    "inputs",
    "stats",
    "weights",
    "options",
    "schedule",
    "snapshot",
  ],
  exchange: ["header", "protobuf", "weights", "options", "snapshot"],
  environments: ["environment", "random", "math"],
  environment: ["agent", "engine", "inputs", "options", "snapshot"],
  agent: ["inputs", "stats", "weights", "options", "schedule", "snapshot", "engine", "kernel", "abi"],
  kernel: [],
  inputs: ["options", "abi"],
  stats: ["abi"],
  tensorboard: ["agent", "environment", "options", "protobuf", "stats"],
  protobuf: [],
  weights: ["options", "abi"],
  options: ["schedule", "abi"],
  schedule: [],
  snapshot: ["header", "options", "sha256"],
  header: [],
  engine: ["module", "options", "platform", "threads", "abi"],
  platform: [],
  threads: [],
  random: ["math"],
  math: [],
  sha256: [],
  module: [],
};

const ASSEMBLY: Record<string, string[]> = {
  index: ["dqn", "gemm", "crew", "work", "arena", "abi"],
  kernels: [
    "math",
    "arena",
    "sumtree",
    "adam",
    "bellman",
    "crew",
    "gemm",
    "loss",
    "noise",
    "norm",
    "pack",
    "rng",
    "sparse",
    "storage",
    "values",
    "vector",
  ],
  dqn: [
    ...["math", "network", "nstep", "replay", "sumtree", "bellman", "loss", "adam"],
    ...["values", "storage", "sparse", "vector", "gemm", "rng", "arena", "abi"],
  ],
  network: ["dense", "norm", "noise", "sparse", "vector", "gemm", "rng", "arena", "abi"],
  nstep: ["replay", "arena", "abi"],
  replay: ["math", "sumtree", "storage", "sparse", "values", "vector", "rng", "arena", "abi"],
  storage: ["sparse", "vector", "abi"],
  sumtree: ["arena"],
  dense: ["sparse", "gemm", "pack", "vector", "rng", "arena"],
  bellman: ["values"],
  loss: ["values"],
  adam: ["crew", "abi"],
  noise: ["rng"],
  norm: [],
  sparse: ["arena", "abi"],
  values: ["math", "vector"],
  pack: ["gemm"],
  work: ["adam", "gemm", "crew"],
  gemm: ["tiles", "crew"],
  crew: [],
  tiles: [],
  rng: ["math"],
  math: [],
  vector: [],
  arena: [],
  abi: [],
};

/** Rooms where the bare packages may be used. */
const PACKAGES: Record<string, string[]> = {
  commander: ["cli"],
  valibot: ["recommender", "server"],
  "node:": ["cli", "node"],
};

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

function imports(file: string): string[] {
  const code = readFileSync(file, "utf8");
  return [...code.matchAll(/(?:from\s+|import\(\s*|^import\s+)["']([^"']+)["']/gm)].map((match) => match[1]!);
}

/** The room of a file below `top`: its folder there, or its name. */
function room(path: string, top: string): string {
  const normal = normalize(path);
  if (normal.includes("assembly/abi")) return "abi";
  if (normal.includes(".build/tiles")) return "tiles";
  if (normal.includes(".build/dqn.text")) return "module";
  if (normal.includes(".build/")) return normal.includes("dqn.wasm") ? "module" : "abi";
  const first = normal.slice(top.length + 1).split("/")[0]!;
  return first.replace(/\.(ts|js)$/, "").replace(/\.workerd$/, "");
}

describe.each([
  ["src", SRC],
  ["assembly", ASSEMBLY],
])("the floor plan of %s", (top, plan) => {
  test.each(files(top))("%s imports only from rooms below", (file) => {
    const own = room(file, top);
    expect(Object.keys(plan), `"${own}" has no place in the plan`).toContain(own);
    for (const name of imports(file).filter((path) => !path.endsWith("/package.json"))) {
      if (name.startsWith(".") || name.startsWith("#")) {
        const target = name.startsWith("#") ? name.slice(1) : room(join(dirname(file), name), top);
        expect([own, ...plan[own]!], `${file} -> ${name}`).toContain(target);
      } else {
        const owner = Object.keys(PACKAGES).find((prefix) => name.startsWith(prefix));
        expect(PACKAGES[owner ?? ""], `${file} -> ${name}`).toContain(own);
      }
    }
  });
});

test("only engine.ts, threads.ts and module.ts touch WebAssembly, but for the type of a module that a caller gives", () => {
  for (const file of files("src")) {
    const uses = [...readFileSync(file, "utf8").matchAll(/WebAssembly\.(\w+)/g)].map((match) => match[1]);
    if (["src/engine.ts", "src/threads.ts", "src/module.ts", "src/module.workerd.ts"].includes(file)) continue;
    expect(
      uses.filter((use) => use !== "Module"),
      file,
    ).toEqual([]);
  }
});

test("nothing outside the command reads a clock, and nothing uses host randomness or transcendental functions", () => {
  const banned =
    /Date\.now|new Date\(\)|performance\.now|Math\.(random|exp|expm1|log|log1p|log2|log10|pow|sin|cos|tan|tanh|atan|atan2|asin|acos|sinh|cosh|hypot|fround16)\b|[^*]\*\*[^*/]/;
  for (const file of files("src")) {
    if (file.startsWith("src/cli/")) continue;
    const code = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    const lines = code.split("\n").filter((line) => banned.test(line) && !/\b\d+ \*\* -?\d+\b/.test(line));
    expect(lines, file).toEqual([]);
  }
});
