import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DQN } from "../../src/index.js";
import { AtomicFile, checkWritable, lockFile, saveFile } from "../../src/node/index.js";
import { ended, liveq } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";

const { folder, at } = temporaryFolder();
const BYTES = Uint8Array.of(1, 2, 3);
const isUnix = process.platform !== "win32";
const isRoot = process.getuid?.() === 0;
/** As the umask has it. */
const modeOf = (file: string) => (statSync(file).mode & 0o7777).toString(8);

let made = 0;
/** A new folder. */
function fresh(): string {
  const path = at(`outputs-${made++}`);
  mkdirSync(path);
  return path;
}

describe.runIf(isUnix)("an output", () => {
  test.each(["600", "640", "644", "660", "664", "700", "755", "2640", "4711", "200"])(
    "keeps the mode %s of the file there",
    (mode) => {
      const file = join(fresh(), "model");
      writeFileSync(file, "old");
      chmodSync(file, Number.parseInt(mode, 8));
      saveFile(file, BYTES);
      expect(modeOf(file)).toBe(mode);
      expect(statSync(file).size).toBe(3);
    },
  );

  test("that is new has the mode of the umask", () => {
    const own = fresh();
    writeFileSync(join(own, "a"), "");
    saveFile(join(own, "b"), BYTES);
    expect(modeOf(join(own, "b"))).toBe(modeOf(join(own, "a")));
  });

  test("goes through symbolic links: relative, absolute, chained, through folders, dangling", () => {
    const own = fresh();
    const real = join(own, "real");
    mkdirSync(real);
    writeFileSync(join(real, "model"), "old");
    chmodSync(join(real, "model"), 0o600);
    symlinkSync("real/model", join(own, "relative"));
    symlinkSync(join(real, "model"), join(own, "absolute"));
    symlinkSync("relative", join(own, "chained"));
    symlinkSync("real", join(own, "folder"));
    symlinkSync("real/none", join(own, "dangling"));
    symlinkSync("dangling", join(own, "twice"));
    for (const name of ["relative", "absolute", "chained", join("folder", "model")]) {
      saveFile(join(own, name), new TextEncoder().encode(name));
      expect(readFileSync(join(real, "model"), "utf8"), name).toBe(name);
      expect(modeOf(join(real, "model"))).toBe("600");
    }
    for (const name of ["dangling", "twice"]) {
      saveFile(join(own, name), new TextEncoder().encode(name));
      expect(readFileSync(join(real, "none"), "utf8"), name).toBe(name);
    }
    const links = ["relative", "absolute", "chained", "folder", "dangling", "twice"];
    for (const name of links) expect(lstatSync(join(own, name)).isSymbolicLink(), name).toBe(true);
    expect(readdirSync(real).sort()).toEqual(["model", "none"]);
    expect(readdirSync(own).sort()).toEqual([...links, "real"].sort());
  });

  test("in a circle of links, a folder, or below a file is refused with nothing left", () => {
    const own = fresh();
    symlinkSync("b", join(own, "a"));
    symlinkSync("a", join(own, "b"));
    mkdirSync(join(own, "folder"));
    writeFileSync(join(own, "file"), "");
    for (const write of [(file: string) => saveFile(file, BYTES), checkWritable]) {
      expect(() => write(join(own, "a"))).toThrow("ELOOP");
      expect(() => write(join(own, "folder"))).toThrow("EISDIR");
      expect(() => write(join(own, "file", "x"))).toThrow("ENOTDIR");
      expect(() => write(join(own, "none", "x"))).toThrow("ENOENT");
    }
    expect(readdirSync(own).sort()).toEqual(["a", "b", "file", "folder"]);
    expect(readlinkSync(join(own, "a"))).toBe("b");
  });

  test.skipIf(isRoot)("that may not be written is refused, though its folder could replace it", () => {
    const file = join(fresh(), "model");
    writeFileSync(file, "old");
    chmodSync(file, 0o444);
    expect(() => saveFile(file, BYTES)).toThrow("EACCES");
    expect(() => checkWritable(file)).toThrow("EACCES");
    expect(readFileSync(file, "utf8")).toBe("old");
  });

  test("is a device that stays one: null takes all, full takes nothing", () => {
    for (const file of ["/dev/null", "/dev/zero"]) {
      saveFile(file, [BYTES, BYTES]);
      expect(lstatSync(file).isCharacterDevice()).toBe(true);
    }
    checkWritable("/dev/full");
    expect(() => saveFile("/dev/full", BYTES)).toThrow("ENOSPC");
    expect(lstatSync("/dev/full").isCharacterDevice()).toBe(true);
    const link = join(fresh(), "link");
    symlinkSync("/dev/full", link);
    expect(() => saveFile(link, BYTES)).toThrow("ENOSPC");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test("is a FIFO whose reader gets everything, slow as it is; without a reader it is refused", async () => {
    const fifo = join(fresh(), "fifo");
    execFileSync("mkfifo", [fifo]);
    expect(() => saveFile(fifo, BYTES)).toThrow("ENXIO");
    checkWritable(fifo);
    const reader = spawn("sh", ["-c", 'exec 3<"$0"; echo open; sleep 0.2; wc -c <&3', fifo]);
    let out = "";
    const opened = new Promise<void>((resolve) => {
      reader.stdout.on("data", (text: Buffer) => {
        out += text.toString();
        resolve();
      });
    });
    // A FIFO opens for both ends at once.
    for (let i = 0; i < 500; i++) {
      try {
        saveFile(fifo, [new Uint8Array(300_000), new Uint8Array(100_000)]);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENXIO") throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    await opened;
    await ended(reader);
    expect(out).toMatch(/^open\n\s*400000\n$/);
    expect(lstatSync(fifo).isFIFO()).toBe(true);
  });

  test("is /dev/stdout: a pipe, and a file at its end", () => {
    const code = `import { saveFile } from "liveq/node"; saveFile("/dev/stdout", Buffer.from("new\\n"));`;
    const words = ["--input-type=module", "-e", code];
    expect(execFileSync(process.execPath, words, { encoding: "utf8" })).toBe("new\n");
    const log = join(fresh(), "log");
    writeFileSync(log, "old\n");
    execFileSync("sh", ["-c", '"$0" "$1" -e "$2" >> "$3"', process.execPath, words[0]!, code, log]);
    expect(readFileSync(log, "utf8")).toBe("old\nnew\n");
  });

  test("under a name of 255 bytes is written, also in Chinese", () => {
    const own = fresh();
    for (const name of ["x".repeat(255), "直".repeat(85)]) {
      saveFile(join(own, name), BYTES);
      expect(readFileSync(join(own, name)).length).toBe(3);
    }
    expect(readdirSync(own)).toHaveLength(2);
  });

  test("that became a link while it was written is not replaced", () => {
    const own = fresh();
    const file = join(own, "model");
    const made = new AtomicFile(file);
    made.write(BYTES);
    symlinkSync("elsewhere", file);
    expect(() => made.commit()).toThrow("was replaced");
    expect(readdirSync(own)).toEqual(["model"]);
  });

  test("with a second name stays whole under both", () => {
    const own = fresh();
    writeFileSync(join(own, "a"), "old");
    linkSync(join(own, "a"), join(own, "b"));
    saveFile(join(own, "a"), BYTES);
    expect([readFileSync(join(own, "a")).length, readFileSync(join(own, "b"), "utf8")]).toEqual([3, "old"]);
  });
});

test("trying a destination leaves it as it was, and nothing beside it", () => {
  const own = fresh();
  const file = join(own, "model");
  checkWritable(file);
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, "old");
  const { mtimeMs, ino } = statSync(file);
  checkWritable(file);
  expect(statSync(file)).toMatchObject({ mtimeMs, ino });
  expect(readdirSync(own)).toEqual(["model"]);
});

/** Takes a lock, says so, and waits. */
const HOLDER = `
  import { lockFile } from "liveq/node";
  process.on("SIGTERM", () => process.exit(0));
  try {
    lockFile(process.argv[1]);
    console.log("held");
    setInterval(() => {}, 1000);
  } catch (error) { console.log(error.message); }
`;
function holder(file: string) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", HOLDER, file]);
  const said = new Promise<string>((resolve) => {
    child.stdout.once("data", (text: Buffer) => resolve(text.toString().trim()));
  });
  return { child, said };
}

describe("a lock", () => {
  test("is one process's until it ends, by itself or by a kill", async () => {
    const file = join(fresh(), "model");
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const first = holder(file);
      expect(await first.said).toBe("held");
      expect(() => lockFile(file)).toThrow(`process ${first.child.pid} is writing it`);
      first.child.kill(signal);
      await ended(first.child);
      expect(existsSync(`${file}.lock`)).toBe(signal === "SIGKILL");
      const lock = lockFile(file);
      expect(() => lockFile(file)).toThrow(`process ${process.pid} is writing it`);
      lock.release();
      lock.release();
      expect(existsSync(`${file}.lock`)).toBe(false);
    }
  });

  test("left by a kill goes to exactly one of many who ask at once", async () => {
    const file = join(fresh(), "model");
    const dead = { pid: 2 ** 22 + 1, host: hostname(), since: "boot 1", key: "0".repeat(36) };
    for (let round = 0; round < 3; round++) {
      writeFileSync(`${file}.lock`, JSON.stringify(dead));
      const all = Array.from({ length: 6 }, () => holder(file));
      const said = await Promise.all(all.map((one) => one.said));
      expect(said.filter((text) => text === "held").length, String(said)).toBe(1);
      for (const { child } of all) child.kill("SIGTERM");
      await Promise.all(all.map(({ child }) => (child.exitCode === null ? ended(child) : 0)));
      expect(readdirSync(join(file, ".."))).toEqual([]);
    }
  });

  test("is not believed from a process of the same number that began later, nor taken from another host", () => {
    const file = join(fresh(), "model");
    const key = "0".repeat(36);
    // In a container every first process has the number 1.
    const before = { pid: process.pid, host: hostname(), since: "boot 1", key };
    writeFileSync(`${file}.lock`, JSON.stringify(before));
    lockFile(file).release();
    writeFileSync(`${file}.lock`, JSON.stringify({ ...before, host: "elsewhere" }));
    expect(() => lockFile(file)).toThrow(`on elsewhere is writing it; if that is gone, remove ${file}.lock`);
  });

  test("with anything in its file is not taken, and its removal is asked for", async () => {
    const odd = ["7", '"x"', '{"pid":"1","key":7}'];
    const texts = ["", "{", "null", "[]", '{"pid":-1}', '{"pid":1,"key":"../../x"}', "\0\0", ...odd];
    const files = texts.map(() => join(fresh(), "model"));
    for (const [i, file] of files.entries()) writeFileSync(`${file}.lock`, texts[i]!);
    // All at once, for each first waits for a process that may be taking it.
    const all = files.map((file) => holder(file));
    for (const [i, file] of files.entries()) expect(await all[i]!.said, texts[i]).toContain(`remove ${file}.lock`);
    console.log(`locks with odd contents: ${texts.length}`);
    await Promise.all(all.map(({ child }) => (child.exitCode === null ? ended(child) : 0)));
  });

  test.runIf(isUnix)("is that of the file behind a link; a device needs none", () => {
    const own = fresh();
    symlinkSync("model", join(own, "link"));
    const lock = lockFile(join(own, "link"));
    expect(() => lockFile(join(own, "model"))).toThrow("is writing it");
    lock.release();
    lockFile("/dev/null").release();
    expect(readdirSync("/dev").filter((name) => name.endsWith(".lock"))).toEqual([]);
  });
});

describe("the command", () => {
  const log = at("events.jsonl");
  const lines = [0, 1, 2].map((i) => `{"kind":"on_air","time":1,"stream":"s${i}","streamer":"a","category":"c"}`);
  for (let i = 0; i < 400; i++) {
    const about = `"user":"u${i % 3}","stream":"s${i % 2}"`;
    lines.push(`{"kind":"click","time":${60_000 * i + 2},${about}}`);
    lines.push(`{"kind":"watch","time":${60_000 * i + 30_002},${about},"watchMs":30000}`);
  }
  writeFileSync(log, `${lines.join("\n")}\n`);
  const missing = at("none", "x");

  test.each([
    ["simulate", "--days", "3650", "--out", missing],
    ["simulate", "--days", "3650", "--json", missing],
    ["demo", "--days", "3650", "--json", missing],
    ["train", "--events", log, "--model", missing],
    ["train", "--events", log, "--model", at("m"), "--json", missing],
    ["train", "--titles", log, "--model", missing],
    ["train", "--movielens", "none", "--model", missing],
    ["evaluate", "--events", "none", "--json", missing],
    ["prepare", log, "--out", at("parts"), "--report", missing],
    ["export", "none", "--format", "onnx", "--out", missing],
  ])("%s tries its outputs before its work: %j %j %j %j", async (...words) => {
    const { code, out, err } = await liveq(...words);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(`liveq: ${missing}: cannot be written: ENOENT`);
    expect(readdirSync(folder).filter((name) => /lock|tmp/.test(name))).toEqual([]);
  });

  test("refuses a part of a split that is a folder before it reads", async () => {
    mkdirSync(at("split", "test.jsonl"), { recursive: true });
    const { code, err } = await liveq("prepare", log, "--out", at("split"));
    expect(code).toBe(1);
    expect(err).toContain("test.jsonl: cannot be written: EISDIR");
    expect(readdirSync(at("split"))).toEqual(["test.jsonl"]);
  });

  test("refuses a second trainer of one model, and leaves no lock", async () => {
    const model = at("model.liveq");
    const first = spawn(process.execPath, [
      ...["dist/cli/liveq.js", "train", "--events", log, "--follow", "--save-every", "0.05", "--model", model],
    ]);
    while (!existsSync(`${model}.lock`)) await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await liveq("train", "--events", log, "--model", model);
    expect([second.code, second.out]).toEqual([1, ""]);
    expect(second.err).toContain(`model.liveq: process ${first.pid} is writing it`);
    first.kill("SIGINT");
    expect(await ended(first)).toBe(130);
    expect(existsSync(`${model}.lock`)).toBe(false);
    expect((await liveq("train", "--events", log, "--resume", "--model", model)).code).toBe(0);
    expect(readdirSync(folder).filter((name) => /lock|tmp/.test(name))).toEqual([]);
  });

  test("reads - from stdin and writes - to stdout", async () => {
    const bytes = new DQN({ observation: 2, actions: 2, hidden: [4], seed: 1 }).save();
    writeFileSync(at("agent.liveq"), bytes);
    const file = at("weights.safetensors");
    const words = ["dist/cli/liveq.js", "export", "-", "--format", "safetensors", "--out"];
    const run = (out: string) => execFileSync(process.execPath, [...words, out], { input: bytes, stdio: "pipe" });
    run(file);
    expect(run("-")).toEqual(readFileSync(file));
    const train = ["dist/cli/liveq.js", "train", "--events", "-", "--model", "-"];
    const model = execFileSync(process.execPath, train, {
      input: readFileSync(log),
      stdio: "pipe",
      maxBuffer: 2 ** 28,
    });
    expect(model.subarray(8, 200).toString()).toContain('"kind":"recommender"');
    const inspect = ["dist/cli/liveq.js", "inspect", "-", "--json"];
    const said = execFileSync(process.execPath, inspect, { input: model, stdio: "pipe" }).toString();
    expect(JSON.parse(said)).toMatchObject({ kind: "recommender", bytes: model.length });
    expect((await liveq("train", "--events", log, "--follow", "--model", "-")).code).toBe(2);
  });

  test.runIf(isUnix)("writes a log into a device, which stays one", async () => {
    const words = ["simulate", "--days", "1", "--viewers", "5", "--streamers", "20", "--out"];
    expect((await liveq(...words, "/dev/null")).code).toBe(0);
    const { code, err } = await liveq(...words, "/dev/full");
    expect([code, err]).toEqual([1, expect.stringContaining("/dev/full: cannot be written: ENOSPC")]);
    for (const file of ["/dev/null", "/dev/full"]) expect(lstatSync(file).isCharacterDevice()).toBe(true);
  });
});
