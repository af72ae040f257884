export type { ContinuousEngineOptions } from "../instance/instantiate.js";
export type { ContinuousActions, ContinuousOptions, ResolvedContinuousOptions } from "./continuousoptions.js";
export { ContinuousAgent, type ContinuousStats, type ContinuousTransition } from "./td3.js";
