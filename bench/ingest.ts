/**
 * An example: `POST /events` in Node, into a recommender that learns as they come. It listens on the port that is named,
 * or any that is free, and on this machine only.
 *
 *   npx tsx bench/ingest.ts 8080
 *   curl -H "content-type: application/x-ndjson" --data-binary @events.jsonl http://127.0.0.1:8080/events
 */
import { createServer, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { Recommender } from "../src/recommender/index.js";
import { ingest } from "../src/server/index.js";

const recommender = new Recommender({ seed: 1 });
const events = ingest({
  sink(batch) {
    for (const event of batch) recommender.feedback(event);
  },
  onError: (error) => console.error(error),
});

/** What Node gives as a `Request`; Deno, Bun, Workers and Hono's `@hono/node-server` have it already. */
function requestOf({ method = "GET", headers, url = "/" }: IncomingMessage, body: ReadableStream): Request {
  const pairs = Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []));
  const hasBody = method !== "GET" && method !== "HEAD";
  const init = { method, headers: pairs as [string, string][], ...(hasBody && { body, duplex: "half" }) };
  return new Request(new URL(url, "http://localhost"), init);
}

const server = createServer(async (incoming, outgoing) => {
  const isEvents = incoming.url === "/events";
  const request = requestOf(incoming, Readable.toWeb(incoming) as ReadableStream);
  const response = isEvents ? await events(request) : new Response(null, { status: 404 });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const address = server.address();
  console.log(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/events`);
});
