/**
 * Prints how large the package is: the Wasm, bundles of its two main doors, and how many names each door has. With --write,
 * writes the digest of the Wasm into the source that checks it.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const DIGEST = "src/engine/instance/kernel.ts";
const WASM_BYTES_MAX = 96 * 1024;

interface Bundle {
  /** The name that a page imports. */
  name: string;
  door: string;
  /** Largest size, compressed by brotli. */
  bytesMax: number;
}

/**
 * The objective of slates takes 1.5 KiB of each: kernels, options, staging and their checks; parts of rewards, the cloned
 * start and what a broken worker leaves .6 KiB; saving while the agent learns, the host's digest and checks of its memory .5;
 * many states at once 2: staging and checks, kernels for rows of the head and for one row; the shell that both kinds of agents
 * share .4, activations other than ReLU .6, actions that are drawn by a softmax .4, inputs that are moved against the loss and
 * units that stay .6, running normalisation .7.
 * Of the recommender, explanations take 2 KiB, heartbeats 1.1, apprentices 1, saving in parts 2.3, clocks and receipts 3,
 * checks of files 3, profiles packed at rest 8.
 */
const BUNDLES: readonly Bundle[] = [
  { name: "DQN", door: "liveq", bytesMax: 34.25 * 1024 },
  { name: "ContinuousAgent", door: "liveq/continuous", bytesMax: 24.25 * 1024 },
  { name: "Recommender", door: "liveq/recommender", bytesMax: 88.25 * 1024 },
  { name: "LiveQClient", door: "liveq/client", bytesMax: 6 * 1024 },
  { name: "LiveQClient, PageTracker", door: "liveq/client", bytesMax: 9 * 1024 },
];

const count = (n: number) => n.toLocaleString("en");

/** A line about a size; an exceeded limit fails the command. */
function report(what: string, bytes: number, bytesMax: number): void {
  const isAbove = bytes > bytesMax;
  console.log(`${what}: ${count(bytes)} bytes, limit ${count(bytesMax)}${isAbove ? ": ABOVE IT" : ""}`);
  if (isAbove) process.exitCode = 1;
}

function digest(wasm: Uint8Array, isWritten: boolean): void {
  const committed = readFileSync(DIGEST, "utf8");
  const line = committed.replace(/"[0-9a-f]{64}"/, `"${createHash("sha256").update(wasm).digest("hex")}"`);
  if (isWritten) writeFileSync(DIGEST, line);
  else if (committed !== line)
    console.log("its SHA-256 is not the committed one; if that is meant: npm run build:hash");
}

/** By the name of a door: its module in dist/, and its source. */
function doors(): Map<string, { module: string; source: string }> {
  const { name, exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
    name: string;
    exports: Record<string, string | { types: string; default: string }>;
  };
  const entries = Object.entries(exports).flatMap(([path, entry]) => {
    if (typeof entry === "string") return [];
    const source = entry.types.replace(/^\.\/dist\/types\/(.*)\.d\.ts$/, "$1.ts");
    return [[path.replace(/^\./, name), { module: entry.default, source }] as const];
  });
  return new Map(entries);
}

/** The names that a door exports, types among them. */
function namesOf(source: string): string[] {
  const lists = readFileSync(source, "utf8").matchAll(/^export (?:type )?\{([^}]+)\} from/gm);
  return [...lists].flatMap(([, list]) => list!.split(",").map((name) => name.trim())).filter((name) => name !== "");
}

/** The code that a page loads for one name of a door. */
async function bundled(name: string, module: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${name} } from "${module}";`, resolveDir: "." },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    // Chunks without side effects are imported for those alone: esbuild warns that it leaves them out.
    logLevel: "error",
    write: false,
  });
  return outputFiles[0]!.contents;
}

const isWritten = process.argv.includes("--write");
const wasm = readFileSync(".build/dqn.wasm");
report("dqn.wasm", wasm.length, WASM_BYTES_MAX);
console.log(`dqn.wasm, brotli: ${count(brotliCompressSync(wasm).length)} bytes`);
digest(wasm, isWritten);
if (!isWritten) {
  const all = doors();
  for (const { name, door, bytesMax } of BUNDLES) {
    const bundle = await bundled(name, all.get(door)!.module);
    const { length } = brotliCompressSync(bundle);
    report(`export { ${name} } from "${door}", minified, brotli`, length, bytesMax);
  }
  for (const [door, { source }] of all) console.log(`${door}: ${namesOf(source).length} names`);
}
