import { statSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { Trained } from "../../src/cli/commands/measure/replay.js";
import { Recommender } from "../../src/recommender/index.js";
import { temporaryFolder } from "../support/folder.js";

const USERS = 15_000;
const TIME = 1.8e12;
const MEBIBYTE = 1 << 20;

/** A model that is little more than its users. */
function writeModel(file: string): void {
  const recommender = new Recommender({
    seed: 1,
    trainEvery: 0,
    learner: { capacity: 64, learningStarts: 8, batchSize: 8, hidden: [8] },
  });
  recommender.feedback({ kind: "on_air", time: TIME, stream: "s", streamer: "a", category: "c" });
  for (let i = 0; i < USERS; i++) {
    const user = `${"x".repeat(240)}${i}`;
    recommender.feedback({ kind: "click", time: TIME + i, user, stream: "s" });
  }
  writeFileSync(file, recommender.save());
  recommender.dispose();
}

test("a model of many users is read for an evaluation chunk by chunk, none of which stays", async () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  const file = temporaryFolder().at("many.liveq");
  writeModel(file);
  const { size } = statSync(file);
  expect(size).toBeGreaterThan(4 * MEBIBYTE);

  const { loadChunks } = Recommender;
  const sizes: number[] = [];
  const chunksSoFar: WeakRef<ArrayBufferLike>[] = [];
  let held = 0;
  const spies = [
    vi.spyOn(Recommender, "load"),
    vi.spyOn(Recommender, "loadChunks").mockImplementation((chunks, options) => {
      async function* counted() {
        for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
          // To collect garbage takes half a second.
          if (sizes.length % 5 === 4) {
            gc();
            held = Math.max(held, chunksSoFar.filter((ref) => ref.deref() !== undefined).length);
          }
          sizes.push(chunk.byteLength);
          chunksSoFar.push(new WeakRef(chunk.buffer));
          yield chunk;
        }
      }
      return loadChunks.call(Recommender, counted(), options);
    }),
  ];
  const model = await Trained.open(file);
  try {
    expect(spies.map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    expect(sizes.reduce((sum, each) => sum + each)).toBe(size);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MEBIBYTE / 4);
    expect(held).toBeLessThanOrEqual(3);
    expect(model.learned.users).toBe(USERS);
    expect(model.figures().map(({ metric }) => metric)).toEqual([]);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});
