export { type ExploreOptions, Explorer } from "./explorer.js";
export { SlateBuilder, type SlateOptions } from "./slate.js";
