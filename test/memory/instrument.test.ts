import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Kernels } from "../support/kernels.js";
import { Fences } from "./fences.js";
import { functionNames, instrument, STORE, zerosAt } from "./instrument.js";

const BASE = 65536;

/** The kernels' checked build, with tensors of some bytes, 256 apart, that are read or written. */
function checked(...tensors: [bytes: number, isWritable: boolean][]) {
  const wat = readFileSync(".build/kernels.wat", "utf8");
  const fences = new Fences(2 * BASE);
  tensors.forEach(([bytes, isWritable], i) => {
    fences.allow({ name: `tensor ${i}`, at: BASE + 256 * i, bytes, isWritable });
  });
  fences.allowStatics(zerosAt(wat), 8192);
  const { bytes } = instrument(readFileSync(".build/kernels.wasm"), functionNames(wat), []);
  const imports = { checked: fences.imports };
  const kernels = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports as unknown as Kernels;
  kernels.memory.grow(1);
  return { kernels, fences };
}

const [A, B, C] = [BASE, BASE + 256, BASE + 512];

/** Where the control block begins: with the number of hands. */
function controlOf({ memory, threads }: Kernels): number {
  const lines = new Int32Array(memory.buffer, 0, 1 << 14);
  for (let at = 0; at < lines.length; at += 16) {
    lines[at]! += 7;
    const isFound = threads() === 8;
    lines[at]! -= 7;
    if (isFound) return at * 4;
  }
  throw new Error("no number of hands was found");
}

describe("the checked build", () => {
  test.each(["dqn", "kernels"])("has a check at each instruction of %s.wasm that touches memory", (build) => {
    const wat = readFileSync(`.build/${build}.wat`, "utf8");
    const { sites } = instrument(readFileSync(`.build/${build}.wasm`), functionNames(wat), []);
    const touching = /^\s*(?:memory\.(?:copy|fill|init)|[a-z0-9]+\.(?:load|store)[a-z0-9_]*|[a-z0-9.]*atomic\S*)\b/gm;
    expect(sites).toBe(wat.match(touching)!.length);
    expect(sites).toBeGreaterThan(1000);
  });

  test("lets pass what is allowed, to the last byte", () => {
    const { kernels, fences } = checked([16, false], [16, true]);
    kernels.axpy(4, 1, A, B);
    kernels.lerp(4, 1, A, B);
    expect(fences.checks).toBe(5);
  });

  test.each<[string, () => unknown]>([
    ['load of 16 bytes at 65552: "tensor 0"', () => checked([28, false], [32, true]).kernels.axpy(8, 1, A, B)],
    [
      'store of 16 bytes at 65792: "tensor 1", which has 16 bytes to read',
      () => checked([16, false], [16, false]).kernels.axpy(4, 1, A, B),
    ],
    ['load of 16 bytes at 65792: "tensor 1"', () => checked([16, false], [12, true]).kernels.axpy(4, 1, A, B)],
    ["load of 16 bytes at 0", () => checked([16, false]).kernels.dot(4, A, 0)],
    ["load of 16 bytes at 4294967280", () => checked([16, false]).kernels.dot(4, A, -16)],
    ["load of 4 bytes at 65540", () => checked([4, false]).kernels.argmax(2, A)],
    ["copy to of 16 bytes at 65792", () => checked([16, false], [12, true]).kernels.lerp(4, 1, A, B)],
    ["copy from of 16 bytes at 65536", () => checked([12, false], [16, true]).kernels.lerp(4, 1, A, B)],
    ["fill of 16 bytes at 65552", () => checked([28, true]).kernels.zeroRows(4, A, 2, 1, 1)],
    ["store of 8 bytes at 65544", () => checked([8, true]).kernels.seedRng(A, 1n, 1n)],
    ["load of 1 bytes at 65538", () => checked([2, false], [4, true]).kernels.packBits(3, A, B)],
    // An offset in the instruction, and a tensor's end within a vector.
    [
      "load of 16 bytes at 65840",
      () =>
        checked([64, false], [60, false], [64, true]).kernels.gemm(1, 16, 1, A, 4, B, 1, 0, C, 64, 0, 0, 0, 0, 0, 0),
    ],
  ])("refuses a %s", (message, call) => {
    expect(call).toThrow(message);
  });

  test("lets pass what a hand does: counters, its slot, a notification", () => {
    const { kernels, fences } = checked();
    kernels.share(false);
    // The control block; see crew.ts. Hand 1 finds its slot with a job to stop, and one share to be done.
    const control = new Int32Array(kernels.memory.buffer, controlOf(kernels), 256);
    const [hands, pending, sleepers, slot] = [0, 64 / 4, 128 / 4, (384 + 64) / 4];
    const claim = slot + 1;
    control[slot] = 1;
    control[claim] = 1;
    control[pending] = 1;
    kernels.work();
    expect([control[hands], control[pending], control[claim]]).toEqual([1, 0, 0]);
    const before = fences.checks;
    expect(kernels.threads()).toBe(2);
    control[sleepers] = 1;
    kernels.dismiss();
    expect([control[slot], control[pending]]).toEqual([1, 1]);
    expect(fences.checks).toBeGreaterThan(before + 8);
  });

  test("lets read, but not write, what stands behind a tensor for vectors that begin in it", () => {
    const { access, fill } = (() => {
      const fences = new Fences(1024);
      fences.allow({ name: "a", at: 16, bytes: 20, isWritable: true, behind: 12 });
      return fences.imports;
    })();
    expect(access(32, 0, 16)).toBe(32);
    expect(() => access(36, 0, 16)).toThrow("load of 16 bytes at 36");
    expect(() => access(32, 0, 16 | STORE)).toThrow("store of 16 bytes at 32");
    expect(() => fill(16, 0, 21)).toThrow("fill of 21 bytes at 16");
  });

  test("counts an access that ends in another tensor as none of its own", () => {
    const { imports } = new Fences(1024);
    expect(() => imports.access(0, 0, 1)).toThrow("nothing");
    const fences = new Fences(1024);
    fences.allow({ name: "a", at: 0, bytes: 16, isWritable: true });
    fences.allow({ name: "b", at: 16, bytes: 16, isWritable: true });
    expect(fences.imports.access(8, 4, 4 | STORE)).toBe(8);
    expect(() => fences.imports.access(12, 0, 8)).toThrow("load of 8 bytes at 12");
  });
});
