import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import { sharedMemory, whyAlone, withImportedMemory } from "../../src/engine/instance/threads.js";
import { DQN, type DQNOptions, type EngineOptions } from "../../src/index.js";
import { digestOf, live } from "../support/live.js";
import { until } from "../support/waiting.js";

const OPTIONS: Record<string, DQNOptions> = {
  actions: { observation: 60, actions: 20, hidden: [96, 64], batchSize: 33, learningStarts: 10, capacity: 200 },
  candidates: {
    observation: 40,
    candidates: { max: 9, features: 30, next: 8 },
    hidden: [68, 64],
    batchSize: 37,
    learningStarts: 10,
    capacity: 200,
    dueling: true,
    normalization: "batch",
  },
};

async function workersOf(agent: DQN, count: number): Promise<void> {
  await until(() => agent.stats().threads >= count);
}

async function trained(options: DQNOptions, run: EngineOptions): Promise<string> {
  using agent = new DQN(options, run);
  await workersOf(agent, run.threads ?? 1);
  live(agent, 120);
  return digestOf(agent);
}

afterEach(() => vi.unstubAllGlobals());

/** A global replaced; no options of its own. */
function without(name: string, value: unknown): EngineOptions {
  vi.stubGlobal(name, value);
  return {};
}

/** The workers of Node that are started from now on. */
function watchedWorkers(): Worker[] {
  const workers: Worker[] = [];
  class Watched extends Worker {
    constructor(...words: ConstructorParameters<typeof Worker>) {
      super(...words);
      workers.push(this);
    }
  }
  vi.stubGlobal("process", {
    ...process,
    getBuiltinModule: (name: string) => (name === "node:worker_threads" ? { Worker: Watched } : undefined),
  });
  return workers;
}

describe("threads", () => {
  test.each(Object.entries(OPTIONS))("give the same bits however many there are: %s", async (_, options) => {
    const alone = await trained(options, {});
    for (const threads of [2, 3, 5]) expect(await trained(options, { threads }), `${threads} threads`).toBe(alone);
    for (const kernels of ["rolled", "unrolled"] as const) {
      expect(await trained(options, { kernels, threads: 2 }), kernels).toBe(alone);
    }
  });

  test("may come while the agent learns", () => {
    const [alone, many] = [new DQN(OPTIONS["actions"]!), new DQN(OPTIONS["actions"]!, { threads: 3 })];
    for (const agent of [alone, many]) live(agent, 120);
    // The thread of this test is never left, and the workers come all the same: the end is there so that it fails where they do not.
    const end = performance.now() + 120_000;
    while (many.stats().threads < 3 && performance.now() < end) {
      for (const agent of [alone, many]) agent.learn();
    }
    expect(many.stats()).toMatchObject({ threads: 3, threadsReason: "" });
    for (const agent of [alone, many]) agent.learn(50);
    expect(digestOf(many)).toBe(digestOf(alone));
    many.dispose();
  });

  test("a file is the same with any number", async () => {
    using agent = new DQN(OPTIONS["actions"]!, { threads: 2 });
    live(agent, 60);
    using loaded = DQN.load(agent.save(), { threads: 3 });
    await workersOf(loaded, 3);
    for (const each of [agent, loaded]) each.learn(10);
    expect(digestOf(loaded)).toBe(digestOf(agent));
  });

  test.each<[string, () => EngineOptions, RegExp]>([
    ["without SharedArrayBuffer", () => without("SharedArrayBuffer", undefined), /SharedArrayBuffer/],
    ["without workers", () => without("process", { ...process, getBuiltinModule: () => undefined }), /no workers/],
    [
      "where a browser throws instead of starting a worker",
      () => {
        const Worker = class {
          constructor() {
            throw new Error("The operation is insecure.");
          }
        };
        vi.stubGlobal("Worker", Worker);
        return {};
      },
      /worker-src needs blob:/,
    ],
    [
      "with a module of the caller's",
      () => ({ module: new WebAssembly.Module(readFileSync("dist/dqn.wasm")) }),
      /bytes/,
    ],
  ])("one thread does it %s, and stats say why", async (_, prepare, reason) => {
    using agent = new DQN(OPTIONS["actions"]!, { ...prepare(), threads: 4 });
    expect(agent.stats()).toMatchObject({ threads: 1, threadsReason: expect.stringMatching(reason) });
    live(agent, 120);
    expect(digestOf(agent)).toBe(await trained(OPTIONS["actions"]!, {}));
  });

  test("that end between two updates leave an agent that goes on alone, with the same bits", async () => {
    const workers = watchedWorkers();
    using agent = new DQN(OPTIONS["actions"]!, { threads: 4 });
    await workersOf(agent, 4);
    live(agent, 60);
    // Not awaited: the first updates find shares that nobody takes.
    const ends = workers.map((worker) => worker.terminate());
    agent.learn(20);
    await Promise.all(ends);
    await until(() => agent.stats().threads === 1);
    expect(agent.stats().threadsReason).toBe("a worker ended");
    agent.learn(20);
    using alone = new DQN(OPTIONS["actions"]!);
    live(alone, 60);
    alone.learn(40);
    expect(digestOf(agent)).toBe(digestOf(alone));
  });

  test("of which one ends are all sent home: it is alone from then on", async () => {
    const workers = watchedWorkers();
    using agent = new DQN(OPTIONS["candidates"]!, { threads: 3 });
    await workersOf(agent, 3);
    await workers[1]!.terminate();
    await until(() => agent.stats().threads === 1);
    live(agent, 120);
    expect(digestOf(agent)).toBe(await trained(OPTIONS["candidates"]!, {}));
    expect(await Promise.all(workers.map((worker) => worker.terminate()))).toHaveLength(2);
  });

  test("are freed with an agent that was dropped without dispose", async () => {
    const code = `
      import { readdirSync } from "node:fs";
      import { DQN } from "liveq";
      const count = () => (process.platform === "linux" ? readdirSync("/proc/self/task").length : 0);
      const options = ${JSON.stringify(OPTIONS["actions"])};
      const before = count();
      const start = () => { for (let i = 0; i < 4; i++) new DQN(options, { threads: 3 }).act(new Float32Array(60)); };
      start();
      const during = count();
      for (let i = 0; i < 500 && count() > before; i++) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      console.log(JSON.stringify([during - before, count() - before]));
    `;
    const words = ["--expose-gc", "--input-type=module", "-e", code];
    const [during, after] = JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" })) as number[];
    expect(during).toBe(process.platform === "linux" ? 8 : 0);
    expect(after).toBe(0);
  });

  test("must be an integer in [1, 64]", () => {
    for (const threads of [0, 65, 1.5, "2"]) {
      const options = { threads } as EngineOptions;
      expect(() => new DQN(OPTIONS["actions"]!, options)).toThrow(`"threads" must be an integer in [1, 64]`);
    }
  });

  test("the module with imported memory is valid, and has all else as it was", () => {
    const own = new Uint8Array(readFileSync("dist/dqn.wasm"));
    const bytes = withImportedMemory(own);
    const module = new WebAssembly.Module(bytes);
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    expect(WebAssembly.Module.exports(module)).toEqual(WebAssembly.Module.exports(new WebAssembly.Module(own)));
    expect(whyAlone()).toBeUndefined();
    new WebAssembly.Instance(module, { env: { memory: sharedMemory() } });
    expect(() => withImportedMemory(bytes)).toThrow("the module has imports already");
  });
});
