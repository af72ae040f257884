import { existsSync, readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { expect, test } from "vitest";

const FOLDER = "dist/pages/playground";
/** What the first view loads, in all: KiB of brotli. */
const BUDGET = 120;

/** The files that a script of a page imports, itself included. */
function loaded(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const code = readFileSync(`${FOLDER}/${file}`, "utf8");
  for (const [, name] of code.matchAll(/(?:from|import)"\.\/([\w.-]+)"/g)) loaded(name!, found);
  return found;
}

test.skipIf(!existsSync(FOLDER))("the first view of the playground fits into its budget", () => {
  const files = [...new Set(["playground.js", "trainer.js"].flatMap((file) => [...loaded(file)])), "style.css"];
  const sizes = files.map((file) => brotliCompressSync(readFileSync(`${FOLDER}/${file}`)).byteLength);
  const total = sizes.reduce(
    (sum, size) => sum + size,
    brotliCompressSync(readFileSync(`${FOLDER}/index.html`)).length,
  );
  console.log(`first view: ${files.length + 1} files, ${(total / 1024).toFixed(1)} KiB of brotli`);
  expect(total).toBeLessThanOrEqual(BUDGET * 1024);
});

test.skipIf(!existsSync(FOLDER))("no file of a page has inline script, inline style or another host", () => {
  const html = readFileSync(`${FOLDER}/index.html`, "utf8");
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  for (const file of readdirSync(FOLDER)) {
    const text = readFileSync(`${FOLDER}/${file}`, "utf8");
    const hosts = [...text.matchAll(/\b(?:src|href|fetch\(|import\()\s*=?\s*["'`](https?:\/\/[^"'`]+)/g)].map(
      ([, url]) => url,
    );
    expect(hosts, file).toEqual([]);
  }
});
