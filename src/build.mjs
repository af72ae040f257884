/**
 * Builds what ships: `node src/build.mjs [STEP...]`, by default all steps in this order.
 *
 * - `wasm`: .build/dqn.wasm, .build/continuous.wasm, .build/int8.wasm and the kernels for tests, from assembly/; then the Wasm as text
 * - `js`: dist/: one module for each door of the package, the command, the bytes of the engine, and the examples, which
 *   import the package by its name as any other program does
 * - `pages`: dist/pages/: what browsers load, a folder a page
 * - `types`: dist/types/
 * - `size`: prints how large the engine is; fails above its limit
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { buildPages } from "./pages.mjs";

/** What several doors share: entries of their own, so that each is a chunk that is loaded alone. */
const SHARED = [
  ...["src/engine/dqn.ts", "src/training/train.ts", "src/protocol/schema.ts"],
  ...readdirSync("src/training/environments").map((name) => `src/training/environments/${name}`),
];

/** The declarations that those of the doors mean, directly or not: the compiler writes one for each file that it reads. */
function declarations() {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const found = new Set();
  const open = Object.values(exports).flatMap(({ types }) => (types ? [join(types)] : []));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const meant = readFileSync(file, "utf8").matchAll(/(?:from |import |import\()"(\.[^"]+)\.js"/g);
    for (const [, path] of meant) open.push(join(dirname(file), `${path}.d.ts`));
  }
  return found;
}

/** By name what a door exports, and the file that defines it. */
function exportsOf(door) {
  const found = readFileSync(door, "utf8").matchAll(/^export (?:type )?\{([^}]+)\} from "([^"]+)";/gm);
  return new Map(
    [...found].flatMap(([, names, file]) =>
      namesIn(names).map((name) => [name.bare, sourceOf(join(dirname(door), file))]),
    ),
  );
}

/** The file that an import means: of a page's part, with markup in it. */
function sourceOf(file) {
  return existsSync(file.replace(/\.js$/, ".tsx")) ? file.replace(/\.js$/, ".tsx") : file;
}

function namesIn(list) {
  const names = list.split(",").map((name) => name.trim());
  return names.filter((name) => name !== "").map((name) => ({ name, bare: name.replace(/^type /, "") }));
}

/** What ships knows of package.json what it writes into files: who it is. */
const identity = {
  name: "identity",
  setup(build) {
    build.onLoad({ filter: /\/package\.json$/ }, ({ path }) => {
      const { name, version } = JSON.parse(readFileSync(path, "utf8"));
      return { contents: JSON.stringify({ name, version }), loader: "json" };
    });
  },
};

/**
 * Sources import through doors, but esbuild puts all that a door leads to into the chunk of whoever uses one name of it.
 * So imports from a door become imports from the files behind it.
 */
const throughDoors = {
  name: "through-doors",
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.tsx?$/ }, ({ path }) => {
      const behind = (statement, word, type, list, door) => {
        const files = exportsOf(join(dirname(path), door.replace(/\.js$/, ".ts")));
        const line = ({ name, bare }) => {
          const file = files.get(bare);
          // A type alone must not load the file that defines it.
          const what = name === bare ? `${type}{ ${bare} }` : `type { ${bare} }`;
          return file && `${word} ${what} from "./${relative(dirname(path), file)}";`;
        };
        const lines = namesIn(list).map(line);
        return lines.includes(undefined) ? statement : lines.join(" ");
      };
      const statements = /^(import|export) (type )?\{([^}]+)\} from "(\.[^"]*\/index\.js)";/gm;
      const contents = readFileSync(path, "utf8").replace(statements, (all, word, type = "", list, door) =>
        behind(all, word, type, list, door),
      );
      return { contents, loader: path.endsWith("x") ? "tsx" : "ts" };
    });
  },
};

/** The sources of the doors that package.json names, of what they share, and of the command. */
function entries() {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const doors = Object.values(exports).flatMap(({ types }) => types ?? []);
  const files = [...doors.map((file) => file.replace(/^\.\/dist\/types\/|\.d\.ts$/g, "").concat(".ts")), ...SHARED];
  const named = files.map((file) => ({ in: file, out: file.replace(/^src\/|\.ts$/g, "") }));
  // The command is one file, beside which it looks for its threads.
  const simulated = { "serve/viewers": "viewers", "serve/fetcher": "fetcher" };
  const served = { "serve/learner": "learner", "serve/logthread": "log", ...simulated };
  const threads = { "jobs/worker": "worker", "environments/actor": "actor", ...served };
  const workers = Object.entries(threads).map(([file, out]) => ({ in: `src/cli/${file}.ts`, out: `cli/${out}` }));
  return [...named, { in: "src/cli/main.ts", out: "cli/liveq" }, ...workers];
}

function run(command, ...words) {
  execFileSync(process.execPath, [`node_modules/${command}`, ...words], { stdio: "inherit" });
}

const node = (file, ...words) => execFileSync(process.execPath, [file, ...words], { stdio: "inherit" });
const shared = { bundle: true, format: "esm", platform: "neutral", target: "es2022", logLevel: "warning" };

const STEPS = {
  wasm() {
    node("assembly/tiles.mjs");
    const asc = (target, ...sources) => {
      const files = sources.map((source) => `assembly/${source}.ts`);
      run("assemblyscript/bin/asc.js", ...files, "--target", target);
    };
    asc("release", "index");
    asc("continuous", "continuous/index");
    asc("int8", "int8/index");
    node("assembly/text.mjs");
    asc("kernels", "index", "kernels");
  },

  async js() {
    rmSync("dist", { recursive: true, force: true });
    const external = ["#module", "#continuous", "#int8", "node:*"];
    const out = { outdir: "dist", chunkNames: "chunks/[name]-[hash]" };
    await build({
      ...shared,
      ...out,
      entryPoints: entries(),
      splitting: true,
      // All that is installed stays below 8 MB; errors have their names, and what is exported too.
      minify: true,
      packages: "external",
      external,
      plugins: [identity, throughDoors],
    });
    const copied = { loader: { ".wasm": "copy" }, assetNames: "[name]" };
    for (const path of ["module", "actormodule", "int8/int8module"]) {
      const [module, name] = [`src/engine/instance/${path}`, path.split("/").at(-1)];
      await build({ ...shared, entryPoints: [`${module}.ts`], minify: true, outfile: `dist/${name}.js` });
      await build({ ...shared, ...copied, entryPoints: [`${module}.workerd.ts`], outfile: `dist/${name}.workerd.js` });
    }
    await build({ ...shared, bundle: false, entryPoints: ["src/examples/**/*.ts"], outdir: "dist/examples" });
  },

  async pages() {
    await buildPages("dist/pages", [identity, throughDoors]);
  },

  types() {
    run("typescript/bin/tsc", "--project", "src");
    const needed = declarations();
    for (const file of readdirSync("dist/types", { recursive: true })) {
      const path = join("dist/types", file);
      if (path.endsWith(".d.ts") && !needed.has(path)) rmSync(path);
    }
  },

  size() {
    run("tsx/dist/cli.mjs", "bench/size.ts");
  },
};

const asked = process.argv.slice(2);
const unknown = asked.find((step) => !Object.hasOwn(STEPS, step));
if (unknown !== undefined) {
  console.error(`a step must be one of ${Object.keys(STEPS).join(", ")}, got "${unknown}"`);
  process.exit(2);
}
for (const step of asked.length > 0 ? asked : Object.keys(STEPS)) await STEPS[step]();
