/** A server to be measured, as a process of its own; its parent tells it by messages what to do beside. */
import { pathToFileURL } from "node:url";
import { Hono } from "hono";
import { LearnerThread } from "../../src/cli/serve/threads.js";
import { serve } from "../../src/node/index.js";
import { Edge, edgeApp } from "../../src/server/index.js";
import { type EventLog, openLogThread } from "../../src/storage/index.js";
import { waitedMs } from "../harness/waited.js";
import { PAUSE_MS, recorded, streams, Visitors } from "./records.js";

/** What a host is started with. */
export interface HostStart {
  /** `empty`: Hono with a handler that reads JSON and answers with a few hundred bytes. */
  what: "edge" | "empty";
  folder: string;
  maxTurnMs: number;
}

/** What it is told, and answers. */
export type HostCall = { call: "learn"; isOn: boolean } | { call: "inProcess"; calls: number } | { call: "swaps" };

const BUILT = (name: string) => pathToFileURL(`dist/cli/${name}.js`);
// The busy one learns from its first visits on.
const EARLY = { warmupUpdates: 100, learner: { learningStarts: 100 } };
const MODELS = { models: { modelUpdates: 20 }, options: { seed: 1 }, checkpointRecords: 1e9, folder: undefined };
const PAGE = 256;
/** So many that the busy learner seldom begins anew: a new thread takes a core for some tenths of a second. */
const VISITS = 16_000;

/** A learner that learns the same visits over and over, on a thread of its own, at the priority of the real one. */
class Busy {
  isOn = false;
  updates = 0;
  readonly #records: readonly Uint8Array[];

  constructor(records: readonly Uint8Array[]) {
    this.#records = records;
  }

  async run(): Promise<void> {
    for (;;) {
      const { learner } = await LearnerThread.start({ ...MODELS, options: { seed: 1, ...EARLY } }, BUILT("learner"));
      let known = 0;
      for (let at = 0; at < this.#records.length; at += PAGE) {
        while (!this.isOn) await new Promise((done) => setTimeout(done, 20));
        const { model } = await learner.take(at, this.#records.slice(at, at + PAGE));
        if (model !== undefined) this.updates += model.updates - known;
        known = model?.updates ?? known;
      }
      await learner.close();
    }
  }
}

/** The host's time, which visits move on: nobody waits for their watches. */
class Clock {
  ahead = 0;
  readonly now = () => Date.now() + this.ahead;
}

/** The time of calls on this thread: on the clock, and without the time that the thread waited for a core. */
async function inProcess(edge: Edge, clock: Clock, calls: number): Promise<{ wall: number[]; cpu: number[] }> {
  const visitors = new Visitors();
  const [wall, cpu]: [number[], number[]] = [[], []];
  for (let i = 0; i < calls; i++) {
    const user = visitors.user();
    const before = waitedMs();
    const from = performance.now();
    const { id, slate } = edge.recommend({ user, k: 6 });
    const took = 1000 * (performance.now() - from);
    wall.push(took);
    cpu.push(took - 1000 * (waitedMs() - before));
    const { watchMs, told } = visitors.feedback(clock.now(), user, slate, id);
    clock.ahead += watchMs;
    await edge.feed(told);
    clock.ahead += PAUSE_MS;
  }
  return { wall, cpu };
}

/** Microseconds of going back to a model and on to the newest again. */
function swaps(edge: Edge): number[] {
  const { version } = edge.models().at(-1)!;
  return Array.from({ length: 500 }, (_, i) => {
    const from = performance.now();
    if (i % 2 === 0) edge.rollback(version);
    else edge.release();
    return 1000 * (performance.now() - from);
  });
}

async function edgeHost({ folder, maxTurnMs }: HostStart): Promise<void> {
  const clock = new Clock();
  const log: EventLog = await openLogThread(folder, BUILT("log"));
  const { learner, beginning } = await LearnerThread.start({ ...MODELS, models: {}, folder }, BUILT("learner"));
  const edge = await Edge.open({ log, learner, ...beginning, now: clock.now });
  await edge.feed(streams(clock.now()));
  const busy = new Busy(await recorded(VISITS));
  void busy.run();
  const app = edgeApp({ edge });
  const limits = { maxTurnMs, urgentPaths: ["/live"], port: 0 };
  const { url } = await serve((request, client) => app.fetch(request, client), limits);
  process.on("message", async (message: HostCall) => {
    if (message.call === "learn") {
      busy.isOn = message.isOn;
      process.send!({ updates: busy.updates });
    } else if (message.call === "swaps") process.send!(swaps(edge));
    else {
      const before = busy.updates;
      process.send!({ ...(await inProcess(edge, clock, message.calls)), updates: busy.updates - before });
    }
  });
  process.send!({ url });
}

const start = JSON.parse(process.argv[2]!) as HostStart;
if (start.what === "edge") await edgeHost(start);
else {
  const answer = { id: "x".repeat(40), slate: Array.from({ length: 6 }, (_, i) => `s${i}`), text: "x".repeat(300) };
  const app = new Hono();
  app.post("/v1/recommend", async (context) => {
    await context.req.json();
    return context.json(answer);
  });
  const { url } = await serve((request) => app.fetch(request), { port: 0 });
  process.send!({ url });
}
