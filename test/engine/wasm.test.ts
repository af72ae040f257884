import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import { afterEach, expect, test, vi } from "vitest";
import { KERNEL } from "../../src/engine/instance/kernel.js";
import { DQN } from "../../src/index.js";
import { temporaryFolder } from "../support/folder.js";

const { at } = temporaryFolder();

const shipped = readFileSync("dist/dqn.wasm");
const module = new WebAssembly.Module(shipped);

test("the release exports these functions and its memory, and imports nothing", () => {
  expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual([
    "abi",
    "create",
    "region",
    "regionBytes",
    "act",
    "actSlate",
    "evaluate",
    "actBatch",
    "evaluateBatch",
    "observe",
    "dismiss",
    "threads",
    "abandon",
    "learn",
    "syncTarget",
    "unpackWeights",
    "packWeights",
    "checkWeights",
    "restore",
    "inspect",
    "neededBytes",
    "sizes",
    "share",
    "useUnrolled",
    "work",
    "memory",
  ]);
  expect(WebAssembly.Module.imports(module)).toEqual([]);
});

afterEach(() => vi.restoreAllMocks());

test("a host that refuses to compile gets an error with the needed policy", () => {
  const refuse = (cause: Error) =>
    vi.spyOn(WebAssembly, "Instance").mockImplementation(function refused() {
      throw cause;
    });
  const cause = new WebAssembly.CompileError("disallowed by embedder");
  refuse(cause);
  const create = () => new DQN({ observation: 1, actions: 1 });
  const message = /script-src 'wasm-unsafe-eval'.*\{ module \} of "liveq\/dqn.wasm" \(disallowed by embedder\)$/;
  expect(create).toThrow(expect.objectContaining({ message: expect.stringMatching(message), cause }));
  refuse(new RangeError("no memory"));
  expect(create).toThrow("no memory");
});

test("it stays below 96 KiB raw and 19.25 KiB compressed, and a bundle of the engine below 34.5 KiB compressed", async () => {
  expect(shipped.length).toBeLessThanOrEqual(96 * 1024);
  expect(brotliCompressSync(shipped).length).toBeLessThanOrEqual(19.25 * 1024);
  expect(brotliCompressSync(await bundled()).length).toBeLessThanOrEqual(34.5 * 1024);
});

/** What a page pays for `import { DQN } from "liveq"`. */
async function bundled(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: 'export { DQN } from "./dist/index.js";', resolveDir: "." },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  return outputFiles[0]!.contents;
}

test("a rebuild gives the committed SHA-256", () => {
  const file = at("dqn.wasm");
  const asc = "node_modules/assemblyscript/bin/asc.js";
  execFileSync(process.execPath, [
    asc,
    "assembly/index.ts",
    "--target",
    "release",
    "--outFile",
    file,
    "--textFile",
    at("dqn.wat"),
  ]);
  const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
  expect(digest, "if the change of the Wasm is meant: npm run build:hash").toBe(KERNEL);
  expect(createHash("sha256").update(shipped).digest("hex"), "dist/ is stale: npm run build").toBe(KERNEL);
});
