export type { Int8EngineOptions } from "../index.js";
export { agreementOf, type ValueAgreement, type Valuer } from "./agreement.js";
export { type DistillOptions, type DistillProgress, type DistillResult, distill } from "./distill.js";
export { quantiseAware } from "./int8/aware.js";
export { quantise } from "./int8/quantise.js";
export { QuantisedAgent } from "./int8/quantised.js";
export { type PruneOptions, type PruneResult, pruneNeurons, pruneWeights, type SparseResult } from "./prune.js";
export type { AgentState } from "./state.js";
