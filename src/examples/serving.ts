/**
 * A whole server in a program of your own, in Deno, Bun or Node: `edgeApp` is a function from `Request` to `Response`, and
 * the durable log, checkpoints and models are in a folder. Started anew it goes on where it ended, also after a kill. It
 * prints its address; SIGTERM lets it save itself and end.
 *
 *   npm install liveq
 *   deno run --allow-all node_modules/liveq/dist/examples/serving.js data 8080
 *   bun node_modules/liveq/dist/examples/serving.js data 8080
 *   node node_modules/liveq/dist/examples/serving.js data 8080
 *
 *   curl -X PUT localhost:8080/v1/streams/s1 -H 'content-type: application/json' -d '{"streamer":"ann"}'
 *   curl localhost:8080/v1/recommend -H 'content-type: application/json' -d '{"user":"u1","k":6}'
 *
 * SQLite is `node:sqlite` where the runtime has it (Deno, Bun, Node 22), else `node-sqlite3-wasm`. Everything is on one
 * thread here, so that a request may wait for a flush of the disk or 16 records of learning; `liveq serve` has a thread for
 * each. Everybody may do all: give `edgeApp` tokens before others than this machine can reach it.
 */
import { serve } from "liveq/node";
import { beginning, Edge, edgeApp, LocalLearner } from "liveq/server";
import { Checkpoints, diskFolder, openLog, Shelf, SqliteStore } from "liveq/storage";

const [dir = "liveq-data", port = "0"] = process.argv.slice(2);

const log = openLog(await SqliteStore.open(dir));
const checkpoints = new Checkpoints(diskFolder(`${dir}/checkpoints`));
const [shelf, rankShelf] = [new Shelf(diskFolder(`${dir}/models`)), new Shelf(diskFolder(`${dir}/rank`))];
const begin = beginning(checkpoints, { seed: 1 }, {}, { shelf, rankShelf });
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const learner = new LocalLearner(begin.file, begin.sequence, { checkpoints, shelf, rankShelf, pause });
const edge = await Edge.open({ log, learner, ...begin, now: Date.now, onError: console.error });

const app = edgeApp({ edge });
const answer = (request: Request) => app.fetch(request);

interface Running {
  url: string;
  stop(): Promise<unknown>;
}

/** What this program uses of Deno and Bun; undefined elsewhere. */
const { Deno, Bun } = globalThis as {
  Deno?: {
    serve(options: object, handler: typeof answer): { addr: { port: number }; shutdown(): Promise<void> };
  };
  Bun?: { serve(options: object): { port: number; stop(): Promise<void> } };
};

async function listen(where: { hostname: string; port: number }): Promise<Running> {
  if (Deno !== undefined) {
    const server = Deno.serve({ ...where, onListen: () => {} }, answer);
    return { url: `http://${where.hostname}:${server.addr.port}`, stop: () => server.shutdown() };
  }
  if (Bun !== undefined) {
    const server = Bun.serve({ ...where, fetch: answer });
    return { url: `http://${where.hostname}:${server.port}`, stop: () => server.stop() };
  }
  return serve(answer, where);
}

const { url, stop } = await listen({ hostname: "127.0.0.1", port: Number(port) });
process.once("SIGTERM", async () => {
  app.drain();
  await stop();
  await edge.close();
});
console.log(url);
