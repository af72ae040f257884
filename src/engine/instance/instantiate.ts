import { type Check, MAX_HIDDEN, Region, Size, Status } from "../../../assembly/abi.js";
import { oneOf, type Rules } from "../../check/index.js";
import { prefersUnrolled } from "./host.js";

/** `WebAssembly.Module`, also where TypeScript knows none: `lib` without `dom` and the types of Node alone. */
export type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module
  : object;

/** @throws Error where there is no WebAssembly. */
export function requireWebAssembly(): void {
  if (typeof WebAssembly !== "undefined") return;
  throw new Error("the host has no WebAssembly: it is an old one, or it is switched off, as by a lockdown mode");
}

/**
 * The exports of a new instance. @param file - The module's name in the package, for the message.
 * @throws Error where the host refuses WebAssembly: most do when it is compiled, WebKit when it is instantiated.
 */
export function instantiated<T>(file: string, compile: () => CompiledModule, imports: object = {}): T {
  try {
    return new WebAssembly.Instance(compile() as WebAssembly.Module, imports as WebAssembly.Imports).exports as T;
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    throw new Error(
      `the host refuses WebAssembly: a page needs script-src 'wasm-unsafe-eval', a worker { module } of "${file}" (${cause.message})`,
      { cause },
    );
  }
}

/** How a continuous agent runs. These options change no bit of its results and are not saved. */
export interface ContinuousEngineOptions {
  /** The compiled `liveq/continuous.wasm`, where the platform must compile it. Default: from inlined bytes. */
  module?: CompiledModule;
  /**
   * The form of the inner loops. Which is faster depends on the JavaScript engine: `auto` chooses by its version.
   * Default `auto`.
   */
  kernels?: "auto" | "rolled" | "unrolled";
}

export const INSTANCE_RULES: Rules<ContinuousEngineOptions> = {
  module: [(value) => value === undefined || value instanceof WebAssembly.Module, "a WebAssembly.Module"],
  kernels: oneOf("auto", "rolled", "unrolled"),
};

export const INSTANCE_DEFAULTS: ContinuousEngineOptions = { kernels: "auto" };

/** @internal What an agent's arena is laid out for. */
export interface Shape {
  /** By Size, up to Size.Critics; what is left out is 0. */
  sizes: Readonly<Partial<Record<Size, number>>>;
  hidden: readonly number[];
  /** Scale of NoisyNets' noise, where there are any. */
  sigma?: number;
  /** Bounds of dense numbers, as f32. */
  bounds: { readonly low: number; readonly high: number };
  /** A safe integer >= 0. */
  seed: number;
}

/** @internal What the modules of all agents export. */
export interface CommonExports {
  memory: WebAssembly.Memory;
  abi(): number;
  useUnrolled(isUnrolled: boolean | number): void;
  sizes(): number;
  create(seedLow: number, seedHigh: number, low: number, high: number, sigma: number): number;
  neededBytes(): number;
  region(id: Region): number;
  regionBytes(id: Region): number;
  abandon(environment: number): void;
  learn(updates: number): number;
  syncTarget(tau: number): void;
  unpackWeights(): void;
  packWeights(): void;
  checkWeights(): number;
  restore(): number;
  inspect(check: Check): number;
}

const GIGABYTE = 1e9;

/**
 * @internal
 * One instance of a module with its one agent. All memory is taken here; views never detach.
 */
export class Instance<E extends CommonExports> {
  readonly exports: E;
  /** Which kernels run. */
  readonly build: string;
  readonly isUnrolled: boolean;
  readonly #places: number;

  /**
   * @param abi - The module's, of this package.
   * @throws RangeError where the agent does not fit a 32-bit memory, Error where the host refuses the memory.
   */
  constructor(file: string, abi: number, exports: E, kernels: ContinuousEngineOptions["kernels"], shape: Shape) {
    this.isUnrolled = kernels === "auto" ? prefersUnrolled() : kernels === "unrolled";
    this.build = `simd128 ${this.isUnrolled ? "unrolled" : "rolled"}`;
    const found = exports.abi?.();
    if (found !== abi) throw new Error(`the module must be "${file}" of this package, of ABI ${abi}, got ${found}`);
    this.exports = exports;
    exports.useUnrolled(this.isUnrolled);
    const sizes = new Int32Array(exports.memory.buffer, exports.sizes() >>> 0, Size.Widths + MAX_HIDDEN);
    for (const [size, value] of Object.entries(shape.sizes)) sizes[Number(size)] = value;
    sizes[Size.Hidden] = shape.hidden.length;
    sizes.set(shape.hidden, Size.Widths);
    const { seed, sigma = 0, bounds } = shape;
    const status: Status = exports.create(seed >>> 0, Math.floor(seed / 4294967296), bounds.low, bounds.high, sigma);
    if (status !== Status.Ok) throw this.#refusal(status, shape);
    this.#places = this.#layout();
  }

  #refusal(status: Status, shape: Shape): Error {
    const needed = `${(this.exports.neededBytes() / GIGABYTE).toFixed(1)} GB`;
    if (status === Status.TooLarge) {
      const what = `a replay of ${shape.sizes[Size.Capacity]} transitions and the networks need`;
      return new RangeError(`"capacity": ${what} ${needed}; Wasm memory ends at 4 GB`);
    }
    return new Error(`the agent needs ${needed}; the host refuses that much memory`);
  }

  /** Ends what runs beside it. May be called again. */
  release(): void {}

  /** Whether the memory may be as the agent left it: addresses in it, and what `inspect` checks. */
  isSound(check: Check): boolean {
    try {
      return this.#layout() === this.#places && this.exports.inspect(check) === Status.Ok;
    } catch {
      // Sizes that are wrong lead out of the memory.
      return false;
    }
  }

  /** A number that depends on where each region lies. */
  #layout(): number {
    let sum = 0;
    for (let id: Region = 0; id < Region.Count; id++) {
      sum = (Math.imul(sum, 31) + this.exports.region(id) + this.exports.regionBytes(id)) | 0;
    }
    return sum;
  }

  /** A view of a region as f32. */
  f32(region: Region): Float32Array<ArrayBuffer> {
    return new Float32Array(...this.#span(region, 2));
  }

  /** A view of a region as i32. */
  i32(region: Region): Int32Array<ArrayBuffer> {
    return new Int32Array(...this.#span(region, 2));
  }

  /** A view of a region as f64. */
  f64(region: Region): Float64Array<ArrayBuffer> {
    return new Float64Array(...this.#span(region, 3));
  }

  /** A view of a region as bytes. */
  u8(region: Region): Uint8Array<ArrayBuffer> {
    return new Uint8Array(...this.#span(region, 0));
  }

  /** Where a region lies, and how many elements of 2^shift bytes it has. */
  #span(region: Region, shift: number): [ArrayBuffer, number, number] {
    const { exports } = this;
    const { buffer } = exports.memory;
    return [buffer as ArrayBuffer, exports.region(region) >>> 0, exports.regionBytes(region) >>> shift];
  }
}
