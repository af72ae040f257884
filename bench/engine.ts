/**
 * The engine alone: train step and inference at the usual sizes, as medians with their spread, GFLOP/s and percent of
 * a register-only loop in the same run. The loop is what this JavaScript engine makes of it, not the processor's peak.
 * And reading a batch from the replay, by how it is stored.
 */
import { readFileSync } from "node:fs";
import { type Row, writeRows } from "../src/cli/results.js";
import { table } from "../src/cli/table.js";
import { type Case, casesOf, figureOf, SHAPES, time } from "./shapes.js";

/** What is timed of the kernels build. */
interface Kernels {
  memory: WebAssembly.Memory;
  lerp(n: number, tau: number, x: number, y: number): void;
  fromHalves(n: number, h: number, x: number): void;
  fromBytes(n: number, low: number, high: number, u: number, x: number): void;
}

const SAMPLES = 31;

/** A loop of multiplications and additions that touches no memory: 12 vectors of 4 in a turn, 1000 turns a time. */
function peakLoop(): Case {
  const bytes = readFileSync(".build/kernels.wasm");
  const { peak } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as {
    peak: (n: number, a: number, b: number) => number;
  };
  return { name: "register-only loop", flop: 48_000, call: (count) => void peak(count * 1000, 1, 1) };
}

const GATHER = { rows: 64, width: 1000, capacity: 40_000 };

/** Reading random rows of a replay as each storage keeps them: 160 MB of f32, half and a quarter of it. */
function gathers(): Case[] {
  const bytes = readFileSync(".build/kernels.wasm");
  const { memory, lerp, fromHalves, fromBytes } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
    .exports as unknown as Kernels;
  const { rows, width, capacity } = GATHER;
  const to = 65536;
  const from = to + rows * width * 4;
  memory.grow(Math.ceil((from + capacity * width * 4) / 65536));
  // Ordinary numbers in each form.
  new Uint8Array(memory.buffer, from).fill(0x38);
  const kinds: [name: string, bytes: number, read: (at: number, x: number) => void][] = [
    ["f32", 4, (at, x) => lerp(width, 1, at, x)],
    ["f16", 2, (at, x) => fromHalves(width, at, x)],
    ["u8", 1, (at, x) => fromBytes(width, 0, 1, at, x)],
  ];
  let word = 1;
  return kinds.map(([name, size, read]) => ({
    name: `gather/${name}`,
    flop: 0,
    call(count) {
      for (let i = 0; i < count * rows; i++) {
        word = (word * 48271) % 2147483647;
        read(from + (word % capacity) * width * size, to + (i % rows) * width * 4);
      }
    },
  }));
}

const at = process.argv.indexOf("--json");
const cases = [peakLoop(), ...SHAPES.flatMap(casesOf), ...gathers()];
const figures = time(cases, SAMPLES).map(figureOf);
const gflops = cases.map(({ flop }, i) => flop / figures[i]!.median / 1000);
const rows: Row[] = [];
const lines = cases.map(({ name, flop }, i) => {
  const { min, median, max } = figures[i]!;
  const percent = (100 * gflops[i]!) / gflops[0]!;
  const common = { suite: "engine", case: name };
  rows.push({ ...common, metric: "median_us", value: median, unit: "us", lo: min, hi: max, n: SAMPLES });
  const spread = `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
  if (flop === 0) return [name, spread, "", ""];
  rows.push({ ...common, metric: "gflops", value: gflops[i]!, unit: "GFLOP/s" });
  rows.push({ ...common, metric: "loop_percent", value: percent, unit: "%" });
  return [name, spread, gflops[i]!.toFixed(1), percent.toFixed(0)];
});
console.log(`node ${process.versions.node}; lo and hi in the rows are the fastest and the slowest sample`);
console.log(table(["case", "us, median (min to max)", "GFLOP/s", "% of loop"], lines));
if (at > 0) writeRows(process.argv[at + 1]!, rows);
