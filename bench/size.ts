/** Prints what ships and how large it is; with --write, commits the digest of the Wasm that the tests compare with. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";

const WASM_MAX = 64 * 1024;
const DIGEST = "assembly/dqn.wasm.sha256";

const wasm = readFileSync(".build/dqn.wasm");
const line = `${createHash("sha256").update(wasm).digest("hex")}  dqn.wasm\n`;
if (process.argv.includes("--write")) writeFileSync(DIGEST, line);
const committed = readFileSync(DIGEST, "utf8");
console.log(`dqn.wasm: ${wasm.length} bytes, ${brotliCompressSync(wasm).length} brotli (limit ${WASM_MAX} raw)`);
if (committed !== line) console.log(`its SHA-256 is not the committed one; if that is meant: npm run build:hash`);
if (wasm.length > WASM_MAX) {
  console.error(`dqn.wasm is above its limit of ${WASM_MAX} bytes`);
  process.exitCode = 1;
}
