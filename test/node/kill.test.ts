import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DQN } from "../../src/index.js";
import { saveFile } from "../../src/node/index.js";
import { Random } from "../../src/numeric/random.js";
import { temporaryFolder } from "../support/folder.js";

/** `npm run test:kill` asks for more. */
const KILLS = Number(process.env["KILLS"] ?? 8);
const { at } = temporaryFolder();
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
  const random = new Random(1);
  const file = at("agent.liveq");
  for (let i = 0; i < KILLS; i++) {
    await killed(file, random.below(60));
    const agent = DQN.load(readFileSync(file));
    expect(agent.steps).toBeGreaterThan(0);
    agent.dispose();
  }
});

test("a file that cannot be written leaves the old one and nothing beside it", () => {
  const folder = at("broken");
  mkdirSync(folder);
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
});

test("a large agent is saved and loaded in pieces without a second copy in memory", () => {
  const code = `
    import { createReadStream, statSync } from "node:fs";
    import { DQN } from "liveq";
    import { saveFile } from "liveq/node";
    const agent = new DQN({ observation: 1000, actions: 2, hidden: [4], capacity: 12000, learningStarts: 1 });
    const observation = new Float32Array(1000);
    for (let i = 0; i < 12000; i++) {
      agent.observe({ observation, action: 0, reward: 1, terminated: true, nextObservation: observation });
    }
    const grown = (before) => (process.resourceUsage().maxRSS - before) * 1024;
    let before = process.resourceUsage().maxRSS;
    saveFile(process.argv[1], agent.saveChunks());
    const saving = grown(before);
    before = process.resourceUsage().maxRSS;
    const loaded = await DQN.loadChunks(createReadStream(process.argv[1]));
    const { size } = statSync(process.argv[1]);
    console.log(JSON.stringify([size, saving / size, grown(before) / size, loaded.steps]));
  `;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", code, at("large.liveq")], {
    encoding: "utf8",
  });
  const [size, saving, loading, steps] = JSON.parse(out) as [number, number, number, number];
  expect(steps).toBe(12_000);
  expect(size).toBeGreaterThan(90e6);
  expect(saving).toBeLessThan(0.5);
  // The memory of the loaded agent itself is 1.
  expect(loading).toBeLessThan(1.5);
});
