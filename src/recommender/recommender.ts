import { checked, group, mustBe, type Rules, rules } from "../check/index.js";
import { Latest } from "../collections/index.js";
import { DQN, type LearnerOptions, packSnapshot, SnapshotError, unpackSnapshot } from "../engine/index.js";
import { log1p, Random } from "../numeric/index.js";
import {
  type Decision,
  EventError,
  type FeedbackEvent,
  type Id,
  type LiveEvent,
  type LoggedDecision,
  MINUTE,
  type Policy,
  parseDecision,
  parseEvent,
  parseRequest,
  type Request,
  type TargetPolicy,
} from "../protocol/index.js";
import { type Features, featureVersion } from "./features/index.js";
import {
  type DenseTransition,
  type NextState,
  Pending,
  type PendingOptions,
  Reward,
  type RewardOptions,
  type SavedPending,
} from "./learning/index.js";
import {
  candidateCount,
  joined,
  KNOWLEDGE,
  KNOWLEDGE_TABLE,
  Knowledge,
  type KnowledgeOptions,
  NUMBERS,
  type SavedKnowledge,
  type SavedNumbers,
  type Scene,
} from "./scene.js";
import { type ExploreOptions, Explorer, SlateBuilder, type SlateOptions } from "./serving/index.js";
import type { CatalogStream, ExportedProfile, StreamerProfile } from "./state/index.js";

/** What the recommender needs of an agent: `DQN`, or a stand-in. */
export interface QFunction
  extends Pick<DQN, "learn" | "save" | "dispose" | "steps" | "updates">,
    Partial<Pick<DQN, "stats">> {
  observe(transition: DenseTransition): void;
  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array;
}

export interface RecommenderOptions extends KnowledgeOptions {
  /** Discount of the value of a user's next request, [0, 1]; 0 looks no further than this slate. Default 0.9. */
  gamma: number;
  /** Streams of the next request that a transition keeps: the best by the values of that moment. Default 16. */
  nextCandidates: number;
  /** Transitions after which it learns by itself; 0: only `learn` does. Default 1. */
  trainEvery: number;
  /** Updates that it then does. Default 2. */
  updatesPerTrain: number;
  /** Updates before which it shows what most people watch, while it learns from that. Default 1000. */
  warmupUpdates: number;
  learner: LearnerOptions;
  explore: Partial<ExploreOptions>;
  slate: Partial<SlateOptions>;
  reward: Partial<RewardOptions>;
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
  ...KNOWLEDGE,
  gamma: 0.9,
  nextCandidates: 16,
  trainEvery: 1,
  updatesPerTrain: 2,
  warmupUpdates: 1000,
  learner: {},
  explore: {},
  slate: {},
  reward: {},
  pending: {},
};

const TABLE: Rules<RecommenderOptions> = {
  ...KNOWLEDGE_TABLE,
  gamma: rules.unit,
  nextCandidates: candidateCount,
  trainEvery: rules.count,
  updatesPerTrain: rules.atLeastOne,
  warmupUpdates: rules.count,
  learner: group,
  explore: group,
  slate: group,
  reward: group,
  pending: group,
};

/** A time may be this far behind the latest one: it is moved up to it, and counted. Beyond, it is refused. */
const STEP_BACK_MAX = 5 * MINUTE;
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
  /** Decisions dropped unlearned because too many were pending, or too many were of one user. */
  dropped: number;
  /** Clicks whose watch was never told. */
  untold: number;
}

/** What a file of `save` says it is, and of which version: that changes with the shape of what a save holds. */
const KIND = "recommender";
const VERSION = "3";

/** What a save holds beside the agent and numbers. */
interface Saved {
  options: RecommenderOptions;
  knowledge: SavedKnowledge;
  pending: SavedPending;
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
export class Recommender implements Policy, TargetPolicy {
  readonly name = "dqn";
  readonly options: Readonly<RecommenderOptions>;
  readonly #agent: QFunction;
  readonly #knowledge: Knowledge;
  readonly #pending: Pending;
  readonly #random: Random;
  readonly #slate: SlateBuilder;
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
  readonly #explorer: Explorer;
  /** The value of each stream of the scene; and what streams are chosen by, which is their values with bonuses. */
  readonly #scores: Float32Array;
  readonly #lifted: Float32Array;

  /**
   * @param agent - In place of a new `DQN`: one for these options, and rows as long as `Features` of them writes.
   * @throws TypeError or RangeError for an option that is unknown or out of its range.
   */
  constructor(options: Partial<RecommenderOptions> = {}, agent?: QFunction) {
    this.options = checked(options, TABLE, DEFAULTS);
    const { seed, gamma, maxCandidates, explore, slate, reward, pending } = this.options;
    this.#knowledge = new Knowledge(this.options);
    this.#random = Random.named(seed, "explore");
    this.#explorer = new Explorer(this.#random, explore);
    this.#slate = new SlateBuilder(maxCandidates, this.#explorer, slate);
    this.#pending = new Pending(
      new Reward(reward),
      (transition) => this.#observe(transition),
      { ...pending, gamma },
      (user) => this.#knowledge.profiles.admits(user, this.#counts.time),
    );
    this.#scores = new Float32Array(maxCandidates);
    this.#lifted = new Float32Array(maxCandidates);
    this.#agent = agent ?? newAgent(this.options, this.#knowledge.features);
  }

  /**
   * Chooses a slate and remembers it until its feedback has come.
   * @throws EventError for a request that is not one, or whose time is too far back; nothing changes then.
   */
  recommend(request: Request): Decision {
    const { user, now: asked, k, candidates, filter } = parseRequest(request);
    const now = this.#advance(asked, "now");
    this.#pending.expire(now);
    const scene = this.#face({ user, now, candidates, filter });
    const { streams, sources } = scene;
    this.#draw(streams, k, now);
    this.#pending.next(user, () => this.#nextState(scene));
    const { chosen, propensities } = this.#slate;
    const shown = chosen.map((index) => streams[index]!);
    const id = `${this.name}-${this.#counts.decisions++}`;
    this.#show(id, user, shown, scene.observation, this.#rows(scene, chosen, chosen.length));
    return {
      id,
      user,
      time: now,
      slate: shown.map((stream) => stream.id),
      propensities: [...propensities],
      scores: chosen.map((index) => this.#scores[index]!),
      ...(streams.length > 0 && sources[0] !== "all" && { sources: chosen.map((index) => sources[index]!) }),
    };
  }

  /**
   * Takes a decision that somebody else made, of the streams on air now, and remembers it as one of its own: so it
   * learns from the log of another policy, off-policy. Call it where the decision stands in the log, then give the
   * feedback that names it. Streams of the slate that are not on air are left out.
   * @param times - How often it is learned from, an integer >= 0; `UserShares` says it so that all users count the same.
   * @throws EventError for a decision that is not one, or whose time is too far back, RangeError for `times`; nothing
   *   changes then.
   */
  recordDecision(decision: LoggedDecision, times = 1): void {
    if (!rules.count[0](times)) throw mustBe("times", rules.count[1], times);
    const { id, user, time, slate } = parseDecision(decision);
    const now = this.#advance(time, "time");
    if (this.#pending.has(id)) {
      this.#counts.duplicates++;
      return;
    }
    this.#pending.expire(now);
    const scene = this.#face({ user, now });
    this.#slate.rank(this.#scores, scene.streams.length);
    this.#pending.next(user, () => this.#nextState(scene));
    const shown = slate.flatMap((stream) => this.#knowledge.catalog.get(stream) ?? []);
    this.#counts.unknownStreams += slate.length - shown.length;
    // A recommender of the same name made it: the own ones that follow must not be called like it.
    const number = this.#numberOf(id);
    if (number >= this.#counts.decisions) this.#counts.decisions = number + 1;
    this.#show(id, user, shown, scene.observation, this.#knowledge.rowsOf(shown), times);
  }

  /**
   * What it holds to be best, without exploration and limits: nothing is shown, drawn or remembered, but that the user
   * is here.
   * @throws EventError for a request that is not one, or whose time is too far back; nothing changes then.
   */
  rank(request: Request): Pick<Decision, "slate" | "scores"> {
    const { user, now: asked, k, candidates, filter } = parseRequest(request);
    const { streams } = this.#face({ user, now: this.#advance(asked, "now"), candidates, filter });
    this.#slate.rank(this.#scores, streams.length);
    const best = [...this.#slate.ranked.subarray(0, Math.min(k, streams.length))];
    return { slate: best.map((index) => streams[index]!.id), scores: best.map((index) => this.#scores[index]!) };
  }

  /**
   * For each position of a slate that another policy chose, how likely this one would have put each stream there: see
   * {@link TargetPolicy}. As with `rank`, nothing is remembered but that the user is here.
   * @throws EventError for a request that is not one, or whose time is too far back; nothing changes then.
   */
  distributions(request: Request, slate: readonly Id[]): Map<Id, number>[] {
    const { user, now: asked, candidates, filter } = parseRequest(request);
    const { streams } = this.#face({ user, now: this.#advance(asked, "now"), candidates, filter });
    const indexOf = new Map(streams.map(({ id }, index) => [id, index]));
    const indices = slate.map((id) => indexOf.get(id) ?? -1);
    const chances = this.#slate.chances(this.#scores, streams.length, indices, streams);
    return chances.map((at) => new Map(Array.from(at, ([index, chance]) => [streams[index]!.id, chance])));
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
    const isCounted = "user" in parsed && "stream" in parsed && this.#credit(parsed);
    if (!this.#knowledge.hear(parsed, isCounted)) this.#counts.unknownStreams++;
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
    return this.#knowledge.profiles.export(user);
  }

  /** A copy of all that is known of a streamer over all streams, as plain values; undefined when nothing is. */
  streamerProfile(streamer: Id): StreamerProfile | undefined {
    return this.#knowledge.profiles.streamers.profile(streamer, this.#counts.time);
  }

  /**
   * Forgets a user: profile, friendships, vector and pending decisions. What was learned of all users together stays; it
   * names nobody.
   * @returns Whether there was a profile.
   */
  forget(user: Id): boolean {
    this.#pending.forget(user);
    for (const key of this.#heard.keys()) if (key.split("\0").includes(user, 1)) this.#heard.delete(key);
    return this.#knowledge.forget(user);
  }

  /**
   * Forgets a streamer: the profile over all streams, the vector, and what users did there. Streams on air stay.
   * @returns Whether there was a profile.
   */
  forgetStreamer(streamer: Id): boolean {
    return this.#knowledge.forgetStreamer(streamer);
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
      users: this.#knowledge.profiles.size,
      onAir: this.#knowledge.catalog.size,
      steppedBack,
      duplicates,
      late,
      unknownDecisions,
      unknownStreams,
      dropped: this.#pending.dropped,
      untold: this.#pending.untold,
    };
  }

  /** How the agent is doing: loss, mean value, gradients; undefined of a stand-in that does not say. */
  agentStats(): ReturnType<DQN["stats"]> | undefined {
    return this.#agent.stats?.();
  }

  /** Everything, as a file: to go on from it is the same, to the bit, as never to have stopped. */
  save(): Uint8Array {
    const floats: Float32Array[] = [];
    const { state, numbers } = this.#knowledge.save();
    const saved: Saved = {
      options: this.options,
      knowledge: state,
      pending: this.#pending.save(floats),
      heard: [...this.#heard.keys()],
      random: [...this.#random.state()],
      counts: this.#counts,
    };
    const tensors = new Map([
      ["state", new TextEncoder().encode(JSON.stringify(saved))],
      ["pending", bytesOf(joined(floats))],
      ...NUMBERS.map((name): [string, Uint8Array] => [name, bytesOf(numbers[name])]),
      ["agent", this.#agent.save()],
    ]);
    return packSnapshot(KIND, { version: VERSION, features: String(featureVersion) }, tensors);
  }

  /**
   * The recommender that `save` wrote.
   * @param loadAgent - Reads the agent's part. Default `DQN.load`.
   * @throws SnapshotError for a file that is damaged, foreign, or of another version of the recommender or its features.
   */
  static load(file: Uint8Array, loadAgent: (file: Uint8Array) => QFunction = (bytes) => DQN.load(bytes)): Recommender {
    const { metadata, tensors } = unpackSnapshot(KIND, file);
    // The first version did not say that it was.
    const { version = "1", features } = metadata;
    if (version !== VERSION) throw new SnapshotError(`the file is of version ${version}, here it is ${VERSION}`);
    if (features !== String(featureVersion)) {
      throw new SnapshotError(`the file's features are version ${features}, here they are ${featureVersion}`);
    }
    const part = (name: string): Uint8Array => {
      const bytes = tensors.get(name);
      if (bytes === undefined) throw new SnapshotError(`the file must hold "${name}"`);
      return bytes;
    };
    const saved = JSON.parse(new TextDecoder().decode(part("state"))) as Saved;
    const numbers = Object.fromEntries(NUMBERS.map((name) => [name, floatsOf(part(name))])) as SavedNumbers;
    const pending = floatsOf(part("pending"));
    const recommender = new Recommender(saved.options, loadAgent(part("agent")));
    recommender.#restore(saved, numbers, pending);
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
    return this.#counts.time;
  }

  /** What a user may be shown, with the value of each stream in `#scores`. */
  #face(request: Omit<Request, "k">): Scene {
    const scene = this.#knowledge.face(request);
    const { streams, observation, candidates } = scene;
    if (this.#agent.updates < this.options.warmupUpdates) {
      for (let i = 0; i < streams.length; i++) this.#scores[i] = log1p(streams[i]!.viewers);
    } else if (streams.length > 0) this.#scores.set(this.#agent.evaluate(observation, candidates));
    return scene;
  }

  /** Draws a slate; then `#slate` ranks by value alone, as what is learned must not hold the bonuses. */
  #draw(streams: readonly CatalogStream[], k: number, now: number): void {
    const n = streams.length;
    if (this.#explorer.options.bonus === 0) {
      this.#slate.draw(this.#scores, n, k, streams);
      return;
    }
    const { streamers } = this.#knowledge.profiles;
    this.#explorer.lift(this.#scores, n, (i) => streamers.impressions(streams[i]!.streamer, now), this.#lifted);
    this.#slate.draw(this.#lifted, n, k, streams);
    this.#slate.rank(this.#scores, n);
  }

  /** A slate was shown, in this state, with these rows: remembers it until its feedback has come, to be learned from. */
  #show(
    id: Id,
    user: Id,
    shown: readonly CatalogStream[],
    observation: Float32Array,
    candidates: Float32Array,
    times?: number,
  ): void {
    const { time } = this.#counts;
    this.#knowledge.shown(user, shown, time);
    if (shown.length === 0) return;
    const slate = shown.map((stream) => stream.id);
    this.#pending.add({ id, user, time, slate, observation: observation.slice(), candidates, times });
  }

  /** Copies of some candidates' rows. */
  #rows({ candidates }: Scene, indices: ArrayLike<number>, n: number): Float32Array {
    const { candidateSize } = this.#knowledge.features;
    const rows = new Float32Array(n * candidateSize);
    for (let i = 0; i < n; i++) {
      const start = indices[i]! * candidateSize;
      rows.set(candidates.subarray(start, start + candidateSize), i * candidateSize);
    }
    return rows;
  }

  /** This request as the next state of decisions: over the best candidates by the values of now the target takes its max. */
  #nextState(scene: Scene): NextState {
    const n = Math.min(scene.streams.length, this.options.nextCandidates);
    return {
      time: this.#counts.time,
      observation: scene.observation.slice(),
      candidates: this.#rows(scene, this.#slate.ranked, n),
    };
  }

  /** Credits the decision that an event belongs to; returns whether the event is an impression that the decision counted. */
  #credit(event: FeedbackEvent): boolean {
    const taken = this.#pending.take(event, !this.#knowledge.catalog.has(event.stream));
    const decision = "decision" in event ? event.decision : undefined;
    const isOwn = decision !== undefined && this.#hasMade(decision);
    if (!taken && decision !== undefined) {
      if (isOwn && !this.#pending.has(decision)) this.#counts.late++;
      else this.#counts.unknownDecisions++;
    }
    return event.kind === "impression" && (taken || isOwn);
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

  #restore(saved: Saved, numbers: SavedNumbers, pending: Float32Array): void {
    Object.assign(this.#counts, saved.counts);
    this.#knowledge.load(saved.knowledge, numbers);
    for (const key of saved.heard) this.#heard.set(key, true);
    this.#random.restore(Uint32Array.from(saved.random));
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

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The floats that `bytesOf` gave the bytes of. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
