import { mkdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { type FileLock, lockFile } from "../node/index.js";
import { openSqlite, SQLITE_BINDINGS, type SqliteBinding, type SqliteDatabase } from "./bindings.js";
import { type BlockStore, StorageError, type StoredBlock } from "./store.js";

/** Free bytes below which a failed write is put down to a full disk. */
const SCARCE = 16 << 20;
/** Blocks that are read at once. */
const READ = 16;

/** How to open a store in a folder. */
export interface SqliteOptions {
  /** Which bindings of SQLite may be used, the preferred ones first. Default `node:sqlite`, `libsql`, `node-sqlite3-wasm`. */
  bindings?: readonly SqliteBinding[];
}

/**
 * Blocks in a database file of SQLite, one row a block and a flush each: `log.db` in a folder that one process has at a time.
 *
 * Where no space is left, appending fails with the reason `full`, and goes on once there is some.
 */
export class SqliteStore implements BlockStore {
  readonly #database: SqliteDatabase;
  readonly #folder: string;
  readonly #lock: FileLock;
  #state: "open" | "failed" | "closed" = "open";

  private constructor(database: SqliteDatabase, folder: string, lock: FileLock) {
    this.#database = database;
    this.#folder = folder;
    this.#lock = lock;
  }

  /**
   * Opens the store of a folder, which is made if it is not there.
   *
   * @throws StorageError `locked` if another process has it, `damaged` if the file is no database of this kind.
   */
  static async open(folder: string, { bindings = SQLITE_BINDINGS }: SqliteOptions = {}): Promise<SqliteStore> {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, "log.db");
    let lock: FileLock;
    try {
      // Not of the database: SQLite in WebAssembly has a lock of that name.
      lock = lockFile(join(folder, "log"));
    } catch (cause) {
      throw new StorageError("locked", (cause as Error).message, { cause });
    }
    let database: SqliteDatabase | undefined;
    try {
      database = await openSqlite(path, bindings);
      database.exec("PRAGMA locking_mode = EXCLUSIVE");
      database.all("PRAGMA journal_mode = WAL");
      // Every commit waits for the disk.
      database.exec("PRAGMA synchronous = FULL");
      // What is trimmed is gone from the disk as well.
      database.exec("PRAGMA secure_delete = ON");
      database.exec(
        "CREATE TABLE IF NOT EXISTS block (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, body BLOB NOT NULL)",
      );
      return new SqliteStore(database, folder, lock);
    } catch (cause) {
      database?.close();
      lock.release();
      const { message } = cause as Error;
      const reason = /locked|busy/i.test(message) ? "locked" : "damaged";
      throw new StorageError(reason, `${path}: cannot be opened as a log: ${message}`, { cause });
    }
  }

  /** Which binding of SQLite it uses. */
  get binding(): SqliteBinding {
    return this.#database.binding;
  }

  get newest(): StoredBlock | undefined {
    this.#requireOpen();
    for (const row of this.#all("SELECT first, count, body FROM block ORDER BY first DESC LIMIT 1"))
      return blockOf(row);
    return undefined;
  }

  append({ first, count, body }: StoredBlock): void {
    this.#requireOpen();
    try {
      this.#database.run("INSERT INTO block VALUES (?, ?, ?)", first, count, body);
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  *read(from: number): Generator<StoredBlock, void, undefined> {
    this.#requireOpen();
    const [before] = this.#all("SELECT max(first) FROM block WHERE first <= ?", from);
    let next = (before?.[0] as number | null) ?? 0;
    for (;;) {
      const rows = this.#all(
        "SELECT first, count, body FROM block WHERE first >= ? ORDER BY first LIMIT ?",
        next,
        READ,
      );
      for (const row of rows) {
        const block = blockOf(row);
        next = block.first + 1;
        if (block.first + block.count > from) yield block;
      }
      if (rows.length < READ) return;
    }
  }

  trim(to: number): void {
    this.#requireOpen();
    try {
      this.#database.run("DELETE FROM block WHERE first + count <= ? AND first < (SELECT max(first) FROM block)", to);
      this.#database.all("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    try {
      this.#database.close();
    } finally {
      this.#lock.release();
    }
  }

  #all(sql: string, ...values: number[]): unknown[][] {
    try {
      return this.#database.all(sql, ...values);
    } catch (cause) {
      throw new StorageError("damaged", `${this.#folder}: cannot be read: ${(cause as Error).message}`, { cause });
    }
  }

  #failure(cause: unknown): StorageError {
    const { message } = cause as Error;
    if (/full/i.test(message) || this.#isFull()) {
      return new StorageError("full", `${this.#folder}: no space is left: ${message}`, { cause });
    }
    this.#state = "failed";
    return new StorageError("failed", `${this.#folder}: the disk failed: ${message}`, { cause });
  }

  #isFull(): boolean {
    try {
      const { bavail, bsize } = statfsSync(this.#folder);
      return bavail * bsize < SCARCE;
    } catch {
      return false;
    }
  }

  #requireOpen(): void {
    if (this.#state === "open") return;
    const what = this.#state === "closed" ? "was closed" : "failed before; it must be opened again";
    throw new StorageError(this.#state, `${this.#folder}: ${what}`);
  }
}

/** Some bindings give bytes as an ArrayBuffer. */
function blockOf(row: unknown[]): StoredBlock {
  const [first, count, body] = row as [number, number, Uint8Array | ArrayBuffer];
  return { first, count, body: body instanceof Uint8Array ? body : new Uint8Array(body) };
}
