export type { PlatformMetrics, SimulationResult } from "./metrics.js";
export type { PlatformOptions } from "./options.js";
export { clickOracle, farsightedOracle, watchOracle } from "./oracles.js";
export { type Latents, Platform, type PolicyOrOracle, type SimulationHooks, simulate } from "./platform.js";
