export { RankError } from "./error.js";
export type { Exploration } from "./exploration.js";
export { Ranker, type RankRecord } from "./ranker.js";
export { RankGate } from "./rankgate.js";
export {
  isKept,
  type KeptRankModels,
  lastBefore,
  type RankModel,
  type RankModelAbout,
  RankModels,
} from "./rankmodels.js";
export { checkedRank, type RankOptions } from "./rankoptions.js";
export { type RankAnswer, type RankReport, RankService } from "./service.js";
