import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { serve as listen } from "../../node/index.js";
import type { RecommenderOptions } from "../../recommender/index.js";
import { Edge, edgeApp, SCOPES, type Scope, type Token } from "../../server/index.js";
import { type EventLog, MemoryStore, openLog, openLogThread } from "../../storage/index.js";
import { checkConnections, connectionsOf } from "./connect.js";
import { Journal, type JournalOptions } from "./journal.js";
import { printed, type Resolved, SettingError } from "./resolve.js";
import type { ServeSettings } from "./settings.js";
import { LearnerThread } from "./threads.js";
import type { ViewersDay, ViewersStart } from "./viewers.js";

/** Hosts that this machine alone reaches. */
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

/** The tokens that are set. @throws SettingError. */
function tokensOf({ token, host }: ServeSettings): Token[] | undefined {
  if (token === undefined) {
    if (LOOPBACK.includes(host)) return undefined;
    throw new SettingError(`"--host ${host}" is reached from other machines: give a "--token", or LIVEQ_TOKEN`);
  }
  return token.map((one) => {
    const at = one.lastIndexOf("=");
    const [secret, scopes] = at < 0 ? [one, SCOPES] : [one.slice(0, at), one.slice(at + 1).split(",")];
    const wrong = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope));
    if (wrong !== undefined)
      throw new SettingError(`the scopes of "--token" must be of ${SCOPES.join(", ")}, got ${wrong}`);
    if (secret.length < 16)
      throw new SettingError(`a secret of "--token" must have at least 16 characters, got ${secret.length}`);
    return { secret, scopes: scopes as Scope[] };
  });
}

/** The recommender's options, from a file of JSON or as they are. @throws SettingError. */
function recommenderOf({ options, seed }: ServeSettings): Partial<RecommenderOptions> {
  let given: unknown = options ?? {};
  const file = typeof options === "string" ? options : '"options"';
  if (typeof options === "string") {
    try {
      given = JSON.parse(readFileSync(options, "utf8"));
    } catch (cause) {
      throw new SettingError(`${file}: must hold the recommender's options as JSON: ${(cause as Error).message}`);
    }
  }
  if (typeof given !== "object" || given === null || Array.isArray(given) || "features" in given) {
    throw new SettingError(`${file}: must hold an object of options, without "features"`);
  }
  return { ...(given as Partial<RecommenderOptions>), ...(seed !== undefined && { seed }) };
}

/** What a server is started with beside its settings. */
export interface ServeStart {
  /** Whether to print the settings that hold, and not to serve. */
  isPrinted: boolean;
  /** Takes what is printed. */
  print: (text: string) => void;
  signal: AbortSignal;
}

/** Serves until the signal comes; then answers what has begun, saves, and returns. @throws SettingError. */
export async function serveEdge(resolved: Resolved, { isPrinted, print, signal }: ServeStart): Promise<void> {
  const { settings } = resolved;
  const [tokens, recommender] = [tokensOf(settings), recommenderOf(settings)];
  checkConnections(settings);
  if (isPrinted) {
    print(printed(resolved));
    return;
  }
  const journal = journalOf(settings);
  for (const warning of resolved.warnings) journal.tell("warn", "setting", warning);
  await new Server(settings, journal).run(tokens, recommender, signal);
}

function journalOf({ logLevel, logFormat }: ServeSettings): Journal {
  const how = { level: logLevel, format: logFormat } as Pick<JournalOptions, "level" | "format">;
  return new Journal({ ...how, write: (line) => process.stderr.write(line), now: Date.now });
}

/** A server from its start to its stop. */
class Server {
  readonly #settings: ServeSettings;
  readonly #journal: Journal;

  constructor(settings: ServeSettings, journal: Journal) {
    this.#settings = settings;
    this.#journal = journal;
  }

  async run(tokens: Token[] | undefined, options: Partial<RecommenderOptions>, signal: AbortSignal): Promise<void> {
    const { dir = "liveq-data", host, port, simulate, graceMs } = this.#settings;
    const memory = this.#settings.memory || (simulate && this.#settings.dir === undefined);
    const folder = memory ? undefined : dir;
    const log: EventLog =
      folder === undefined
        ? openLog(new MemoryStore())
        : await openLogThread(folder, new URL("./log.js", import.meta.url));
    const { checkpointEvery: checkpointRecords, modelUpdates, goldenQueries, valueMax, lossFactor } = this.#settings;
    const models = { modelUpdates, goldenQueries, valueMax, lossFactor };
    const { learner, beginning } = await LearnerThread.start({ folder, options, checkpointRecords, models });
    const onError = (error: unknown) => this.#journal.fail("failed", error);
    const begin = Date.now();
    const clock = new BigInt64Array(new SharedArrayBuffer(8));
    // Simulated viewers live faster, and the server with them.
    const now = simulate ? () => begin + Number(Atomics.load(clock, 0)) : Date.now;
    const edge = await Edge.open({ log, learner, ...beginning, now, onError });
    const connections = connectionsOf(this.#settings, edge, (text) => this.#journal.tell("info", "connect", text));
    const { maxBytes, maxEvents, maxBatch, maxRequests, maxConnections, bodyTimeoutMs } = this.#settings;
    const more = { connections: connections.followers };
    const app = edgeApp({ edge, tokens, now, maxBytes, maxEvents, maxBatch, maxRequests, bodyTimeoutMs, ...more });
    const limits = { maxBytes, maxRequests, maxConnections, bodyTimeoutMs };
    const serving = await listen((request) => app.fetch(request), { port, hostname: host, onError, ...limits });
    this.#started(serving.url, folder, edge, beginning.sequence === 0 && log.next === 0);
    const token = tokens?.find(({ scopes }) => scopes.includes("recommend") && scopes.includes("events"))?.secret;
    const { viewers, speed, seed = 1 } = this.#settings;
    const start: ViewersStart = { url: serving.url, token, viewers, seed, begin, speed, clock };
    const crowd = simulate ? this.#crowd(start, edge) : undefined;
    connections.start();
    await aborted(signal);
    this.#journal.tell("info", "stopping", "stopping: what has begun is answered");
    await crowd?.terminate();
    await connections.stop();
    app.drain();
    await serving.stop(graceMs);
    await edge.close();
    this.#journal.tell("info", "stopped", "stopped; all that was taken is saved");
  }

  #started(url: string, folder: string | undefined, edge: Edge, isNew: boolean): void {
    const { users, onAir } = edge.recommenderStats();
    const known = isNew ? "a new recommender" : `${users} users, ${onAir} streams on air`;
    const where = folder === undefined ? "in memory" : `in ${folder}`;
    const facts = { url, folder, users, onAir, pid: process.pid };
    this.#journal.tell("info", "started", `serving at ${url}, ${where}: ${known}`, facts);
    this.#journal.tell("info", "hint", `${url}/openapi.json says what it answers; Ctrl-C stops it`);
  }

  /** Sends simulated viewers, and tells of each of their days. */
  #crowd(start: ViewersStart, edge: Edge): Worker {
    const days = `a day takes ${(86_400 / start.speed).toFixed(0)} s`;
    this.#journal.tell("info", "simulation", `${start.viewers} simulated viewers come; ${days}`);
    const crowd = new Worker(new URL("./viewers.js", import.meta.url), { workerData: start });
    crowd.on("message", ({ day, minutes, popular }: ViewersDay) => {
      const { requests, model, modelUpdates } = edge.stats();
      const watched = `watched ${minutes.toFixed(1)} min a viewer; with the most popular streams ${popular.toFixed(1)}`;
      const message = `day ${day}: ${watched} | ${requests} slates, model ${model} after ${modelUpdates} updates`;
      this.#journal.tell("info", "day", message, { day, minutes, popular, requests, model });
    });
    crowd.on("error", (error) => this.#journal.fail("failed", error));
    return crowd;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
