export type { SqliteBinding } from "./bindings.js";
export { joined, parted } from "./blocks.js";
export { type Checkpoint, Checkpoints, type Disk, type DiskFile } from "./checkpoints.js";
export {
  COMMIT_BOUNDS_MS,
  type EventLog,
  type LogOptions,
  type LogRecord,
  type LogStats,
  openLog,
} from "./eventlog.js";
export { diskFolder } from "./folder.js";
export { MemoryStore } from "./memory.js";
export { Shelf } from "./shelf.js";
export { type SqliteOptions, SqliteStore } from "./sqlite.js";
export { type BlockStore, StorageError, type StorageReason, type StoredBlock } from "./store.js";
export { type LogThreadOptions, openLogThread, serveLog } from "./thread.js";
