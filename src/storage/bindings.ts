import { rmSync } from "node:fs";

/** The little of SQLite that a log needs, the same for every binding. */
export interface SqliteDatabase {
  /** Which binding it is. */
  readonly binding: SqliteBinding;
  exec(sql: string): void;
  /** Rows as arrays of columns. */
  all(sql: string, ...values: (number | Uint8Array)[]): unknown[][];
  run(sql: string, ...values: (number | Uint8Array)[]): void;
  close(): void;
}

export type SqliteBinding = "node:sqlite" | "libsql" | "node-sqlite3-wasm";

/** A statement of `node:sqlite` or of `libsql`, whose interface is that of better-sqlite3. */
interface NativeStatement {
  run(...values: unknown[]): unknown;
  all(...values: unknown[]): Record<string, unknown>[];
}

interface NativeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NativeStatement;
  close(): void;
}

type Values = (number | Uint8Array)[];

/** Statements by their text, each prepared once. */
class Prepared<S> {
  readonly #known = new Map<string, S>();
  readonly #prepare: (sql: string) => S;

  constructor(prepare: (sql: string) => S) {
    this.#prepare = prepare;
  }

  of(sql: string): S {
    const found = this.#known.get(sql) ?? this.#prepare(sql);
    this.#known.set(sql, found);
    return found;
  }

  /** Forgets a statement, which is prepared anew when it is needed again. */
  delete(sql: string): S | undefined {
    const statement = this.#known.get(sql);
    this.#known.delete(sql);
    return statement;
  }

  all(): Iterable<S> {
    return this.#known.values();
  }
}

function native(binding: SqliteBinding, database: NativeDatabase): SqliteDatabase {
  const statements = new Prepared((sql) => database.prepare(sql));
  return {
    binding,
    exec: (sql) => database.exec(sql),
    all: (sql, ...values: Values) =>
      statements
        .of(sql)
        .all(...values)
        .map((row) => Object.values(row)),
    run: (sql, ...values: Values) => void statements.of(sql).run(...values),
    close: () => database.close(),
  };
}

async function openNode(path: string): Promise<SqliteDatabase> {
  // Not an import: bundlers do not know the name, and Node 20 has no such module.
  const found = process.getBuiltinModule?.("node:sqlite") as
    | { DatabaseSync: new (path: string) => NativeDatabase }
    | undefined;
  if (found === undefined) throw new Error("this runtime has no node:sqlite");
  return native("node:sqlite", new found.DatabaseSync(path));
}

async function openLibsql(path: string): Promise<SqliteDatabase> {
  // The name in a variable: it is used where somebody has installed it, and no dependency of this package.
  const name = "libsql";
  const { default: Database } = (await import(name)) as { default: new (path: string) => NativeDatabase };
  return native("libsql", new Database(path));
}

async function openWasm(path: string): Promise<SqliteDatabase> {
  const { default: sqlite } = await import("node-sqlite3-wasm");
  // Its lock is a folder, which a killed process leaves; the log's own lock says whether anybody is there.
  rmSync(`${path}.lock`, { recursive: true, force: true });
  const database = new sqlite.Database(path);
  const statements = new Prepared((sql) => database.prepare(sql));
  type Statement = ReturnType<typeof database.prepare>;
  const finalize = (statement: Statement) => {
    try {
      statement.finalize();
    } catch {
      // It tells again of the error of its last run, which was told then.
    }
  };
  /** A statement that failed says so again at its next use: on a full disk, long after there is space again. */
  const use = <T>(sql: string, run: (statement: Statement) => T): T => {
    try {
      return run(statements.of(sql));
    } catch (error) {
      const failed = statements.delete(sql);
      if (failed !== undefined) finalize(failed);
      throw error;
    }
  };
  return {
    binding: "node-sqlite3-wasm",
    exec: (sql) => database.exec(sql),
    all: (sql, ...values: Values) => use(sql, (one) => one.all(values).map((row) => Object.values(row))),
    run: (sql, ...values: Values) => use(sql, (one) => void one.run(values)),
    close() {
      // With an open statement the database stays open, and its files as they are.
      for (const statement of statements.all()) finalize(statement);
      database.close();
    },
  };
}

const BINDINGS: Record<SqliteBinding, (path: string) => Promise<SqliteDatabase>> = {
  "node:sqlite": openNode,
  libsql: openLibsql,
  "node-sqlite3-wasm": openWasm,
};

/** Which bindings there are, the preferred ones first. */
export const SQLITE_BINDINGS = Object.keys(BINDINGS) as readonly SqliteBinding[];

/**
 * Opens a database file with the first binding that this runtime has: `node:sqlite` of Node 22, Deno and Bun; `libsql` if
 * it is installed; `node-sqlite3-wasm`, which runs everywhere.
 *
 * @throws Error of the last binding, if none can open it.
 */
export async function openSqlite(path: string, bindings = SQLITE_BINDINGS): Promise<SqliteDatabase> {
  let failure: unknown = new Error("no binding of SQLite may be used");
  for (const binding of bindings) {
    try {
      return await BINDINGS[binding](path);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
