export { Bpr, type BprOptions } from "./bpr.js";
export { defaultRankerFeatures, type RankerFeatureGroup, rankerFeatureGroups } from "./dqn/groups.js";
export type { ItemTraits } from "./dqn/items.js";
export {
  DqnRanker,
  type DqnRankerCallbacks,
  type DqnRankerData,
  type DqnRankerOptions,
  type DqnRankerProgress,
  trainDqnRanker,
} from "./dqn/ranker.js";
export { Ease, type EaseOptions, easeWeights } from "./ease.js";
export { ItemKnn, type ItemKnnOptions } from "./itemknn.js";
export { ItemPop } from "./itempop.js";
export { RandomRanker } from "./random.js";
