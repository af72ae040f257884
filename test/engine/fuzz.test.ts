import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { DQN, type DQNOptions, SnapshotError } from "../../src/index.js";
import { Random } from "../../src/numeric/random.js";
import { live } from "../support/live.js";
import { utf8 } from "../support/pieces.js";

/** `npm run test:fuzz` asks for more. */
const FILES = Number(process.env["FUZZ_FILES"] ?? 10_000);
const FORGED = FILES / 40;

const TINY = {
  observation: 1,
  actions: 1,
  hidden: [1],
  capacity: 2,
  batchSize: 1,
  learningStarts: 1,
  nStep: 2,
  seed: 1,
};

function tiny(storage?: DQNOptions["storage"]): Uint8Array {
  const agent = new DQN({ ...TINY, priorityExponent: 0.5, ...(storage && { storage }) });
  live(agent, 5);
  return agent.save();
}

/** A file with one thing done to it: bytes changed, cut out, put in, doubled, or swapped. */
function mutated(file: Uint8Array, random: Random): Uint8Array {
  const at = random.below(file.length);
  const length = 1 + random.below(Math.min(64, file.length - at));
  const [head, part, tail] = [file.subarray(0, at), file.subarray(at, at + length), file.subarray(at + length)];
  const changed = () => Uint8Array.from(part, (byte) => byte ^ (random.below(4) ? 1 << random.below(8) : 255));
  const choices = [
    () => [head, changed(), tail],
    () => [head, tail],
    () => [head],
    () => [head, part, part, tail],
    () => [tail, part, head],
    () => [head, Uint8Array.from(part, () => random.below(256)), tail],
    () => [file, part],
  ];
  return Uint8Array.from(
    random
      .pick(choices)()
      .flatMap((bytes) => Array.from(bytes)),
  );
}

/** The file with a digest that fits it, as far as it has a place for one. */
function forged(file: Uint8Array): Uint8Array {
  if (file.length < 8) return file;
  const view = new DataView(file.buffer, file.byteOffset);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (!(start + 64 < file.length) || start < 100) return file;
  const at = 8 + '{"__metadata__":{"sha256":"'.length;
  const result = file.slice();
  result.fill(0x30, at, at + 64);
  const data = createHash("sha256").update(result.subarray(start)).digest("hex");
  const digest = createHash("sha256").update(result.subarray(8, start)).update(data).digest("hex");
  result.set(utf8(digest), at);
  return result;
}

test(`none of ${FILES} damaged files is accepted, and each is refused with what is wrong`, () => {
  const file = tiny();
  const random = new Random(1);
  const original = Buffer.from(file);
  let same = 0;
  for (let i = 0; i < FILES; i++) {
    const bad = mutated(file, random);
    if (original.equals(bad)) {
      same++;
      continue;
    }
    let error: unknown;
    try {
      DQN.load(bad);
    } catch (caught) {
      error = caught;
    }
    if (!(error instanceof SnapshotError)) expect.fail(`file ${i}: ${error ? String(error) : "was accepted"}`);
  }
  expect(same).toBeLessThan(FILES / 10);
});

test.each<DQNOptions["storage"] & {}>(["f32", "f16", { type: "u8", low: -1, high: 1 }])(
  `${FORGED} damaged files with a digest that fits are refused, or give an agent whose numbers are finite: %s`,
  (storage) => {
    const file = tiny(storage);
    const random = new Random(2);
    let accepted = 0;
    for (let i = 0; i < FORGED; i++) {
      let agent: DQN;
      try {
        agent = DQN.load(forged(mutated(file, random)));
      } catch (error) {
        if (!(error instanceof SnapshotError)) expect.fail(`file ${i}: ${String(error)}`);
        continue;
      }
      accepted++;
      const { observation, actions } = agent.options;
      const values = agent.evaluate(new Float32Array(observation), undefined);
      const isSound = values.length === actions && agent.learn() !== Number.POSITIVE_INFINITY;
      const weights = agent.copyWeights();
      if (!isSound || !weights.every(Number.isFinite)) expect.fail(`file ${i} gives a broken agent: ${weights}`);
      agent.dispose();
    }
    expect(accepted).toBeLessThan(FORGED);
    expect(accepted).toBeGreaterThan(0);
  },
);

test("refusing a damaged file takes less memory than twice its size", () => {
  const code = `
    import { readFileSync } from "node:fs";
    import { DQN } from "liveq";
    const options = { observation: 1000, actions: 2, hidden: [4], capacity: 8000, learningStarts: 1 };
    let agent = new DQN(options);
    const step = { observation: new Float32Array(1000), action: 0, reward: 1, terminated: true };
    for (let i = 0; i < 8000; i++) agent.observe({ ...step, nextObservation: step.observation });
    const file = agent.save();
    agent = undefined;
    file[file.length - 5] ^= 1;
    const before = process.resourceUsage().maxRSS;
    let error;
    try { DQN.load(file); } catch (caught) { error = caught; }
    const grown = (process.resourceUsage().maxRSS - before) * 1024;
    console.log(JSON.stringify([error.message, grown / file.length]));
  `;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  const [message, share] = JSON.parse(out) as [string, number];
  expect(message).toBe("the file is damaged: its SHA-256 does not match");
  expect(share).toBeLessThan(1);
});
