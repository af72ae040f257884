import { defaultBytes, defaultModule } from "#module";
import type { instantiate as instantiateRaw } from "../../../.build/dqn.js";
import { ABI_VERSION, type Check, MAX_HIDDEN, Region, Size, Status } from "../../../assembly/abi.js";
import { checked, integer, oneOf, type Rules } from "../../check/index.js";
import { prefersUnrolled } from "./host.js";
import { type CompiledModule, instantiated, requireWebAssembly } from "./instantiate.js";
import { canSleep, hire, type Start, sharedMemory, whyAlone, withImportedMemory } from "./threads.js";

type Exports = Awaited<ReturnType<typeof instantiateRaw>>;

/**
 * @internal
 * Sizes of an agent by Size, from Size.Flags to Size.Hidden, in numbers; the widths of its hidden layers; its seed.
 */
export interface Shape {
  sizes: Readonly<Record<Exclude<Size, Size.Hidden | Size.Widths>, number>>;
  hidden: readonly number[];
  /** Scale of NoisyNets' noise. */
  sigma: number;
  /** Bounds of dense numbers, as f32. */
  bounds: { readonly low: number; readonly high: number };
  /** A safe integer >= 0. */
  seed: number;
}

/** How an agent runs. These options change no bit of its results and are not saved. */
export interface EngineOptions {
  /** The compiled `liveq/dqn.wasm`, where the platform must compile it. Default: from inlined bytes. */
  module?: CompiledModule;
  /**
   * The form of the inner loops. Which is faster depends on the JavaScript engine: `auto` chooses by its version.
   * Default `auto`.
   */
  kernels?: "auto" | "rolled" | "unrolled";
  /**
   * Threads that `learn` uses, [1, 64]: this one and workers, on shared memory. They start within milliseconds; until
   * then, and where the platform has none, fewer do the same work: `stats()` has their number and the reason. Worth it
   * where an update takes more than 100 us. Call `dispose` when the agent is no longer needed. Default 1.
   */
  threads?: number;
}

const RULES: Rules<EngineOptions> = {
  module: [(value) => value === undefined || value instanceof WebAssembly.Module, "a WebAssembly.Module"],
  kernels: oneOf("auto", "rolled", "unrolled"),
  threads: integer(1, 64),
};

const DEFAULTS: EngineOptions = { kernels: "auto", threads: 1 };

/** Ends the workers of an engine that was garbage-collected without `release`. */
const abandoned = new FinalizationRegistry<() => void>((release) => release());

/** The module's bytes with an imported memory, and that memory. */
function onSharedMemory(own: Uint8Array) {
  return { bytes: withImportedMemory(own), imports: { env: { memory: sharedMemory() } } };
}

const GIGABYTE = 1e9;
const FILE = "liveq/dqn.wasm";

/**
 * @internal
 * One instance of the Wasm module with its one agent. All memory is taken here; views never detach.
 */
export class Engine {
  readonly exports: Exports;
  /** Which kernels run. */
  readonly build: string;
  readonly #places: number;
  readonly #crew = { reason: "", release: () => {} };

  /**
   * @throws RangeError where the agent does not fit a 32-bit memory, Error where the host refuses the memory or to
   *   compile; RangeError or TypeError for wrong options.
   */
  constructor(shape: Shape, options: EngineOptions = {}) {
    requireWebAssembly();
    const { module, kernels, threads = 1 } = checked<EngineOptions>(options, RULES, DEFAULTS);
    const isUnrolled = kernels === "auto" ? prefersUnrolled() : kernels === "unrolled";
    this.build = `simd128 ${isUnrolled ? "unrolled" : "rolled"}`;
    const bytes = module ? undefined : defaultBytes();
    if (threads > 1) this.#crew.reason = whyAlone() ?? (bytes ? "" : "no bytes of the module for workers");
    const shared = threads > 1 && this.#crew.reason === "" ? onSharedMemory(bytes!) : undefined;
    const exports = shared
      ? instantiated<Exports>(FILE, () => new WebAssembly.Module(shared.bytes), shared.imports)
      : instantiated<Exports>(FILE, () => module ?? defaultModule());
    if (exports.abi() !== ABI_VERSION) {
      throw new Error(`the module has ABI ${exports.abi()}, this package needs ${ABI_VERSION}`);
    }
    this.exports = exports;
    exports.useUnrolled(isUnrolled);
    const sizes = new Int32Array(exports.memory.buffer, exports.sizes() >>> 0, Size.Widths + MAX_HIDDEN);
    for (const [size, value] of Object.entries(shape.sizes)) sizes[Number(size)] = value;
    sizes[Size.Hidden] = shape.hidden.length;
    sizes.set(shape.hidden, Size.Widths);
    const { seed, sigma, bounds } = shape;
    const status: Status = exports.create(seed >>> 0, Math.floor(seed / 4294967296), sigma, bounds.low, bounds.high);
    if (status !== Status.Ok) throw this.#refusal(status, shape);
    this.#places = this.#layout();
    if (shared) this.#hire(threads - 1, { bytes: shared.bytes, memory: shared.imports.env.memory, isUnrolled });
  }

  /** Threads that learn uses now. */
  get threads(): number {
    return this.exports.threads();
  }

  /** Why there are fewer than requested; empty without a known reason. */
  get threadsReason(): string {
    return this.#crew.reason;
  }

  /** Starts workers on the memory of this instance. */
  #hire(count: number, start: Start): void {
    const { exports } = this;
    exports.share(canSleep());
    // Not `this`: a running worker would keep it alive.
    const crew = this.#crew;
    let release = () => {};
    crew.release = () => {
      crew.release = () => {};
      exports.dismiss();
      release();
    };
    release = hire(count, start, (reason) => {
      crew.reason ||= reason;
      // Which of them it was is not known, and one that is gone only costs time: all leave.
      crew.release();
    });
    // One was refused at once.
    if (crew.reason !== "") release();
    abandoned.register(this, () => crew.release(), this);
  }

  /** Ends the workers, where there are any. May be called again. */
  release(): void {
    abandoned.unregister(this);
    this.#crew.release();
  }

  #refusal(status: Status, shape: Shape): Error {
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
    for (let id = 0; id < Region.Count; id++) {
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
    return [exports.memory.buffer, exports.region(region) >>> 0, exports.regionBytes(region) >>> shift];
  }
}
