export {
  coreFeatures,
  defaultFeatures,
  Features,
  featureGroups,
  featureSizes,
  featureVersion,
  type SavedGroup,
  savedGroups,
} from "./features.js";
export {
  type FeatureContext,
  type FeatureGroup,
  type FeatureWriter,
  featureGroup,
  type Moment,
} from "./group.js";
export { type ColumnOptions, columns } from "./kept/columns.js";
export { type ContentOptions, content } from "./kept/content.js";
export { moments } from "./kept/moments.js";
export { neighbours } from "./kept/neighbours.js";
export { taste } from "./kept/taste.js";
export { KeptVectors, keptVectors, vectors } from "./kept/vectors.js";
export { audience } from "./known/audience.js";
export { clock } from "./known/clock.js";
export { habits } from "./known/habits.js";
export { pages } from "./known/pages.js";
export { pair } from "./known/pair.js";
export { returns } from "./known/returns.js";
export { session } from "./known/session.js";
export { social } from "./known/social.js";
export { traits } from "./known/traits.js";
