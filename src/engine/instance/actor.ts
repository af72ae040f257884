import { continuousModule } from "#continuous";
import type { instantiate as instantiateRaw } from "../../../.build/continuous.js";
import { ABI_VERSION } from "../../../assembly/continuous/abi.js";
import { checked } from "../../check/index.js";
import {
  type CompiledModule,
  INSTANCE_DEFAULTS,
  INSTANCE_RULES,
  Instance,
  instantiated,
  requireWebAssembly,
  type Shape,
} from "./instantiate.js";

type Exports = Awaited<ReturnType<typeof instantiateRaw>>;

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

const FILE = "liveq/continuous.wasm";

/** @internal One instance of the continuous agent's module. */
export class ActorEngine extends Instance<Exports> {
  /**
   * @throws RangeError where the agent does not fit a 32-bit memory, Error where the host refuses the memory or to
   *   compile; RangeError or TypeError for wrong options.
   */
  constructor(shape: Shape, options: ContinuousEngineOptions = {}) {
    requireWebAssembly();
    const { module, kernels } = checked<ContinuousEngineOptions>(options, INSTANCE_RULES, INSTANCE_DEFAULTS);
    super(
      FILE,
      ABI_VERSION,
      instantiated<Exports>(FILE, () => module ?? continuousModule()),
      kernels,
      shape,
    );
  }
}
