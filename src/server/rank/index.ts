export { RankError } from "./error.js";
export type { Exploration } from "./exploration.js";
export { Ranker, type RankModel, type RankRecord } from "./ranker.js";
export { checkedRank, type RankOptions } from "./rankoptions.js";
export { type RankAnswer, type RankReport, RankService } from "./service.js";
