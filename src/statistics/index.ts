export { gini } from "./inequality.js";
export {
  arithmeticMean,
  type BootstrapOptions,
  bootstrapInterval,
  growthToTell,
  type Interval,
  interquartileMean,
  meanInterval,
  medianInterval,
  observationsToTell,
  quantile,
  wilsonInterval,
} from "./intervals.js";
export { type ListScores, rankDiscount, scoreList } from "./lists.js";
export {
  drawGroups,
  type Figure,
  GROUPS,
  GroupCache,
  groupOf,
  middleOf,
  type ResampleOptions,
  resampleOptions,
  Tally,
  UNBOUNDED,
} from "./tally.js";
export { TopK, topK } from "./topk.js";
