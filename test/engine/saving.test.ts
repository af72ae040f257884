import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Region, State } from "../../assembly/abi.js";
import { Engine } from "../../src/engine/instance/instance.js";
import { newDigest, Sha256 } from "../../src/engine/snapshot/sha256.js";
import { DQN, type DQNOptions, SnapshotError } from "../../src/index.js";
import { digestOf, live, randomOptions } from "../support/live.js";
import { numbers } from "../support/numbers.js";

const SMALL: DQNOptions = {
  observation: 5,
  actions: 3,
  hidden: [8],
  learningStarts: 8,
  batchSize: 8,
  capacity: 32,
  priorityExponent: 0.6,
  seed: 1,
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** The chunks of a save, with something between each two. */
function chunksWhile(agent: DQN, between: (step: number) => void): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let step = 0;
  for (const chunk of agent.saveChunks()) {
    chunks.push(chunk);
    between(step++);
  }
  return chunks;
}

describe("a save in chunks", () => {
  test("is the file of its beginning, whatever the agent does between the chunks", () => {
    for (let i = 0; i < 40; i++) {
      const options = { ...randomOptions(i), capacity: 40, learningStarts: 8 };
      const [agent, twin] = [new DQN(options), new DQN(options)];
      for (const each of [agent, twin]) live(each, 20 + 3 * i);
      const whole = agent.save();
      const chunks = agent.saveChunks();
      const given: Uint8Array[] = [];
      let at = 20 + 3 * i;
      for (let next = chunks.next(); !next.done; next = chunks.next()) {
        given.push(next.value);
        // Some go round the ring between two chunks, some overwrite a part of it.
        const steps = i % 2 ? 90 : 7;
        for (const each of [agent, twin]) live(each, steps, at);
        at += steps;
        for (const each of [agent, twin]) each.syncTarget(0.5);
      }
      expect(Buffer.concat(given).equals(whole), `options ${i}`).toBe(true);
      // And saving changes nothing of the agent.
      expect(digestOf(agent), `options ${i}`).toBe(digestOf(twin));
    }
  });

  test("keeps rows that are longer than a chunk, and rows that two chunks share", () => {
    for (const observation of [100_000, 3333]) {
      const agent = new DQN({ observation, actions: 2, hidden: [2], capacity: 12, learningStarts: 12, batchSize: 2 });
      let made = 0;
      const observe = () => {
        const [before, after] = [numbers(observation, made), numbers(observation, ++made)];
        agent.observe({ observation: before, action: 0, reward: made, terminated: false, nextObservation: after });
      };
      while (made < 17) observe();
      const whole = agent.save();
      const chunks = chunksWhile(agent, () => observe());
      expect(chunks.every(({ byteLength }) => byteLength <= 1 << 20)).toBe(true);
      expect(Buffer.concat(chunks).equals(whole)).toBe(true);
      agent.dispose();
    }
  });

  test("goes on beside another one, and after the agent was disposed", () => {
    const agent = new DQN(SMALL);
    live(agent, 50);
    const [first, early] = [agent.save(), agent.saveChunks()];
    live(agent, 10, 50);
    const [second, late] = [agent.save(), agent.saveChunks()];
    const given: [Uint8Array[], Uint8Array[]] = [[], []];
    for (let i = 0; i < 4; i++) {
      given[0].push(early.next().value!);
      live(agent, 9, 60 + 9 * i);
      given[1].push(late.next().value!);
    }
    agent.dispose();
    expect(Buffer.concat([...given[0], ...early]).equals(first)).toBe(true);
    expect(Buffer.concat([...given[1], ...late]).equals(second)).toBe(true);
    expect(() => agent.saveChunks()).toThrow("the agent is disposed");
  });

  test("puts each row aside once, and none when it has ended or was left", () => {
    const agent = new DQN({ ...SMALL, nStep: 3, environments: 2 });
    live(agent, 100);
    const slices = vi.spyOn(Uint8Array.prototype, "slice");
    const copiesOf = (run: () => void) => {
      slices.mockClear();
      run();
      return slices.mock.calls.length;
    };
    let at = 100;
    const steps = (n: number) =>
      copiesOf(() => {
        live(agent, n, at);
        at += n;
      });
    expect(steps(100)).toBe(0);
    const left = agent.saveChunks();
    left.next();
    expect(steps(5)).toBeGreaterThan(0);
    expect(steps(200)).toBeLessThanOrEqual(32);
    expect(steps(200)).toBe(0);
    left.return();
    expect(steps(100)).toBe(0);
    const unread = agent.saveChunks();
    unread.return();
    expect(steps(100)).toBe(0);
    for (const _ of agent.saveChunks()) break;
    expect(steps(100)).toBe(0);
    for (const _ of agent.saveChunks()) steps(3);
    expect(steps(100)).toBe(0);
  });

  test("of an agent with threads holds what the last call left", async () => {
    const options = { ...SMALL, hidden: [64, 64], batchSize: 64, learningStarts: 20 };
    const [agent, alone] = [new DQN(options, { threads: 2 }), new DQN(options)];
    for (const each of [agent, alone]) live(each, 60);
    for (let i = 0; i < 200 && agent.stats().threads < 2; i++) await new Promise((done) => setTimeout(done, 5));
    const whole = alone.save();
    const chunks = chunksWhile(agent, (step) => live(agent, 10, 60 + 10 * step));
    expect(Buffer.concat(chunks).equals(whole)).toBe(true);
    agent.dispose();
  });

  test("is read from any stream or iterable, which is ended where reading ends", async () => {
    const agent = new DQN(SMALL);
    live(agent, 50);
    const reader = () => {
      const chunks = agent.saveChunks();
      return {
        getReader: () => ({
          read: async () => chunks.next() as { done: boolean; value?: Uint8Array },
          cancel: async () => {},
        }),
      };
    };
    const streams = [
      agent.saveChunks(),
      [agent.save()],
      Readable.from(agent.saveChunks()),
      Readable.toWeb(Readable.from(agent.saveChunks())) as ReadableStream<Uint8Array>,
      new Blob([agent.save() as Uint8Array<ArrayBuffer>]).stream() as ReadableStream<Uint8Array>,
      reader(),
    ];
    for (const stream of streams) expect(digestOf(await DQN.loadChunks(stream))).toBe(digestOf(agent));
    let isEnded = false;
    async function* damaged() {
      try {
        for (;;) yield new Uint8Array(64).fill(1);
      } finally {
        isEnded = true;
      }
    }
    await expect(DQN.loadChunks(damaged())).rejects.toThrow(SnapshotError);
    expect(isEnded).toBe(true);
    async function* broken() {
      yield agent.save().subarray(0, 5000);
      throw new Error("the network is gone");
    }
    await expect(DQN.loadChunks(broken())).rejects.toThrow("the network is gone");
  });
});

describe("the digest", () => {
  test("is the same by the host and by our own, at every length around a block, in pieces of any size", () => {
    const bytes = new Uint8Array(numbers(60, 1).buffer);
    const expected = (n: number) => createHash("sha256").update(bytes.subarray(0, n)).digest("hex");
    const own = () => {
      vi.stubGlobal("process", undefined);
      const digest = newDigest();
      vi.unstubAllGlobals();
      expect(digest).toBeInstanceOf(Sha256);
      return digest;
    };
    for (let n = 0; n <= 200; n++) {
      for (const cut of [0, 1, 63, 64, 65, n]) {
        for (const digest of [own(), newDigest()]) {
          digest.update(bytes.subarray(0, Math.min(cut, n)));
          digest.update(bytes.subarray(Math.min(cut, n), n));
          expect(digest.digest("hex")).toBe(expected(n));
        }
      }
    }
    expect(newDigest()).not.toBeInstanceOf(Sha256);
  });

  test("of the host changes no byte of a file, and reads the files of the other", () => {
    const agent = new DQN(SMALL);
    live(agent, 50);
    const native = agent.save();
    vi.stubGlobal("process", undefined);
    expect(agent.save()).toEqual(native);
    expect(digestOf(DQN.load(native))).toBe(digestOf(agent));
  });
});

describe("an agent whose memory was damaged from outside", () => {
  const made = (options: Partial<DQNOptions> = {}) => {
    const region = vi.spyOn(Engine.prototype, "u8");
    const agent = new DQN({ ...SMALL, ...options });
    const engine = region.mock.contexts[0] as Engine;
    region.mockRestore();
    live(agent, 50);
    return { agent, engine, memory: new Uint8Array(agent.values.buffer) };
  };
  type Made = ReturnType<typeof made>;
  const counter = (at: State, value: number) => (each: Made) => {
    each.engine.f64(Region.State)[at] = value;
  };
  const float =
    (region: Region, at: number, value: number) =>
    ({ engine }: Made) => {
      engine.f32(region)[at] = value;
    };
  const all = (byte: (i: number) => number) => (each: Made) => {
    each.memory.forEach((_, i) => {
      each.memory[i] = byte(i);
    });
  };
  const seen: [string, (each: Made) => void][] = [
    ["all of it zeros", all(() => 0)],
    ["all of it ones", all(() => 255)],
    ["all of it noise", all((i) => (Math.imul(i, 0x9e3779b1) >>> 24) & 255)],
    ["the addresses zeros", ({ memory, engine }) => memory.fill(0, 0, engine.f64(Region.State).byteOffset)],
    ["the state zeros", ({ engine }) => engine.f64(Region.State).fill(0)],
    ["steps of NaN", counter(State.Steps, Number.NaN)],
    ["steps below 0", counter(State.Steps, -1)],
    ["half an update", counter(State.Updates, 0.5)],
    ["a size above the capacity", counter(State.Size, 33)],
    ["a head behind the ring", counter(State.Head, 32)],
    ["a size that is not the head's", counter(State.Size, 3)],
    ["a power of beta above 1", counter(State.Beta1Power, 1.5)],
    ["a generator of zeros", counter(State.Rng + 1, 0)],
  ];
  const saved: [string, (each: Made) => void][] = [
    ["a weight of NaN", float(Region.Online, 3, Number.NaN)],
    ["a target of Infinity", float(Region.Target, 3, Number.POSITIVE_INFINITY)],
    ["a weight beyond its bound", float(Region.Online, 0, 2e9)],
    ["a moment of NaN", float(Region.Moments, 7, Number.NaN)],
  ];
  const whole: [string, (each: Made) => void][] = [
    ["a row of NaN", ({ engine }) => engine.f32(Region.Replay).fill(Number.NaN)],
    ["an action that is none", ({ engine }) => engine.i32(Region.Replay).fill(1000, 0, 40)],
    ["a priority below 0", float(Region.Priorities, 3, -1)],
  ];
  const DAMAGED = "the agent's memory was damaged from outside";

  test.each(seen)("says so in stats and at each save: %s", (_, damage) => {
    const each = made();
    expect(each.agent.stats().damaged).toBe(false);
    damage(each);
    expect(each.agent.stats().damaged).toBe(true);
    for (const save of [() => each.agent.save(), () => each.agent.saveChunks(), () => each.agent.part("agent")]) {
      expect(save).toThrow(SnapshotError);
      expect(save).toThrow(DAMAGED);
    }
  });

  test.each(saved)("says so at each save: %s", (_, damage) => {
    const each = made();
    damage(each);
    expect(() => each.agent.save()).toThrow(DAMAGED);
    expect(() => each.agent.saveChunks()).toThrow(DAMAGED);
  });

  test.each(whole)("says so when it is saved as a whole: %s", (_, damage) => {
    const each = made();
    damage(each);
    expect(() => each.agent.save()).toThrow(DAMAGED);
  });

  test("is one that no call of its own leaves, with any options", () => {
    for (let i = 0; i < 60; i++) {
      const agent = new DQN({ ...randomOptions(i), capacity: 40, learningStarts: 8 });
      for (let at = 0; at < 120; at += 30) {
        live(agent, 30, at);
        expect(agent.stats().damaged, `options ${i}`).toBe(false);
        agent.save();
        for (const _ of agent.saveChunks()) agent.learn();
      }
      agent.dispose();
    }
  });
});
