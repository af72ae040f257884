/**
 * Runs one call of a kernel twice, in two builds, at two places and beside two kinds of poison, and compares both with
 * its twin:
 *
 *   checked build    every access must lie in a tensor of the call, to be written only where it is an output
 *   shipped build    one tensor ends where the memory ends, so that an overrun traps; guards stand around the others
 *
 * What a kernel may touch beyond its numbers (rows rounded up to 4) is part of a tensor, and is poisoned too.
 */
import { readFileSync } from "node:fs";
import { FIRST_FREE, type Kernels } from "../support/kernels.js";
import { GUARD, POISONS, STATICS_END } from "./arena.js";
import { Fences } from "./fences.js";
import { functionNames, instrument, zerosAt } from "./instrument.js";

/** In a tensor: poison stands here, and must still stand here behind the call unless the twin writes. */
export const POISON = 1e300;
/** Written by a twin: anything may stand here behind the call. */
export const ANYTHING = 1e301;

const PAGES = 12;

/** How results are rounded: Math.fround gives the kernel's bits, the identity its f64 twin. */
export type Round = (x: number) => number;

export interface Tensor {
  /** Its numbers before the call, POISON among them. */
  values: ArrayLike<number>;
  /** Default f32. */
  type?: "u8" | "u32";
  isOutput?: boolean;
}

/** One call of a kernel; what it answers is compared where it is a number. */
export interface Case {
  tensors: Record<string, Tensor>;
  run(kernels: Kernels, at: Record<string, number>): unknown;
  /** Does the same to copies of the tensors. Each result of an operation is rounded where the kernel's is. */
  twin?(tensors: Record<string, Float64Array>, round: Round): unknown;
  /** Whether the twin with Math.fround gives the kernel's bits. Default true. */
  isExact?: boolean;
  /** Against the f64 twin, times 1 + |x|; 0 where numbers are too odd for it. */
  tolerance: number;
}

const BYTES = { f32: 4, u32: 4, u8: 1 };
const VIEWS = { f32: Float32Array, u32: Uint32Array, u8: Uint8Array };

const typeOf = (tensor: Tensor | undefined): keyof typeof VIEWS => tensor?.type ?? "f32";
const bytesOf = (tensor: Tensor) => tensor.values.length * BYTES[typeOf(tensor)];

/** The poison of both runs, as elements of a type. */
const poisonsAs = (type: keyof typeof VIEWS) => POISONS.map((x) => new VIEWS[type](Float32Array.of(x).buffer)[0]!);
const POISONS_AS = { f32: poisonsAs("f32"), u32: poisonsAs("u32"), u8: poisonsAs("u8") };

function viewOf(buffer: ArrayBuffer, tensor: Tensor, at: number): Float32Array | Uint32Array | Uint8Array {
  return new VIEWS[typeOf(tensor)](buffer, at, tensor.values.length);
}

interface Outcome {
  result: number | undefined;
  tensors: Record<string, ArrayLike<number>>;
}

export class Harness {
  readonly #checked: Kernels;
  readonly #plain: Kernels;
  readonly #fences: Fences;
  readonly #end: number;

  constructor() {
    const wasm = readFileSync(".build/kernels.wasm");
    const wat = readFileSync(".build/kernels.wat", "utf8");
    this.#end = PAGES * 65536;
    this.#fences = new Fences(this.#end);
    this.#fences.allowStatics(zerosAt(wat), STATICS_END);
    this.#fences.keep();
    const start = (bytes: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports) => {
      const kernels = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports as unknown as Kernels;
      kernels.memory.grow(PAGES - 1);
      return kernels;
    };
    this.#checked = start(instrument(wasm, functionNames(wat), []).bytes, { checked: this.#fences.imports });
    this.#plain = start(Uint8Array.from(wasm), {});
  }

  /** @throws Error with the fault and the name of the tensor. `flush`: which tensor ends with the memory. */
  check(given: Case, flush: number): void {
    const runs = [this.#runChecked(given), this.#runPlain(given, flush)] as const;
    const bits = given.twin && twinOf(given, Math.fround);
    const plain = given.tolerance > 0 ? twinOf(given, (x) => x) : bits;
    for (const name of ["result", ...Object.keys(given.tensors)]) {
      const tensor = given.tensors[name];
      const [a, b] = [listOf(runs[0], name), listOf(runs[1], name)];
      const [wantedBits, wantedPlain] = [bits && listOf(bits, name), plain && listOf(plain, name)];
      const [poisonA, poisonB] = POISONS_AS[typeOf(tensor)];
      for (let i = 0; i < a.length; i++) {
        const wanted = wantedBits?.[i];
        if (wanted === ANYTHING) continue;
        const isPoison = tensor?.values[i] === POISON && a[i] === poisonA && b[i] === poisonB;
        if (isPoison && (wanted === POISON || !wantedBits)) continue;
        const what = () => (name === "result" ? "the result" : `"${name}"[${i}]`);
        if (wanted === POISON) throw new Error(`${what()} was written: ${a[i]}`);
        if (!Object.is(a[i], b[i])) throw new Error(`${what()} depends on what stands beside: ${a[i]}, ${b[i]}`);
        if (wanted !== undefined) compare(what, a[i]!, wanted, wantedPlain![i]!, given, typeOf(tensor));
      }
    }
  }

  #runChecked(given: Case): Outcome {
    this.#fences.reset();
    const at: Record<string, number> = {};
    let top = FIRST_FREE;
    for (const [name, tensor] of Object.entries(given.tensors)) {
      top += GUARD;
      this.#place(this.#checked, tensor, top, 0);
      this.#fences.allow({ name, at: top, bytes: bytesOf(tensor), isWritable: tensor.isOutput ?? false });
      at[name] = top;
      top = (top + bytesOf(tensor) + 3) & ~3;
    }
    return this.#run(this.#checked, given, at);
  }

  #runPlain(given: Case, flush: number): Outcome {
    const { buffer } = this.#plain.memory;
    const entries = Object.entries(given.tensors);
    const last = flush % Math.max(1, entries.length);
    const at: Record<string, number> = {};
    let top = FIRST_FREE;
    for (const [i, [name, tensor]] of entries.entries()) {
      const bytes = bytesOf(tensor);
      at[name] = i === last ? this.#end - bytes : top + GUARD;
      if (i !== last) top = (top + GUARD + bytes + 3) & ~3;
    }
    const flushed = entries[last] ? at[entries[last][0]]! : this.#end;
    // Guards and the tensors between them, and one more guard on both sides of what lies at the end.
    const guarded = [
      [FIRST_FREE, top + GUARD],
      [(flushed - GUARD) & ~3, flushed & ~3],
    ] as const;
    for (const [from, to] of guarded) new Float32Array(buffer, from, (to - from) >> 2).fill(POISONS[1]);
    for (const [name, tensor] of entries) this.#place(this.#plain, tensor, at[name]!, 1);
    const outcome = this.#run(this.#plain, given, at);
    for (const [name, tensor] of entries) viewOf(buffer, tensor, at[name]!).fill(0);
    const poison = new Uint8Array(Float32Array.of(POISONS[1]).buffer);
    for (const [from, to] of guarded) {
      const bytes = new Uint8Array(buffer, from, to - from);
      const within = (x: number) => entries.some(([name, tensor]) => x >= at[name]! && x < at[name]! + bytesOf(tensor));
      const wrong = bytes.findIndex((byte, i) => byte !== poison[i & 3] && !within(from + i));
      if (wrong >= 0) throw new Error(`a guard was written at ${from + wrong}`);
    }
    return outcome;
  }

  #place(kernels: Kernels, tensor: Tensor, at: number, run: 0 | 1): void {
    const view = viewOf(kernels.memory.buffer, tensor, at);
    const poison = POISONS_AS[typeOf(tensor)][run]!;
    for (let i = 0; i < view.length; i++) view[i] = tensor.values[i] === POISON ? poison : tensor.values[i]!;
  }

  #run(kernels: Kernels, given: Case, at: Record<string, number>): Outcome {
    const result = numberOf(given.run(kernels, at));
    const tensors = Object.fromEntries(
      Object.entries(given.tensors).map(([name, tensor]) => [
        name,
        viewOf(kernels.memory.buffer, tensor, at[name]!).slice(),
      ]),
    );
    return { result, tensors };
  }
}

function twinOf(given: Case, round: Round): Outcome {
  const copies = Object.entries(given.tensors).map(([name, tensor]) => {
    const placed = typeOf(tensor) === "f32" ? (x: number) => (x === POISON ? x : Math.fround(x)) : (x: number) => x;
    return [name, Float64Array.from(tensor.values, placed)] as const;
  });
  const tensors = Object.fromEntries(copies);
  return { result: numberOf(given.twin!(tensors, round)), tensors };
}

const numberOf = (answer: unknown): number | undefined => (typeof answer === "number" ? answer : undefined);

function listOf(outcome: Outcome, name: string): ArrayLike<number> {
  if (name !== "result") return outcome.tensors[name]!;
  return outcome.result === undefined ? [] : [outcome.result];
}

function compare(
  what: () => string,
  got: number,
  bits: number,
  plain: number,
  { tolerance, isExact = true }: Case,
  type: keyof typeof VIEWS,
): void {
  const exact = type === "f32" ? Math.fround(bits) : bits;
  if (isExact && !Object.is(got, exact)) throw new Error(`${what()} is ${got}, must be ${exact}`);
  const isClose = Object.is(got, plain) || Math.abs(got - plain) <= tolerance * (1 + Math.abs(plain));
  if (tolerance && !isClose) throw new Error(`${what()} is ${got}, must be about ${plain}`);
}
