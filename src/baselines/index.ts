export { Baseline, ScoringPolicy, type SlateChoice } from "./baseline.js";
export { type Affinities, BprPolicy, type BprPolicyOptions } from "./bpr.js";
export { type ContextOptions, ContextPolicy, type UserTrait } from "./context.js";
export { EasePolicy, type EasePolicyOptions } from "./ease.js";
export { ItemKnnPolicy, type ItemKnnPolicyOptions } from "./itemknn.js";
export { LinUcb, type LinUcbOptions } from "./linucb.js";
export { PopularPolicy } from "./popular.js";
export { RandomPolicy } from "./random.js";
export { type DisposablePolicy, POLICIES, type PolicyEntry, type PolicyName } from "./registry.js";
