/** Prints what ships and how large it is; with --write, writes the digest of the Wasm that the package tells. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";

const WASM_MAX = 96 * 1024;
const DIGEST = "src/engine/instance/kernel.ts";

const wasm = readFileSync(".build/dqn.wasm");
const digest = createHash("sha256").update(wasm).digest("hex");
const committed = readFileSync(DIGEST, "utf8");
const line = committed.replace(/"[0-9a-f]{64}"/, `"${digest}"`);
if (process.argv.includes("--write")) writeFileSync(DIGEST, line);
console.log(`dqn.wasm: ${wasm.length} bytes, ${brotliCompressSync(wasm).length} brotli (limit ${WASM_MAX} raw)`);
if (committed !== line && !process.argv.includes("--write"))
  console.log(`its SHA-256 is not the committed one; if that is meant: npm run build:hash`);
if (wasm.length > WASM_MAX) {
  console.error(`dqn.wasm is above its limit of ${WASM_MAX} bytes`);
  process.exitCode = 1;
}
