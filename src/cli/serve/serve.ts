import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { serve as listen } from "../../node/index.js";
import type { RecommenderOptions } from "../../recommender/index.js";
import { Edge, edgeApp, SCOPES, type Scope, type Token } from "../../server/index.js";
import { type EventLog, MemoryStore, openLog, openLogThread } from "../../storage/index.js";
import { UsageError } from "../reading/arguments.js";
import { type ConnectOptions, checkConnections, connectionsOf } from "./connect.js";
import { LearnerThread } from "./threads.js";
import type { ViewersDay, ViewersStart } from "./viewers.js";

export interface ServeCommandOptions extends ConnectOptions {
  /** Default `liveq-data`. */
  dir?: string;
  memory: boolean;
  /** Whether simulated viewers come. */
  simulate: boolean;
  viewers: number;
  speed: number;
  host: string;
  port: number;
  /** `SECRET`, or `SECRET=scope,scope`. */
  token?: string[];
  options?: string;
  checkpointEvery: number;
  seed?: number;
}

/** Hosts that this machine alone reaches. */
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];
/** Milliseconds for requests that have begun, when the server stops. */
const GRACE_MS = 10_000;

/** The tokens of the command line, and of `LIVEQ_TOKEN` if there are none. @throws UsageError. */
function tokensOf({ token, host }: ServeCommandOptions): Token[] | undefined {
  const given = token ?? (process.env["LIVEQ_TOKEN"] === undefined ? undefined : [process.env["LIVEQ_TOKEN"]]);
  if (given === undefined) {
    if (LOOPBACK.includes(host)) return undefined;
    throw new UsageError(`"--host ${host}" is reached from other machines: give a "--token", or LIVEQ_TOKEN`);
  }
  return given.map((one) => {
    const at = one.lastIndexOf("=");
    const [secret, scopes] = at < 0 ? [one, SCOPES] : [one.slice(0, at), one.slice(at + 1).split(",")];
    const wrong = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope));
    if (wrong !== undefined)
      throw new UsageError(`the scopes of "--token" must be of ${SCOPES.join(", ")}, got ${wrong}`);
    if (secret.length < 16)
      throw new UsageError(`a secret of "--token" must have at least 16 characters, got ${secret.length}`);
    return { secret, scopes: scopes as Scope[] };
  });
}

/** The recommender's options, from a file of JSON. @throws UsageError. */
function recommenderOf({ options, seed }: ServeCommandOptions): Partial<RecommenderOptions> {
  let given: unknown = {};
  if (options !== undefined) {
    try {
      given = JSON.parse(readFileSync(options, "utf8"));
    } catch (cause) {
      throw new UsageError(`${options}: must hold the recommender's options as JSON: ${(cause as Error).message}`);
    }
    if (typeof given !== "object" || given === null || Array.isArray(given) || "features" in given) {
      throw new UsageError(`${options}: must hold an object of options, without "features"`);
    }
  }
  return { ...(given as Partial<RecommenderOptions>), ...(seed !== undefined && { seed }) };
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Serves until the signal comes; then answers what has begun, saves, and returns. */
export async function serveEdge(options: ServeCommandOptions, signal: AbortSignal): Promise<void> {
  const { dir = "liveq-data", host, port, checkpointEvery, simulate, viewers, speed, seed = 1 } = options;
  const memory = options.memory || (simulate && options.dir === undefined);
  const tokens = tokensOf(options);
  const recommender = recommenderOf(options);
  checkConnections(options);
  const folder = memory ? undefined : dir;
  const log: EventLog =
    folder === undefined
      ? openLog(new MemoryStore())
      : await openLogThread(folder, new URL("./log.js", import.meta.url));
  const { learner, beginning } = await LearnerThread.start({
    folder,
    options: recommender,
    checkpointRecords: checkpointEvery,
  });
  const onError = (error: unknown) => tell(`liveq: ${error instanceof Error ? error.message : String(error)}`);
  const begin = Date.now();
  const clock = new BigInt64Array(new SharedArrayBuffer(8));
  // Simulated viewers live faster, and the server with them.
  const now = simulate ? () => begin + Number(Atomics.load(clock, 0)) : Date.now;
  const edge = await Edge.open({ log, learner, ...beginning, now, onError });
  const connections = connectionsOf(options, edge, (text) => tell(`liveq: ${text}`));
  const app = edgeApp({ edge, tokens, now, connections: connections.followers });
  const serving = await listen((request) => app.fetch(request), { port, hostname: host, onError });
  const { users, onAir } = edge.recommenderStats();
  const known =
    beginning.sequence === 0 && log.next === 0 ? "a new recommender" : `${users} users, ${onAir} streams on air`;
  tell(`liveq: serving at ${serving.url}, ${memory ? "in memory" : `in ${dir}`}: ${known}`);
  tell(`liveq: ${serving.url}/openapi.json says what it answers; Ctrl-C stops it`);
  const token = tokens?.find(({ scopes }) => scopes.includes("recommend") && scopes.includes("events"))?.secret;
  const crowd = simulate
    ? crowdOf({ url: serving.url, token, viewers, seed, begin, speed, clock }, edge, onError)
    : undefined;
  connections.start();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await crowd?.terminate();
  await connections.stop();
  app.drain();
  await serving.stop(GRACE_MS);
  await edge.close();
  tell("liveq: stopped; all that was taken is saved");
}

/** Sends simulated viewers, and tells of each of their days. */
function crowdOf(start: ViewersStart, edge: Edge, onError: (error: unknown) => void): Worker {
  const days = `a day takes ${(86_400 / start.speed).toFixed(0)} s`;
  tell(`liveq: ${start.viewers} simulated viewers come; ${days}`);
  const crowd = new Worker(new URL("./viewers.js", import.meta.url), { workerData: start });
  crowd.on("message", ({ day, minutes, popular }: ViewersDay) => {
    const { requests, model, modelUpdates } = edge.stats();
    const watched = `watched ${minutes.toFixed(1)} min a viewer; with the most popular streams ${popular.toFixed(1)}`;
    tell(`day ${day}: ${watched} | ${requests} slates, model ${model} after ${modelUpdates} updates`);
  });
  crowd.on("error", onError);
  return crowd;
}
