/** A server of the dashboard as a process of its own: its clock, its visits and its size are its parent's to say. */
import { pathToFileURL } from "node:url";
import { MountedPages } from "../../src/cli/pages/index.js";
import { LearnerThread } from "../../src/cli/serve/threads.js";
import { serve } from "../../src/node/index.js";
import { Random } from "../../src/numeric/index.js";
import type { LiveEvent } from "../../src/protocol/index.js";
import { Edge, edgeApp, type Token } from "../../src/server/index.js";
import { MemoryStore, openLog } from "../../src/storage/index.js";

/** What a host is started with. */
export interface HostStart {
  readonly users: number;
  readonly streams: number;
  readonly tokens: readonly Token[];
}

/** What it is told; it answers when it is done. */
export type HostCall = { call: "visits"; count: number } | { call: "settle" };

/** 2026-01-05, a Monday. */
const BEGIN = Date.UTC(2026, 0, 5, 18);
const CATEGORIES = ["chess", "cooking", "music", "speedruns", "strategy", "talk", "travel", "painting"];
/** It learns from its first visits on, and has a new model soon. */
const OPTIONS = {
  ...{ seed: 1, warmupUpdates: 20, learner: { learningStarts: 64 } },
  profile: { users: 200_000, streamTimeoutMs: 0 },
};
const MODELS = { modelUpdates: 40 };
/** Viewers who come, again and again: what came of a slate is known at the next. And between two of their visits. */
const [REGULARS, PAUSE_MS] = [300, 300_000];
/** Events of one call. */
const PAGE = 5000;

const { users, streams, tokens } = JSON.parse(process.argv[2]!) as HostStart;
const random = Random.named(1, "pages");
let time = BEGIN;
const now = () => time;

const { learner, beginning } = await LearnerThread.start(
  { folder: undefined, options: OPTIONS, checkpointRecords: 1e9, models: MODELS },
  pathToFileURL("dist/cli/learner.js"),
);
const edge = await Edge.open({ log: openLog(new MemoryStore()), learner, ...beginning, now });

async function feed(count: number, eventOf: (i: number) => LiveEvent): Promise<void> {
  for (let from = 0; from < count; from += PAGE) {
    await edge.feed(Array.from({ length: Math.min(PAGE, count - from) }, (_, i) => eventOf(from + i)));
  }
}

const categoryOf = (stream: string) => CATEGORIES[Number(stream.slice(1)) % CATEGORIES.length]!;

/** A visit: a slate, and a stay that is long where the viewer's category is shown. */
async function visit(): Promise<void> {
  const viewer = random.below(REGULARS);
  const user = `u${viewer}`;
  const { id, slate } = edge.recommend({ user, k: 6 });
  const liked = slate.find((stream) => categoryOf(stream) === CATEGORIES[viewer % CATEGORIES.length]);
  const stream = liked ?? slate[random.below(slate.length)]!;
  const shown = slate.map((one, position): LiveEvent => {
    return { kind: "impression", time, user, stream: one, position, decision: id };
  });
  const watchMs = liked === undefined ? 20_000 : 600_000;
  const click: LiveEvent = { kind: "click", time, user, stream, decision: id };
  time += PAUSE_MS;
  await edge.feed([...shown, click, { kind: "watch", time, user, stream, watchMs, decision: id }]);
}

await feed(streams, (i) => {
  const stream = `s${i}`;
  return { kind: "on_air", time, stream, streamer: `r${i}`, category: categoryOf(stream) };
});
time += 60_000;
await feed(users, (i) => ({ kind: "follow", time, user: `u${i}`, stream: `s${random.below(streams)}` }));
await edge.settled();

const app = edgeApp({ edge, tokens, now });
const pages = new MountedPages(pathToFileURL("dist/pages/"));
const { url } = await serve(async (request, client) => (await pages.answer(request)) ?? app.fetch(request, client), {
  port: 0,
});
process.on("message", async (message: HostCall) => {
  if (message.call === "visits") for (let i = 0; i < message.count; i++) await visit();
  else await edge.settled();
  process.send!({ models: edge.models().map(({ version }) => version), live: edge.stats().model });
});
process.send!({ url });
