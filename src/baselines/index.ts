export { Baseline, type Choice, Scorer } from "./baseline.js";
export { type ContextOptions, ContextPolicy, type Segment } from "./context.js";
export { EasePolicy, type EasePolicyOptions } from "./ease.js";
export { type Affinities, FactorsPolicy, type FactorsPolicyOptions } from "./factors.js";
export { ItemKnnPolicy, type ItemKnnPolicyOptions } from "./itemknn.js";
export { LinUcb, type LinUcbOptions } from "./linucb.js";
export { PopularPolicy } from "./popular.js";
export { RandomPolicy } from "./random.js";
export { type DisposablePolicy, POLICIES, type PolicyEntry, type PolicyName } from "./registry.js";
