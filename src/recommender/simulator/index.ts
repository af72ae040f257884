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
export type { PlatformMetrics, SimulationResult } from "./metrics.js";
export type { PlatformOptions, Scheduled } from "./options.js";
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
