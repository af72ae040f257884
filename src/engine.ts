import { instantiateSync } from "@assemblyscript/loader";
import { defaultModule } from "#module";
import type { instantiate } from "../.build/dqn.js";
import { ABI_VERSION, MAX_HIDDEN, type Region, Status } from "../assembly/abi.js";

type Exports = Awaited<ReturnType<typeof instantiate>>;

/** Sizes of an agent, in numbers of f32; `actions` = 0 selects candidate mode. */
export interface Shape {
  flags: number;
  observation: number;
  actions: number;
  features: number;
  maxCandidates: number;
  nextCandidates: number;
  hidden: readonly number[];
  batch: number;
  capacity: number;
  nStep: number;
  /** A safe integer >= 0. */
  seed: number;
}

const GIGABYTE = 1e9;

/** One instance of the Wasm module with its one agent. All memory is taken here; views never detach. */
export class Engine {
  readonly exports: Exports;

  /** @throws RangeError where the agent does not fit a 32-bit memory, Error where the host refuses the memory. */
  constructor(shape: Shape, module: WebAssembly.Module = defaultModule()) {
    const exports = instantiateSync<Exports & Record<string, unknown>>(module, {}).exports;
    if (exports.abi() !== ABI_VERSION) {
      throw new Error(
        `the WebAssembly module speaks ABI ${exports.abi()}, this package ${ABI_VERSION}: they must match`,
      );
    }
    this.exports = exports;
    new Int32Array(exports.memory.buffer, exports.hiddenSizes() >>> 0, MAX_HIDDEN).set(shape.hidden);
    const status: Status = exports.create(
      shape.flags,
      shape.observation,
      shape.actions,
      shape.features,
      shape.maxCandidates,
      shape.nextCandidates,
      shape.hidden.length,
      shape.batch,
      shape.capacity,
      shape.nStep,
      shape.seed >>> 0,
      Math.floor(shape.seed / 4294967296),
    );
    if (status !== Status.Ok) throw this.#refusal(status, shape);
  }

  #refusal(status: Status, shape: Shape): Error {
    const needed = `${(this.exports.neededBytes() / GIGABYTE).toFixed(1)} GB`;
    if (status === Status.TooLarge) {
      const what = `a replay of ${shape.capacity} transitions and the networks need`;
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
