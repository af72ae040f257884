import { continuousModule } from "#continuous";
import type { instantiate as instantiateRaw } from "../../../.build/continuous.js";
import { ABI_VERSION } from "../../../assembly/continuous/abi.js";
import { checked } from "../../check/index.js";
import {
  type ContinuousEngineOptions,
  INSTANCE_DEFAULTS,
  INSTANCE_RULES,
  Instance,
  instantiated,
  requireWebAssembly,
  type Shape,
} from "./instantiate.js";

type Exports = Awaited<ReturnType<typeof instantiateRaw>>;

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
