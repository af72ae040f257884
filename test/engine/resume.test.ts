import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { DQN } from "../../src/index.js";
import { saveFile } from "../../src/node/index.js";
import { Random } from "../../src/numeric/random.js";
import type { Job } from "../support/continue.js";
import { temporaryFolder } from "../support/folder.js";
import { digestOf, live, randomOptions } from "../support/live.js";

/** `npm run test:resume` asks for more. */
const COMBINATIONS = Number(process.env["RESUME_COMBINATIONS"] ?? 20);
const STEPS = 120;
const { at } = temporaryFolder();

test(`${COMBINATIONS} random combinations of options go on in a new process as if they had never stopped`, () => {
  const jobs: Job[] = [];
  const expected: string[] = [];
  for (let i = 0; i < COMBINATIONS; i++) {
    const options = randomOptions(i);
    const whole = new DQN(options);
    live(whole, STEPS);
    expected.push(digestOf(whole));
    expect(whole.updates).toBeGreaterThan(0);
    whole.dispose();
    const from = 1 + Random.named(i, "stop").below(STEPS - 1);
    const first = new DQN(options);
    live(first, from);
    const file = at(`${i}.liveq`);
    saveFile(file, i % 2 ? first.save() : first.saveChunks());
    first.dispose();
    jobs.push({ file, from, to: STEPS });
  }
  const out = execFileSync(process.execPath, ["--import", "tsx", "test/support/continue.ts"], {
    input: JSON.stringify(jobs),
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const digests = JSON.parse(out) as string[];
  for (const [i, digest] of digests.entries()) {
    expect(digest, `${JSON.stringify(randomOptions(i))} saved at step ${jobs[i]!.from}`).toBe(expected[i]);
  }
  expect(new Set(digests).size).toBe(COMBINATIONS);
});
