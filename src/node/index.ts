export { type Compression, compressionOf, decompressed } from "./compression.js";
export { AtomicFile, checkWritable, saveFile, saveFileAsync } from "./file.js";
export {
  type ListenerOptions,
  type NodeListener,
  type RequestClient,
  type RequestHandler,
  requestListener,
} from "./listener.js";
export { type FileLock, lockFile } from "./lock.js";
export { type ServeOptions, type Serving, serve } from "./serve.js";
export { Spool } from "./spool.js";
export { Tail, type TailOptions, type TailPosition, tail } from "./tail.js";
