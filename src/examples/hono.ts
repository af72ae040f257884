/**
 * The smallest real server: events come in by POST /events, slates go out by GET /recommend, and the recommender learns
 * from users' actions in its slates. The app is a function from `Request` to `Response` and mounts anywhere: in
 * place of `serve`, `Deno.serve(app.fetch)`, `Bun.serve({ fetch: app.fetch })`, or `export default app` in a
 * Cloudflare Worker. It listens on the given port, or on any free one, and prints it.
 *
 *   npm install hono
 *   node node_modules/liveq/dist/examples/hono.js 8080
 *
 *   curl -H "content-type: application/json" http://127.0.0.1:8080/events \
 *     -d '{"kind":"on_air","time":0,"stream":"s1","streamer":"ann","category":"chess"}'
 *   curl "http://127.0.0.1:8080/recommend?user=u1&k=6"
 */
import { Hono } from "hono";
import { serve } from "liveq/node";
import { EventError, Recommender } from "liveq/recommender";
import { ingest, takeEach } from "liveq/server";

const recommender = new Recommender({ seed: 1 });
const app = new Hono();

const events = ingest({ sink: (batch, now) => takeEach(recommender, batch, now) });
app.post("/events", (context) => events(context.req.raw));

// Send the decision's `id` back with the clicks and watches of its slate: the recommender learns from them.
app.get("/recommend", (context) => {
  const { user = "", k = "6" } = context.req.query();
  return context.json(recommender.recommend({ user, k: Number(k), now: Date.now() }));
});

// An EventError names the invalid field.
app.onError((error, context) => {
  return context.json({ error: error.message }, error instanceof EventError ? 400 : 500);
});

// With limits and time-outs for whatever a client does.
const { url, stop } = await serve((request) => app.fetch(request), { port: Number(process.argv[2] ?? 0) });
process.once("SIGTERM", () => stop());
console.log(url);
