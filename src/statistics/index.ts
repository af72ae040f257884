export { gini } from "./inequality.js";
export { bootstrapInterval, type Interval, meanInterval, quantile, wilsonInterval } from "./intervals.js";
export { type ListScores, scoreList } from "./lists.js";
export {
  drawGroups,
  type Figure,
  GROUPS,
  groupOf,
  middleOf,
  type ResampleOptions,
  resampleOptions,
  Tally,
  UNBOUNDED,
} from "./tally.js";
export { topK } from "./topk.js";
