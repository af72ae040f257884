export { MountedPages } from "./mounted.js";
export { Pages } from "./pages.js";
export { folderOf, type PlaygroundOptions, playground } from "./playground.js";
