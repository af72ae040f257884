/**
 * A client behind a bad network: a third of its requests are lost on the way, and a third of the answers on the way back.
 * Viewers ask for slates, click and watch; all events wait in the client until they are answered, and none counts twice.
 * The server is in this process; of one elsewhere `url` and `token` are enough. In a page, `PageTracker` of the same
 * door reports impressions, clicks and watches by itself.
 *
 *   node node_modules/liveq/dist/examples/client.js
 *
 * Prints:
 *
 *   without a network: 60 events wait, 0 are dropped
 *   with a bad one:    0 wait, 60 were sent, the server took 60
 */
import { LiveQClient } from "liveq/client";
import { edgeApp, memoryEdge } from "liveq/server";

const edge = await memoryEdge({ recommender: { seed: 1 } });
const app = edgeApp({ edge });

/** What becomes of each request. */
let fates = ["ok"];
let requests = 0;

async function network(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const fate = fates[requests++ % fates.length];
  if (fate === "lost") throw new TypeError("the network is down");
  const response = await app.fetch(new Request(input, init));
  if (fate === "unanswered") throw new TypeError("the network went down");
  return response;
}

const client = new LiveQClient({
  url: "http://localhost:8787",
  fetch: network,
  // So that the example ends soon; by default waits begin with a quarter of a second.
  retryMs: 1,
  retryMaxMs: 2,
  batchMs: 1,
  batchEvents: 8,
});

await client.onAir("s1", { streamer: "ann", category: "chess" });
const decisions = await Promise.all(Array.from({ length: 30 }, (_, i) => client.recommend({ user: `u${i}`, k: 1 })));
const before = (await client.stats()).events;

fates = ["lost"];
for (const { id, user, slate } of decisions) {
  client.queue({ kind: "click", user, stream: slate[0]!, decision: id });
  client.queue({ kind: "watch", user, stream: slate[0]!, decision: id, watchMs: 60_000 });
}
await client.flush();
const waiting = client.queueStats();
console.log(`without a network: ${waiting.queued} events wait, ${waiting.dropped} are dropped`);

fates = ["lost", "unanswered", "ok"];
while (client.queueStats().queued > 0) await new Promise((resolve) => setTimeout(resolve, 5));
const { queued, sent } = client.queueStats();
fates = ["ok"];
const taken = (await client.stats()).events - before;
console.log(`with a bad one:    ${queued} wait, ${sent} were sent, the server took ${taken}`);
await client.close();
await edge.close();
