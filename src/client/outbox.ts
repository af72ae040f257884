import type { LiveEvent } from "../protocol/index.js";
import type { EventFault, EventsAnswer } from "./answers.js";
import { ClientError } from "./error.js";
import { bytesOf, type Item, itemOf, type Parcel, Queue, type QueueLimits } from "./queue.js";
import { unique } from "./random.js";
import { SavedItems } from "./saved.js";
import type { ClientStorage } from "./storage.js";
import type { Transport } from "./transport.js";

/** Where events go, and where the server says its time. */
export const EVENTS_PATH = "/v1/events";
const TIME_PATH = "/live";
/** Browsers send so much behind the back of a page that ends, all requests together. */
const BEACON_BYTES = 60_000;
/** Statuses of a wrong address or token: the same later, until somebody repairs it. */
const WRONG = [401, 403, 404, 405, 415];

export interface OutboxOptions extends QueueLimits {
  batchEvents: number;
  batchBytes: number;
  batchMs: number;
  retryMaxMs: number;
  storage: ClientStorage | undefined;
  storageKey: string;
  onError: (error: unknown) => void;
  onRefused: (event: LiveEvent, fault: EventFault) => void;
}

/** Events of queued ones, by what became of them. */
export interface QueueStats {
  /** Waiting, or on their way. */
  queued: number;
  queuedBytes: number;
  /** Answered by the server, whatever it said. */
  sent: number;
  /** Among them those that it did not take; duplicates are not counted. */
  refused: number;
  /** Dropped without being sent, as the queue was full. */
  dropped: number;
}

/** Omits a field of each kind of event. */
type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** An event as a page knows it. Default of `time`: now, by the server's clock; of `id`: a unique one. */
export type UntimedEvent = Without<LiveEvent, "time" | "id"> & { time?: number; id?: string };

/**
 * Events on their way: in parcels, one after the other, repeated until they are answered. Each event has an id and each
 * parcel a key, so that none counts twice however often it is sent.
 */
export class Outbox {
  readonly #transport: Transport;
  readonly #options: OutboxOptions;
  readonly #queue: Queue;
  /** The parcel that is sent next, or is on its way; and those that a hidden page sends. */
  #parcel: Parcel | undefined;
  readonly #beacons = new Set<Parcel>();
  #name: string | undefined;
  #count = 0;
  #saved: SavedItems | undefined;
  #opened: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  /** Most events of a parcel, after one that was too large. */
  #most: number;
  #sent = 0;
  #refused = 0;
  /** Whether the parcel is on its way. */
  #isSending = false;
  /** The server asked to be left alone until then, by the clock that is never set. */
  #notBefore = 0;

  constructor(transport: Transport, options: OutboxOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#queue = new Queue(options);
    this.#most = options.batchEvents;
  }

  stats(): QueueStats {
    const held = this.#held();
    return {
      queued: this.#queue.size + held.length,
      queuedBytes: this.#queue.bytes + held.reduce((sum, { bytes }) => sum + bytes, 0),
      sent: this.#sent,
      refused: this.#refused,
      dropped: this.#queue.dropped,
    };
  }

  /** Takes an event. @param agoMs - How long ago it was. */
  add(event: UntimedEvent, agoMs: number): void {
    void this.open();
    const { clock } = this.#transport;
    const isByHost = event.time === undefined && !clock.isKnown;
    const time = event.time ?? Math.max(0, clock.now() - Math.round(agoMs));
    const id = event.id ?? `${this.#named()}-${this.#count++}`;
    this.#unpack();
    this.#queue.add(itemOf({ ...event, id, time } as LiveEvent, isByHost), this.#held());
    this.#saved?.change();
    if (this.#failures > 0 || this.#running !== undefined) return;
    const { batchEvents, batchBytes, batchMs } = this.#options;
    if (this.#queue.size >= batchEvents || this.#queue.bytes >= batchBytes) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), batchMs);
  }

  /** Takes over what earlier pages left, once. */
  open(): Promise<void> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  /** Sends what waits; resolves when all of it is answered, or a parcel failed and waits for its next time. */
  flush(): Promise<void> {
    if (this.#isHeldOff()) return Promise.resolve();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /**
   * Sends what waits in a way that outlasts the page, as far as browsers let it. What is on its way is sent again: a page
   * that ends takes that with it.
   */
  beacon(): void {
    if (this.#transport.clock.isKnown && !this.#isHeldOff()) {
      let left = BEACON_BYTES - this.#sizeOfBeacons();
      if (this.#parcel !== undefined) {
        left -= bytesOf(this.#parcel.body);
        if (left >= 0) void this.#transport.attempt(this.#callOf(this.#parcel, true)).catch(() => {});
      }
      while (this.#queue.size > 0 && left > this.#queue.items[0]!.bytes + 2) {
        const parcel = this.#pack(this.#queue.take(this.#most, Math.min(left, this.#options.batchBytes)));
        left -= bytesOf(parcel.body);
        this.#beacons.add(parcel);
        void this.#sendBeacon(parcel);
      }
    }
    this.#saved?.write();
  }

  /** Forgets all that waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#queue.clear();
    this.#parcel = undefined;
    this.#beacons.clear();
    this.#saved?.write();
  }

  /** Sends nothing more by itself. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saved?.write();
  }

  async #open(): Promise<void> {
    const { storage, storageKey, onError } = this.#options;
    if (storage === undefined) return;
    const all = () => [...this.#held(), ...this.#queue.items];
    const saved = new SavedItems(storage, storageKey, this.#named(), all, onError);
    const items = await saved.takeOver();
    this.#saved = saved;
    this.#queue.putBack(items);
    saved.write();
    if (items.length > 0) this.#timer ??= setTimeout(() => void this.flush(), this.#options.batchMs);
  }

  async #run(): Promise<void> {
    await this.open();
    try {
      while (this.#parcel !== undefined || this.#queue.size > 0) {
        if (!this.#transport.clock.isKnown) await this.#transport.attempt({ method: "GET", path: TIME_PATH });
        if (this.#parcel === undefined) {
          const items = this.#queue.take(this.#most, this.#options.batchBytes);
          // Another page may have sent all meanwhile, or somebody cleared the queue.
          if (items.length === 0) return;
          this.#parcel = this.#pack(items);
        }
        this.#isSending = true;
        await this.#deliver(this.#parcel, false);
        this.#parcel = undefined;
        this.#failures = 0;
        this.#saved?.change();
      }
    } catch (error) {
      this.#isSending = false;
      if (!(error instanceof ClientError)) throw error;
      this.#failed(error);
    } finally {
      this.#isSending = false;
    }
  }

  #isHeldOff(): boolean {
    return performance.now() < this.#notBefore;
  }

  #failed(error: ClientError): void {
    const attempt = this.#failures++;
    this.#options.onError(error);
    this.#notBefore = performance.now() + (error.retryAfterMs ?? 0);
    // The key came with other events: a new one; the ids of the events still tell.
    if (error.status === 422) this.#putBack();
    const isWrong = WRONG.includes(error.status) || error.fault === "answer";
    const delay = isWrong ? this.#options.retryMaxMs : this.#transport.delayOf(attempt, error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), delay);
    this.#saved?.change();
  }

  /** Sends a parcel. @throws ClientError: all of it waits on. */
  async #deliver(parcel: Parcel, keepalive: boolean): Promise<void> {
    try {
      const answer = await this.#transport.attempt(this.#callOf(parcel, keepalive));
      if (typeof (answer as Partial<EventsAnswer> | undefined)?.accepted !== "number") {
        throw new ClientError("the answer must be about events", { fault: "answer", status: 200, answer });
      }
      this.#answered(parcel, faultsOf(answer));
    } catch (error) {
      if (!(error instanceof ClientError) || !this.#isOver(parcel, error)) throw error;
    }
  }

  /** Whether a failure is the end of a parcel, as the server said no to its events, or it is sent in another form. */
  #isOver(parcel: Parcel, error: ClientError): boolean {
    const { status, answer } = error;
    if (error.mayPass || WRONG.includes(status) || status === 0 || error.fault === "answer") return false;
    const faults = faultsOf(answer);
    if (faults.length > 0) this.#answered(parcel, faults);
    else if (status === 422) return false;
    else if (status === 413 && parcel.items.length > 1) {
      this.#most = Math.ceil(parcel.items.length / 2);
      this.#queue.putBack(parcel.items);
    } else {
      const fault: EventFault = { answer: "invalid", field: error.field, message: error.message };
      this.#answered(
        parcel,
        parcel.items.map((_, index) => ({ ...fault, index })),
      );
    }
    return true;
  }

  #answered({ items }: Parcel, faults: readonly EventFault[]): void {
    this.#sent += items.length;
    for (const fault of faults) {
      const event = items[fault.index ?? 0]?.event;
      if (fault.answer === "duplicate" || event === undefined) continue;
      this.#refused++;
      this.#options.onRefused(event, fault);
    }
  }

  async #sendBeacon(parcel: Parcel): Promise<void> {
    try {
      if (typeof Request === "function" && !("keepalive" in Request.prototype)) {
        this.#sendOldBeacon(parcel);
        this.#queue.putBack(parcel.items);
      } else await this.#deliver(parcel, true);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      // The page may go on.
      this.#queue.putBack(parcel.items);
      if (this.#failures === 0) this.#failed(error);
    } finally {
      this.#beacons.delete(parcel);
      this.#saved?.change();
    }
  }

  /** For browsers without `keepalive`: a beacon has no header, so no token, and nobody learns what became of it. */
  #sendOldBeacon({ body }: Parcel): void {
    if (this.#transport.hasToken || typeof navigator === "undefined") return;
    navigator.sendBeacon?.(this.#transport.urlOf(EVENTS_PATH), new Blob([body], { type: "application/json" }));
  }

  /** Items that are packed. */
  #held(): Item[] {
    return [...(this.#parcel?.items ?? []), ...[...this.#beacons].flatMap(({ items }) => items)];
  }

  #sizeOfBeacons(): number {
    return [...this.#beacons].reduce((sum, { body }) => sum + bytesOf(body), 0);
  }

  /** A parcel that failed waits packed, under its key, unless the queue needs to drop the oldest. */
  #unpack(): void {
    const { queueEvents, queueBytes } = this.#options;
    const { queued, queuedBytes } = this.stats();
    if (queued >= queueEvents || queuedBytes >= queueBytes - BEACON_BYTES) this.#putBack();
  }

  #putBack(): void {
    if (this.#parcel === undefined || this.#isSending) return;
    this.#queue.putBack(this.#parcel.items);
    this.#parcel = undefined;
  }

  /** From now on the times of the items are the server's, and never change: an id stands for one content. */
  #pack(items: readonly Item[]): Parcel {
    const { clock } = this.#transport;
    const timed = items.map((item) => {
      if (!item.isByHost) return item;
      return itemOf({ ...item.event, time: clock.fromHost(item.event.time) }, false);
    });
    return { key: unique(), items: timed, body: JSON.stringify(timed.map(({ event }) => event)) };
  }

  #callOf({ key, body }: Parcel, keepalive: boolean) {
    return { method: "POST", path: EVENTS_PATH, body, key, keepalive } as const;
  }

  #named(): string {
    this.#name ??= unique();
    return this.#name;
  }
}

function faultsOf(answer: unknown): readonly EventFault[] {
  const { faults } = (typeof answer === "object" && answer !== null ? answer : {}) as Partial<EventsAnswer>;
  return Array.isArray(faults) ? faults : [];
}
