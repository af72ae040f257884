import { defaultBytes, defaultModule } from "#module";
import type { instantiate as instantiateRaw } from "../../../.build/dqn.js";
import { ABI_VERSION } from "../../../assembly/abi.js";
import { checked, integer, type Rules } from "../../check/index.js";
import {
  type CompiledModule,
  INSTANCE_DEFAULTS,
  INSTANCE_RULES,
  Instance,
  instantiated,
  requireWebAssembly,
  type Shape,
} from "./instantiate.js";
import { canSleep, hire, type Start, sharedMemory, whyAlone, withImportedMemory } from "./threads.js";

type Exports = Awaited<ReturnType<typeof instantiateRaw>>;

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

const RULES: Rules<EngineOptions> = { ...INSTANCE_RULES, threads: integer(1, 64) };

const DEFAULTS: EngineOptions = { ...INSTANCE_DEFAULTS, threads: 1 };

/** Ends the workers of an engine that was garbage-collected without `release`. */
const abandoned = new FinalizationRegistry<() => void>((release) => release());

/** The module's bytes with an imported memory, and that memory. */
function onSharedMemory(own: Uint8Array) {
  return { bytes: withImportedMemory(own), imports: { env: { memory: sharedMemory() } } };
}

const FILE = "liveq/dqn.wasm";

/** @internal One instance of the module of DQNs, with its threads. */
export class Engine extends Instance<Exports> {
  readonly #crew = { reason: "", release: () => {} };

  /**
   * @throws RangeError where the agent does not fit a 32-bit memory, Error where the host refuses the memory or to
   *   compile; RangeError or TypeError for wrong options.
   */
  constructor(shape: Shape, options: EngineOptions = {}) {
    requireWebAssembly();
    const { module, kernels, threads = 1 } = checked<EngineOptions>(options, RULES, DEFAULTS);
    const bytes = module ? undefined : defaultBytes();
    const reason = threads > 1 ? (whyAlone() ?? (bytes ? "" : "no bytes of the module for workers")) : "";
    const shared = threads > 1 && reason === "" ? onSharedMemory(bytes!) : undefined;
    const exports = shared
      ? instantiated<Exports>(FILE, () => new WebAssembly.Module(shared.bytes), shared.imports)
      : instantiated<Exports>(FILE, () => module ?? defaultModule());
    super(FILE, ABI_VERSION, exports, kernels, shape);
    this.#crew.reason = reason;
    const { isUnrolled } = this;
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
  override release(): void {
    abandoned.unregister(this);
    this.#crew.release();
  }
}
