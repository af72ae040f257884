import { continuousModule } from "#continuous";
import type { instantiate as instantiateRaw } from "../../../.build/continuous.js";
import { type Check, MAX_HIDDEN, Status } from "../../../assembly/abi.js";
import { ABI_VERSION, Region, Size } from "../../../assembly/continuous/abi.js";
import { checked, oneOf, type Rules } from "../../check/index.js";
import { prefersUnrolled } from "./host.js";
import { type CompiledModule, instantiated, requireWebAssembly } from "./instantiate.js";

type Exports = Awaited<ReturnType<typeof instantiateRaw>>;

/** @internal Sizes of a continuous agent by Size, from Size.Observation to Size.Squared; its hidden layers; its seed. */
export interface ActorShape {
  sizes: Readonly<Record<Exclude<Size, Size.Hidden | Size.Widths>, number>>;
  hidden: readonly number[];
  /** Bounds of an observation's numbers, as f32. */
  bounds: { readonly low: number; readonly high: number };
  /** A safe integer >= 0. */
  seed: number;
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

export const ENGINE_RULES: Rules<ContinuousEngineOptions> = {
  module: [(value) => value === undefined || value instanceof WebAssembly.Module, "a WebAssembly.Module"],
  kernels: oneOf("auto", "rolled", "unrolled"),
};

export const ENGINE_DEFAULTS: ContinuousEngineOptions = { kernels: "auto" };

const GIGABYTE = 1e9;

/**
 * @internal
 * One instance of the continuous agent's module with its one agent. All memory is taken here; views never detach.
 */
export class ActorEngine {
  readonly exports: Exports;
  /** Which kernels run. */
  readonly build: string;
  readonly #places: number;

  /**
   * @throws RangeError where the agent does not fit a 32-bit memory, Error where the host refuses the memory or to
   *   compile; RangeError or TypeError for wrong options.
   */
  constructor(shape: ActorShape, options: ContinuousEngineOptions = {}) {
    requireWebAssembly();
    const { module, kernels } = checked<ContinuousEngineOptions>(options, ENGINE_RULES, ENGINE_DEFAULTS);
    const isUnrolled = kernels === "auto" ? prefersUnrolled() : kernels === "unrolled";
    this.build = `simd128 ${isUnrolled ? "unrolled" : "rolled"}`;
    const exports = instantiated<Exports>("liveq/continuous.wasm", () => module ?? continuousModule());
    if (exports.abi?.() !== ABI_VERSION || exports.packActor === undefined) {
      throw new Error(`the module must be "liveq/continuous.wasm" of this package, of ABI ${ABI_VERSION}`);
    }
    this.exports = exports;
    exports.useUnrolled(isUnrolled);
    const sizes = new Int32Array(exports.memory.buffer, exports.sizes() >>> 0, Size.Widths + MAX_HIDDEN);
    for (const [size, value] of Object.entries(shape.sizes)) sizes[Number(size)] = value;
    sizes[Size.Hidden] = shape.hidden.length;
    sizes.set(shape.hidden, Size.Widths);
    const { seed, bounds } = shape;
    const status: Status = exports.create(seed >>> 0, Math.floor(seed / 4294967296), bounds.low, bounds.high);
    if (status !== Status.Ok) throw this.#refusal(status, shape);
    this.#places = this.#layout();
  }

  #refusal(status: Status, shape: ActorShape): Error {
    const needed = `${(this.exports.neededBytes() / GIGABYTE).toFixed(1)} GB`;
    if (status === Status.TooLarge) {
      const what = `a replay of ${shape.sizes[Size.Capacity]} transitions and the networks need`;
      return new RangeError(`"capacity": ${what} ${needed}; Wasm memory ends at 4 GB`);
    }
    return new Error(`the agent needs ${needed}; the host refuses that much memory`);
  }

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
    return [exports.memory.buffer, exports.region(region) >>> 0, exports.regionBytes(region) >>> shift];
  }
}
