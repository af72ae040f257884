import {
  callback,
  checked,
  integer,
  optional,
  positive,
  positiveInteger,
  type Rule,
  type Rules,
} from "../check/index.js";
import type { Decision, Id, LiveEvent } from "../protocol/index.js";
import type {
  BatchAnswer,
  EventFault,
  EventsAnswer,
  ExperimentAnswer,
  ExperimentOptions,
  ForgetAnswer,
  ModelsAnswer,
  ProfileAnswer,
  RankingAnswer,
  RankingRequest,
  RankModelsAnswer,
  RankReportAnswer,
  RewardAnswer,
  ServerCounts,
  ShadowAnswer,
  ShadowCandidate,
  SlateRequest,
  StatsAnswer,
  StreamAnswer,
  StreamChange,
  StreamStart,
} from "./answers.js";
import { ClientError } from "./error.js";
import { EVENTS_PATH, Outbox, type QueueStats, type UntimedEvent } from "./outbox.js";
import { unique } from "./random.js";
import type { ClientStorage } from "./storage.js";
import { type Call, Transport } from "./transport.js";

/** How a client calls its server. */
export interface ClientOptions {
  /** Address of the server, such as `https://live.example/liveq`. */
  url: string;
  /** Secret of a token of the server; in a page one with the scopes `recommend` and `events` alone. Default: none. */
  token?: string | undefined;
  /** Milliseconds until an attempt is given up, > 0. Default 10 000. */
  timeoutMs?: number;
  /** Further attempts of a call; queued events are tried until they are answered. Default 3. */
  retries?: number;
  /**
   * Bound of the random wait before the second attempt, milliseconds, > 0; it doubles with each. Default 250. A server's
   * Retry-After is added.
   */
  retryMs?: number;
  /** Largest bound of the random wait, milliseconds, > 0. Default 30 000. */
  retryMaxMs?: number;
  /** Queued events that are sent together, at most. Default 100. */
  batchEvents?: number;
  /** Size of their JSON in bytes, at most, [1024, 60000]: a page that ends may send no more. Default 48 000. */
  batchBytes?: number;
  /** Milliseconds that a queued event waits for others, > 0. Default 1000. */
  batchMs?: number;
  /** Events that wait while the server cannot be reached; beyond them the oldest are dropped. Default 1000. */
  queueEvents?: number;
  /** Size of their JSON in bytes; beyond it the oldest are dropped. Default 512 KiB. */
  queueBytes?: number;
  /** Milliseconds that a request for a slate waits for events that are not yet sent, as they matter to it. Default 250. */
  settleMs?: number;
  /** Where queued events outlast the page, such as `localStorage`. Default: nowhere. */
  storage?: ClientStorage | undefined;
  /** What the names there begin with. Default `liveq`. */
  storageKey?: string;
  /** Called with what fails while queued events are sent, which is tried again. Default: ignored. */
  onError?: (error: unknown) => void;
  /** Called with each queued event that the server did not take, and why. Default: ignored. */
  onRefused?: (event: LiveEvent, fault: EventFault) => void;
  /** What makes requests. Default: the host's `fetch`. */
  fetch?: typeof fetch | undefined;
}

/** Of one call. */
export interface CallOptions {
  /** Ends the call, which rejects with the reason of the signal. */
  signal?: AbortSignal | undefined;
}

const text: Rule = [(value) => typeof value === "string" && value !== "", "a string of at least one character"];
const object: Rule = [(value) => typeof value === "object" && value !== null, "an object"];
const RULES: Rules<ClientOptions> = {
  url: text,
  token: optional(text),
  timeoutMs: positive,
  retries: integer(0, 100),
  retryMs: positive,
  retryMaxMs: positive,
  batchEvents: integer(1, 10_000),
  batchBytes: integer(1024, 60_000),
  batchMs: positive,
  queueEvents: positiveInteger,
  queueBytes: positiveInteger,
  settleMs: integer(0, 60_000),
  storage: optional(object),
  storageKey: text,
  onError: callback,
  onRefused: callback,
  fetch: optional(callback),
};
const DEFAULTS: Partial<ClientOptions> = {
  timeoutMs: 10_000,
  retries: 3,
  retryMs: 250,
  retryMaxMs: 30_000,
  batchEvents: 100,
  batchBytes: 48_000,
  batchMs: 1000,
  queueEvents: 1000,
  queueBytes: 2 ** 19,
  settleMs: 250,
  storageKey: "liveq",
  onError: () => {},
  onRefused: () => {},
};

type Checked = Required<Omit<ClientOptions, "token" | "storage" | "fetch">> &
  Record<"token", string | undefined> &
  Record<"storage", ClientStorage | undefined> &
  Record<"fetch", typeof fetch | undefined>;

/**
 * A client of a LiveQ server, for pages, workers and servers: it needs `fetch` alone.
 *
 * Calls are repeated while that may help, after random waits; each that changes something has a key, so that none counts
 * twice. Every method rejects with a `ClientError`, or with the reason of its signal. `queue` takes events without a
 * promise: they are sent in batches, wait while the server cannot be reached, and are sent as the page ends.
 */
export class LiveQClient {
  readonly #transport: Transport;
  readonly #outbox: Outbox;
  readonly #options: Checked;
  readonly #asked = new Set<(user: Id) => void>();
  #isListening = false;

  /** @throws TypeError for an unknown option, RangeError for a wrong value. */
  constructor(options: ClientOptions) {
    const given = checked<ClientOptions>(options, RULES, DEFAULTS) as Checked;
    this.#options = { ...given, token: given.token, storage: given.storage, fetch: given.fetch };
    this.#transport = new Transport(this.#options);
    this.#outbox = new Outbox(this.#transport, this.#options);
  }

  /** Chooses a slate for a user; its feedback must name the decision's `id`. Events that are queued are sent before. */
  async recommend(request: SlateRequest, options?: CallOptions): Promise<Decision> {
    await this.#settle([request.user]);
    return this.#send("POST", "/v1/recommend", request, options);
  }

  /** Chooses slates for several users. */
  async recommendBatch(requests: readonly SlateRequest[], options?: CallOptions): Promise<BatchAnswer> {
    await this.#settle(requests.map(({ user }) => user));
    const answer = await this.#send<{ decisions: BatchAnswer }>("POST", "/v1/recommend/batch", { requests }, options);
    return answer.decisions;
  }

  /**
   * Sends events at once, and says what became of each. Those without an id get one, those without a time the server's.
   *
   * @throws ClientError if none could be taken: `answer` says why.
   */
  async events(events: readonly UntimedEvent[], options?: CallOptions): Promise<EventsAnswer> {
    const name = unique();
    if (events.some(({ time }) => time === undefined)) await this.#knowTime(options);
    const now = this.now();
    return this.#send(
      "POST",
      EVENTS_PATH,
      events.map((event, i) => ({ time: now, id: `${name}-${i}`, ...event })),
      options,
    );
  }

  /** Says that a stream goes on air. */
  onAir(stream: Id, start: StreamStart, options?: CallOptions): Promise<StreamAnswer> {
    return this.#send("PUT", pathOf("streams", stream), start, options);
  }

  /** Says that a stream on air changes. */
  update(stream: Id, change: StreamChange, options?: CallOptions): Promise<StreamAnswer> {
    return this.#send("PATCH", pathOf("streams", stream), change, options);
  }

  /** Says that a stream goes off air. */
  offAir(stream: Id, options?: CallOptions): Promise<StreamAnswer> {
    return this.#send("DELETE", pathOf("streams", stream), undefined, options);
  }

  /** At most k streams like one on air, k in [1, 100]; undefined for one that is not. */
  async similar(stream: Id, k = 10, options?: CallOptions): Promise<Id[] | undefined> {
    const path = `${pathOf("streams", stream)}/similar?k=${k}`;
    return (await this.#find<{ streams: Id[] }>(path, options))?.streams;
  }

  /** The profile of a user; undefined for an unknown one. */
  profile(user: Id, options?: CallOptions): Promise<ProfileAnswer | undefined> {
    return this.#find(pathOf("users", user), options);
  }

  /** All that is held of a user: profile, waiting decisions, records of the log; undefined for an unknown one. */
  exportUser(user: Id, options?: CallOptions): Promise<Record<string, unknown> | undefined> {
    return this.#find(`${pathOf("users", user)}/export`, options);
  }

  /** Lets the server forget a user. */
  forget(user: Id, options?: CallOptions): Promise<ForgetAnswer> {
    return this.#send("DELETE", pathOf("users", user), undefined, options);
  }

  /** The models that the server can go back to, and which one answers. */
  models(options?: CallOptions): Promise<ModelsAnswer> {
    return this.#send("GET", "/v1/models", undefined, options);
  }

  /** Goes back to an earlier model, and stays there until `release`. Default of `version`: the one before. */
  rollback(version?: number, options?: CallOptions): Promise<ServerCounts> {
    return this.#send("POST", "/v1/models/rollback", version === undefined ? {} : { version }, options);
  }

  /** Lets the newest model go live again. */
  release(options?: CallOptions): Promise<ServerCounts> {
    return this.#send("POST", "/v1/models/release", {}, options);
  }

  /** Chooses one of the caller's actions in a context. */
  rank(request: RankingRequest, options?: CallOptions): Promise<RankingAnswer> {
    // By its name the server knows a request that comes again.
    return this.#send("POST", "/v1/rank", { eventId: unique(), ...request }, options);
  }

  /** Gives a ranked event its reward, once, in [-1000, 1000]. */
  reward(eventId: Id, value: number, options?: CallOptions): Promise<RewardAnswer> {
    return this.#send("POST", `${pathOf("events", eventId)}/reward`, { value }, options);
  }

  /** Says that the choice of an event is shown, where its activation was deferred. */
  activate(eventId: Id, options?: CallOptions): Promise<RewardAnswer> {
    return this.#send("POST", `${pathOf("events", eventId)}/activate`, {}, options);
  }

  /** Counts of ranking, and how far an apprentice agrees with the first actions. */
  rankReport(options?: CallOptions): Promise<RankReportAnswer> {
    return this.#send("GET", "/v1/rank", undefined, options);
  }

  /** Ends an apprenticeship: from now on the best action is chosen. */
  graduate(options?: CallOptions): Promise<RankReportAnswer> {
    return this.#send("POST", "/v1/rank/graduate", {}, options);
  }

  /** The models of ranking that the server can go back to, and which one ranks. */
  rankModels(options?: CallOptions): Promise<RankModelsAnswer> {
    return this.#send("GET", "/v1/rank/models", undefined, options);
  }

  /** Goes back to an earlier model of ranking, and stays there until `rankRelease`. Default: the one before that is kept. */
  rankRollback(version?: number, options?: CallOptions): Promise<RankReportAnswer> {
    return this.#send("POST", "/v1/rank/rollback", version === undefined ? {} : { version }, options);
  }

  /** Lets the newest model of ranking rank again. */
  rankRelease(options?: CallOptions): Promise<RankReportAnswer> {
    return this.#send("POST", "/v1/rank/release", {}, options);
  }

  /** How far the candidate in the shadow agrees with the model that answers; undefined for none. */
  shadow(options?: CallOptions): Promise<ShadowAnswer | undefined> {
    return this.#find("/v1/shadow", options);
  }

  /** Lets a model score the same requests, without being shown; its counts begin anew. */
  startShadow(candidate: ShadowCandidate, options?: CallOptions): Promise<ShadowAnswer> {
    const model = typeof candidate === "object" ? candidate.model : candidate;
    return this.#send("POST", "/v1/shadow", { model }, options);
  }

  /** Ends that, with the last counts. */
  stopShadow(options?: CallOptions): Promise<ShadowAnswer> {
    return this.#send("DELETE", "/v1/shadow", undefined, options);
  }

  /** The A/B test that runs; undefined for none. */
  experiment(options?: CallOptions): Promise<ExperimentAnswer | undefined> {
    return this.#find("/v1/experiment", options);
  }

  /** Starts an A/B test of two policies over the users, in place of the one before. */
  startExperiment(experiment: ExperimentOptions, options?: CallOptions): Promise<ExperimentAnswer> {
    return this.#send("POST", "/v1/experiment", experiment, options);
  }

  /** Ends the A/B test, with its last results. */
  stopExperiment(options?: CallOptions): Promise<ExperimentAnswer> {
    return this.#send("DELETE", "/v1/experiment", undefined, options);
  }

  /** Counts of the server and its recommender. */
  stats(options?: CallOptions): Promise<StatsAnswer> {
    return this.#send("GET", "/v1/stats", undefined, options);
  }

  /**
   * Takes an event, to be sent soon; never fails. A heartbeat takes the place of an earlier one that still waits.
   *
   * @param agoMs - How long ago it was, milliseconds >= 0, if it has no time. Default 0.
   */
  queue(event: UntimedEvent, agoMs = 0): void {
    this.#listen();
    this.#outbox.add(event, agoMs);
  }

  /** Sends what is queued; resolves when it is answered, or has to wait. */
  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  /** Sends what is queued in a way that outlasts the page; called by itself when a page is hidden or ends. */
  beacon(): void {
    this.#outbox.beacon();
  }

  /** Drops what is queued, here and in the storage. */
  clear(): void {
    this.#outbox.clear();
  }

  /** What became of queued events. */
  queueStats(): QueueStats {
    return this.#outbox.stats();
  }

  /** The server's time, as far as its answers told it; whole milliseconds. */
  now(): number {
    return this.#transport.clock.now();
  }

  /** Calls a function before each request for slates, with its user. @returns What ends that. */
  beforeRequest(call: (user: Id) => void): () => void {
    this.#asked.add(call);
    return () => this.#asked.delete(call);
  }

  /** Sends what is queued, and no longer listens to the page. What cannot be sent stays in the storage. */
  async close(): Promise<void> {
    await this.flush();
    this.#outbox.stop();
    if (!this.#isListening) return;
    this.#isListening = false;
    removeEventListener("pagehide", this.#hide);
    removeEventListener("online", this.#online);
    document.removeEventListener("visibilitychange", this.#hide);
  }

  readonly #hide = (event: Event): void => {
    // A page that is hidden may never be seen again: on phones it often ends without another event.
    if (event.type === "pagehide" || document.visibilityState === "hidden") this.#outbox.beacon();
  };

  readonly #online = (): void => {
    if (this.queueStats().queued > 0) void this.#outbox.flush();
  };

  #listen(): void {
    if (this.#isListening || typeof document === "undefined") return;
    this.#isListening = true;
    addEventListener("pagehide", this.#hide);
    addEventListener("online", this.#online);
    document.addEventListener("visibilitychange", this.#hide);
  }

  /** Lets events that are queued arrive before a request of their user, unless that takes long. */
  async #settle(users: readonly Id[]): Promise<void> {
    for (const call of this.#asked) for (const user of users) call(user);
    const { settleMs } = this.#options;
    if (this.queueStats().queued === 0 || settleMs === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, settleMs);
    });
    await Promise.race([this.flush(), late]);
    clearTimeout(timer);
  }

  async #knowTime(options: CallOptions | undefined): Promise<void> {
    if (!this.#transport.clock.isKnown) await this.#send("GET", "/live", undefined, options);
  }

  /** What is there under a path; undefined for nothing. */
  async #find<T>(path: string, options: CallOptions | undefined): Promise<T | undefined> {
    try {
      return await this.#send<T>("GET", path, undefined, options);
    } catch (error) {
      if (error instanceof ClientError && error.status === 404) return undefined;
      throw error;
    }
  }

  #send<T>(method: Call["method"], path: string, body: unknown, { signal }: CallOptions = {}): Promise<T> {
    const call: Call = { method, path, signal };
    if (body !== undefined) call.body = JSON.stringify(body);
    if (method !== "GET") call.key = unique();
    return this.#transport.call(call) as Promise<T>;
  }
}

function pathOf(what: string, id: Id): string {
  return `/v1/${what}/${encodeURIComponent(id)}`;
}
