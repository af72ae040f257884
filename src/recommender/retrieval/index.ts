export { favouritesOf, type RetrievalOptions, Retriever } from "./retriever.js";
export { type SavedTowers, Towers, type TowersOptions, towersOptions, type Vectors } from "./towers.js";
