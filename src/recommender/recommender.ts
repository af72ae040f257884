import { DQN } from "../agent.js";
import { log1p } from "../math.js";
import { checked, type DQNOptions, type Rule, type Rules, rules } from "../options.js";
import { Random } from "../random.js";
import { packSnapshot, SnapshotError, unpackSnapshot } from "../snapshot.js";
import type { StreamProfile } from "./audience.js";
import { Catalog, type CatalogStream, type SavedCatalog } from "./catalog.js";
import { Contents, type SavedContents } from "./content.js";
import { MINUTE } from "./decay.js";
import type { FeedbackEvent, Id, LiveEvent, StreamEvent, UserEvent } from "./events.js";
import { type ExploreOptions, Explorer } from "./explore.js";
import { type FeatureOptions, Features, featureVersion, type SavedFeatures } from "./features.js";
import { traitNames } from "./inputs.js";
import { Latest } from "./latest.js";
import { type DenseTransition, type NextState, Pending, type PendingOptions, type SavedPending } from "./pending.js";
import type { Decision, Policy, Request } from "./policy.js";
import {
  type ExportedProfile,
  type ProfileOptions,
  Profiles,
  type SavedProfiles,
  type StreamTraits,
  type UserProfile,
} from "./profile.js";
import { favouritesOf, type RetrievalOptions, Retriever } from "./retrieval.js";
import { Reward, type RewardOptions } from "./reward.js";
import { EventError, type LoggedDecision, parseDecision, parseEvent, parseRequest } from "./schema.js";
import { SlateBuilder, type SlateOptions } from "./slate.js";
import { CollaborativeVectors, type SavedVectors, type VectorOptions } from "./vectors.js";

/** What the recommender needs of an agent: `DQN`, or a stand-in. */
export interface QFunction extends Pick<DQN, "learn" | "save" | "dispose" | "steps" | "updates"> {
  observe(transition: DenseTransition): void;
  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array;
}

/** The options of the agent that are the recommender's to choose. */
export type LearnerOptions = Pick<
  DQNOptions,
  | "hidden"
  | "learningRate"
  | "batchSize"
  | "capacity"
  | "learningStarts"
  | "targetEvery"
  | "tau"
  | "double"
  | "loss"
  | "normalization"
  | "adamEpsilon"
  | "maxGradNorm"
>;

export interface RecommenderOptions {
  /** Seed of everything random, an integer >= 0. Default 1. */
  seed: number;
  /** Discount of the value of a user's next request, [0, 1]; 0 looks no further than this slate. Default 0.9. */
  gamma: number;
  /** Streams scored for a request, at most; more on air are retrieved first. [1, 65536]. Default 256. */
  maxCandidates: number;
  /** Streams of the next request that a transition keeps: the best by the values of that moment. Default 16. */
  nextCandidates: number;
  /** Transitions after which it learns by itself; 0: only `learn` does. Default 1. */
  trainEvery: number;
  /** Updates that it then does. Default 2. */
  updatesPerTrain: number;
  /** Updates before which it shows what most people watch, while it learns from that. Default 1000. */
  warmupUpdates: number;
  learner: LearnerOptions;
  retrieval: Partial<RetrievalOptions>;
  explore: Partial<ExploreOptions>;
  slate: Partial<SlateOptions>;
  reward: Partial<RewardOptions>;
  profile: Partial<ProfileOptions>;
  features: Partial<FeatureOptions>;
  /** Of the collaborative vectors; their seed, and how many users and streamers they hold, are by default the others'. */
  vectors: Partial<VectorOptions>;
  pending: Partial<Omit<PendingOptions, "gamma">>;
}

const LEARNER: LearnerOptions = {
  hidden: [32],
  learningRate: 3e-4,
  batchSize: 32,
  capacity: 10_000,
  learningStarts: 200,
  targetEvery: 250,
  tau: 1,
  loss: "squared",
  normalization: "none",
  adamEpsilon: 1e-8,
};

const DEFAULTS: RecommenderOptions = {
  seed: 1,
  gamma: 0.9,
  maxCandidates: 256,
  nextCandidates: 16,
  trainEvery: 1,
  updatesPerTrain: 2,
  warmupUpdates: 1000,
  learner: {},
  retrieval: {},
  explore: {},
  slate: {},
  reward: {},
  profile: {},
  features: {},
  vectors: {},
  pending: {},
};

const CANDIDATES_MAX = 65_536;
const candidateCount: Rule = [
  (value) => rules.atLeastOne[0](value) && (value as number) <= CANDIDATES_MAX,
  `an integer in [1, ${CANDIDATES_MAX}]`,
];
const group: Rule = [(value) => typeof value === "object" && value !== null, "an object"];

const TABLE: Rules<RecommenderOptions> = {
  seed: rules.count,
  gamma: rules.unit,
  maxCandidates: candidateCount,
  nextCandidates: candidateCount,
  trainEvery: rules.count,
  updatesPerTrain: rules.atLeastOne,
  warmupUpdates: rules.count,
  learner: group,
  retrieval: group,
  explore: group,
  slate: group,
  reward: group,
  profile: group,
  features: group,
  vectors: group,
  pending: group,
};

/** A time may be this far behind the latest one: it is moved up to it, and counted. Beyond, it is refused. */
const STEP_BACK_MAX = 5 * MINUTE;
/** Streams remembered after they went off air, for the feedback that is still to come. */
const GONE = 16_384;
/** Events remembered, so that one sent twice counts once. */
const HEARD = 8192;

/** What the recommender did, and what was odd about what it was told. */
export interface RecommenderStats {
  decisions: number;
  /** Transitions given to the agent, and updates that it did. */
  transitions: number;
  updates: number;
  /** Mean loss of the latest updates; NaN before the first. */
  loss: number;
  /** Decisions whose feedback is still to come, users remembered, streams on air. */
  pending: number;
  users: number;
  onAir: number;
  /** Times a little behind the latest one, moved up to it. */
  steppedBack: number;
  /** Events that came a second time, with the same time: ignored. */
  duplicates: number;
  /** Events of a decision that is closed: they count for the profiles, and come too late to be learned from. */
  late: number;
  /** Events that name a decision that never was, or did not show this stream to this user. */
  unknownDecisions: number;
  /** Events about streams that never went on air, or long ago; `update` and `off_air` for streams not on air. */
  unknownStreams: number;
  /** Decisions dropped unlearned because too many were pending. */
  dropped: number;
  /** Clicks whose watch was never told. */
  untold: number;
}

type Five<T> = [T, T, T, T, T];

/** What a file of `save` says it is. */
const KIND = "recommender";

/** What a save holds beside the agent and the floats of pending decisions. */
interface Saved {
  options: RecommenderOptions;
  profiles: SavedProfiles;
  features: SavedFeatures;
  /** The rows are numbers, and stand beside. */
  vectors: Omit<SavedVectors, "rows">;
  contents: SavedContents;
  pending: SavedPending;
  catalog: SavedCatalog;
  gone: [Id, StreamTraits][];
  heard: string[];
  random: number[];
  counts: Counts;
}

interface Counts {
  time: number;
  decisions: number;
  /** Transitions since it last learned by itself. */
  untrained: number;
  /** NaN, which JSON has not, is null. */
  loss: number | null;
  steppedBack: number;
  duplicates: number;
  late: number;
  unknownDecisions: number;
  unknownStreams: number;
}

/**
 * A live-stream recommender that learns online, by deep Q-learning, how long what it shows will keep people watching.
 *
 * The state is the user, the session so far and the time; an action is a stream on air, given by features, so that a
 * stream never seen before has a value too; the reward is what the user did with it; the next state is the user's next
 * request. Nothing reads a clock: all times come with the calls, in order.
 *
 * ```ts
 * const recommender = new Recommender({ seed: 1 });
 * recommender.feedback({ kind: "on_air", time: 0, stream: "s1", streamer: "ann", category: "chess" });
 * const { id, slate } = recommender.recommend({ user: "u1", now: 1000, k: 6 });
 * recommender.feedback({ kind: "click", time: 2000, user: "u1", stream: slate[0], decision: id });
 * recommender.feedback({ kind: "watch", time: 602000, user: "u1", stream: slate[0], watchMs: 600000, decision: id });
 * ```
 */
export class Recommender implements Policy {
  readonly name = "dqn";
  readonly options: Readonly<RecommenderOptions>;
  readonly #agent: QFunction;
  readonly #catalog = new Catalog();
  readonly #retriever: Retriever;
  readonly #profiles: Profiles;
  readonly #pending: Pending;
  readonly #random: Random;
  readonly #slate: SlateBuilder;
  readonly #vectors: CollaborativeVectors;
  readonly #contents: Contents;
  readonly #features: Features;
  readonly #gone = new Latest<Id, StreamTraits>(GONE);
  readonly #heard = new Latest<string, true>(HEARD);
  readonly #counts: Counts = {
    time: 0,
    decisions: 0,
    untrained: 0,
    loss: null,
    steppedBack: 0,
    duplicates: 0,
    late: 0,
    unknownDecisions: 0,
    unknownStreams: 0,
  };
  readonly #observation: Float32Array;
  readonly #candidates: Float32Array;
  readonly #scores: Float32Array;

  /**
   * @param agent - In place of a new `DQN`: one for these options, and rows as long as `Features` of them writes.
   * @throws TypeError or RangeError for an option that is unknown or out of its range.
   */
  constructor(options: Partial<RecommenderOptions> = {}, agent?: QFunction) {
    this.options = checked(options, TABLE, DEFAULTS);
    const { seed, gamma, maxCandidates, retrieval, explore, slate, reward } = this.options;
    const { profile, features, vectors, pending } = this.options;
    this.#retriever = new Retriever(this.#catalog, retrieval);
    this.#random = Random.named(seed, "explore");
    this.#slate = new SlateBuilder(maxCandidates, new Explorer(this.#random, explore), slate);
    this.#profiles = new Profiles(profile);
    const { users, streamers } = this.#profiles.options;
    this.#vectors = new CollaborativeVectors({ seed, users, streamers, ...vectors });
    this.#contents = new Contents(seed);
    const sources = { profiles: this.#profiles, vectors: this.#vectors, contents: this.#contents };
    this.#features = new Features(sources, features);
    this.#pending = new Pending(new Reward(reward), (transition) => this.#observe(transition), { ...pending, gamma });
    const { observationSize, candidateSize } = this.#features;
    this.#observation = new Float32Array(observationSize);
    this.#candidates = new Float32Array(maxCandidates * candidateSize);
    this.#scores = new Float32Array(maxCandidates);
    this.#agent = agent ?? newAgent(this.options, this.#features);
  }

  /**
   * Chooses a slate and remembers it until its feedback has come.
   * @throws EventError for a request that is not one, or whose time is too far back; nothing changes then.
   */
  recommend(request: Request): Decision {
    const { user, now: asked, k, candidates, filter } = parseRequest(request);
    const now = this.#advance(asked, "now");
    this.#pending.expire(now);
    const streams = this.#face({ user, now, candidates, filter });
    this.#slate.draw(this.#scores, streams.length, k, streams);
    this.#pending.next(user, () => this.#nextState(streams.length));
    const { chosen, propensities } = this.#slate;
    const shown = chosen.map((index) => streams[index]!);
    const id = `${this.name}-${this.#counts.decisions++}`;
    this.#show(id, user, shown, this.#rows(chosen, chosen.length));
    return {
      id,
      user,
      time: now,
      slate: shown.map((stream) => stream.id),
      propensities: [...propensities],
      scores: chosen.map((index) => this.#scores[index]!),
    };
  }

  /**
   * Takes a decision that somebody else made, of the streams on air now, and remembers it as one of its own: so it
   * learns from the log of another policy, off-policy. Call it where the decision stands in the log, then give the
   * feedback that names it. Streams of the slate that are not on air are left out.
   * @throws EventError for a decision that is not one, or whose time is too far back; nothing changes then.
   */
  decided(decision: LoggedDecision): void {
    const { id, user, time, slate } = parseDecision(decision);
    const now = this.#advance(time, "time");
    if (this.#pending.has(id)) {
      this.#counts.duplicates++;
      return;
    }
    this.#pending.expire(now);
    const streams = this.#face({ user, now });
    this.#slate.rank(this.#scores, streams.length);
    this.#pending.next(user, () => this.#nextState(streams.length));
    const shown = slate.flatMap((stream) => this.#catalog.get(stream) ?? []);
    this.#counts.unknownStreams += slate.length - shown.length;
    const { candidateSize } = this.#features;
    const rows = new Float32Array(shown.length * candidateSize);
    for (const [i, stream] of shown.entries()) this.#features.write(rows, i * candidateSize, stream);
    // A recommender of the same name made it: the own ones that follow must not be called like it.
    const number = this.#numberOf(id);
    if (number >= this.#counts.decisions) this.#counts.decisions = number + 1;
    this.#show(id, user, shown, rows);
  }

  /**
   * What it holds to be best, without exploration and limits: nothing is shown, drawn or remembered, but that the user
   * is here.
   * @throws EventError for a request that is not one, or whose time is too far back; nothing changes then.
   */
  rank(request: Request): Pick<Decision, "slate" | "scores"> {
    const { user, now: asked, k, candidates, filter } = parseRequest(request);
    const streams = this.#face({ user, now: this.#advance(asked, "now"), candidates, filter });
    this.#slate.rank(this.#scores, streams.length);
    const best = [...this.#slate.ranked.subarray(0, Math.min(k, streams.length))];
    return { slate: best.map((index) => streams[index]!.id), scores: best.map((index) => this.#scores[index]!) };
  }

  /**
   * Takes what happened: on the platform, or what a user did. Also does the updates that are due: serving does none.
   * @throws EventError for an event that is not one, or whose time is too far back; nothing changes then.
   */
  feedback(event: LiveEvent): void {
    const parsed = parseEvent(event);
    const key = keyOf(parsed);
    if (key !== "" && this.#heard.has(key)) {
      this.#counts.duplicates++;
      return;
    }
    parsed.time = this.#advance(parsed.time, "time");
    if (key !== "") this.#heard.set(key, true);
    this.#pending.expire(parsed.time);
    if (!("user" in parsed)) this.#takeStream(parsed);
    else if ("stream" in parsed) this.#takeFeedback(parsed);
    else this.#takeUser(parsed);
    this.#train();
  }

  /**
   * Does updates now, whatever `trainEvery` says.
   * @returns The mean loss; NaN while the agent has seen too little.
   */
  learn(updates = 1): number {
    const loss = this.#agent.learn(updates);
    if (!Number.isNaN(loss)) this.#counts.loss = loss;
    return loss;
  }

  /** A copy of all that is known of a user, as plain values; undefined when nothing is. */
  profile(user: Id): ExportedProfile | undefined {
    return this.#profiles.export(user);
  }

  /** A copy of all that is known of a streamer over all streams, as plain values; undefined when nothing is. */
  streamProfile(streamer: Id): StreamProfile | undefined {
    return this.#profiles.audiences.profile(streamer, this.#counts.time);
  }

  /**
   * Forgets a user: profile, friendships, vector and pending decisions. What was learned of all users together stays; it
   * names nobody.
   * @returns Whether there was a profile.
   */
  forget(user: Id): boolean {
    this.#pending.forget(user);
    this.#vectors.forget(user);
    for (const key of this.#heard.keys()) if (key.split("\0").includes(user, 1)) this.#heard.delete(key);
    return this.#profiles.delete(user);
  }

  /**
   * Forgets a streamer: the profile over all streams, the vector, and what users did there. Streams on air stay.
   * @returns Whether there was a profile.
   */
  forgetStreamer(streamer: Id): boolean {
    this.#vectors.forgetStreamer(streamer);
    for (const [stream, traits] of this.#gone) {
      if (traits.streamer !== streamer) continue;
      this.#gone.delete(stream);
      this.#contents.delete(stream);
    }
    return this.#profiles.deleteStreamer(streamer);
  }

  /** The latest time that it was told of, milliseconds. */
  get time(): number {
    return this.#counts.time;
  }

  stats(): RecommenderStats {
    const { decisions, loss, steppedBack, duplicates, late, unknownDecisions, unknownStreams } = this.#counts;
    return {
      decisions,
      transitions: this.#agent.steps,
      updates: this.#agent.updates,
      loss: loss ?? Number.NaN,
      pending: this.#pending.size,
      users: this.#profiles.size,
      onAir: this.#catalog.size,
      steppedBack,
      duplicates,
      late,
      unknownDecisions,
      unknownStreams,
      dropped: this.#pending.dropped,
      untold: this.#pending.untold,
    };
  }

  /** Everything, as a file: to go on from it is the same, to the bit, as never to have stopped. */
  save(): Uint8Array {
    const floats: Float32Array[] = [];
    const contents: Float32Array[] = [];
    const { rows, ...vectors } = this.#vectors.save();
    const saved: Saved = {
      options: this.options,
      profiles: this.#profiles.save(),
      features: this.#features.save(),
      vectors,
      contents: this.#contents.save(contents),
      pending: this.#pending.save(floats),
      catalog: this.#catalog.save(),
      gone: [...this.#gone],
      heard: [...this.#heard.keys()],
      random: [...this.#random.state()],
      counts: this.#counts,
    };
    const tensors = new Map([
      ["state", new TextEncoder().encode(JSON.stringify(saved))],
      ["pending", joined(floats)],
      ["vectors", joined([Float32Array.from(rows)])],
      ["contents", joined(contents)],
      ["agent", this.#agent.save()],
    ]);
    return packSnapshot(KIND, { features: String(featureVersion) }, tensors);
  }

  /**
   * The recommender that `save` wrote.
   * @param loadAgent - Reads the agent's part. Default `DQN.load`.
   * @throws SnapshotError for a file that is damaged, foreign, or of another version of the features.
   */
  static load(file: Uint8Array, loadAgent: (file: Uint8Array) => QFunction = (bytes) => DQN.load(bytes)): Recommender {
    const { metadata, tensors } = unpackSnapshot(KIND, file);
    if (metadata["features"] !== String(featureVersion)) {
      throw new SnapshotError(
        `the file's features are version ${metadata["features"]}, here they are ${featureVersion}`,
      );
    }
    const names = ["state", "pending", "vectors", "contents", "agent"] as const;
    const missing = names.find((name) => !tensors.has(name));
    if (missing !== undefined) throw new SnapshotError(`the file must hold "${missing}"`);
    const [state, pending, vectors, contents, agent] = names.map((name) => tensors.get(name)!) as Five<Uint8Array>;
    const saved = JSON.parse(new TextDecoder().decode(state)) as Saved;
    const recommender = new Recommender(saved.options, loadAgent(agent));
    recommender.#restore(saved, floatsOf(pending), floatsOf(vectors), floatsOf(contents));
    return recommender;
  }

  /** Lets the agent's memory go; the recommender cannot be used afterwards. */
  dispose(): void {
    this.#agent.dispose();
  }

  /** The recommender's time, moved on to `time`; it never goes back. */
  #advance(time: number, field: string): number {
    const behind = this.#counts.time - time;
    if (behind > STEP_BACK_MAX) {
      const must = `must be at least ${this.#counts.time - STEP_BACK_MAX}, as events come in order of time`;
      throw new EventError(field, `"${field}" ${must}, got ${time}`);
    }
    if (behind > 0) this.#counts.steppedBack++;
    else this.#counts.time = time;
    this.#catalog.advance(this.#counts.time);
    return this.#counts.time;
  }

  /** The streams that a user may be shown, with their rows and values in place. */
  #face(request: Pick<Request, "user" | "now" | "candidates" | "filter">): readonly CatalogStream[] {
    const { user, now, candidates, filter } = request;
    const profile = this.#profiles.open(user, now);
    const max = this.options.maxCandidates;
    const { streams } = this.#retriever.retrieve({
      user,
      now,
      max,
      favourites: favouritesOf(profile),
      candidates,
      filter,
    });
    this.#evaluate(user, profile, streams, now);
    return streams;
  }

  /** A slate was shown, with these rows: remembers it until its feedback has come. */
  #show(id: Id, user: Id, shown: readonly CatalogStream[], candidates: Float32Array): void {
    const { time } = this.#counts;
    this.#features.shown(shown);
    this.#profiles.shown(user, shown, time);
    if (shown.length === 0) return;
    const slate = shown.map((stream) => stream.id);
    this.#pending.add({ id, user, time, slate, observation: this.#observation.slice(), candidates });
  }

  /** Writes the state and the candidates, and the value of each into `#scores`. */
  #evaluate(user: Id, profile: UserProfile, streams: readonly CatalogStream[], now: number): void {
    let viewersMax = 0;
    for (const stream of streams) viewersMax = Math.max(viewersMax, stream.viewers);
    const moment = { now, onAir: this.#catalog.size, viewersMax };
    const { candidateSize } = this.#features;
    this.#features.begin(user, profile, moment);
    this.#features.writeObservation(this.#observation, 0);
    for (let i = 0; i < streams.length; i++) this.#features.write(this.#candidates, i * candidateSize, streams[i]!);
    if (this.#agent.updates < this.options.warmupUpdates) {
      for (let i = 0; i < streams.length; i++) this.#scores[i] = log1p(streams[i]!.viewers);
      return;
    }
    if (streams.length === 0) return;
    const rows = this.#candidates.subarray(0, streams.length * candidateSize);
    this.#scores.set(this.#agent.evaluate(this.#observation, rows));
  }

  /** Copies of some candidates' rows. */
  #rows(indices: ArrayLike<number>, n: number): Float32Array {
    const { candidateSize } = this.#features;
    const rows = new Float32Array(n * candidateSize);
    for (let i = 0; i < n; i++) {
      const start = indices[i]! * candidateSize;
      rows.set(this.#candidates.subarray(start, start + candidateSize), i * candidateSize);
    }
    return rows;
  }

  /** This request as the next state of decisions: over the best candidates by the values of now the target takes its max. */
  #nextState(candidates: number): NextState {
    const n = Math.min(candidates, this.options.nextCandidates);
    return {
      time: this.#counts.time,
      observation: this.#observation.slice(),
      candidates: this.#rows(this.#slate.ranked, n),
    };
  }

  #takeStream(event: StreamEvent): void {
    const stream = this.#catalog.get(event.stream);
    if (event.kind === "on_air") this.#gone.delete(event.stream);
    else if (stream === undefined) this.#counts.unknownStreams++;
    else if (event.kind === "off_air") {
      const { streamer, category, tags } = stream;
      this.#gone.set(event.stream, { streamer, category, tags });
    }
    this.#catalog.feedback(event);
    if (event.kind === "on_air" && stream === undefined) {
      this.#profiles.audiences.onAir(event.streamer, event.category, event.time);
      this.#vectors.offer(event.streamer, event.category, event.tags);
    }
    if (!this.#features.readsContents) return;
    if (event.kind === "on_air") this.#contents.onAir(event);
    else if (event.kind === "update") this.#contents.update(event);
    else this.#contents.offAir(event.stream);
  }

  #takeFeedback(event: FeedbackEvent): void {
    this.#catalog.feedback(event);
    const stream = this.#catalog.get(event.stream) ?? this.#gone.get(event.stream);
    const cut = !this.#catalog.has(event.stream);
    const taken = this.#pending.take(event, cut);
    const decision = "decision" in event ? event.decision : undefined;
    const isOwn = decision !== undefined && this.#hasMade(decision);
    if (!taken && decision !== undefined) {
      if (isOwn && !this.#pending.has(decision)) this.#counts.late++;
      else this.#counts.unknownDecisions++;
    }
    if (stream === undefined) this.#counts.unknownStreams++;
    // Impressions of an own decision have been counted when it was made.
    else if (event.kind !== "impression" || !(taken || isOwn)) this.#remember(event, stream, cut);
  }

  #takeUser(event: UserEvent): void {
    if (event.kind === "page_view") this.#profiles.page(event.user, event.dwellMs, event.time);
    else if (event.kind === "user") {
      const { kind: _kind, id: _id, user, time, ...traits } = event;
      this.#profiles.tell(user, traits, time);
    } else this.#profiles.befriend(event.user, event.friend, event.kind === "friend", event.time);
  }

  #remember(event: FeedbackEvent, stream: StreamTraits, cut: boolean): void {
    const { user, time } = event;
    switch (event.kind) {
      case "impression":
        this.#profiles.impression(user, stream, time);
        break;
      case "click":
        this.#profiles.click(user, stream, time);
        break;
      case "watch":
        this.#profiles.watch(user, stream, event.watchMs, cut, time, this.#contents.get(event.stream));
        this.#learnTaste(user, stream, event.watchMs);
        break;
      case "follow":
        this.#profiles.follow(user, stream, time);
        this.#profiles.interact(user, stream, false, time);
        break;
      case "rating":
        this.#profiles.rate(user, stream, event.rating, time);
        this.#profiles.interact(user, stream, event.rating < 0.5, time);
        break;
      default:
        this.#profiles.interact(user, stream, event.kind === "dislike", time);
    }
  }

  #learnTaste(user: Id, { streamer, category, tags }: StreamTraits, watchMs: number): void {
    if (watchMs < this.#profiles.options.engagedMs) return;
    const traits = traitNames(this.#profiles.get(user)?.traits ?? {});
    this.#vectors.learn(user, streamer, category, log1p(watchMs / MINUTE), tags, traits);
  }

  #hasMade(decision: Id): boolean {
    return this.#numberOf(decision) < this.#counts.decisions;
  }

  /** The number in the name of a decision of its own; NaN of another's. */
  #numberOf(decision: Id): number {
    const prefix = `${this.name}-`;
    const number = decision.startsWith(prefix) ? Number(decision.slice(prefix.length)) : Number.NaN;
    return Number.isSafeInteger(number) ? number : Number.NaN;
  }

  #observe(transition: DenseTransition): void {
    this.#agent.observe(transition);
    this.#counts.untrained++;
  }

  #train(): void {
    const { trainEvery, updatesPerTrain } = this.options;
    if (trainEvery === 0) return;
    for (; this.#counts.untrained >= trainEvery; this.#counts.untrained -= trainEvery) this.learn(updatesPerTrain);
  }

  #restore(saved: Saved, pending: Float32Array, vectors: Float32Array, contents: Float32Array): void {
    Object.assign(this.#counts, saved.counts);
    this.#profiles.load(saved.profiles);
    this.#features.load(saved.features);
    this.#vectors.load({ ...saved.vectors, rows: vectors });
    this.#contents.load(saved.contents, contents);
    for (const [stream, traits] of saved.gone) this.#gone.set(stream, traits);
    for (const key of saved.heard) this.#heard.set(key, true);
    this.#random.restore(Uint32Array.from(saved.random));
    this.#catalog.load(saved.catalog);
    this.#pending.load(saved.pending, pending);
  }
}

/** By this an event that comes again is recognised; empty for what may be said again. */
function keyOf(event: LiveEvent): string {
  if (event.id !== undefined) return `\0${event.id}`;
  if (!("user" in event)) return "";
  const about = "stream" in event ? event.stream : "friend" in event ? event.friend : "";
  return `${event.kind}\0${event.user}\0${about}\0${event.time}`;
}

function newAgent(
  { seed, gamma, maxCandidates, nextCandidates, learner }: RecommenderOptions,
  { observationSize, candidateSize }: Features,
): DQN {
  const candidates = { max: maxCandidates, features: candidateSize, next: nextCandidates };
  return new DQN({ ...LEARNER, ...learner, observation: observationSize, candidates, gamma, seed });
}

/** The floats that `joined` made bytes of. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

/** The bytes of the arrays, one after the other. */
function joined(arrays: readonly Float32Array[]): Uint8Array {
  const bytes = new Uint8Array(arrays.reduce((sum, array) => sum + array.byteLength, 0));
  let at = 0;
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  return bytes;
}
