import { int8Module } from "#int8";
import type { instantiate as instantiateRaw } from "../../../../.build/int8.js";
import { MAX_HIDDEN, Status, Storage } from "../../../../assembly/abi.js";
import { ABI_VERSION, type Region, Size, type Vector } from "../../../../assembly/int8/abi.js";
import { checked, type Rules } from "../../../check/index.js";
import { boundsOf, type ResolvedOptions } from "../../options.js";
import { type CompiledModule, instantiated, requireWebAssembly } from "../instantiate.js";

type Exports = Awaited<ReturnType<typeof instantiateRaw>>;

/** How an int8 agent runs. These options change no bit of its results and are not saved. */
export interface Int8EngineOptions {
  /** The compiled `liveq/int8.wasm`, where the platform must compile it. Default: from inlined bytes. */
  module?: CompiledModule;
}

const RULES: Rules<Int8EngineOptions> = {
  module: [(value) => value === undefined || value instanceof WebAssembly.Module, "a WebAssembly.Module"],
};

const STORAGES = { f32: Storage.F32, f16: Storage.F16, u8: Storage.U8 };

/**
 * @internal
 * One instance of the int8 module with its one network. All memory is taken here; views never detach.
 */
export class Int8Engine {
  readonly exports: Exports;

  /**
   * @param options - Of the agent that it serves for.
   * @throws RangeError where the network does not fit a 32-bit memory, Error where the host refuses the memory or to
   *   compile; RangeError or TypeError for wrong options.
   */
  constructor(options: ResolvedOptions, run: Int8EngineOptions = {}) {
    requireWebAssembly();
    const { module } = checked<Int8EngineOptions>(run, RULES, {});
    const exports = instantiated<Exports>("liveq/int8.wasm", () => module ?? int8Module());
    if (exports.abi?.() !== ABI_VERSION || exports.placeBytes === undefined) {
      throw new Error(`the module must be "liveq/int8.wasm" of this package, of ABI ${ABI_VERSION}`);
    }
    this.exports = exports;
    const sizes = new Int32Array(exports.memory.buffer, exports.sizes() >>> 0, Size.Widths + MAX_HIDDEN);
    for (const [size, value] of Object.entries(sizesOf(options))) sizes[Number(size)] = value;
    sizes.set(options.hidden, Size.Widths);
    const { low, high } = boundsOf(options.storage);
    const storage = STORAGES[typeof options.storage === "object" ? options.storage.type : options.storage];
    const status: Status = exports.create(storage, low, high);
    if (status === Status.Ok) return;
    const needed = `${(exports.neededBytes() / 1e9).toFixed(1)} GB`;
    if (status === Status.TooLarge) {
      throw new RangeError(`"hidden": the network needs ${needed}; Wasm memory ends at 4 GB`);
    }
    throw new Error(`the network needs ${needed}; the host refuses that much memory`);
  }

  /** A view of a region as f32. */
  f32(region: Region): Float32Array<ArrayBuffer> {
    const { exports } = this;
    return new Float32Array(exports.memory.buffer, exports.region(region) >>> 0, exports.regionBytes(region) >>> 2);
  }

  /** A view of a region as bytes. */
  u8(region: Region): Uint8Array<ArrayBuffer> {
    const { exports } = this;
    return new Uint8Array(exports.memory.buffer, exports.region(region) >>> 0, exports.regionBytes(region) >>> 0);
  }

  /** A vector of layer l as f32; of no length where the layer has none. */
  floats(l: number, vector: Vector): Float32Array<ArrayBuffer> {
    const { exports } = this;
    return new Float32Array(exports.memory.buffer, exports.place(l, vector) >>> 0, exports.placeBytes(l, vector) >>> 2);
  }

  /** The same as bytes with a sign. */
  bytes(l: number, vector: Vector): Int8Array<ArrayBuffer> {
    const { exports } = this;
    return new Int8Array(exports.memory.buffer, exports.place(l, vector) >>> 0, exports.placeBytes(l, vector) >>> 0);
  }
}

function sizesOf(options: ResolvedOptions): Record<Exclude<Size, Size.Widths>, number> {
  const { sparse, candidates, slate } = options;
  return {
    [Size.Observation]: options.observation,
    [Size.Slots]: sparse?.slots ?? 0,
    [Size.Indexed]: sparse?.size ?? 0,
    [Size.Actions]: options.actions,
    [Size.Features]: candidates?.features ?? 0,
    [Size.FeatureSlots]: candidates?.sparse?.slots ?? 0,
    [Size.FeatureIndexed]: candidates?.sparse?.size ?? 0,
    [Size.MaxCandidates]: candidates?.max ?? 0,
    [Size.Quantiles]: options.quantiles * (slate?.parts ?? 1),
    [Size.Parts]: slate?.parts ?? 1,
    [Size.Slate]: slate ? 1 : 0,
    [Size.Normalized]: options.normalization === "layer" ? 1 : 0,
    [Size.Dueling]: options.dueling ? 1 : 0,
    [Size.Hidden]: options.hidden.length,
  };
}
