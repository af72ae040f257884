export { LiveEnvironment, type LiveEnvironmentOptions } from "./environment.js";
export {
  affinitySlates,
  InterestEvolution,
  type InterestOptions,
  interestReturns,
  lifetimeSlates,
  qualitySlates,
  randomSlates,
  type SlatePolicy,
  type SlateResult,
} from "./interest.js";
export { clickOracle, farsightedOracle, watchOracle } from "./oracles.js";
export {
  type Latents,
  Platform,
  type PlatformHooks,
  type PolicyOrOracle,
  type SimulationHooks,
  simulate,
  simulatedEvents,
} from "./platform.js";
export type { PlatformMetrics, SimulationResult } from "./world/metrics.js";
export type { PlatformOptions, Scheduled } from "./world/options.js";
export type { Visit } from "./world/viewers.js";
