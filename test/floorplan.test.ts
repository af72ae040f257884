import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { HOUSE } from "./support/house.js";

const LINES_MAX = 7000;
const FILES_MAX = 12;
/** Lines of an example. */
const PAGE = 110;

/** Rooms where the bare packages may be used. */
const PACKAGES: Record<string, string[]> = {
  commander: ["cli"],
  valibot: ["protocol", "server"],
  "@valibot/to-json-schema": ["protocol"],
  "node:": ["cli", "cli/serve", "cli/environments", "cli/origins", "cli/pages", "node", "storage"],
  "node-sqlite3-wasm": ["storage"],
  hono: ["examples", "server"],
  preact: ["dashboard", "playground"],
  uplot: ["dashboard"],
};

/** The doors of the package, by the names under which it exports them. */
const DOORS: string[] = Object.keys(JSON.parse(readFileSync("package.json", "utf8")).exports)
  .map((name) => name.replace(/^\./, "liveq"))
  .filter((name) => !/\.\w+$/.test(name));

/** Ten purposes that a file may have, and the room that a stranger finds for it by the drawing alone. */
const PURPOSES: Record<string, string> = {
  "a reader of another platform's export": "logs",
  "a kernel's wrapper in TypeScript": "engine",
  "an environment to train on": "training",
  "a group of features of one's own": "recommender/features",
  "another source of candidates": "recommender/retrieval",
  "another way to explore, with its propensities": "recommender/serving",
  "another term of the reward": "recommender/learning",
  "a policy to compare with on a live platform": "baselines",
  "a ranker of items to compare with on MovieLens": "ranking",
  "a new estimate from a log of decisions": "evaluation",
};

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

function imports(file: string): string[] {
  const code = readFileSync(file, "utf8");
  return [...code.matchAll(/(?:from\s+|import\(\s*|^import\s+)["']([^"']+)["']/gm)].map((match) => match[1]!);
}

function linesOf(file: string): number {
  return readFileSync(file, "utf8").split("\n").length - 1;
}

const SOURCES = files("src");
const PATHS = HOUSE.map(({ path }) => path);

/** The room of a file of src/: the innermost whose folder holds it; "" of what lies in src/ itself. */
function roomOf(file: string): string {
  const inside = PATHS.filter((path) => file.startsWith(`src/${path}/`));
  return inside.sort((a, b) => b.length - a.length)[0] ?? "";
}

/** The files of src/ that a file imports. */
function targetsOf(file: string): string[] {
  return imports(file)
    .filter((name) => name.startsWith("."))
    .map((name) => join(dirname(file), name).replace(/\.js$/, ".ts"))
    .map((target) => (existsSync(`${target}x`) ? `${target}x` : target))
    .filter((target) => target.startsWith("src/"));
}

describe("the floor plan of src", () => {
  test("every file has a room", () => {
    expect(SOURCES.filter((file) => roomOf(file) === "")).toEqual(["src/index.ts"]);
    expect(HOUSE.filter(({ path }) => !existsSync(`src/${path}/`))).toEqual([]);
  });

  test.each(SOURCES)("%s imports only from rooms below, through their doors", (file) => {
    const own = roomOf(file);
    for (const target of targetsOf(file)) {
      const other = roomOf(target);
      if (other === own) continue;
      expect(PATHS.indexOf(other), `an arrow up: ${file} -> ${target}`).toBeGreaterThan(PATHS.indexOf(own));
      expect(target, `past the door: ${file} -> ${target}`).toBe(`src/${other}/index.ts`);
    }
    const bare = imports(file).filter((path) => !/^[.#]|\/package\.json$/.test(path));
    for (const name of own === "examples" ? bare.filter((path) => !DOORS.includes(path)) : bare) {
      const owner = Object.keys(PACKAGES).find((prefix) => name.startsWith(prefix));
      expect(PACKAGES[owner ?? ""], `${file} -> ${name}`).toContain(own);
    }
  });

  test.each(SOURCES.filter((file) => roomOf(file) === "examples"))(
    "%s is one page, and imports the package by name",
    (file) => {
      expect(linesOf(file)).toBeLessThanOrEqual(PAGE);
      expect(imports(file).filter((name) => /^[.#]/.test(name))).toEqual([]);
      expect(imports(file).some((name) => DOORS.includes(name))).toBe(true);
    },
  );

  test("no file imports itself by way of others", () => {
    const path: string[] = [];
    const done = new Set<string>();
    const visit = (file: string) => {
      expect(path, `a circle: ${[...path, file].join(" -> ")}`).not.toContain(file);
      if (done.has(file)) return;
      done.add(file);
      path.push(file);
      for (const target of targetsOf(file)) if (target !== file) visit(target);
      path.pop();
    };
    for (const file of SOURCES) visit(file);
  });

  test.each(PATHS)("%s is no larger than a reader holds in mind, and names each thing once", (path) => {
    const inside = SOURCES.filter((file) => file.startsWith(`src/${path}/`));
    // A room within a room has a door of its own, and counts for itself.
    const lines = inside.filter((file) => roomOf(file) === path).reduce((sum, file) => sum + linesOf(file), 0);
    expect(lines, `src/${path} has ${lines} lines`).toBeLessThanOrEqual(LINES_MAX);
    for (const folder of new Set(inside.map(dirname))) {
      const held = inside.filter((file) => dirname(file) === folder);
      expect(held.length, `files in ${folder}`).toBeLessThanOrEqual(FILES_MAX);
    }
    const names = inside
      .filter((file) => roomOf(file) === path && basename(file) !== "index.ts")
      .map((file) => basename(file));
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    for (const file of inside) expect(readFileSync(file, "utf8"), file).not.toMatch(/^export \* /m);
  });

  test("a stranger finds the room of a file by its purpose", () => {
    const width = Math.max(...Object.keys(PURPOSES).map((purpose) => purpose.length));
    for (const [purpose, room] of Object.entries(PURPOSES)) {
      const found = HOUSE.find(({ path }) => path === room);
      expect(found, purpose).toBeDefined();
      console.log(`${purpose.padEnd(width)}  src/${room}/`);
    }
  });

  const design = "../shared/DESIGN.md";
  test.skipIf(!existsSync(design))("the rooms are those of the design, in its order", () => {
    const text = readFileSync(design, "utf8");
    const from = text.indexOf("arrows run only downward");
    const drawing = text.slice(from, text.indexOf("\n```", from));
    const drawn = [...drawing.matchAll(/^ {2}( *)((?:\w+\/ {1,2})+)(.*)$/gm)].flatMap(([, indent, names, rest]) =>
      names!
        .trim()
        .split(/\s+/)
        .map((name) => (indent === "" ? "" : "recommender/") + name.slice(0, -1))
        // A plus marks what the design waits for.
        .filter((path) => !/\+$/.test(rest!) || PATHS.includes(path)),
    );
    const inner = (path: string) => /^recommender\/\w+$/.test(path);
    const outer = (paths: string[]) => paths.filter((path) => !path.includes("/") && path !== "examples");
    expect(outer(PATHS)).toEqual(outer(drawn));
    // The design lists them as data takes them, from the ground up.
    expect(PATHS.filter(inner).reverse()).toEqual(drawn.filter(inner));
  });
});

/** What may import what in assembly/. */
const ASSEMBLY: Record<string, string[]> = {
  index: ["dqn", "core", "nstep", "gemm", "crew", "work", "abi"],
  kernels: [
    "activation",
    "math",
    "arena",
    "sumtree",
    "adam",
    "bellman",
    "dots",
    "continuous",
    "int8",
    "slate",
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
    ...[
      "core",
      "descent",
      "restore",
      "running",
      "math",
      "network",
      "nstep",
      "replay",
      "sumtree",
      "bellman",
      "slate",
      "loss",
    ],
    ...["values", "storage", "sparse", "vector", "gemm", "rng", "arena", "abi"],
  ],
  continuous: [
    ...[
      "core",
      "descent",
      "restore",
      "running",
      "math",
      "network",
      "nstep",
      "replay",
      "bellman",
      "loss",
      "dense",
      "norm",
    ],
    ...["pack", "storage", "sparse", "vector", "gemm", "rng", "arena", "abi"],
  ],
  descent: ["core", "adam", "vector", "abi"],
  restore: ["core", "running", "nstep", "replay", "vector", "abi"],
  running: ["arena"],
  core: ["running", "nstep", "replay", "sparse", "vector", "rng", "arena", "abi"],
  int8: ["norm", "slate", "storage", "sparse", "values", "vector", "arena", "abi"],
  network: ["activation", "dense", "norm", "noise", "sparse", "vector", "gemm", "rng", "arena", "abi"],
  nstep: ["replay", "arena", "abi"],
  replay: ["math", "sumtree", "storage", "sparse", "values", "vector", "rng", "arena", "abi"],
  storage: ["sparse", "vector", "abi"],
  sumtree: ["arena"],
  dense: ["sparse", "dots", "gemm", "pack", "vector", "rng", "arena"],
  dots: ["vector", "tiles"],
  bellman: ["values"],
  slate: ["loss", "math"],
  loss: ["values"],
  adam: ["crew", "abi"],
  noise: ["rng"],
  activation: ["abi"],
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

/** The room of a file of assembly/: its folder there, or its name. */
function unitOf(path: string): string {
  const normal = normalize(path);
  if (normal.includes(".build/tiles")) return "tiles";
  return normal
    .slice("assembly/".length)
    .split("/")[0]!
    .replace(/\.(ts|js)$/, "");
}

describe("the floor plan of assembly", () => {
  test.each(files("assembly"))("%s imports only from rooms below", (file) => {
    const own = unitOf(file);
    expect(Object.keys(ASSEMBLY), `"${own}" has no place in the plan`).toContain(own);
    for (const name of imports(file)) {
      expect([own, ...ASSEMBLY[own]!], `${file} -> ${name}`).toContain(unitOf(join(dirname(file), name)));
    }
  });
});

test("only the folder of the instance touches WebAssembly, but for the type of a module that a caller gives", () => {
  for (const file of files("src")) {
    const uses = [...readFileSync(file, "utf8").matchAll(/WebAssembly\.(\w+)/g)].map((match) => match[1]);
    if (file.startsWith("src/engine/instance/")) continue;
    expect(
      uses.filter((use) => use !== "Module"),
      file,
    ).toEqual([]);
  }
});

test("only programs, the pages, the server, its client and its log read a clock, and only the command uses host randomness or transcendental functions", () => {
  const clock = /Date\.now|new Date\(\)|performance\.now/;
  const math =
    /Math\.(random|exp|expm1|log|log1p|log2|log10|pow|sin|cos|tan|tanh|atan|atan2|asin|acos|sinh|cosh|hypot|fround16)\b|[^*]\*\*[^*/]/;
  for (const file of files("src")) {
    if (["cli", "cli/serve", "cli/environments", "cli/reports"].includes(roomOf(file))) continue;
    const code = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    const readsClock = ["playground", "dashboard", "examples", "node", "server", "client", "storage"].includes(
      roomOf(file),
    );
    const isBanned = (line: string) => math.test(line) || (!readsClock && clock.test(line));
    const lines = code.split("\n").filter((line) => isBanned(line) && !/\b\d+ \*\* -?\d+\b/.test(line));
    expect(lines, file).toEqual([]);
  }
});
