import { describe, expect, test, vi } from "vitest";
import { Engine } from "../../src/engine/instance/instance.js";
import { fromSafetensors, readSafetensors, toSafetensors } from "../../src/exchange/index.js";
import { CartPole, DQN, resume, SnapshotError, train } from "../../src/index.js";
import { DqnRanker } from "../../src/ranking/index.js";
import { Recommender } from "../../src/recommender/index.js";

const agent = new DQN({ observation: 4, actions: 2, hidden: [8], seed: 1, learningStarts: 10 });

/** The same bytes in every form in which a platform gives them. */
function formsOf(bytes: Uint8Array): Record<string, ArrayBuffer | ArrayBufferView> {
  const buffer = new ArrayBuffer(bytes.length + 24);
  // Not at a multiple of 8, with other bytes before and behind it.
  const inside = new Uint8Array(buffer, 11, bytes.length);
  new Uint8Array(buffer).fill(7);
  inside.set(bytes);
  return {
    ArrayBuffer: inside.slice().buffer,
    Uint8Array: inside,
    Buffer: Buffer.from(bytes),
    DataView: new DataView(buffer, 11, bytes.length),
    Int8Array: new Int8Array(buffer, 11, bytes.length),
    Uint8ClampedArray: new Uint8ClampedArray(inside),
    shared: new Uint8Array(new SharedArrayBuffer(bytes.length)).fill(0).map((_, i) => bytes[i]!),
  };
}

describe("a file", () => {
  const recommender = new Recommender({ seed: 1 });
  const readers: Record<string, [Uint8Array, (file: ArrayBuffer | ArrayBufferView) => unknown]> = {
    "DQN.load": [agent.save(), (file) => DQN.load(file).save()],
    fromSafetensors: [toSafetensors(agent.weights()), (file) => fromSafetensors(file)],
    readSafetensors: [toSafetensors(agent.weights()), (file) => readSafetensors(file).tensors.size],
    "Recommender.load": [recommender.save(), (file) => Recommender.load(file).save()],
  };

  test.each(Object.entries(readers))("is an ArrayBuffer or any view of one: %s", (_, [bytes, read]) => {
    const expected = read(bytes);
    for (const [form, file] of Object.entries(formsOf(bytes))) expect(read(file), form).toEqual(expected);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["text", "file.liveq"],
    ["an array", [1, 2, 3]],
    ["a Blob", new Blob([])],
    ["a promise of one", Promise.resolve(new ArrayBuffer(8))],
    ["a Response", new Response()],
  ])("is not %s", (_, file) => {
    const must = '"file" must be a Uint8Array, an ArrayBuffer or a view of one';
    const wrong = file as ArrayBuffer;
    for (const [, read] of Object.values(readers)) expect(() => read(wrong)).toThrow(must);
    expect(() => resume(wrong, new CartPole())).toThrow(must);
    expect(() => DqnRanker.load(wrong)).toThrow(must);
  });

  test("without bytes is too short", () => {
    for (const file of [new ArrayBuffer(0), new Uint8Array(), Buffer.alloc(7)]) {
      expect(() => DQN.load(file)).toThrow(SnapshotError);
      expect(() => readSafetensors(file)).toThrow("too short");
    }
  });

  test("of a training is resumed from an ArrayBuffer", async () => {
    const training = train(agent, new CartPole(), { steps: 20, progressEvery: 10 });
    await training;
    const { buffer } = Uint8Array.from(training.save());
    expect(await resume(buffer, new CartPole(), { steps: 30 }).training).toMatchObject({ steps: 30 });
  });

  test("in chunks may come as ArrayBuffers", async () => {
    async function* chunks() {
      for (const chunk of agent.saveChunks()) yield Uint8Array.from(chunk).buffer as unknown as Uint8Array;
    }
    expect((await DQN.loadChunks(chunks())).save()).toEqual(agent.save());
  });
});

test("a header of spaces takes time by its length alone", () => {
  const file = (spaces: number) => {
    const bytes = new Uint8Array(8 + spaces + 3).fill(0x20);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(spaces + 3), true);
    bytes.set([0x7b], 8);
    bytes.set([0x78, 0x7d], bytes.length - 2);
    return bytes;
  };
  // As a regular expression that looks for spaces at the end it took 12 s for 160,000, and hours for this.
  for (const spaces of [10, 1_000_000]) expect(() => DQN.load(file(spaces))).toThrow("the header is not JSON");
});

test("without WebAssembly a clear error says so", () => {
  vi.stubGlobal("WebAssembly", undefined);
  expect(() => new DQN({ observation: 4, actions: 2 })).toThrow("the host has no WebAssembly");
  expect(() => new Engine({} as never, { module: {} as never })).toThrow("the host has no WebAssembly");
  vi.unstubAllGlobals();
});
