/**
 * A module whose arena is here: take and takeStruct are replaced, so that each tensor and each struct gets a place with
 * guards around it, or the end of the memory; all else is the module as it ships.
 */
import { readFileSync } from "node:fs";
import { createAgent, type Kernels } from "../support/kernels.js";
import { Fences, type Range } from "./fences.js";
import { functionNames, instrument, zerosAt } from "./instrument.js";

export const TAKE = "assembly/arena/take";
export const TAKE_STRUCT = "assembly/arena/takeStruct";

const PAGE = 65536;
/** What fills guards. Finite, for NaN could hide in comparisons; its bits are large as an index too. */
export const POISONS = [1.5, -70_000] as const;
/** Bytes on each side of a tensor. */
export const GUARD = 128;
/** Structs lie apart from tensors, with guards too, which may take more room than they have in an arena. */
const STRUCTS = 16384;
/** Beyond all that a module has beside its heap. */
export const STATICS_END = 8192;

export interface Layout {
  /** What fills guards and fresh tensors. */
  poison: number;
  /** Which tensors start as zeros, as in fresh memory. Default all. */
  isZero?: (tensor: number) => boolean;
  /** Bytes behind a tensor that may be read too. Default none. */
  behind?: (tensor: number) => number;
  /** The tensor that ends where the memory ends. */
  flush?: number;
  /** Whether every access is checked. */
  isChecked: boolean;
  /** Of the memory: enough for any agent of the tests unless given. */
  pages?: number;
}

/** Pages of 64 KiB that tensors of these sizes, with guards, need. */
export function pagesFor(bytes: readonly number[]): number {
  const tensors = bytes.reduce((sum, n) => sum + n + GUARD + 64, 0);
  return Math.ceil((2 * STRUCTS + tensors) / PAGE);
}

const modules = new Map<string, WebAssembly.Module>();

function moduleOf(build: string, isChecked: boolean): WebAssembly.Module {
  const key = `${build} ${isChecked}`;
  let module = modules.get(key);
  if (!module) {
    const names = functionNames(readFileSync(`.build/${build}.wat`, "utf8"));
    const { bytes } = instrument(readFileSync(`.build/${build}.wasm`), names, [TAKE, TAKE_STRUCT], isChecked);
    module = new WebAssembly.Module(bytes);
    modules.set(key, module);
  }
  return module;
}

export class PlacedArena {
  readonly exports: Kernels;
  readonly fences: Fences;
  /** In the order in which they were taken. */
  readonly tensors: Range[] = [];
  readonly structs: Range[] = [];
  /** Where the arena itself lies. */
  at = 0;
  readonly #layout: Layout;
  readonly #end: number;
  #nextStruct = 0;
  #nextTensor = 0;

  /** @param at - Where the arena will lie, as far as known. */
  constructor(build: "dqn" | "kernels", layout: Layout, at = arenaOf(build)) {
    const pages = layout.pages ?? 64;
    this.#layout = layout;
    this.#end = pages * PAGE;
    this.fences = new Fences(this.#end);
    const imports = {
      ...this.fences.imports,
      [TAKE]: (_: number, bytes: bigint) => this.take(Number(bytes)),
      [TAKE_STRUCT]: (arena: number, bytes: number) => this.#takeStruct(arena, bytes),
    };
    const instance = new WebAssembly.Instance(moduleOf(build, layout.isChecked), { checked: imports });
    this.exports = instance.exports as unknown as Kernels;
    this.exports.memory.grow(pages - 1);
    if (!at) return;
    this.#begin(at);
    this.fences.allowStatics(zerosAt(readFileSync(`.build/${build}.wat`, "utf8")), Math.min(at, STATICS_END));
    this.fences.allow({ name: "arena", at, bytes: 16, isWritable: true });
  }

  #begin(at: number): void {
    this.at = at;
    this.#nextStruct = at + 16 + GUARD;
    this.#nextTensor = (this.#nextStruct + STRUCTS + 63) & ~63;
    const words = new Float32Array(this.exports.memory.buffer);
    words.fill(this.#layout.poison, (at + 16) >> 2);
  }

  #takeStruct(arena: number, bytes: number): number {
    if (!this.at) this.#begin(arena);
    if (arena !== this.at) throw new Error(`the arena lies at ${arena}, not at ${this.at}`);
    const range = { name: `struct ${this.structs.length}`, at: this.#nextStruct, bytes, isWritable: true };
    new Uint8Array(this.exports.memory.buffer, range.at, bytes).fill(0);
    this.#nextStruct = (range.at + bytes + 32 + 15) & ~15;
    if (this.#nextStruct > ((this.at + 16 + GUARD + STRUCTS) & ~63)) throw new Error("no room for structs");
    return this.#keep(this.structs, range);
  }

  /** A place for a tensor. */
  take(bytes: number): number {
    const name = `tensor ${this.tensors.length}`;
    const isFlush = this.tensors.length === this.#layout.flush;
    const behind = this.#layout.behind?.(this.tensors.length) ?? 0;
    const at = isFlush ? this.#end - bytes - behind : this.#nextTensor;
    if (!isFlush) this.#nextTensor = (at + bytes + GUARD + 63) & ~63;
    if (this.#nextTensor > this.#end) throw new Error("no room for tensors");
    if (this.#layout.isZero?.(this.tensors.length) ?? true) {
      new Uint8Array(this.exports.memory.buffer, at, bytes).fill(0);
    }
    // The arena's head and top: what follows reads where the next tensor will lie.
    new BigUint64Array(this.exports.memory.buffer, this.at + 8, 1)[0] = BigInt(this.#nextTensor);
    return this.#keep(this.tensors, { name, at, bytes, isWritable: true, behind });
  }

  #keep(list: Range[], range: Range): number {
    list.push(range);
    this.fences.allow(range);
    return range.at;
  }

  /** The bytes of a tensor. */
  bytesOf(i: number): Uint8Array {
    const { at, bytes } = this.tensors[i]!;
    return new Uint8Array(this.exports.memory.buffer, at, bytes);
  }

  /** @throws Error where a byte that belongs to nothing has changed. */
  requireGuards(): void {
    const bytes = new Uint8Array(this.exports.memory.buffer);
    const poison = new Uint8Array(Float32Array.of(this.#layout.poison).buffer);
    const all = [...this.structs, ...this.tensors].sort((a, b) => a.at - b.at);
    let from = this.at + 16;
    for (const { at, bytes: length } of [...all, { at: this.#end, bytes: 0 }]) {
      for (let i = from; i < at; i++) if (bytes[i] !== poison[i & 3]) throw new Error(`a guard was written at ${i}`);
      from = Math.max(from, at + length);
    }
  }
}

const arenas = new Map<string, number>();

/** Where the arena of a module's agent lies: where a first agent had it. */
function arenaOf(build: "dqn" | "kernels"): number {
  let at = arenas.get(build);
  if (at === undefined) {
    const first = new PlacedArena(build, { poison: 0, isChecked: false }, 0);
    createAgent(first.exports, { Observation: 1, Actions: 1 }, [1]);
    at = first.at;
    arenas.set(build, at);
  }
  return at;
}
