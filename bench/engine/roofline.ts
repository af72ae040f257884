/**
 * Loops of multiplications and additions that touch no memory: the most that one core does with 128-bit SIMD. Which
 * order is the fastest depends on the processor and on the JavaScript engine's compiler, so there are several.
 *
 * Their Wasm is put together here, instruction by instruction, so that no compiler reorders it.
 */
import type { Workload } from "../harness/timing.js";

/** A step of a chain x in a turn: x * a, x + b, or x * a + b in one instruction of relaxed SIMD. */
type Operation = "mul" | "add" | "madd";

/** Independent chains, and their steps in a turn of the loop, one after the other. */
interface Order {
  name: string;
  chains: number;
  turn: readonly (readonly [operation: Operation, chain: number])[];
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

/** A turn that takes the chains in groups: of each group all multiplications, then all additions. */
function grouped(name: string, chains: number, size: number): Order {
  const groups = range(chains / size).map((group) => range(size).map((i) => group * size + i));
  const turn = groups.flatMap((group) => [
    ...group.map((chain) => ["mul", chain] as const),
    ...group.map((chain) => ["add", chain] as const),
  ]);
  return { name, chains, turn };
}

const ORDERS: readonly Order[] = [
  grouped("12 chains, one mul, its add", 12, 1),
  grouped("12 chains, two mul, two add", 12, 2),
  grouped("12 chains, three mul, three add", 12, 3),
  grouped("12 chains, four mul, four add", 12, 4),
  grouped("12 chains, all mul, all add", 12, 12),
  {
    name: "6 chains of mul, 6 of add",
    chains: 12,
    turn: range(12).map((chain) => [chain % 4 < 2 ? "mul" : "add", chain] as const),
  },
  ...[8, 10, 12].map((chains): Order => {
    return { name: `${chains} chains, relaxed_madd`, chains, turn: range(chains).map((i) => ["madd", i] as const) };
  }),
];

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const END = 0x0b;
const SPLAT = [0xfd, 0x13];
const FIRST_LANE = [0xfd, 0x1f, 0];
const CODES: Readonly<Record<Operation, readonly number[]>> = {
  mul: [0xfd, 0xe6, 0x01],
  add: [0xfd, 0xe4, 0x01],
  madd: [0xfd, 0x85, 0x02],
};

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];

/** An unsigned number in LEB128. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

const sized = (bytes: readonly number[]) => [...leb(bytes.length), ...bytes];

/** A module with the function `run(turns: i32, a: f32, b: f32): f32`: lane 0 of the sum of all chains. */
function moduleOf({ chains, turn }: Order): Uint8Array<ArrayBuffer> {
  // Parameters are locals 0 to 2; a and b as vectors, then the chains.
  const [a, b, first] = [3, 4, 5];
  const operands: Readonly<Record<Operation, readonly number[]>> = {
    mul: get(a),
    add: get(b),
    madd: [...get(a), ...get(b)],
  };
  const turns = turn.flatMap(([operation, chain]) => {
    return [...get(first + chain), ...operands[operation], ...CODES[operation], ...set(first + chain)];
  });
  const code = [
    ...[...get(1), ...SPLAT, ...set(a), ...get(2), ...SPLAT, ...set(b)],
    ...range(chains).flatMap((chain) => [...get(a), ...set(first + chain)]),
    // loop; ...; turns - 1, again unless it is 0; end
    ...[0x03, 0x40, ...turns, ...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, END],
    ...get(first),
    ...range(chains - 1).flatMap((chain) => [...get(first + 1 + chain), ...CODES.add]),
    ...FIRST_LANE,
    END,
  ];
  const sections = [
    [1, 1, 0x60, 3, I32, F32, F32, 1, F32],
    [3, 1, 0],
    [7, 1, ...sized([..."run"].map((letter) => letter.charCodeAt(0))), 0, 0],
    [10, 1, ...sized([1, chains + 2, V128, ...code])],
  ];
  const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return Uint8Array.from([...magic, ...sections.flatMap(([id, ...content]) => [id!, ...sized(content)])]);
}

const TURNS = 1000;

export interface Loop extends Workload {
  /** The sum of the chains after so many turns, for tests. */
  run: (turns: number, a: number, b: number) => number;
}

/** The loops that this engine compiles, and whether relaxed SIMD is among it. */
export function rooflineLoops(): { loops: Loop[]; isRelaxed: boolean } {
  const modules = ORDERS.map((order) => ({ order, bytes: moduleOf(order) }));
  const valid = modules.filter(({ bytes }) => WebAssembly.validate(bytes));
  const loops = valid.map(({ order: { name, turn }, bytes }): Loop => {
    const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Loop;
    const flop = turn.reduce((sum, [operation]) => sum + (operation === "madd" ? 8 : 4), 0);
    // Chains go to 2 and stay there: neither infinite nor denormal.
    return { name, flop: flop * TURNS, run, call: (count) => void run(count * TURNS, 0.5, 1) };
  });
  return { loops, isRelaxed: valid.length === modules.length };
}
