export { LiveEnvironment, type LiveEnvironmentOptions } from "./environment.js";
export {
  affinitySlates,
  InterestEvolution,
  type InterestEvolutionOptions,
  interestReturns,
  lifetimeSlates,
  qualitySlates,
  randomSlates,
  type SlatePolicy,
  type SlateResult,
} from "./interest.js";
export {
  bestMixture,
  chocDocuments,
  type DocumentPolicy,
  kaleDocuments,
  LongTermSatisfaction,
  type LongTermSatisfactionOptions,
  mixedDocuments,
  mixtureValue,
  satisfactionReturns,
} from "./longterm.js";
export { clickOracle, farsightedOracle, satisfactionOracle, stayOracle, watchOracle } from "./oracles.js";
export {
  Platform,
  type PlatformHooks,
  type PlatformLatents,
  type PolicyOrOracle,
  type SimulationHooks,
  simulate,
  simulatedEvents,
} from "./platform.js";
export type { ViewerCauses } from "./world/causes.js";
export type { PlatformMetrics, SimulationResult } from "./world/metrics.js";
export type { Heartbeats, PlatformOptions, ScheduledBroadcast } from "./world/options.js";
