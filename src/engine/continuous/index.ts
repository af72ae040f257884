export type { ContinuousEngineOptions } from "../instance/actor.js";
export { ContinuousAgent, type ContinuousStats, type ContinuousTransition } from "./agent.js";
export type { ContinuousActions, ContinuousOptions, ResolvedContinuousOptions } from "./continuousoptions.js";
