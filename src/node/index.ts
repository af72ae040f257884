export { AtomicFile, saveFile } from "./file.js";
export { Tail, type TailOptions, type TailPosition, tail } from "./tail.js";
