import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { ContinuousAgent } from "../../src/engine/continuous/index.js";
import { CartPole, DQN, type DQNOptions, type TrainWithActorsOptions, trainWithActors } from "../../src/index.js";
import { listenTo } from "../../src/training/actors/ports.js";
import { digestOf } from "../support/live.js";

const door = (name: string) => pathToFileURL(`dist/${name}index.js`).href;

/** A worker whose environment is an expression, which may say `liveq` and `index`. */
function started(environment: string, agent = ""): Worker {
  const code = `
    import * as liveq from "${door("")}";
    ${agent && `import { ContinuousAgent } from "${door("engine/continuous/")}";`}
    liveq.runActor((index) => (${environment}), ${agent || "{}"});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
}

/** CartPole whose every step takes so many rounds of nothing. */
const slow = (rounds: string) => `new (class extends liveq.CartPole {
  step(action) { for (let i = 0; i < ${rounds}; i++) this.x = Math.fround(i); return super.step(action); }
})()`;

const SMALL = { hidden: [8], learningStarts: 50, batchSize: 8, capacity: 500, environments: 3, seed: 3 };
const cart = (extra: Partial<DQNOptions> = {}) =>
  new DQN({ ...SMALL, observation: 4, actions: 2, ...extra } as DQNOptions);

async function run(agent: DQN, environment: string, options: Partial<TrainWithActorsOptions> = {}) {
  const start = () => started(environment);
  const result = await trainWithActors(agent, { actors: 3, start, steps: 700, chunk: 16, seed: 5, ...options });
  return { result, digest: digestOf(agent) };
}

describe("actors", () => {
  test("in rounds give the same bits whatever the timing", async () => {
    const even = await run(cart(), slow("0"), { order: "rounds" });
    const uneven = await run(cart(), slow("20000 * index"), { order: "rounds" });
    expect(uneven).toEqual(even);
    expect(even.result.order!.slice(0, 7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
    expect(even.result.returns.length).toBeGreaterThan(10);
  });

  test("in the order in which they came give the same bits again, from that order", async () => {
    const first = await run(cart({ nStep: 3, priorityExponent: 0.5 }), slow("5000 * index"));
    const order = first.result.order!;
    expect(order).toHaveLength(Math.ceil(700 / 16));
    const again = await run(cart({ nStep: 3, priorityExponent: 0.5 }), slow("2000"), { order });
    expect(again).toEqual(first);
    const other = order.map((index) => (index + 1) % 3);
    expect((await run(cart({ nStep: 3, priorityExponent: 0.5 }), slow("0"), { order: other })).digest).not.toBe(
      first.digest,
    );
  });

  test.each<[string, string, Partial<DQNOptions>]>([
    ["noisy weights", "new liveq.CartPole()", { observation: 4, actions: 2, noisySigma: 0.5, epsilon: 0.1 }],
    ["masks", "new liveq.MaskedGrid()", { observation: 25, actions: 4, masked: true, dueling: true }],
    ["candidates", "new liveq.ChangingCandidates()", { observation: 3, candidates: { max: 6, features: 2 } }],
    [
      "promises",
      "new (class extends liveq.CartPole { async step(action) { return super.step(action); } })()",
      { observation: 4, actions: 2 },
    ],
  ])("with %s do all steps, the same in two runs", async (_, environment, extra) => {
    const runs = [0, 1].map(() => {
      const agent = new DQN({ ...SMALL, ...extra } as DQNOptions);
      return run(agent, environment, { order: "rounds", steps: 300 });
    });
    const [first, second] = await Promise.all(runs);
    expect(first!.result.steps).toBe(300);
    expect(second).toEqual(first);
  });

  test("act by continuous actions of an agent that their module makes", async () => {
    const numbers = () => {
      const continuous = { low: [-2], high: [2] };
      const own = { hidden: [8], learningStarts: 50, batchSize: 8, randomSteps: 100, environments: 2, seed: 1 };
      return new ContinuousAgent({ observation: 3, continuous, ...own });
    };
    const options = { actors: 2, steps: 300, order: "rounds", chunk: 20 } as const;
    const make = "{ agent: (options) => new ContinuousAgent(options) }";
    const digests = [0, 1].map(async () => {
      const agent = numbers();
      await trainWithActors(agent, { ...options, start: () => started("new liveq.Pendulum()", make) });
      return Buffer.from(agent.save()).toString("base64");
    });
    const [first, second] = await Promise.all(digests);
    expect(second).toBe(first);
    const alone = trainWithActors(numbers(), { ...options, start: () => started("new liveq.Pendulum()") });
    await expect(alone).rejects.toThrow("runActor needs { agent }");
  });

  test("learn, and are evaluated and reported as by train", async () => {
    const agent = cart({
      hidden: [32],
      learningRate: 3e-3,
      gamma: 0.97,
      epsilon: 0.2,
      targetEvery: 20,
      capacity: 5000,
    });
    const evaluation = { environment: new CartPole(), every: 1000, episodes: 5, stopAt: 150 };
    const seen: number[] = [];
    const training = trainWithActors(agent, {
      ...{ actors: 2, start: () => started("new liveq.CartPole()"), steps: 20_000, order: "rounds", evaluation },
      onEpisode: ({ environment }) => seen.push(environment),
    });
    for await (const { step, total } of training) expect(step <= total).toBe(true);
    const { best, ended } = await training;
    expect(ended).toBe("stopAt");
    expect(best!.meanReturn).toBeGreaterThanOrEqual(150);
    expect(new Set(seen)).toEqual(new Set([0, 1]));
  });
});

describe("workers", () => {
  const wait = (worker: Worker) => new Promise<number>((resolve) => void worker.on("exit", resolve));

  test.each<[string, string, string]>([
    ["throws", "{ observationSize: 4, actions: 2, reset() { throw new Error('cold'); } }", "actor 0: cold"],
    ["does not fit", "new liveq.Acrobot()", 'actor 0: "observationSize" of the environment is 6'],
    ["ends", "process.exit(3)", "actor 0: it ended with code 3"],
    ["is of broken code", "(", "actor 0: "],
    [
      "returns nonsense",
      "{ observationSize: 4, actions: 2, reset: () => [0, 0, 0] }",
      'actor 0: "observation" must hold 4',
    ],
  ])("one that %s is named, and all end", async (_, environment, message) => {
    const workers: Promise<number>[] = [];
    const start = (index: number) => {
      const worker = started(index === 0 ? environment : "new liveq.CartPole()");
      workers.push(wait(worker));
      return worker;
    };
    const training = trainWithActors(cart(), { actors: 2, start, steps: 1000, order: "rounds" });
    await expect(training).rejects.toThrow(message);
    expect(await Promise.all(workers)).toHaveLength(2);
  });

  test("one that is silent is named", async () => {
    const silent = () => new Worker("setInterval(() => {}, 1000)", { eval: true });
    const options = { actors: 1, start: silent, steps: 10, timeoutMs: 50 };
    await expect(trainWithActors(cart(), options)).rejects.toThrow("actors: no steps for 50 ms");
    await expect(trainWithActors(cart(), { ...options, order: "rounds" })).rejects.toThrow("actor 0: no steps");
  });

  test("end by break and by a signal, also while nothing comes", async () => {
    const workers: Promise<number>[] = [];
    const start = (environment: string) => () => {
      const worker = started(environment);
      workers.push(wait(worker));
      return worker;
    };
    const looped = trainWithActors(cart(), { actors: 2, start: start("new liveq.CartPole()"), steps: 1e6 });
    for await (const { step } of looped) if (step >= 2000) break;
    expect((await looped).ended).toBe("break");
    const never = "{ observationSize: 4, actions: 2, reset: () => new Promise(() => {}) }";
    const controller = new AbortController();
    const waiting = trainWithActors(cart(), { actors: 2, start: start(never), steps: 10, signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    expect(await waiting).toMatchObject({ steps: 0, ended: "signal" });
    expect(await Promise.all(workers)).toHaveLength(4);
  });

  test("end when the agent is disposed", async () => {
    const workers: Promise<number>[] = [];
    const start = () => {
      const worker = started("new liveq.CartPole()");
      workers.push(wait(worker));
      return worker;
    };
    const agent = cart();
    const training = trainWithActors(agent, { actors: 2, start, steps: 1e6, onProgress: () => agent.dispose() });
    await expect(training).rejects.toThrow("the agent is disposed");
    expect(await Promise.all(workers)).toHaveLength(2);
  });

  test("are refused where options are wrong", async () => {
    const start = () => started("new liveq.CartPole()");
    const options = { actors: 2, start, steps: 10 };
    expect(() => trainWithActors(cart(), { ...options, actors: 4 })).toThrow('"actors" must be at most');
    expect(() => trainWithActors(cart(), { ...options, order: "any" as never })).toThrow('"order" must be "arrival"');
    expect(() => trainWithActors(cart(), { ...options, chunks: 3 } as never)).toThrow('"chunks" is not an option');
    expect(() => trainWithActors(cart(), { ...options, checkpoint: {} } as never)).toThrow(
      '"checkpoint" goes with train',
    );
    await expect(trainWithActors(cart(), { ...options, order: [0, 5], chunk: 2 })).rejects.toThrow(
      '"order[1]" must be',
    );
    await expect(trainWithActors(cart(), { ...options, start: () => ({}) as never })).rejects.toThrow(
      '"start" must be a function that returns a worker',
    );
    await expect(trainWithActors(cart(), { ...options, order: [0], chunk: 2 })).rejects.toThrow('"order[1]" must be');
    const training = trainWithActors(cart(), options);
    expect(() => training.save()).toThrow("save the agent instead");
  });

  test("of the web are heard too", () => {
    const web = new EventTarget() as EventTarget & { postMessage(): void; terminate(): void };
    const heard: unknown[] = [];
    listenTo(
      web,
      (data) => heard.push(data),
      (reason) => heard.push(reason),
    );
    web.dispatchEvent(new MessageEvent("message", { data: "ready" }));
    web.dispatchEvent(Object.assign(new Event("error"), { message: "cold" }));
    web.dispatchEvent(new Event("error"));
    web.dispatchEvent(new Event("close"));
    expect(heard).toEqual(["ready", "cold", "its script cannot be loaded", "it ended"]);
  });
});
