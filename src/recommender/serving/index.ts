export { explain } from "./explanation.js";
export { type ExploreOptions, Explorer, type RequestExploration } from "./explorer.js";
export { explanationLines } from "./sentences.js";
export { type Among, type Slate, SlateBuilder, type SlateOptions } from "./slate.js";
export { type CandidateValues, optimistic, slateScores, slateValue } from "./value.js";
