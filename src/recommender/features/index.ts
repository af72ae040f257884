export {
  candidateSize,
  type FeatureOptions,
  Features,
  featureVersion,
  observationSize,
  type SavedFeatures,
} from "./features.js";
export { traitNames } from "./inputs.js";
