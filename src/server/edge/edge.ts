import {
  type Decision,
  EventError,
  type Id,
  type LiveEvent,
  parseRequest,
  type Receipt,
  type Request,
  takeEach,
} from "../../protocol/index.js";
import { type DecisionRows, Recommender } from "../../recommender/index.js";
import { type EventLog, StorageError } from "../../storage/index.js";
import { type Model, ServingAgent } from "./agent.js";
import type { HeldBack } from "./learner.js";
import { applyRecord, decodeRecord, type EdgeRecord, encodeRecord } from "./records.js";

/** What a learner says after it was told records. */
export interface Learned {
  /** The sequence number of the next record that it needs. */
  readonly next: number;
  /** A new model that may go live. */
  readonly model?: Model | undefined;
  readonly heldBack?: HeldBack | undefined;
  /** Set when it has saved itself: the log may be trimmed up to here. */
  readonly trimTo?: number | undefined;
}

/** The learner of a server, on this thread or another. */
export interface LearnerPort {
  /** Takes records of the log, the first with this sequence number, and answers when it has learned from them. */
  take(first: number, records: readonly Uint8Array[]): Promise<Learned>;
  /** Saves itself now, where it has a place to. `isAlone`: and removes what it saved before. */
  save(isAlone?: boolean): Promise<Learned>;
  /** A file of its recommender. */
  file(): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What a server is made of. */
export interface EdgeParts {
  log: EventLog;
  learner: LearnerPort;
  /** A file of the learner's recommender: what serving begins with. */
  file: Uint8Array;
  /** The sequence number of the first record that is not in the file. */
  sequence: number;
  /** The host's time, milliseconds since the Unix epoch. */
  now: () => number;
  /** Called with what goes wrong behind the back of requests. */
  onError?: (error: unknown) => void;
}

/** Counts of a server's work. */
export interface EdgeStats {
  requests: number;
  events: number;
  /** Decisions that could not be logged: the disk is full or failed. They were answered, and nothing is learned from them. */
  unlogged: number;
  /** Records that the learner has not yet learned from. */
  behind: number;
  /** The model that answers: its version, 0 for the one that the server began with, updates, and when it came. */
  model: number;
  modelUpdates: number;
  modelAt: number;
  /** Whether newer models wait since somebody went back to this one. */
  isPinned: boolean;
  /** What no longer works, until the server starts anew: the learner, or the log, which then takes no events. */
  failed: "learner" | "log" | undefined;
  heldBack: HeldBack | undefined;
}

/** Records that are told to the learner at once. */
const PAGE = 256;
/** Models that one can go back to. */
const MODELS = 8;

/**
 * A recommender that serves, logs and learns: requests wait neither for the disk nor for learning.
 *
 * A decision is drawn with the newest model and logged behind the answer. An event is acknowledged once it is on disk, and
 * only then taken by the recommender that serves. The learner is told what the log holds, in its order.
 */
export class Edge {
  readonly #recommender: Recommender;
  readonly #agent: ServingAgent;
  readonly #parts: EdgeParts;
  readonly #models: Model[] = [];
  readonly #stats: EdgeStats;
  #learned: number;
  /** Ends the sleep of the pump. */
  #wake: () => void = () => {};
  #isClosing = false;
  #pumping: Promise<void> = Promise.resolve();

  private constructor(parts: EdgeParts, recommender: Recommender, agent: ServingAgent) {
    this.#parts = parts;
    this.#recommender = recommender;
    this.#agent = agent;
    this.#learned = parts.sequence;
    const { updates } = recommender.stats();
    this.#stats = {
      ...{ requests: 0, events: 0, unlogged: 0, behind: 0, model: 0, modelUpdates: updates, modelAt: parts.now() },
      isPinned: false,
      failed: undefined,
      heldBack: undefined,
    };
  }

  /** Brings a server up to the end of its log. @throws SnapshotError, StorageError. */
  static async open(parts: EdgeParts): Promise<Edge> {
    let agent: ServingAgent | undefined;
    const loadAgent = (bytes: Uint8Array) => {
      agent = ServingAgent.load(bytes);
      return agent;
    };
    const recommender = Recommender.load(parts.file, { loadAgent });
    for await (const { bytes } of parts.log.read(parts.sequence)) applyRecord(recommender, decodeRecord(bytes));
    const edge = new Edge(parts, recommender, agent!);
    edge.#keep(edge.#first());
    edge.#pumping = edge.#pump();
    return edge;
  }

  /** Chooses a slate. Its feedback must name the decision. @throws EventError for an invalid request. */
  recommend(request: Omit<Request, "now">): Decision {
    if ("now" in request) throw new EventError("now", '"now" must be absent: the time of a request is the server\'s');
    let rows: DecisionRows | undefined;
    const decision = this.#recommender.recommend(parseRequest({ ...request, now: this.#parts.now() }), (told) => {
      rows = told;
    });
    this.#stats.requests++;
    const { explanations: _, runnersUp: __, sources: ___, scores: ____, ...logged } = decision;
    this.#append([{ type: "decision", decision: logged, rows }]).catch((error) => {
      this.#stats.unlogged++;
      this.#parts.onError?.(error);
    });
    return decision;
  }

  /**
   * Takes events, in their order, and says what became of each once they are on disk.
   *
   * @throws StorageError if they could not be written: none was taken, and all may be sent again.
   */
  async feed(events: readonly LiveEvent[]): Promise<Receipt[]> {
    const now = this.#parts.now();
    await this.#append(events.map((event) => ({ type: "event", now, event })));
    const receipts = takeEach(this.#recommender, events, now);
    this.#stats.events += receipts.filter((receipt) => receipt === "taken").length;
    return receipts;
  }

  /**
   * Forgets a user, and resolves once nothing on the disk knows the user: the learner saves itself, and earlier checkpoints
   * and the log behind it are gone.
   */
  async forget(user: Id): Promise<boolean> {
    await this.#append([{ type: "forget", user }]);
    const wasKnown = this.#recommender.forget(user);
    await this.#append([{ type: "nothing" }]);
    await this.settled();
    const { trimTo, ...learned } = await this.#parts.learner.save(true);
    this.#take(learned);
    if (trimTo !== undefined) await this.#parts.log.trim(trimTo);
    return wasKnown;
  }

  /** What is known of a user; undefined for an unknown one. */
  profile(user: Id): ReturnType<Recommender["profile"]> {
    return this.#recommender.profile(user);
  }

  /** Goes back to an earlier model at once, and stays there until `release`. Default: the one before. @throws RangeError. */
  rollback(version = this.#stats.model - 1): void {
    const found = this.#models.find((model) => model.version === version);
    if (found === undefined) {
      const known = this.#models.map((model) => model.version).join(", ");
      throw new RangeError(`"version" must be one of ${known}, got ${version}`);
    }
    this.#stats.isPinned = true;
    this.#swap(found);
  }

  /** Lets the newest model go live again, and those to come. */
  release(): void {
    this.#stats.isPinned = false;
    this.#swap(this.#models.at(-1)!);
  }

  /** The models that one can go back to, the oldest first; without their weights. */
  models(): Omit<Model, "weights">[] {
    return this.#models.map(({ weights: _, ...model }) => model);
  }

  stats(): EdgeStats {
    return { ...this.#stats, behind: this.#parts.log.next - this.#learned };
  }

  /** The streams on air, in no order that lasts. */
  onAir(): Id[] {
    return this.#recommender.onAir();
  }

  /** Counts of the recommender that serves. */
  recommenderStats(): ReturnType<Recommender["stats"]> {
    return this.#recommender.stats();
  }

  /** Resolves when the learner has learned from all that is logged by now. @throws Error if it no longer works. */
  async settled(): Promise<void> {
    const until = this.#parts.log.next;
    while (this.#learned < until && !this.#isClosing) {
      if (this.#stats.failed === "learner") throw new Error("the learner no longer works; what is logged waits for it");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Lets the learner save itself, with all that is logged by now. */
  async save(): Promise<void> {
    await this.settled();
    this.#take(await this.#parts.learner.save());
  }

  /** All that is known and learned by now, as a file to go on from. */
  async file(): Promise<Uint8Array> {
    await this.settled();
    return this.#parts.learner.file();
  }

  /** Learns from what is logged, saves, and closes learner and log. What fails is told to `onError`. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    await this.save().catch((error) => this.#parts.onError?.(error));
    this.#isClosing = true;
    this.#wake();
    await this.#pumping;
    await this.#parts.learner.close().catch((error) => this.#parts.onError?.(error));
    await this.#parts.log.close();
    this.#recommender.dispose();
  }

  async #append(records: readonly EdgeRecord[]): Promise<void> {
    if (this.#isClosing) throw new StorageError("closed", "the server is closing");
    try {
      await this.#parts.log.append(records.map(encodeRecord));
    } catch (error) {
      if (error instanceof StorageError && error.reason === "failed") this.#stats.failed = "log";
      throw error;
    }
    this.#wake();
  }

  /** Tells the learner what is on disk, a page at a time. */
  async #pump(): Promise<void> {
    const { log, learner, onError } = this.#parts;
    while (!this.#isClosing) {
      if (this.#learned >= log.next) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (this.#learned < log.next || this.#isClosing) resolve();
        });
        continue;
      }
      try {
        const records: Uint8Array[] = [];
        for await (const { bytes } of log.read(this.#learned)) if (records.push(bytes) === PAGE) break;
        this.#take(await learner.take(this.#learned, records));
      } catch (error) {
        // Without its learner a server serves the model that it has.
        this.#stats.failed ??= "learner";
        onError?.(error);
        return;
      }
    }
  }

  #take({ next, model, heldBack, trimTo }: Learned): void {
    this.#learned = next;
    this.#stats.heldBack = heldBack;
    if (trimTo !== undefined) this.#parts.log.trim(trimTo).catch((error) => this.#parts.onError?.(error));
    if (model === undefined) return;
    this.#keep(model);
    if (!this.#stats.isPinned) this.#swap(model);
  }

  /** The model that the server begins with. */
  #first(): Model {
    const { updates, transitions } = this.#recommender.stats();
    const { sequence } = this.#parts;
    const unknown = { loss: Number.NaN, qMean: Number.NaN };
    return { version: 0, sequence, transitions, updates, ...unknown, weights: this.#agent.copyWeights() };
  }

  #keep(model: Model): void {
    this.#models.push(model);
    if (this.#models.length > MODELS) this.#models.shift();
  }

  #swap(model: Model): void {
    this.#agent.swap(model);
    Object.assign(this.#stats, { model: model.version, modelUpdates: model.updates, modelAt: this.#parts.now() });
  }
}
