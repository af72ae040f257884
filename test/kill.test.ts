import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DQN } from "../src/index.js";
import { saveFile } from "../src/node/index.js";
import { Random } from "../src/random.js";

/** `npm run test:kill` asks for more. */
const KILLS = Number(process.env["KILLS"] ?? 8);
const AGENT = { observation: 64, actions: 4, hidden: [128, 128], capacity: 500, learningStarts: 1, seed: 1 };

/** Saves an agent again and again, and says so after the first time. */
const SAVER = `
  import { DQN } from "liveq";
  import { saveFile } from "liveq/node";
  const agent = new DQN(${JSON.stringify(AGENT)});
  for (let i = 0; ; i++) {
    agent.observe({ observation: new Float32Array(64).fill(i % 7), action: 0, reward: i % 5, terminated: true,
      nextObservation: new Float32Array(64) });
    saveFile(process.argv[1], i % 2 ? agent.save() : agent.saveChunks());
    if (i === 0) console.log("saved");
  }
`;

/** Runs the saver for some milliseconds after its first save, then kills it. */
function killed(file: string, afterMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", SAVER, file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), afterMs));
    child.once("exit", (_, signal) =>
      signal === "SIGKILL" ? resolve() : reject(new Error("the saver ended by itself")),
    );
  });
}

test(`a folder holds a file that loads after each of ${KILLS} kills while it is saved`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "liveq-"));
  const random = new Random(1);
  try {
    const file = join(folder, "agent.liveq");
    for (let i = 0; i < KILLS; i++) {
      await killed(file, random.below(60));
      const agent = DQN.load(readFileSync(file));
      expect(agent.steps).toBeGreaterThan(0);
      agent.dispose();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 600_000);

test("a file that cannot be written leaves the old one and nothing beside it", () => {
  const folder = mkdtempSync(join(tmpdir(), "liveq-"));
  try {
    const file = join(folder, "a");
    saveFile(file, Uint8Array.of(1, 2, 3));
    const broken = function* () {
      yield Uint8Array.of(9);
      throw new Error("no more");
    };
    expect(() => saveFile(file, broken())).toThrow("no more");
    expect(readFileSync(file)).toEqual(Buffer.of(1, 2, 3));
    saveFile(file, [Uint8Array.of(4), new Uint8Array(), Uint8Array.of(5, 6)]);
    expect(readFileSync(file)).toEqual(Buffer.of(4, 5, 6));
    expect(() => saveFile(join(folder, "none", "a"), Uint8Array.of(1))).toThrow("ENOENT");
    writeFileSync(join(folder, "b"), "");
    expect(readdirSync(folder).sort()).toEqual(["a", "b"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
