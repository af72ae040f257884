import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.js";

const { at } = temporaryFolder();

const TILES = ["panel16", "panel16Unrolled", "panel8", "row32", "dots2x4"];

/** The instructions of a function, without its declaration. */
function instructions(wat: string, name: string): string[] {
  const start = wat.indexOf(`(func $.build/tiles/${name} `);
  expect(start, name).toBeGreaterThan(0);
  return wat
    .slice(start, wat.indexOf("\n )", start))
    .split("\n")
    .slice(1)
    .map((line) => line.trim());
}

/** Additions of the first tile of a function: 8 accumulators for each step of k that is written out. */
function additionsOf(name: string): number {
  return name === "panel16Unrolled" ? 8 * 5 : 8;
}

/**
 * How many additions of the first tile do not go straight to their accumulator, or go to one that one of the seven
 * before went to: then the compiler has regrouped the steps, additions wait for each other, and the loads that were
 * moved in front of them spill.
 */
function regrouped(wat: string, name: string): number {
  const code = instructions(wat, name);
  const recent: string[] = [];
  let seen = 0;
  let wrong = 0;
  code.forEach((line, i) => {
    if (line !== "f32x4.add" || seen++ >= additionsOf(name)) return;
    const [operation, accumulator = ""] = code[i + 1]!.split(" ");
    if (operation !== "local.set" || recent.includes(accumulator)) wrong++;
    recent.push(accumulator);
    if (recent.length > 7) recent.shift();
  });
  expect(seen, `additions of ${name}`).toBeGreaterThanOrEqual(additionsOf(name));
  return wrong;
}

test("the compiler keeps the steps of the kernels as they are written", () => {
  const wat = readFileSync(".build/dqn.wat", "utf8");
  for (const name of TILES) expect(regrouped(wat, name), name).toBe(0);
});

test("that check sees what -O3 does to them", () => {
  const text = at("kernels.wat");
  const asc = ["node_modules/assemblyscript/bin/asc.js", ".build/tiles.ts", "--config", "none"];
  const options = [
    "--runtime",
    "stub",
    "--enable",
    "simd",
    "--enable",
    "threads",
    "--use",
    "abort=",
    "--noAssert",
    "-O3",
  ];
  execFileSync(process.execPath, [...asc, ...options, "--textFile", text]);
  const wat = readFileSync(text, "utf8");
  expect(regrouped(wat, "panel16Unrolled")).toBeGreaterThan(10);
});
