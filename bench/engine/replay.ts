/** The replay's own work: draws by priority, updates of priorities, and reading a batch by how it is stored. */
import { readFileSync } from "node:fs";
import type { Kernels } from "../../test/support/kernels.js";
import type { Workload } from "../harness/timing.js";
import { type EngineProbe, timed } from "./probe.js";

const BATCH = 64;
/** Batches of draws that are made beforehand. */
const POOL = 4096;
const CAPACITIES = [1e4, 1e5, 1e6];
const GATHER = { rows: 64, width: 1000, capacity: 40_000 };
const PAGE = 65536;

function kernels(bytes: number): Kernels {
  const module = new WebAssembly.Module(readFileSync(".build/kernels.wasm"));
  const exports = new WebAssembly.Instance(module).exports as unknown as Kernels;
  exports.memory.grow(Math.ceil(bytes / PAGE) + 1);
  return exports;
}

/** Numbers in [0, 1), the same each time. */
function uniforms(): () => number {
  let word = 1;
  return () => (word = (word * 48271) % 2147483647) / 2147483647;
}

/** A full tree of priorities in [0.5, 1.5), and where a batch of leaves, of targets and of priorities goes. */
function tree(capacity: number) {
  const [leavesAt, targetsAt, prioritiesAt, base] = [PAGE, PAGE + 1024, PAGE + 2048, 2 * PAGE];
  const exports = kernels(base + capacity * 8);
  const { buffer } = exports.memory;
  const at = exports.treeAt(base, capacity);
  const uniform = uniforms();
  for (let i = 0; i < capacity; i++) exports.treeSet(at, i, 0.5 + uniform());
  const leaves = new Int32Array(buffer, leavesAt, BATCH);
  const targets = new Float64Array(buffer, targetsAt, BATCH);
  new Float32Array(buffer, prioritiesAt, BATCH).set(Float32Array.from({ length: BATCH }, () => 0.5 + uniform()));
  return { exports, at, uniform, leaves, leavesAt, targets, targetsAt, prioritiesAt };
}

/** Draws of stratified batches: one is one draw. */
function draws(capacity: number): Workload {
  const { exports, at, uniform, targets, targetsAt, leavesAt } = tree(capacity);
  const share = (exports.treeTotal(at) * (1 - 1e-6)) / BATCH;
  const pool = Array.from({ length: POOL }, () =>
    Float64Array.from({ length: BATCH }, (_, i) => share * (i + uniform())),
  );
  let next = 0;
  return {
    name: "",
    flop: 0,
    call(count) {
      for (let i = 0; i < count; i += BATCH) {
        targets.set(pool[next++ % POOL]!);
        exports.treeFind(at, BATCH, targetsAt, leavesAt);
      }
    },
  };
}

/** Updates of the priorities of random batches: one is one leaf. */
function updates(capacity: number): Workload {
  const { exports, at, uniform, leaves, leavesAt, prioritiesAt } = tree(capacity);
  const random = () => Int32Array.from({ length: BATCH }, () => Math.floor(uniform() * capacity));
  const pool = Array.from({ length: POOL }, random);
  let next = 0;
  return {
    name: "",
    flop: 0,
    call(count) {
      for (let i = 0; i < count; i += BATCH) {
        leaves.set(pool[next++ % POOL]!);
        exports.treeSetAll(at, BATCH, leavesAt, prioritiesAt);
      }
    },
  };
}

const FORMS: [storage: string, bytes: number, read: (exports: Kernels, at: number, x: number) => void][] = [
  ["f32", 4, (exports, at, x) => exports.lerp(GATHER.width, 1, at, x)],
  ["f16", 2, (exports, at, x) => exports.fromHalves(GATHER.width, at, x)],
  ["u8", 1, (exports, at, x) => exports.fromBytes(GATHER.width, 0, 1, at, x)],
];

/** Reading a batch of random rows: 160 MB of f32, half and a quarter of it. */
function gather(bytes: number, read: (exports: Kernels, at: number, x: number) => void): Workload {
  const { rows, width, capacity } = GATHER;
  const from = PAGE + rows * width * 4;
  const exports = kernels(from + capacity * width * bytes);
  // Ordinary numbers in each form.
  new Uint8Array(exports.memory.buffer, from).fill(0x38);
  const uniform = uniforms();
  return {
    name: "",
    flop: 0,
    call(count) {
      for (let i = 0; i < count * rows; i++) {
        const row = Math.floor(uniform() * capacity);
        read(exports, from + row * width * bytes, PAGE + (i % rows) * width * 4);
      }
    },
  };
}

export const REPLAY_PROBES: readonly EngineProbe[] = [
  ...CAPACITIES.map((capacity) => timed(`PER/draw of ${capacity}`, () => draws(capacity))),
  ...CAPACITIES.map((capacity) => timed(`PER/update of ${capacity}`, () => updates(capacity))),
  ...FORMS.map(([name, bytes, read]) => timed(`replay/64 rows of 1000, ${name}`, () => gather(bytes, read))),
];
