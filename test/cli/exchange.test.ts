import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { unpackSnapshot } from "../../src/engine/index.js";
import { writeTensors } from "../../src/exchange/container.js";
import { fromSafetensors, readSafetensors, toOnnx, toSafetensors } from "../../src/exchange/index.js";
import { DQN } from "../../src/index.js";
import { Recommender } from "../../src/recommender/index.js";
import { liveq } from "../support/command.js";
import { temporaryFolder } from "../support/folder.js";
import { fed } from "../support/zoo.js";

const { folder, at } = temporaryFolder();
const agent = new DQN({ observation: 3, actions: 2, hidden: [8], learningStarts: 4, batchSize: 4, capacity: 32 });

beforeAll(() => {
  fed(agent, 20);
  const file = agent.save();
  writeFileSync(at("agent.liveq"), file);
  writeFileSync(
    at("damaged.liveq"),
    file.map((byte, i) => (i === file.length - 9 ? byte ^ 1 : byte)),
  );
  writeFileSync(at("recommender.liveq"), new Recommender().save());
});

describe("export of a recommender", () => {
  test.each(["safetensors", "onnx"])("writes its agent's network as %s", async (format) => {
    const out = at(`live.${format}`);
    expect(await liveq("export", at("recommender.liveq"), "--format", format, "--out", out)).toMatchObject({ code: 0 });
    const bytes = readFileSync(out);
    const own = unpackSnapshot("recommender", readFileSync(at("recommender.liveq"))).tensors.get("agent")!;
    const inner = DQN.load(own);
    if (format === "onnx") expect(bytes.equals(toOnnx(inner))).toBe(true);
    else expect(fromSafetensors(bytes)).toEqual(inner.weights());
  });
});

describe("inspect", () => {
  test("prints an agent: counters, options, layers, tensors", async () => {
    const { code, out, err } = await liveq("inspect", at("agent.liveq"));
    expect([code, err]).toEqual([0, ""]);
    for (const text of [
      "agent.liveq: an agent, ",
      "format: liveq",
      "min_reader: 1",
      `steps 20, updates ${agent.updates}, skipped 0, replay 20, memory ${agent.memoryBytes} bytes`,
      "\n  hidden: [8]\n",
      "\n  sparse: none\n",
      "\nhidden.0       3        8          48\n",
      "\nhead           8        2          18\n",
      "\nagent     U8  (",
    ]) {
      expect(out).toContain(text);
    }
  });

  test("--json gives the same as JSON", async () => {
    const { code, out } = await liveq("inspect", at("agent.liveq"), "--json");
    expect(code).toBe(0);
    const { kind, bytes, agent: lines } = JSON.parse(out);
    expect([kind, bytes]).toEqual(["dqn", readFileSync(at("agent.liveq")).length]);
    expect(lines).toMatchObject({ steps: 20, updates: agent.updates, replaySize: 20, options: { hidden: [8] } });
    expect(lines.layers).toHaveLength(2);
  });

  test("prints a recommender and the agent in it, and weights for other tools", async () => {
    const { code, out } = await liveq("inspect", at("recommender.liveq"));
    expect(code).toBe(0);
    expect(out).toContain("recommender.liveq: a recommender, ");
    expect(out).toContain('\n"agent" is an agent, ');
    expect(out).toContain("steps 0, updates 0");
    writeFileSync(at("weights.safetensors"), toSafetensors(agent.weights()));
    const weights = await liveq("inspect", at("weights.safetensors"));
    expect(weights.code).toBe(0);
    expect(weights.out).toContain("weights.safetensors: safetensors, ");
    expect(weights.out).toMatch(/\n0\.weight {3}F32 +\(8, 3\) +96\n/);
  });

  test("prints names and notes from a file without control characters", async () => {
    const tensor = { dtype: "U8", shape: [1], bytes: Uint8Array.of(1) };
    writeFileSync(at("odd.safetensors"), writeTensors(new Map([["a\u001b[2Jb\n", tensor]]), { note: "x\ny" }));
    const { code, out } = await liveq("inspect", at("odd.safetensors"));
    expect(code).toBe(0);
    expect(out).toContain("a\\u001b[2Jb\\n ");
    expect(out).toContain("note: x\\ny\n");
  });

  test.each([
    ["damaged.liveq", "the file is damaged: its SHA-256 does not match"],
    ["model.onnx", "not a safetensors file, or cut off"],
    ["none", "cannot be read: ENOENT"],
  ])("of %s says in one line what is wrong: exit 1, nothing on stdout", async (name, message) => {
    if (name === "model.onnx") writeFileSync(at(name), toOnnx(agent));
    const { code, out, err } = await liveq("inspect", at(name));
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(`liveq: ${at(name)}: ${message}`);
    expect(err.trim().split("\n")).toHaveLength(1);
  });
});

describe("export", () => {
  test("writes the agent's weights as safetensors, with its options", async () => {
    const out = at("out.safetensors");
    const { code, err } = await liveq("export", at("agent.liveq"), "--format", "safetensors", "--out", out);
    expect([code, err]).toEqual([0, `${out} written: ${readFileSync(out).length} bytes\n`]);
    expect(fromSafetensors(readFileSync(out))).toEqual(agent.weights());
    const { metadata } = readSafetensors(readFileSync(out));
    expect(metadata.get("producer")).toMatch(/^liveq \d/);
    expect(JSON.parse(metadata.get("options")!)).toMatchObject({ hidden: [8], observation: 3 });
  });

  test("writes the bytes that toOnnx gives, and leaves no other file", async () => {
    const { code } = await liveq("export", at("agent.liveq"), "--format", "onnx", "--out", at("out.onnx"));
    expect(code).toBe(0);
    expect(readFileSync(at("out.onnx")).equals(toOnnx(agent))).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith("out.onnx"))).toEqual(["out.onnx"]);
  });

  test.each([
    [["damaged.liveq", "x"], "damaged.liveq: the file is damaged"],
    [["agent.liveq", "agent.liveq"], '"--out" must be another file than'],
    [["agent.liveq", "no/such/folder"], "ENOENT"],
  ])("refuses %j: exit 1, and writes nothing", async ([file, out], message) => {
    const before = readdirSync(folder);
    const { code, err } = await liveq("export", at(file!), "--format", "onnx", "--out", at(out!));
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(readdirSync(folder)).toEqual(before);
  });
});

test.each([
  [["export", "x", "--out", "y"], "required option '--format <name>' not specified"],
  [["export", "x", "--format", "h5", "--out", "y"], "Allowed choices are safetensors, onnx"],
])("%j is wrong usage: exit 2", async (words, message) => {
  const { code, out, err } = await liveq(...words);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});
