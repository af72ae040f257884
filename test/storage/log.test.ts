import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../src/numeric/random.js";
import { SQLITE_BINDINGS } from "../../src/storage/bindings.js";
import { crc32, joined, opened, sealed } from "../../src/storage/blocks.js";
import {
  Checkpoints,
  COMMIT_BOUNDS_MS,
  diskFolder,
  type EventLog,
  MemoryStore,
  openLog,
  openLogThread,
  SqliteStore,
  StorageError,
  type StoredBlock,
} from "../../src/storage/index.js";

let folder: string;
let worker: string;
beforeAll(() => {
  // Within the project, from where SQLite is found.
  mkdirSync(".build", { recursive: true });
  folder = mkdtempSync(resolve(".build", "storage-"));
  worker = join(folder, "worker.mjs");
  const contents = `import { serveLog } from "./src/storage/thread.ts"; await serveLog();`;
  buildSync({
    stdin: { contents, resolveDir: resolve(".") },
    ...{ outfile: worker, bundle: true, format: "esm", platform: "node", external: ["node-sqlite3-wasm"] },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
const fresh = () => join(folder, `log-${made++}`);
const text = (value: string) => new TextEncoder().encode(value);

async function all(log: EventLog, from = 0): Promise<string[]> {
  const found: string[] = [];
  for await (const { sequence, bytes } of log.read(from)) found.push(`${sequence}:${new TextDecoder().decode(bytes)}`);
  return found;
}

/** Every way to keep a log; `open` opens the same one again. */
const WAYS: [string, () => { open(): Promise<EventLog> }][] = [
  [
    "in memory",
    () => {
      let store = new MemoryStore();
      return { open: async () => openLog((store = new MemoryStore(store.blocks))) };
    },
  ],
  [
    "in SQLite",
    () => {
      const path = fresh();
      return { open: async () => openLog(await SqliteStore.open(path)) };
    },
  ],
  [
    "on a thread",
    () => {
      const path = fresh();
      return { open: () => openLogThread(path, worker) };
    },
  ],
];

describe.each(WAYS)("a log %s", (_, make) => {
  test("gives records back as they were taken, from any place on, also when it is opened again", async () => {
    const { open } = make();
    let log = await open();
    expect([log.next, await all(log)]).toEqual([0, []]);
    const firsts = await Promise.all([
      log.append([text("a"), text("b")]),
      log.append([]),
      log.append([text(""), text("ü")]),
      log.append([text("c")]),
    ]);
    expect([firsts[0], firsts[2], firsts[3]]).toEqual([0, 2, 4]);
    const expected = ["0:a", "1:b", "2:", "3:ü", "4:c"];
    for (let turn = 0; turn < 2; turn++) {
      expect(log.next).toBe(5);
      for (let from = 0; from <= 6; from++) expect(await all(log, from)).toEqual(expected.slice(from));
      await log.close();
      log = await open();
    }
    expect(await log.append([text("d")])).toBe(5);
    expect(await all(log, 4)).toEqual(["4:c", "5:d"]);
    await log.close();
  });

  test("writes what comes together at once", async () => {
    const log = await make().open();
    await Promise.all(Array.from({ length: 200 }, (_, i) => log.append([text(String(i)), text("x")])));
    const { commits, records, waitingBytes, commitMsMax, commitCounts } = log.stats();
    expect([records, waitingBytes]).toEqual([400, 0]);
    expect(commits).toBeLessThan(20);
    // Each write is in one bucket, and the longest in the last that is used.
    expect(commitCounts.reduce((sum, count) => sum + count, 0)).toBe(commits);
    const last = Math.max(...commitCounts.map((count, i) => (count > 0 ? i : 0)));
    expect([...COMMIT_BOUNDS_MS, Number.POSITIVE_INFINITY].findIndex((bound) => commitMsMax <= bound)).toBe(last);
    await log.close();
  });

  test("lets go of whole blocks before a place, and never of the newest", async () => {
    const { open } = make();
    const log = await open();
    for (let i = 0; i < 6; i++) await log.append([text(`${i}a`), text(`${i}b`)]);
    await log.trim(5);
    expect(await all(log, 4)).toEqual((await all(log, 4)).slice(0, 8));
    await expect(all(log, 0)).rejects.toThrow(/record 0 is gone: the next one is 4/);
    await log.trim(1e9);
    expect(await all(log, 10)).toEqual(["10:5a", "11:5b"]);
    expect(await log.append([text("c")])).toBe(12);
    await log.close();
    const again = await open();
    expect([again.next, await all(again, 11)]).toEqual([13, ["11:5b", "12:c"]]);
    await again.close();
  });

  test("refuses calls after it was closed, and closes twice", async () => {
    const log = await make().open();
    await log.append([text("a")]);
    await log.close();
    await log.close();
    for (const call of [() => log.append([text("b")]), () => log.trim(0), () => all(log)]) {
      await expect(call()).rejects.toMatchObject({ name: "StorageError", reason: "closed" });
    }
  });

  test("keeps large records and many", async () => {
    const log = await make().open();
    const random = new Random(1);
    const records = Array.from({ length: 300 }, (_, i) =>
      Uint8Array.from({ length: i % 50 === 0 ? 300_000 : random.below(200) }, () => random.below(256)),
    );
    await Promise.all(records.map((record) => log.append([record])));
    let at = 0;
    for await (const { bytes } of log.read(0)) expect(Buffer.compare(bytes, records[at++]!)).toBe(0);
    expect(at).toBe(300);
    await log.close();
  });
});

test("a log refuses more than may wait, takes one batch of any size, and goes on", async () => {
  for (const open of [
    () => openLog(new MemoryStore(), { waitingBytes: 100 }),
    () => openLogThread(fresh(), worker, { waitingBytes: 100 }),
  ]) {
    const log = await open();
    const first = log.append([new Uint8Array(500)]);
    await expect(log.append([new Uint8Array(1)])).rejects.toMatchObject({ reason: "busy" });
    expect(await first).toBe(0);
    expect(await log.append([new Uint8Array(60)])).toBe(1);
    await log.close();
  }
  expect(() => openLog(new MemoryStore(), { blockBytes: 0 })).toThrow('"blockBytes" must be an integer >= 1, got 0');
  expect(() => openLog(new MemoryStore(), { block: 1 } as object)).toThrow('"block" is not an option');
});

/** A store that fails at one of its appends. */
class Failing extends MemoryStore {
  #left: number;
  constructor(
    after: number,
    readonly reason: "full" | "failed",
  ) {
    super();
    this.#left = after;
  }
  override append(block: StoredBlock): void {
    if (this.#left-- === 0) throw new StorageError(this.reason, "no");
    super.append(block);
  }
}

test("a write that fails is told to each of its batches, and takes no sequence number", async () => {
  for (let after = 0; after < 4; after++) {
    const log = openLog(new Failing(after, "full"));
    const told: (number | string)[] = [];
    for (let i = 0; i < 5; i++) {
      const both = [log.append([text(`${i}`)]), log.append([text(`${i}`)])];
      for (const one of both) told.push(await one.catch(({ reason }) => reason));
    }
    expect(told.filter((one) => one === "full")).toHaveLength(2);
    expect(told.filter((one) => one !== "full")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await all(log)).toHaveLength(8);
  }
});

describe("blocks", () => {
  test("have the checksum of ISO 3309", () => {
    expect(crc32(text("123456789"))).toBe(0xcbf43926);
    expect(crc32(text("6789"), crc32(text("12345")))).toBe(0xcbf43926);
  });

  test("with any bit changed, cut or in another place are refused by name", () => {
    const block = sealed(7, 2, [joined([text("ab"), text("")])], 99);
    expect(opened(block, 99).map(({ length }) => length)).toEqual([2, 0]);
    let tried = 0;
    const refuse = (bad: StoredBlock, previous?: number) => {
      tried++;
      expect(() => opened(bad, previous)).toThrow(/^the block of record \d+: /);
    };
    for (let bit = 0; bit < block.body.length * 8; bit++) {
      const body = block.body.slice();
      body[bit >> 3]! ^= 1 << (bit & 7);
      refuse({ ...block, body });
    }
    for (let size = 0; size < block.body.length; size++) refuse({ ...block, body: block.body.slice(0, size) });
    refuse({ ...block, first: 8 });
    refuse({ ...block, count: 1 });
    refuse(block, 98);
    console.log(`${tried} damaged blocks refused`);
  });

  test("that are gone, or from another log, end the reading by name", async () => {
    const store = new MemoryStore();
    const log = openLog(store);
    for (let i = 0; i < 5; i++) await log.append([text(`${i}`)]);
    const without = (at: number) => openLog(new MemoryStore(store.blocks.filter((_, i) => i !== at)));
    await expect(all(without(2))).rejects.toThrow("record 2 is gone: the next one is 3");
    await expect(all(without(0))).rejects.toThrow("record 0 is gone: the next one is 1");
    const swapped = [...store.blocks];
    swapped[1] = sealed(1, 1, [joined([text("x")])], 1234);
    await expect(all(openLog(new MemoryStore(swapped)))).rejects.toThrow("does not follow the block before it");
    const cut = { ...store.blocks[4]!, body: store.blocks[4]!.body.slice(0, 9) };
    expect(() => openLog(new MemoryStore([...store.blocks.slice(0, 4), cut]))).toThrow(
      /block of record 4: its checksum/,
    );
  });
});

describe("a store in SQLite", () => {
  test("is for one process: a second one, and a second opening, are refused", async () => {
    const path = fresh();
    const store = await SqliteStore.open(path);
    await expect(SqliteStore.open(path)).rejects.toMatchObject({ reason: "locked" });
    store.append(sealed(0, 1, [joined([text("a")])], 0));
    expect([...store.read(0)]).toHaveLength(1);
    store.close();
    expect(readdirSync(path)).toEqual(["log.db"]);
    (await SqliteStore.open(path)).close();
  });

  test("that is no database is refused, and stays as it is", async () => {
    const path = fresh();
    mkdirSync(path);
    writeFileSync(join(path, "log.db"), "x".repeat(5000));
    await expect(SqliteStore.open(path)).rejects.toMatchObject({ reason: "damaged" });
    expect(readFileSync(join(path, "log.db"), "utf8")).toBe("x".repeat(5000));
    expect(readdirSync(path).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  test("has the bindings that this runtime has, and says when it has none", async () => {
    const found: string[] = [];
    for (const binding of SQLITE_BINDINGS) {
      const store = await SqliteStore.open(fresh(), { bindings: [binding] }).catch(() => undefined);
      if (store === undefined) continue;
      found.push(store.binding);
      const block = sealed(0, 1, [joined([text("a")])], 0);
      store.append(block);
      expect([...store.read(0)].map(({ first, count, body }) => [first, count, [...body]])).toEqual([
        [0, 1, [...block.body]],
      ]);
      store.close();
    }
    expect(found).toContain("node-sqlite3-wasm");
    await expect(SqliteStore.open(fresh(), { bindings: [] })).rejects.toBeInstanceOf(StorageError);
  });

  test("is there after a kill, with all that was acknowledged", async () => {
    const path = fresh();
    const program = join(folder, "killed.mjs");
    const contents = `import { openLogThread } from "./src/storage/index.ts";
      const log = await openLogThread(${JSON.stringify(path)}, ${JSON.stringify(worker)});
      process.stdout.write("from " + log.next + "\\n");
      for (;;) {
        const first = await log.append([new TextEncoder().encode("r"), new TextEncoder().encode("s")]);
        process.stdout.write("ack " + first + "\\n");
      }`;
    const external = ["node-sqlite3-wasm"];
    buildSync({
      stdin: { contents, resolveDir: resolve("."), loader: "ts" },
      ...{ outfile: program, bundle: true, format: "esm", platform: "node", external },
    });
    let [acknowledged, kills] = [-2, Number(process.env["KILLS"] ?? 5)];
    for (const random = new Random(3); kills > 0; kills--) {
      const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
      const until = 1 + random.below(20);
      let [seen, rest] = [0, ""];
      child.stdout.on("data", (piece) => {
        const lines = (rest + piece).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          const [what, number] = line.split(" ");
          if (what === "from") expect(Number(number)).toBeGreaterThanOrEqual(acknowledged + 2);
          else acknowledged = Number(number);
          if (++seen === until) child.kill("SIGKILL");
        }
      });
      await once(child, "close");
    }
    const log = openLog(await SqliteStore.open(path));
    expect(log.next).toBeGreaterThanOrEqual(acknowledged + 2);
    expect((await all(log)).length).toBe(log.next);
    await log.close();
  });
});

describe("checkpoints in a folder", () => {
  const sequences = (checkpoints: Checkpoints) => checkpoints.list().map(({ sequence }) => sequence);

  test("are whole, named by what they hold, and the newest three", async () => {
    const path = fresh();
    const checkpoints = new Checkpoints(diskFolder(path));
    expect([checkpoints.newest(), checkpoints.trimTo]).toEqual([undefined, 0]);
    for (let i = 1; i <= 5; i++) {
      const { name, sequence } = await checkpoints.write(10 * i, [text("state "), text(String(i))]);
      expect([name.slice(0, 17), sequence]).toEqual([`${String(10 * i).padStart(16, "0")}-`, 10 * i]);
      expect(checkpoints.trimTo).toBe(i < 3 ? 0 : 10 * (i - 2));
    }
    expect(sequences(checkpoints)).toEqual([50, 40, 30]);
    expect(Buffer.concat([...checkpoints.read(checkpoints.newest()!)]).toString()).toBe("state 5");
    expect(readdirSync(path)).toHaveLength(3);
  });

  test("that are damaged are put aside, and the one before is taken", async () => {
    const path = fresh();
    const checkpoints = new Checkpoints(diskFolder(path));
    for (let i = 1; i <= 3; i++) await checkpoints.write(i, [text(`state ${i}`)]);
    const [newest, second] = checkpoints.list();
    writeFileSync(join(path, newest!.name), "state 4");
    expect(() => checkpoints.read(newest!)).toThrow("its SHA-256 differs");
    writeFileSync(join(path, second!.name), "");
    expect(checkpoints.newest()?.sequence).toBe(1);
    expect(sequences(checkpoints)).toEqual([1]);
    expect(readdirSync(path).filter((name) => name.endsWith(".damaged"))).toHaveLength(2);
  });

  test("that were not finished are gone, and nothing else is", async () => {
    const path = fresh();
    const checkpoints = new Checkpoints(diskFolder(path));
    await checkpoints.write(1, [text("a")]);
    writeFileSync(join(path, "notes.txt"), "mine");
    const failing = async function* () {
      yield text("b");
      throw new Error("the disk is on fire");
    };
    await expect(checkpoints.write(2, failing())).rejects.toThrow("on fire");
    expect(sequences(new Checkpoints(diskFolder(path)))).toEqual([1]);
    expect(readdirSync(path)).toHaveLength(2);
    expect(() => new Checkpoints(diskFolder(path), 0)).toThrow('"keep" must be an integer >= 1, got 0');
  });
});
