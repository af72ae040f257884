export { Offers } from "./offers.js";
export { favouritesOf, type RetrievalOptions, Retriever } from "./retriever.js";
export {
  candidateCount,
  type SavedScenes,
  SCENE_DEFAULTS,
  SCENE_RULES,
  type Scene,
  type SceneOptions,
  Scenes,
} from "./scenes.js";
export { type SavedTowers, Towers, type TowersOptions, type Vectors } from "./towers.js";
