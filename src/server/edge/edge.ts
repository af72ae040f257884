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
import type { DecisionRows, Recommender, RequestExploration } from "../../recommender/index.js";
import type { Figure } from "../../statistics/index.js";
import { type EventLog, type LogStats, StorageError } from "../../storage/index.js";
import { isKept, type RankModel, RankModels, RankService } from "../rank/index.js";
import { type Acting, type Model, ServingAgent, type ShadowReport } from "./agent.js";
import { Gallery } from "./gallery.js";
import type { HeldBack } from "./learner.js";
import { decodeRecord, type EdgeRecord, encodeRecord } from "./log/records.js";
import type { Candidate, Learned, LearnerPort } from "./port.js";
import { applyRecord, openReplica, type Replica } from "./replica.js";
import { Tail } from "./tail.js";
import { type ArmPolicy, checkedTrial, type TrialOptions, type TrialReport } from "./trials.js";

/** What a server is made of. */
export interface EdgeParts {
  log: EventLog;
  learner: LearnerPort;
  /** A file of the learner, or of a recommender: what serving begins with. */
  file: Uint8Array;
  /** The sequence number of the first record that is not in the file. */
  sequence: number;
  /** The models of an earlier run, the oldest first, and the one that somebody went back to. Default: none. */
  models?: readonly Model[] | undefined;
  pinned?: number | undefined;
  /** What scored in the shadow of an earlier run. Default: nothing. */
  shadow?: Candidate | undefined;
  /** Those of ranking, as `models` and `pinned`. Default: none. */
  rankModels?: readonly RankModel[] | undefined;
  rankPinned?: number | undefined;
  /** The host's time, milliseconds since the Unix epoch. */
  now: () => number;
  /** Called with what goes wrong behind the back of requests. */
  onError?: (error: unknown) => void;
  /** Called with what happens behind the back of requests, for a log. */
  onNews?: (news: EdgeNews) => void;
}

/** What happens behind the back of requests. */
export type EdgeNews =
  | { readonly type: "model"; readonly model: Omit<Model, "weights"> }
  | { readonly type: "heldBack"; readonly heldBack: HeldBack }
  | { readonly type: "checkpoint"; readonly sequence: number; readonly trimTo: number };

/** A request for a slate. */
export interface EdgeRequest extends Omit<Request, "now"> {
  /**
   * In place of the recommender's options `explore`: `epsilon`, `temperature` and `top`. Boltzmann exploration has an epsilon of 1.
   * Default: those.
   */
  explore?: RequestExploration;
}

/** Counts of a server's work. */
export interface EdgeStats {
  requests: number;
  events: number;
  /** Decisions that could not be logged: the disk is full or failed. They were answered, and nothing is learned from them. */
  unlogged: number;
  /** Slates with a first place, and the sum of its probabilities: what is missing to their number is exploration. */
  firstPlaces: number;
  firstPropensities: number;
  /** Records that the learner has not yet learned from. */
  behind: number;
  /** The model that answers: its version, 0 for what a new server began with, updates, and when it came. */
  model: number;
  modelUpdates: number;
  modelAt: number;
  /** Whether newer models wait since somebody went back to this one. */
  isPinned: boolean;
  /** What no longer works, until the server starts anew: the learner, or the log, which then takes no events. */
  failed: "learner" | "log" | undefined;
  heldBack: HeldBack | undefined;
  /** How far a candidate agrees with the model that answers; undefined: none scores beside it. */
  shadow: (ShadowReport & { candidate: Candidate }) | undefined;
}

/** All that is held of a user, for the user. */
export interface UserExport {
  user: Id;
  profile: ReturnType<Recommender["profile"]>;
  /** Decisions whose feedback is not over. */
  waiting: ReturnType<Recommender["waiting"]>;
  /** Events and decisions of the log that have the user, the oldest first. */
  log: EdgeRecord[];
}

/** Records that are told to the learner at once. */
const PAGE = 256;

/** The best streams by value, without exploration, and why. */
export type Preview = ReturnType<Recommender["rank"]> & {
  /** With exploration, the probability of each stream at its place, given those above; undefined with several heads. */
  readonly propensities?: readonly number[];
};

/**
 * A recommender that serves, logs and learns: requests wait neither for the disk nor for learning.
 *
 * A decision is drawn with the newest model and logged behind the answer. An event is acknowledged once it is on disk, and
 * only then taken by the recommender that serves. The learner is told what the log holds, in its order.
 */
export class Edge {
  /** The latest decisions and events. */
  readonly tail = new Tail();
  /** Ranks actions that a caller gives. */
  readonly rank: RankService;
  readonly #replica: Replica;
  readonly #agent: ServingAgent;
  readonly #gallery: Gallery;
  readonly #rankModels: RankModels;
  readonly #parts: EdgeParts;
  readonly #stats = { requests: 0, events: 0, unlogged: 0, firstPlaces: 0, firstPropensities: 0 };
  #failed: EdgeStats["failed"];
  #heldBack: HeldBack | undefined;
  #learned: number;
  /** Writes of the log that are under way. */
  readonly #appending = new Set<Promise<unknown>>();
  /** Ends the sleep of the pump. */
  #wake: () => void = () => {};
  #isClosing = false;
  #pumping: Promise<void> = Promise.resolve();

  private constructor(parts: EdgeParts, replica: Replica, agent: ServingAgent) {
    this.#parts = parts;
    this.#replica = replica;
    this.#agent = agent;
    this.#learned = parts.sequence;
    const { updates, transitions } = replica.recommender.stats();
    const unknown = {
      ...{ loss: Number.NaN, qMean: Number.NaN, tdErrorP50: Number.NaN, tdErrorP90: Number.NaN },
      gradientNorm: Number.NaN,
    };
    const first = { version: 0, sequence: parts.sequence, transitions, updates, ...unknown };
    this.#gallery = new Gallery(agent, { ...first, weights: agent.copyWeights() }, parts.now, (model) =>
      parts.onNews?.({ type: "model", model }),
    );
    this.#gallery.restore(parts.models ?? [], parts.pinned, parts.shadow);
    this.#gallery.try(replica.trials.options);
    this.#rankModels = new RankModels(replica.ranker);
    this.#rankModels.restore(parts.rankModels ?? [], parts.rankPinned);
    this.rank = new RankService(replica.ranker, this.#rankModels, {
      append: (record) => this.#append([{ type: "rank", record }]),
      tell: (record) => this.#tell({ type: "rank", record }),
      keep: () => this.#keepModels(),
      now: parts.now,
    });
  }

  /** Brings a server up to the end of its log. @throws SnapshotError, StorageError. */
  static async open(parts: EdgeParts): Promise<Edge> {
    let agent: ServingAgent | undefined;
    const loadAgent = (bytes: Uint8Array) => {
      agent = ServingAgent.load(bytes);
      return agent;
    };
    const replica = openReplica(parts.file, loadAgent, true);
    for await (const { bytes } of parts.log.read(parts.sequence)) applyRecord(replica, decodeRecord(bytes));
    const edge = new Edge(parts, replica, agent!);
    edge.#pumping = edge.#pump();
    return edge;
  }

  /** Chooses a slate. Its feedback must name the decision. @throws EventError for an invalid request. */
  recommend(request: EdgeRequest): Decision {
    if ("now" in request) throw new EventError("now", '"now" must be absent: the time of a request is the server\'s');
    const { explore, ...asked } = request;
    let rows: DecisionRows | undefined;
    const parsed = parseRequest({ ...asked, now: this.#parts.now() });
    const { recommender, trials } = this.#replica;
    this.#agent.begin(actingOf(trials.of(parsed.user)?.policy));
    const decision = fielded(() => recommender.recommend(parsed, (told) => void (rows = told), explore));
    trials.decision(decision);
    this.tail.decision(decision, parsed.now);
    this.#stats.requests++;
    if (decision.propensities.length > 0) this.#stats.firstPlaces++;
    this.#stats.firstPropensities += decision.propensities[0] ?? 0;
    const { explanations: _, runnersUp: __, sources: ___, scores: ____, ...logged } = decision;
    this.#tell({ type: "decision", decision: logged, rows });
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
    const taker = { feedback: (event: LiveEvent) => applyRecord(this.#replica, { type: "event", now, event }) };
    const receipts = takeEach(taker, events, now);
    for (const [i, receipt] of receipts.entries()) {
      if (receipt !== "taken") continue;
      this.#stats.events++;
      this.tail.event(events[i]!, now);
    }
    return receipts;
  }

  /**
   * Forgets a user, and resolves once nothing on the disk knows the user: the learner saves itself, and earlier checkpoints
   * and the log behind it are gone.
   */
  async forget(user: Id): Promise<boolean> {
    await this.#append([{ type: "forget", user }]);
    const wasKnown = this.#replica.recommender.forget(user);
    this.tail.forget(user);
    await this.#append([{ type: "nothing" }]);
    await this.settled();
    const { trimTo, ...learned } = await this.#parts.learner.save(true);
    this.#take(learned);
    if (trimTo !== undefined) await this.#parts.log.trim(trimTo);
    return wasKnown;
  }

  /** What would be shown to a user now, and why; nothing is shown or remembered. @throws EventError. */
  preview(request: Omit<Request, "now">): Preview {
    this.#agent.begin("live");
    const { recommender } = this.#replica;
    const asked = parseRequest({ explain: true, ...request, now: this.#parts.now() });
    const found = recommender.rank(asked);
    // Several heads draw noise for them, which later decisions would miss.
    if ((recommender.options.explore.heads ?? 1) > 1) return found;
    const chances = recommender.distributions(asked, found.slate);
    return { ...found, propensities: found.slate.map((stream, i) => chances[i]?.get(stream) ?? 0) };
  }

  /** What the policy has brought since the server began: see `LiveMetrics`. Empty where nobody measures. */
  async figures(): Promise<Figure[]> {
    return (await this.#parts.learner.figures?.()) ?? [];
  }

  /** What is known of a user; undefined for an unknown one. */
  profile(user: Id): ReturnType<Recommender["profile"]> {
    return this.#replica.recommender.profile(user);
  }

  /** Streams like one on air; undefined for another. See `Recommender.similar`. */
  similar(stream: Id, k?: number): Id[] | undefined {
    return this.#replica.recommender.similar(stream, k);
  }

  /** All that is held of a user: the profile, decisions that wait for feedback, and what the log has; undefined: nothing. */
  async export(user: Id): Promise<UserExport | undefined> {
    const { recommender } = this.#replica;
    const log: EdgeRecord[] = [];
    const { log: held } = this.#parts;
    for await (const { bytes } of held.read(await held.first())) {
      const record = decodeRecord(bytes);
      if (isOf(user, record))
        log.push(record.type === "decision" ? { type: "decision", decision: record.decision } : record);
    }
    const [profile, waiting] = [recommender.profile(user), recommender.waiting(user)];
    const isKnown = profile !== undefined || waiting.length > 0 || log.length > 0;
    return isKnown ? { user, profile, waiting, log } : undefined;
  }

  /**
   * Goes back to an earlier model at once, before it returns, and stays there until `release`; resolves when it stays also
   * over restarts, where models are kept.
   *
   * @param version Default: the one before.
   * @throws RangeError.
   */
  rollback(version?: number): Promise<void> {
    this.#gallery.rollback(version);
    return this.#keepModels();
  }

  /** Lets the newest model go live again, and those to come; resolves as `rollback` does. */
  release(): Promise<void> {
    this.#gallery.release();
    return this.#keepModels();
  }

  /** The models that one can go back to, the oldest first; without their weights. */
  models(): Omit<Model, "weights">[] {
    return this.#gallery.list();
  }

  /**
   * Starts an A/B test of two policies over the users, in place of the one before; it lasts over restarts.
   *
   * @throws TypeError, RangeError for wrong options, EventError for a model that is not kept; StorageError.
   */
  async startTrial(given: Record<string, unknown>): Promise<TrialReport> {
    const options = checkedTrial(given);
    for (const arm of ["a", "b"] as const) this.#gallery.require(options[arm], arm);
    await this.#setTrial(options);
    return this.#replica.trials.report()!;
  }

  /** Ends the A/B test, and returns its last report; undefined without one. @throws StorageError. */
  async stopTrial(): Promise<TrialReport | undefined> {
    const report = this.#replica.trials.report();
    if (report !== undefined) await this.#setTrial(undefined);
    return report;
  }

  /** The A/B test and its results so far; undefined without one. */
  trial(): TrialReport | undefined {
    return this.#replica.trials.report();
  }

  async #setTrial(options: TrialOptions | undefined): Promise<void> {
    const record: EdgeRecord = { type: "trial", now: this.#parts.now(), options };
    await this.#append([record]);
    applyRecord(this.#replica, record);
    this.#gallery.try(options);
    await this.#keepModels();
  }

  /**
   * Lets a candidate score the same requests, which it does not answer, also over restarts where models are kept; its counts
   * begin anew then. Undefined: no longer.
   *
   * @throws EventError.
   */
  shadow(candidate: Candidate | undefined): Promise<void> {
    this.#gallery.shadow(candidate);
    return this.#keepModels();
  }

  stats(): EdgeStats {
    const { model, since, isPinned } = this.#gallery.live;
    return {
      ...this.#stats,
      behind: this.#parts.log.next - this.#learned,
      ...{ model: model.version, modelUpdates: model.updates, modelAt: since, isPinned },
      ...{ failed: this.#failed, heldBack: this.#heldBack, shadow: this.#gallery.shadowReport() },
    };
  }

  /** What the log has done, and what waits. */
  logStats(): LogStats {
    return this.#parts.log.stats();
  }

  /** The streams on air, in no order that lasts. */
  onAir(): Id[] {
    return this.#replica.recommender.onAir();
  }

  /** Counts of the recommender that serves. */
  recommenderStats(): ReturnType<Recommender["stats"]> {
    return this.#replica.recommender.stats();
  }

  /**
   * Resolves when the learner has learned from all that happened by now, decisions that were answered and are not yet logged
   * among it. @throws Error if it no longer works.
   */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#appending);
    const until = this.#parts.log.next;
    while (this.#learned < until && !this.#isClosing) {
      if (this.#failed === "learner") throw new Error("the learner no longer works; what is logged waits for it");
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

  /**
   * Learns from what is logged, saves, and closes learner and log. What fails is told to `onError`.
   *
   * @param settleMs How long to learn; what is logged and not learned then is learned after the next start. Default 10 000.
   */
  async close(settleMs = 10_000): Promise<void> {
    if (this.#isClosing) return;
    const { log, learner, onError } = this.#parts;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, settleMs);
    });
    await Promise.race([this.settled(), late]).catch((error) => onError?.(error));
    clearTimeout(timer);
    this.#isClosing = true;
    this.#wake();
    await this.#pumping;
    if (this.#failed !== "learner") {
      await learner.save().then(
        (learned) => this.#take(learned),
        (error) => onError?.(error),
      );
    }
    await learner.close().catch((error) => onError?.(error));
    await log.close();
    this.#replica.recommender.dispose();
    this.#replica.ranker.dispose();
  }

  /** Logs behind the back of an answer. */
  #tell(record: EdgeRecord): void {
    this.#append([record]).catch((error) => {
      this.#stats.unlogged++;
      this.#parts.onError?.(error);
    });
  }

  /** Resolves when the models in use are kept; what goes wrong is told to `onError`. */
  async #keepModels(): Promise<void> {
    const { learner, onError } = this.#parts;
    await learner.keep?.({ ...this.#gallery.kept, rank: this.#rankModels.kept }).catch((error) => onError?.(error));
  }

  async #append(records: readonly EdgeRecord[]): Promise<void> {
    if (this.#isClosing) throw new StorageError("closed", "the server is closing");
    const appended = this.#parts.log.append(records.map(encodeRecord));
    this.#appending.add(appended);
    try {
      await appended;
    } catch (error) {
      if (error instanceof StorageError && error.reason === "failed") this.#failed = "log";
      throw error;
    } finally {
      this.#appending.delete(appended);
    }
    this.#wake();
  }

  /** Tells the learner what is on disk, a page at a time. */
  async #pump(): Promise<void> {
    const { log, onError } = this.#parts;
    while (!this.#isClosing) {
      if (this.#learned >= log.next) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (this.#learned < log.next || this.#isClosing) resolve();
        });
        continue;
      }
      try {
        await this.#teach();
      } catch (error) {
        // Without its learner a server serves the model that it has.
        this.#failed ??= "learner";
        onError?.(error);
        return;
      }
    }
  }

  /** Tells the learner what is logged by now. */
  async #teach(): Promise<void> {
    const { log, learner } = this.#parts;
    let records: Uint8Array[] = [];
    // One reading for all: each new one would read its first blocks again.
    for await (const { bytes } of log.read(this.#learned)) {
      if (records.push(bytes) < PAGE) continue;
      this.#take(await learner.take(this.#learned, records));
      if (this.#isClosing) return;
      records = [];
    }
    if (records.length > 0) this.#take(await learner.take(this.#learned, records));
  }

  #take({ next, model, rank, heldBack, rankHeldBack, trimTo, isSaved }: Learned): void {
    const { log, onError, onNews } = this.#parts;
    this.#learned = next;
    if (heldBack !== undefined && heldBack.updates !== this.#heldBack?.updates)
      onNews?.({ type: "heldBack", heldBack });
    this.#heldBack = heldBack;
    if (rankHeldBack !== undefined && rankHeldBack.updates !== this.rank.heldBack?.updates)
      onNews?.({ type: "heldBack", heldBack: rankHeldBack });
    this.rank.heldBack = rankHeldBack;
    if (isSaved) onNews?.({ type: "checkpoint", sequence: next, trimTo: trimTo ?? 0 });
    if (trimTo !== undefined) log.trim(trimTo).catch((error) => onError?.(error));
    if (rank !== undefined) this.#rankModels.add(rank);
    if (model !== undefined) this.#gallery.add(model);
    if (model !== undefined || (rank !== undefined && isKept(rank.version))) void this.#keepModels();
  }
}

function actingOf(policy: ArmPolicy | undefined): Acting {
  return policy === undefined || policy === "newest" ? "live" : policy;
}

function isOf(user: Id, record: EdgeRecord): boolean {
  if (record.type === "decision") return record.decision.user === user;
  if (record.type !== "event") return false;
  const { event } = record;
  return ("user" in event && event.user === user) || ("friend" in event && event.friend === user);
}

/** @throws EventError in place of a RangeError or TypeError about an option. */
function fielded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const field = error instanceof EventError ? undefined : /^"(explore[.\w]*)"/.exec((error as Error).message)?.[1];
    if (field === undefined) throw error;
    throw new EventError(field, (error as Error).message);
  }
}
