export { type ExploreOptions, Explorer } from "./explorer.js";
export { type Ranked, type Slate, SlateBuilder, type SlateOptions } from "./slate.js";
