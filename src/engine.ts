import { instantiateSync } from "@assemblyscript/loader";
import { defaultModule } from "#module";
import type { instantiate } from "../.build/dqn.js";
import { ABI_VERSION, MAX_HIDDEN, type Region, Size, Status } from "../assembly/abi.js";

type Exports = Awaited<ReturnType<typeof instantiate>>;

/** Sizes of an agent by Size, from Size.Flags to Size.Hidden, in numbers; the widths of its hidden layers; its seed. */
export interface Shape {
  sizes: Readonly<Record<Exclude<keyof typeof Size, "Hidden" | "Widths">, number>>;
  hidden: readonly number[];
  /** Scale of NoisyNets' noise. */
  sigma: number;
  /** A safe integer >= 0. */
  seed: number;
}

const GIGABYTE = 1e9;

/** One instance of the Wasm module with its one agent. All memory is taken here; views never detach. */
export class Engine {
  readonly exports: Exports;
  /** Which kernels the module has. */
  readonly build = "simd128";

  /** @throws RangeError where the agent does not fit a 32-bit memory, Error where the host refuses the memory. */
  constructor(shape: Shape, module: WebAssembly.Module = defaultModule()) {
    const exports = instantiateSync<Exports & Record<string, unknown>>(module, {}).exports;
    if (exports.abi() !== ABI_VERSION) {
      throw new Error(
        `the WebAssembly module speaks ABI ${exports.abi()}, this package ${ABI_VERSION}: they must match`,
      );
    }
    this.exports = exports;
    const sizes = new Int32Array(exports.memory.buffer, exports.sizes() >>> 0, Size.Widths + MAX_HIDDEN);
    for (const [name, value] of Object.entries(shape.sizes)) sizes[Size[name as keyof typeof Size]] = value;
    sizes[Size.Hidden] = shape.hidden.length;
    sizes.set(shape.hidden, Size.Widths);
    const status: Status = exports.create(shape.seed >>> 0, Math.floor(shape.seed / 4294967296), shape.sigma);
    if (status !== Status.Ok) throw this.#refusal(status, shape);
  }

  #refusal(status: Status, shape: Shape): Error {
    const needed = `${(this.exports.neededBytes() / GIGABYTE).toFixed(1)} GB`;
    if (status === Status.TooLarge) {
      const what = `a replay of ${shape.sizes.Capacity} transitions and the networks need`;
      return new RangeError(`"capacity": ${what} ${needed}; Wasm memory ends at 4 GB`);
    }
    if (status === Status.OutOfMemory) return new Error(`the agent needs ${needed}, which the host does not give`);
    return new RangeError(`the engine refused the shape: ${JSON.stringify(shape)}`);
  }

  /** A view of a region as f32. */
  f32(region: Region): Float32Array<ArrayBuffer> {
    const { at, bytes } = this.#span(region);
    return new Float32Array(this.exports.memory.buffer, at, bytes >>> 2);
  }

  /** A view of a region as f64. */
  f64(region: Region): Float64Array<ArrayBuffer> {
    const { at, bytes } = this.#span(region);
    return new Float64Array(this.exports.memory.buffer, at, bytes >>> 3);
  }

  /** A view of a region as bytes. */
  u8(region: Region): Uint8Array<ArrayBuffer> {
    const { at, bytes } = this.#span(region);
    return new Uint8Array(this.exports.memory.buffer, at, bytes);
  }

  #span(region: Region): { at: number; bytes: number } {
    return { at: this.exports.region(region) >>> 0, bytes: this.exports.regionBytes(region) >>> 0 };
  }
}
