export { AtomicFile, checkWritable, saveFile } from "./file.js";
export { type FileLock, lockFile } from "./lock.js";
export { Tail, type TailOptions, type TailPosition, tail } from "./tail.js";
