import {
  type ConnectorOptions,
  type PlatformAdapter,
  PlatformConnector,
  type PlatformRequest,
  readTwitchWebhook,
} from "../../logs/index.js";
import { EventError, type Id, isEvent, type LiveEvent, type Receipt } from "../../protocol/index.js";

/** A request to a webhook. */
export interface WebhookRequest {
  headers: Headers;
  query: URLSearchParams;
  /** As it came, byte for byte: signatures are of these. */
  body: Uint8Array;
}

/** The answer to a webhook. */
export interface WebhookAnswer {
  status: 200 | 204 | 400 | 403 | 404 | 503;
  /** Plain text. */
  text?: string;
  error?: { field: string; message: string };
}

/** A figure for Prometheus. */
export interface PlatformFigure {
  name: string;
  help: string;
  value: number;
  labels: Readonly<Record<string, string>>;
}

/** How a connection does. Times are milliseconds since the Unix epoch, 0 for never. */
export interface PlatformState {
  name: string;
  /** Whether the last poll was answered; undefined before the first one. */
  isReached: boolean | undefined;
  polls: number;
  failures: number;
  lastPollAt: number;
  lastReachedAt: number;
  /** Why the last poll failed, or the last answer that was odd. */
  error: string | undefined;
  /** Streams that it holds on air. */
  onAir: number;
  /** Events that were taken. */
  events: number;
  /** Events that wait for the log. */
  waiting: number;
  webhooks: number;
  /** What was not taken, by reason. */
  dropped: Readonly<Record<string, number>>;
  /** Subscriptions that the server holds at the platform, and why the last look at them failed; undefined: it makes none. */
  subscriptions: number | undefined;
  subscriptionError: string | undefined;
  /** Subscriptions that the platform has ended, and why, the latest ones. */
  revoked: readonly string[];
}

/** A platform that a server follows. */
export interface PlatformConnection {
  /** The last part of the path of its webhook. */
  readonly name: string;
  receive(request: WebhookRequest): Promise<WebhookAnswer>;
  state(): PlatformState;
  figures(): PlatformFigure[];
}

/** How to follow a platform. */
export interface FollowerOptions {
  name: string;
  adapter: PlatformAdapter;
  /** Sends a request and returns the answer as parsed JSON. */
  ask: (request: PlatformRequest) => Promise<unknown>;
  /** Takes events for good, in their order. If it throws, it has taken none. */
  feed: (events: readonly LiveEvent[]) => Promise<readonly Receipt[]>;
  /** The host's time, milliseconds since the Unix epoch. */
  now: () => number;
  /** Between two polls, milliseconds. */
  intervalMs: number;
  /** The platform's streams that are on air from before. Default none. */
  onAir?: Iterable<Id>;
  /** How its webhook is known to be the platform's. Default: it has none. */
  webhook?: { kind: "twitch" | "owncast"; secret: string };
  /** Makes its subscriptions at the platform as they shall be, and returns how many there are. Default: it has none. */
  subscribe?: () => Promise<number>;
  connector?: Omit<ConnectorOptions, "onAir" | "onError" | "report">;
  /** Told of what changes: reached, out of reach, revoked. Default: nobody. */
  onLog?: (text: string) => void;
}

/** The longest time between two polls of a platform that cannot be reached. */
const BACKOFF_MS = 300_000;
/** Events that are fed at once, and that may wait for the log. */
const BATCH = 1000;
const WAITING = 50_000;
const REVOKED = 16;
/** Between two looks at the subscriptions, and after one that failed. */
const SUBSCRIBE_MS = 600_000;
const RESUBSCRIBE_MS = 60_000;

/** Follows a platform: polls it, takes its webhook, and feeds what changes. No odd answer ends it. */
export class Follower implements PlatformConnection {
  readonly name: string;
  readonly #options: FollowerOptions;
  readonly #connector: PlatformConnector;
  readonly #state = { polls: 0, failures: 0, lastPollAt: 0, lastReachedAt: 0, events: 0, webhooks: 0 };
  readonly #refused: Record<string, number> = {};
  readonly #revoked: string[] = [];
  readonly #waiting: LiveEvent[] = [];
  #isReached: boolean | undefined;
  #error: string | undefined;
  #inARow = 0;
  #sending: Promise<boolean> = Promise.resolve(true);
  #ended: Promise<void> | undefined;
  #wake: () => void = () => {};
  #isStopped = false;
  #subscriptions: number | undefined;
  #subscriptionError: string | undefined;
  #subscribeAt = 0;

  constructor(options: FollowerOptions) {
    this.name = options.name;
    this.#options = options;
    const ask = async (request: PlatformRequest) => {
      try {
        return await options.ask(request);
      } catch (error) {
        this.#failed ??= error as Error;
        throw error;
      }
    };
    const { connector = {}, onAir = [] } = options;
    this.#connector = new PlatformConnector(options.adapter, ask, { ...connector, onAir, onError: "skip" });
  }

  /** The first request of a poll that failed. */
  #failed: Error | undefined;

  /** Polls from now on, until `stop`. */
  start(): void {
    this.#ended ??= this.#run();
  }

  /** Resolves when nothing is under way any more. End the requests of `ask` before. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    await this.#ended;
    await this.#sending;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const delay = await this.poll();
      if (this.#isStopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delay);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Polls once, and feeds what has changed. Returns the milliseconds to the next poll. */
  async poll(): Promise<number> {
    const { now, intervalMs } = this.#options;
    // While the log takes nothing, what changes is found later.
    if (this.#waiting.length < WAITING) await this.#refresh(now());
    await this.#send();
    if (now() >= this.#subscribeAt) await this.#subscribe(now());
    return Math.min(intervalMs * (1 << Math.min(this.#inARow, 20)), Math.max(intervalMs, BACKOFF_MS));
  }

  async #subscribe(now: number): Promise<void> {
    const { subscribe } = this.#options;
    if (subscribe === undefined || this.#isStopped) return;
    try {
      const before = this.#subscriptions;
      this.#subscriptions = await subscribe();
      if (before !== this.#subscriptions || this.#subscriptionError !== undefined)
        this.#log(`sends notifications: ${this.#subscriptions} subscriptions`);
      this.#subscriptionError = undefined;
      this.#subscribeAt = now + SUBSCRIBE_MS;
    } catch (error) {
      this.#subscribeAt = now + RESUBSCRIBE_MS;
      if (this.#isStopped) return;
      const { message } = error as Error;
      if (message !== this.#subscriptionError) this.#log(`takes no subscriptions: ${message}`);
      this.#subscriptionError = message;
    }
  }

  async #refresh(now: number): Promise<void> {
    this.#failed = undefined;
    const before = this.#connector.report.dropped;
    const events = await this.#connector.refresh(now);
    // A poll that its end has cut off says nothing of the platform.
    if (this.#isStopped && this.#failed !== undefined) return;
    this.#enqueue(events);
    this.#state.polls++;
    this.#state.lastPollAt = now;
    const failed = this.#failed as Error | undefined;
    if (failed !== undefined) {
      this.#state.failures++;
      this.#inARow++;
      this.#error = failed.message;
      if (this.#isReached !== false) this.#log(`cannot be reached: ${failed.message}`);
    } else {
      this.#state.lastReachedAt = now;
      this.#inARow = 0;
      if (this.#isReached !== true) this.#log(`is followed: ${this.#connector.onAir().length} on air`);
      const { dropped, examples } = this.#connector.report;
      this.#error = dropped > before ? examples.at(-1) : undefined;
    }
    this.#isReached = failed === undefined;
  }

  async receive(request: WebhookRequest): Promise<WebhookAnswer> {
    const { webhook } = this.#options;
    if (webhook === undefined) {
      return refused(404, `"${this.name}" has no webhook: none of its secrets is set`);
    }
    if (this.#waiting.length >= WAITING) return refused(503, "too much waits: send it again");
    this.#state.webhooks++;
    try {
      return webhook.kind === "twitch"
        ? await this.#twitch(request, webhook.secret)
        : await this.#owncast(request, webhook.secret);
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      this.#count("odd webhook");
      return { status: 400, error: { field: error.field, message: error.message } };
    }
  }

  async #twitch({ headers, body }: WebhookRequest, secret: string): Promise<WebhookAnswer> {
    const found = await readTwitchWebhook((name) => headers.get(name), body, secret, this.#options.now());
    if (found === undefined) {
      this.#count("unsigned webhook");
      return refused(403, "the signature is not right, or older than ten minutes");
    }
    if (found.kind === "challenge") return { status: 200, text: found.challenge };
    if (found.kind === "notification") return this.#take(found.message);
    this.#revoked.push(`${found.type}: ${found.reason}`);
    if (this.#revoked.length > REVOKED) this.#revoked.shift();
    this.#log(`has ended the subscription to ${found.type}: ${found.reason}`);
    // Not at once: what it has ended for a reason it would end again.
    this.#subscribeAt = Math.min(this.#subscribeAt, this.#options.now() + RESUBSCRIBE_MS);
    return { status: 204 };
  }

  /** Owncast signs nothing: the address that it is given holds the secret. */
  async #owncast({ query, body }: WebhookRequest, secret: string): Promise<WebhookAnswer> {
    if (!(await isSame(query.get("key") ?? "", secret))) {
      this.#count("unsigned webhook");
      return refused(403, 'the "key" of the address is not right');
    }
    let message: unknown;
    try {
      message = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    } catch {
      throw new EventError("", "the body must be JSON in UTF-8");
    }
    return this.#take(message);
  }

  /** An odd message that is the platform's is counted; it would be sent again in vain. */
  async #take(message: unknown): Promise<WebhookAnswer> {
    this.#enqueue(this.#connector.message(message, this.#options.now()));
    return (await this.#send()) ? { status: 204 } : refused(503, "the events were not taken: send them again");
  }

  #enqueue(events: readonly LiveEvent[]): void {
    for (const event of events) {
      if (isEvent(event)) this.#waiting.push(event);
      else this.#count("invalid event");
    }
  }

  /** Feeds what waits, in its order; false: the rest still waits. */
  #send(): Promise<boolean> {
    this.#sending = this.#sending.then(() => this.#feed());
    return this.#sending;
  }

  async #feed(): Promise<boolean> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      let receipts: readonly Receipt[];
      try {
        receipts = await this.#options.feed(batch);
      } catch (error) {
        this.#error = (error as Error).message;
        return false;
      }
      this.#waiting.splice(0, batch.length);
      for (const receipt of receipts) {
        if (receipt === "taken") this.#state.events++;
        else this.#count(typeof receipt === "string" ? receipt : "invalid event");
      }
    }
    return true;
  }

  #count(reason: string): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
  }

  #log(text: string): void {
    this.#options.onLog?.(`${this.name} ${text}`);
  }

  state(): PlatformState {
    return {
      name: this.name,
      isReached: this.#isReached,
      ...this.#state,
      error: this.#error,
      onAir: this.#connector.onAir().length,
      waiting: this.#waiting.length,
      dropped: { ...this.#connector.report.droppedBy, ...this.#refused },
      subscriptions: this.#subscriptions,
      subscriptionError: this.#subscriptionError,
      revoked: [...this.#revoked],
    };
  }

  figures(): PlatformFigure[] {
    const { isReached, polls, failures, onAir, events, waiting, webhooks, lastReachedAt, dropped } = this.state();
    const { subscribe } = this.#options;
    const connection = this.name;
    const figure = (name: string, help: string, value: number, more: Record<string, string> = {}) => {
      return { name: `connect_${name}`, help, value, labels: { connection, ...more } };
    };
    return [
      figure("reached", "Whether the last poll of a platform was answered.", Number(isReached === true)),
      figure("reached_seconds", "When a platform was last reached, seconds since the epoch.", lastReachedAt / 1000),
      figure("polls_total", "Polls of a platform.", polls),
      figure("poll_failures_total", "Polls of a platform that failed.", failures),
      figure("webhooks_total", "Requests to the webhook of a platform.", webhooks),
      figure("streams_on_air", "Streams of a platform on air.", onAir),
      figure("events_total", "Events of a platform that were taken.", events),
      figure("events_waiting", "Events of a platform that wait for the log.", waiting),
      ...(subscribe === undefined
        ? []
        : [figure("subscriptions", "Subscriptions that the server holds at a platform.", this.#subscriptions ?? 0)]),
      ...Object.entries(dropped).map(([reason, count]) => {
        return figure("dropped_total", "What came from a platform and was not taken, by reason.", count, { reason });
      }),
    ];
  }
}

function refused(status: 403 | 404 | 503, message: string): WebhookAnswer {
  return { status, error: { field: "", message } };
}

/** Whether two secrets are equal, in a time that does not tell where they differ. */
async function isSame(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all(
    [a, b].map(async (text) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))),
  );
  return first!.reduce((difference, byte, i) => difference | (byte ^ second![i]!), 0) === 0;
}
