import { execFileSync, spawn } from "node:child_process";
import { chmodSync, createReadStream, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { saveFileAsync } from "../../src/node/index.js";
import { Recommender } from "../../src/recommender/index.js";
import { temporaryFolder } from "../support/folder.js";

const { folder, at } = temporaryFolder();
const isUnix = process.platform !== "win32";

/** Chunks that count how many were taken, and whether their iterator was ended. */
function counted(count: number, fail = Number.POSITIVE_INFINITY) {
  const seen = { taken: 0, isEnded: false };
  function* chunks() {
    try {
      for (; seen.taken < count; seen.taken++) {
        if (seen.taken === fail) throw new Error("no more");
        yield new Uint8Array(10_000).fill(seen.taken);
      }
    } finally {
      seen.isEnded = true;
    }
  }
  return { seen, chunks };
}

const leftovers = () => readdirSync(folder).filter((name) => name.includes(".tmp"));

test("a file is written whole while timers and immediates have their turns", async () => {
  const file = at("file");
  writeFileSync(file, "old");
  chmodSync(file, 0o640);
  let turns = 0;
  const turn = () => {
    turns++;
    if (leftovers().length > 0) expect(readFileSync(file, "utf8")).toBe("old");
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  const { chunks } = counted(20);
  await saveFileAsync(file, chunks());
  clearImmediate(timer);
  expect(turns).toBeGreaterThanOrEqual(20);
  expect(readFileSync(file).equals(Buffer.concat([...counted(20).chunks()]))).toBe(true);
  if (isUnix) expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(leftovers()).toEqual([]);
});

test("the old file stays where the chunks fail, the signal ends it, or the disk is full", async () => {
  const file = at("kept");
  writeFileSync(file, "old");
  const failing = counted(9, 4);
  await expect(saveFileAsync(file, failing.chunks())).rejects.toThrow("no more");
  expect(failing.seen.isEnded).toBe(true);
  const stop = new AbortController();
  const stopped = counted(1e6);
  setTimeout(() => stop.abort(new Error("stopped")), 20);
  await expect(saveFileAsync(file, stopped.chunks(), stop.signal)).rejects.toThrow("stopped");
  expect(stopped.seen.isEnded).toBe(true);
  expect(readFileSync(file, "utf8")).toBe("old");
  expect(leftovers()).toEqual([]);
  if (!isUnix || process.platform === "darwin") return;
  const full = counted(9);
  await expect(saveFileAsync("/dev/full", full.chunks())).rejects.toThrow("ENOSPC");
  expect(full.seen.isEnded).toBe(true);
});

test.runIf(isUnix)("a FIFO's slow reader gets everything", async () => {
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const reader = spawn("sh", ["-c", `sleep 0.3; cat ${fifo} | wc -c`, fifo], { stdio: ["ignore", "pipe", "inherit"] });
  const opened = spawn("sh", ["-c", `exec 3<${fifo}; sleep 1`]);
  let text = "";
  reader.stdout.on("data", (piece) => {
    text += piece;
  });
  const ended = new Promise((resolve) => reader.on("close", resolve));
  await new Promise((resolve) => setTimeout(resolve, 150));
  await saveFileAsync(fifo, counted(30).chunks());
  await ended;
  opened.kill();
  expect(Number(text)).toBe(300_000);
});

test("a recommender that goes on is saved as it was, and loaded from a stream", async () => {
  const recommender = new Recommender({ seed: 1 });
  let time = 0;
  for (let i = 0; i < 5; i++) {
    recommender.feedback({ kind: "on_air", time: ++time, stream: `s${i}`, streamer: `a${i}`, category: "chess" });
  }
  const step = () => {
    const { id, slate } = recommender.recommend({ user: `u${time % 3}`, now: ++time, k: 2 });
    recommender.feedback({ kind: "click", time, user: `u${(time - 1) % 3}`, stream: slate[0]!, decision: id });
  };
  for (let i = 0; i < 50; i++) step();
  const whole = recommender.save();
  const timer = setInterval(step, 0);
  await saveFileAsync(at("live.liveq"), recommender.saveChunks());
  clearInterval(timer);
  expect(readFileSync(at("live.liveq")).equals(whole)).toBe(true);
  const loaded = await Recommender.loadChunks(createReadStream(at("live.liveq")));
  expect(Buffer.from(loaded.save()).equals(whole)).toBe(true);
});
