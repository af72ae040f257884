/** Why a log or a checkpoint failed. */
export type StorageReason =
  /** Another process has the folder. */
  | "locked"
  /** No space is left: nothing was written, and appending may succeed later. */
  | "full"
  /** More waits to be written than may wait: try again later. */
  | "busy"
  /** The disk failed: what came last may or may not be on it. The log must be opened again. */
  | "failed"
  /** What is on the disk is not what was written. */
  | "damaged"
  /** It was closed. */
  | "closed";

/** A failure of a log or a checkpoint; `reason` is for programs. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly reason: StorageReason;

  constructor(reason: StorageReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Records that were written together: all are on disk, or none is. */
export interface StoredBlock {
  /** Sequence number of the first record, from 0. */
  readonly first: number;
  /** Number of records, at least 1. */
  readonly count: number;
  readonly body: Uint8Array;
}

/**
 * Where a log's blocks are kept. Its calls are synchronous, as a flush is: a log on a disk belongs on a thread of its own.
 *
 * Opening one is up to the store; the other four calls are here.
 */
export interface BlockStore {
  /** The block that was appended last; undefined if there is none. It stays when the log is trimmed. */
  readonly newest: StoredBlock | undefined;
  /**
   * Returns when the block is durable.
   *
   * @throws StorageError: `full` if there is no space, and nothing was written; `failed` after any other error of the disk,
   *   after which every call fails: an error of a flush must not be tried again, since the system may have dropped the data.
   */
  append(block: StoredBlock): void;
  /** The blocks that hold a record with the sequence number `from` or a later one, in order. */
  read(from: number): Iterable<StoredBlock>;
  /** Removes the blocks whose records are all before the sequence number `to`; the newest block stays. */
  trim(to: number): void;
  /** Releases what it holds; a second call does nothing. */
  close(): void;
}
