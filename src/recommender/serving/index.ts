export { type ExploreOptions, Explorer } from "./explorer.js";
export { type Among, SlateBuilder, type SlateOptions } from "./slate.js";
export { type CandidateValues, slateScores, slateValue } from "./value.js";
