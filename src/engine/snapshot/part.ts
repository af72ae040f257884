/**
 * A part of a file that is written in chunks: the picture of one moment. What changes later does not change it, until
 * `release`.
 *
 * A part may put aside what is about to change (copy on write), as long as the work of each call stays bounded.
 */
export interface Part {
  /** Its name in the file, unique there. */
  readonly name: string;
  /**
   * Its bytes in order, in chunks of at most a mebibyte, each made within milliseconds. A file asks for them twice, first
   * for sizes and digest, then for the bytes themselves, and gets the same bytes both times. A chunk must stay as it is
   * after the next one was made.
   */
  chunks(): Iterable<Uint8Array>;
  /**
   * Frees what the picture holds in steps of a millisecond or so, where `release` would take longer. It is called after the
   * last chunk, before `release`; a save that is dropped halfway calls `release` alone. Default: there is little.
   */
  drain?(): Iterable<void>;
  /** Frees what the picture holds. Also called when a save is dropped halfway; may be called again. */
  release(): void;
}

/**
 * Takes a part of a file chunk by chunk, while it is read. It trusts nothing: the file's digest is known only at its end,
 * and whoever forged a file has made a fitting one.
 */
export interface PartReader {
  /**
   * Takes the next bytes; chunks have any size, and may be overwritten after the call.
   * @throws SnapshotError for bytes that the part cannot have.
   */
  write(chunk: Uint8Array): void;
  /** All bytes have come. @throws SnapshotError if some are missing. */
  end(): void;
}
