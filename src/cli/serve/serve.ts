import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { serve as listen, type RequestClient } from "../../node/index.js";
import type { RecommenderOptions } from "../../recommender/index.js";
import {
  type Answered,
  checkedRank,
  Edge,
  type EdgeNews,
  edgeApp,
  type Metric,
  type RankOptions,
  SCOPES,
  type Scope,
  type Token,
} from "../../server/index.js";
import { type EventLog, MemoryStore, openLog, openLogThread, StorageError } from "../../storage/index.js";
import { MountedPages } from "../pages/index.js";
import { checkConnections, connectionsOf } from "./connect.js";
import { Journal, type JournalOptions } from "./journal.js";
import { printed, type Resolved, SettingError } from "./resolve.js";
import type { ServeSettings } from "./settings.js";
import { LearnerThread } from "./threads.js";
import type { ViewersDay, ViewersStart } from "./viewers.js";

/** Paths that are answered however much there is to do. */
const URGENT = ["/live", "/ready"];
/** Between two looks at a folder that another process has, milliseconds. */
const WAIT_MS = 50;
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

/** The origins whose pages may call. @throws SettingError. */
function originsOf({ origin = [] }: ServeSettings, tokens: Token[] | undefined): string[] {
  if (tokens === undefined && origin.includes("*")) {
    throw new SettingError('"--origin *" lets every page call: give a "--token", or LIVEQ_TOKEN');
  }
  return origin;
}

/** Options from a file of JSON, or as they are. @throws SettingError. */
function optionsIn(given: string | Record<string, unknown> | undefined, name: string, whose: string): object {
  let value: unknown = given ?? {};
  if (typeof given === "string") {
    try {
      value = JSON.parse(readFileSync(given, "utf8"));
    } catch (cause) {
      throw new SettingError(`${given}: must hold ${whose} options as JSON: ${(cause as Error).message}`);
    }
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new SettingError(`${nameOf(given, name)}: must hold an object of options`);
}

function nameOf(given: unknown, name: string): string {
  return typeof given === "string" ? given : `"${name}"`;
}

/** The recommender's options. @throws SettingError. */
function recommenderOf({ options, seed }: ServeSettings): Partial<RecommenderOptions> {
  const given = optionsIn(options, "options", "the recommender's");
  if ("features" in given) {
    throw new SettingError(`${nameOf(options, "options")}: must hold an object of options, without "features"`);
  }
  return { ...given, ...(seed !== undefined && { seed }) };
}

/** The options of ranking. @throws SettingError. */
function rankOf({ rank }: ServeSettings): Partial<RankOptions> {
  const given = optionsIn(rank, "rank", "ranking's");
  try {
    checkedRank(given);
  } catch (error) {
    throw new SettingError(`${nameOf(rank, "rank")}: ${(error as Error).message}`);
  }
  return given;
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
  const [tokens, recommender, rank] = [tokensOf(settings), recommenderOf(settings), rankOf(settings)];
  originsOf(settings, tokens);
  checkConnections(settings);
  if (isPrinted) {
    print(printed(resolved));
    return;
  }
  const journal = journalOf(settings);
  for (const warning of resolved.warnings) journal.tell("warn", "setting", warning);
  await new Server(settings, journal).run(tokens, { recommender, rank }, signal);
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

  async run(
    tokens: Token[] | undefined,
    { recommender: options, rank }: { recommender: Partial<RecommenderOptions>; rank: Partial<RankOptions> },
    signal: AbortSignal,
  ): Promise<void> {
    const { dir = "liveq-data", host, port, simulate } = this.#settings;
    const memory = this.#settings.memory || (simulate && this.#settings.dir === undefined);
    const folder = memory ? undefined : dir;
    const log: EventLog = folder === undefined ? openLog(new MemoryStore()) : await this.#folder(folder);
    const { checkpointEvery: checkpointRecords, modelUpdates, goldenQueries, valueMax, lossFactor } = this.#settings;
    const models = { modelUpdates, goldenQueries, valueMax, lossFactor };
    const started = LearnerThread.start({ folder, options, rank, checkpointRecords, models });
    const { learner, beginning } = await started.catch(async (error: unknown) => {
      // Its thread would keep the process.
      await log.close();
      throw error;
    });
    const onError = (error: unknown) => this.#journal.fail("failed", error);
    const onNews = (news: EdgeNews) => this.#news(news);
    const begin = Date.now();
    const clock = new BigInt64Array(new SharedArrayBuffer(8));
    // Simulated viewers live faster, and the server with them.
    const now = simulate ? () => begin + Number(Atomics.load(clock, 0)) : Date.now;
    const edge = await Edge.open({ log, learner, ...beginning, now, onError, onNews });
    const connections = connectionsOf(this.#settings, edge, (text) => this.#journal.tell("info", "connect", text));
    const origins = originsOf(this.#settings, tokens);
    const { followers } = connections;
    const app = edgeApp({ edge, tokens, origins, now, connections: followers, ...this.#appOptions() });
    const { maxBytes, maxRequests, maxConnections, bodyTimeoutMs, maxTurnMs, trustProxy } = this.#settings;
    const limits = { maxBytes, maxRequests, maxConnections, bodyTimeoutMs, maxTurnMs, urgentPaths: URGENT };
    const pages = new MountedPages();
    const answer = async (request: Request, client: RequestClient) =>
      (await pages.answer(request)) ??
      app.fetch(request, trustProxy ? { address: forwarded(request) ?? client.address } : client);
    const serving = await listen(answer, { port, hostname: host, fd: inherited(), onError, ...limits });
    // A supervisor's socket may be reached from anywhere, whatever the settings say.
    if (tokens === undefined && !LOOPBACK.includes(new URL(serving.url).hostname.replace(/^\[|\]$/g, ""))) {
      await serving.stop(0);
      await edge.close();
      throw new SettingError(
        `the socket at ${serving.url} is reached from other machines: give a "--token", or LIVEQ_TOKEN`,
      );
    }
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
    const { drainMs, graceMs, lingerMs } = this.#settings;
    app.drain();
    if (drainMs > 0) await new Promise((resolve) => setTimeout(resolve, drainMs));
    await serving.stop(graceMs, lingerMs);
    await edge.close();
    this.#journal.tell("info", "stopped", "stopped; all that was taken is saved");
  }

  /** Opens the log of a folder, once who has it lets go of it. */
  async #folder(folder: string): Promise<EventLog> {
    for (const until = Date.now() + this.#settings.waitMs; ; ) {
      try {
        return await openLogThread(folder, new URL("./log.js", import.meta.url));
      } catch (error) {
        const isHeld = error instanceof StorageError && error.reason === "locked";
        if (!isHeld || Date.now() >= until) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }

  #appOptions() {
    const { maxBytes, maxEvents, maxBatch, maxRequests, bodyTimeoutMs, rate, burst } = this.#settings;
    const onAnswer = this.#journal.has("debug") ? (answer: Answered) => this.#answered(answer) : undefined;
    const limits = { maxBytes, maxEvents, maxBatch, maxRequests, bodyTimeoutMs, limits: { rate, burst } };
    return { ...limits, figures: processFigures, onAnswer };
  }

  #answered({ id, method, route, status, ms }: Answered): void {
    this.#journal.tell("debug", "request", "", { id, method, route, status, ms });
  }

  #news(news: EdgeNews): void {
    if (news.type === "model") {
      const { version, updates, transitions, loss, qMean } = news.model;
      const facts = { version, updates, transitions, loss, qMean };
      this.#journal.tell("debug", "model", `model ${version} answers, after ${updates} updates`, facts);
    } else if (news.type === "heldBack") {
      const { updates, reason } = news.heldBack;
      this.#journal.tell("warn", "held_back", `the model after ${updates} updates is held back: ${reason}`, {
        updates,
        reason,
      });
    } else {
      const { sequence, trimTo } = news;
      this.#journal.tell("info", "checkpoint", `saved up to record ${sequence}`, { sequence, trimTo });
    }
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

/** The socket of a supervisor, by the protocol of systemd: the first one is descriptor 3. */
function inherited(): number | undefined {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = process.env;
  return pid === String(process.pid) && Number(count) >= 1 ? 3 : undefined;
}

/** The address that the nearest proxy wrote down. */
function forwarded(request: Request): string | undefined {
  return request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() || undefined;
}

/** What Prometheus is told of the process. */
function processFigures(): Metric[] {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    { name: "process_resident_bytes", help: "Memory of the process.", value: rss },
    { name: "process_heap_bytes", help: "Of it, JavaScript's objects on the thread that answers.", value: heapUsed },
    { name: "process_cpu_seconds_total", help: "CPU time of all its threads.", value: (user + system) / 1e6 },
    { name: "process_uptime_seconds", help: "Since it began.", value: process.uptime() },
  ];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
