import {
  any,
  between,
  boolean,
  checked,
  fields,
  finite,
  group,
  integer,
  list,
  mustBe,
  nonNegativeInteger,
  numbers,
  optional,
  or,
  positiveInteger,
  type Rules,
  requireShape,
  type Shape,
  text,
  word,
} from "../check/index.js";
import {
  BytesReader,
  chunksOf,
  DQN,
  type DQNOptions,
  type FileBytes,
  type FileChunks,
  type FilePart,
  FloatsReader,
  filePart,
  floatsPart,
  joined,
  jsonPart,
  type LearnerOptions,
  type PartReader,
  SnapshotError,
  wholePart,
} from "../engine/index.js";
import { exp, log1p, Random } from "../numeric/index.js";
import {
  type Decision,
  type ExplainedFacts,
  type FeedbackEvent,
  HOUR,
  type Id,
  type LiveEvent,
  type LoggedDecision,
  type Policy,
  parseDecision,
  parseEvent,
  parseRequest,
  type Receipt,
  type Request,
  type Source,
  type TargetPolicy,
  type Watch,
} from "../protocol/index.js";
import type { QFunction } from "./agent.js";
import { windowPart, wordsOf } from "./bytes.js";
import { type FeatureGroup, type Features, featureVersion, type SavedGroup, savedGroups } from "./features/index.js";
import {
  type Agreement,
  AgreementMeter,
  type ClosedDecision,
  type Compared,
  type DecisionRows,
  drawSome,
  type KnownDecision,
  type NextState,
  Objective,
  Pace,
  Pending,
  type PendingOptions,
  PendingReader,
  type ReturnOptions,
  Reward,
  type RewardOptions,
  type SavedAgreement,
  type SavedPace,
  type SavedPending,
  TIMES,
} from "./learning/index.js";

import {
  candidateCount,
  type SavedScenes,
  SCENE_DEFAULTS,
  SCENE_RULES,
  type Scene,
  type SceneOptions,
  Scenes,
} from "./retrieval/index.js";
import { type Loader, loadStream, loadWhole, type Opened } from "./saving.js";
import {
  type Among,
  type CandidateValues,
  type ExploreOptions,
  Explorer,
  explain,
  optimistic,
  type RequestExploration,
  type Slate,
  SlateBuilder,
  type SlateOptions,
  slateScores,
  slateValue,
} from "./serving/index.js";
import {
  type CatalogStream,
  DecisionNames,
  type ExportedProfile,
  INTAKE_DEFAULTS,
  INTAKE_RULES,
  Intake,
  type IntakeCounts,
  type IntakeOptions,
  instanceName,
  intakeShape,
  LATENESS_MAX,
  newInstance,
  prefixOf,
  type SavedIntake,
  type SavedWatches,
  type StreamerProfile,
  type UserProfile,
  Watches,
  type WatchTime,
} from "./state/index.js";

export interface RecommenderOptions extends SceneOptions, IntakeOptions {
  /**
   * Part of the names of its decisions, `dqn-INSTANCE-0` and so on, at most 64 letters, digits, ".", "_" and "-": two
   * instances of one name give names twice. Default: random, new for every instance, also for a loaded one.
   */
  instance?: string | undefined;
  /** Discount of the value of a user's next request, [0, 1]; 0 counts this slate alone. Default 0.9. */
  gamma: number;
  /** Streams of the next request that a transition keeps: the best at that time. It keeps as many of a slate. Default 16. */
  nextCandidates: number;
  /**
   * Streams that were candidates and not shown, drawn at random, that a transition keeps after those shown, as
   * far as `nextCandidates` has room: the conservative term compares what was shown with them. An integer >= 0; 0 without
   * `learner.cqlAlpha` and `learner.clone`, which need them. Default 8.
   */
  offered: number;
  /**
   * Whether it learns from the decisions of another recommender, given to `recordDecision`, and does not act:
   * `recommend` throws until `graduate` was called. Default false.
   */
  apprentice: boolean;
  /** Transitions between two rounds of updates; 0: only `learn` updates. Default 1. */
  trainEvery: number;
  /** Updates in each round, [1, 10000]. Default 2. */
  updatesPerTrain: number;
  /**
   * Most updates of one `feedback`, but a round at least; the others stay as a backlog for later ones and for `learn`. An
   * integer >= 1. Default 128, some 10 ms.
   */
  maxUpdatesPerEvent: number;
  /** Updates before which it shows the most viewed streams, and learns from that. Default 1000. */
  warmupUpdates: number;
  /**
   * Options of the agent; options that the recommender sets itself, or that would mix users, are refused. `noisySigma`
   * belongs to `explore.heads`.
   */
  learner: LearnerOptions & Pick<DQNOptions, "noisySigma">;
  /** How often, and how far, a slate departs from the best values. */
  explore: Partial<ExploreOptions>;
  /** Limits of a slate, and its diversity. */
  slate: Partial<SlateOptions>;
  /** Weights of watch time and interactions in the reward; `profile.bounceMs` defines a bounce. */
  reward: Partial<Omit<RewardOptions, "bounceMs">>;
  /** Options of decisions that wait for their feedback and become transitions. */
  pending: Partial<PendingOptions>;
  /** How the value of coming back enters the value of a slate. */
  returns: Partial<ReturnOptions>;
}

/** Most streams of a slate in a target, the engine's limit. */
const TARGET_SLATE = 64;
/** Largest absolute reward that the agent learns from. */
const REWARD_MAX = 1e6;
/** Most users whose decisions, and most watches, expire in one call: no call pays for a quiet fortnight. */
const EXPIRED_MAX = 64;
/** Usual gaps after which a user who has not returned counts as gone: the clip of lateness. */
const PATIENCE = exp(LATENESS_MAX);

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
  weightDecay: 1,
};

const DEFAULTS: RecommenderOptions = {
  ...SCENE_DEFAULTS,
  ...INTAKE_DEFAULTS,
  gamma: 0.9,
  nextCandidates: 16,
  offered: 8,
  apprentice: false,
  trainEvery: 1,
  updatesPerTrain: 2,
  maxUpdatesPerEvent: 128,
  warmupUpdates: 1000,
  learner: {},
  explore: {},
  slate: {},
  reward: {},
  pending: {},
  returns: {},
};

const TABLE: Rules<RecommenderOptions> = {
  ...SCENE_RULES,
  ...INTAKE_RULES,
  instance: optional(instanceName),
  gamma: between(0, 1),
  nextCandidates: candidateCount,
  offered: nonNegativeInteger,
  apprentice: boolean,
  trainEvery: nonNegativeInteger,
  updatesPerTrain: integer(1, 10_000),
  maxUpdatesPerEvent: positiveInteger,
  warmupUpdates: nonNegativeInteger,
  learner: group,
  explore: group,
  slate: group,
  reward: group,
  pending: group,
  returns: group,
};

/** Options of the agent that a recommender cannot take, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  observation: "",
  actions: "",
  candidates: "",
  masked: "",
  sparse: "",
  seed: "",
  epsilon: "",
  trainEvery: "",
  gradientSteps: "",
  environments: "",
  gamma: ': use "gamma" of the recommender, as each transition has its own discount',
  slate: "",
  nStep: ': it would join the transitions of different users: use "pending.nStep"',
  dueling: ": it needs all streams that were on offer, which no transition keeps",
  munchausen: ": its soft target is over single streams, not slates",
  noisySigma: ': it needs "explore.heads" above 1, so that propensities are known',
  temperature: ': use "explore.temperature", by which slates are drawn',
  frozenUnits: ": it is for the priors of an ensemble",
  normalizeObservations: ": features have their own scales, and weights alone go to those that serve",
  normalizeRewards: ": values are in units of the reward, and weights alone go to those that serve",
};

/** Counts of the recommender's work, and of odd input. */
export interface RecommenderStats extends IntakeCounts {
  decisions: number;
  /** Transitions given to the agent, and its updates. */
  transitions: number;
  updates: number;
  /** Updates that are due and wait for later events. */
  backlog: number;
  /** Mean loss of the latest updates; NaN before the first. */
  loss: number;
  /** Decisions that wait for feedback, users remembered, streams on air. */
  pending: number;
  users: number;
  onAir: number;
  /**
   * Events of a closed decision: they count for the profiles, but are too late for learning. And watches that had ended
   * at their last heartbeat: they count nowhere again.
   */
  late: number;
  /** Watches that ended at their last heartbeat, as no `watch` came in time. */
  lostEnds: number;
  /** Heartbeats ignored: of less than is known, or of a watch that had ended. */
  staleHeartbeats: number;
  /** Events that name an unknown decision, or a decision that did not show this stream to this user. */
  unknownDecisions: number;
  /** Events of streams that never went on air, or long ago; `update` and `off_air` of streams not on air. */
  unknownStreams: number;
  /** Decisions dropped unlearned because too many were pending, in all or of one user. */
  dropped: number;
  /** Entered streams dropped unlearned because their watch never ended. */
  unfinished: number;
  /** Entered streams dropped unlearned because the stream ended within the first minute. */
  censored: number;
  /** Events of forgotten users from before they were forgotten, ignored. */
  forgotten: number;
  /** Users and streamers dropped for room or for their age. */
  droppedUsers: number;
  droppedStreamers: number;
  /** Streams taken off air after `profile.streamTimeoutMs`, as their end was lost. */
  timedOut: number;
}

/** The kind of a saved file, and its version, which changes with the content of a save. */
const KIND = "recommender";
const VERSION = "9";
/** A version that can be read too: its records of users are packed otherwise. */
const OLD = "8";

/** The content of a save beside the agent and numbers. */
interface Saved {
  options: Omit<RecommenderOptions, "features"> & { features: SavedGroup[] };
  /** Numbers in an observation and in a candidate. */
  sizes: [number, number];
  /** Whether the reward has a function of its own, which `load` must be given. */
  hasOwnReward: boolean;
  scenes: SavedScenes;
  /** Without what stands in parts of their own, as in the next. */
  pending: Pick<SavedPending, "dropped">;
  watches: Omit<SavedWatches, "running" | "ended">;
  /** How many floats each array of the state has. */
  floats: number[];
  /** Entered streams that taught nothing. */
  lost: { unfinished: number; censored: number };
  intake: SavedIntake;
  pace: SavedPace;
  random: number[];
  /** State of the generator that draws from what was on offer. */
  drawn: number[];
  agreement: SavedAgreement;
  counts: Counts;
}

interface Counts {
  /** Whether it still is an apprentice. */
  isApprentice: boolean;
  decisions: number;
  /** Null for NaN, which JSON lacks. */
  loss: number | null;
  /** Decisions not learned from because their user had reached the bound of the window. */
  notAdmitted: number;
  late: number;
  unknownDecisions: number;
  unknownStreams: number;
  forgotten: number;
}

const SAVED: Shape = fields<Saved>({
  options: any,
  sizes: numbers(2, nonNegativeInteger),
  hasOwnReward: boolean,
  scenes: any,
  pending: fields<Saved["pending"]>({ dropped: nonNegativeInteger }),
  watches: any,
  floats: list(nonNegativeInteger),
  lost: fields<Saved["lost"]>({ unfinished: nonNegativeInteger, censored: nonNegativeInteger }),
  intake: intakeShape,
  pace: fields<SavedPace>({ untrained: nonNegativeInteger, waiting: nonNegativeInteger }),
  random: numbers(4, word),
  drawn: numbers(4, word),
  agreement: any,
  counts: fields<Counts>({
    isApprentice: boolean,
    decisions: nonNegativeInteger,
    loss: or(null, finite),
    notAdmitted: nonNegativeInteger,
    late: nonNegativeInteger,
    unknownDecisions: nonNegativeInteger,
    unknownStreams: nonNegativeInteger,
    forgotten: nonNegativeInteger,
  }),
});

/** Options of `Recommender.load`. */
export interface LoadOptions {
  features?: readonly FeatureGroup[];
  /** The reward's function, which a file cannot hold. */
  reward?: Pick<RewardOptions, "of">;
  /** The loaded recommender's option `instance`. Default: a new one. */
  instance?: string;
  loadAgent?: (file: Uint8Array) => QFunction;
  loadAgentChunks?: (chunks: AsyncIterable<Uint8Array>) => Promise<QFunction>;
}

/** A scene with the value of each stream. */
interface ValuedScene extends Scene, CandidateValues {
  /** How many streams were asked for. */
  readonly k: number;
  /** What the slate is chosen by. */
  readonly scores: Float32Array;
  /** Indices of the streams, the best value first. */
  readonly ranked: Int32Array;
}

/**
 * A live-stream recommender that learns online, by deep Q-learning, how long its slates keep people watching.
 *
 * The state is the user, the session so far and the time; an action is a stream on air, given by features, so that a
 * new stream has a value too; the reward comes from the user's actions in it; the next state is the user's next
 * request. Nothing reads a clock: all times come with the calls. That of a request is the host's, and counts as right;
 * that of an event may be wrong, which harms nobody else.
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
  readonly #scenes: Scenes;
  readonly #pending: Pending;
  readonly #watches: Watches;
  readonly #objective: Objective;
  readonly #reward: Reward;
  readonly #random: Random;
  readonly #explorer: Explorer;
  readonly #offers: Random;
  readonly #agreement = new AgreementMeter();
  readonly #slates: SlateBuilder;
  readonly #intake: Intake;
  readonly #names: DecisionNames;
  readonly #pace: Pace;
  readonly #counts: Counts = {
    isApprentice: false,
    decisions: 0,
    loss: null,
    notAdmitted: 0,
    late: 0,
    unknownDecisions: 0,
    unknownStreams: 0,
    forgotten: 0,
  };

  /**
   * @param agent - An agent in place of a new `DQN`, for these options and the row sizes of their features, or a function that
   *   makes one, such as an `Ensemble`, by the options that the `DQN` would have. Default: a new `DQN`.
   * @throws TypeError or RangeError for an option that is unknown, out of its range, or refused for a recommender.
   */
  constructor(
    options: Partial<RecommenderOptions> = {},
    agent: QFunction | ((options: DQNOptions) => QFunction) = dqn,
  ) {
    this.options = checked(options, TABLE, DEFAULTS);
    const { seed, gamma, maxCandidates, nextCandidates, explore, slate, reward, pending, returns, learner } =
      this.options;
    const isNoisy = (explore.heads ?? 1) > 1;
    for (const name of Object.keys(learner)) {
      if (Object.hasOwn(REFUSED, name) && !(isNoisy && name === "noisySigma"))
        throw new TypeError(`"learner.${name}" cannot be given${REFUSED[name] || ": the recommender sets it"}`);
    }
    if (Object.hasOwn(reward, "bounceMs"))
      throw new TypeError('"reward.bounceMs" is not an option: use "profile.bounceMs"');
    this.#scenes = new Scenes(this.options);
    this.#intake = new Intake(this.options);
    const { instance = newInstance(), seenEvents } = this.options;
    this.#names = new DecisionNames(prefixOf(this.name, instance), seenEvents);
    this.#pace = new Pace(this.options);
    const { bounceMs } = this.#scenes.state.users.options;
    this.#random = Random.named(seed, "explore");
    this.#explorer = new Explorer(this.#random, explore);
    this.#offers = Random.named(seed, "offered");
    this.#counts.isApprentice = this.options.apprentice;
    if (isNoisy && !((learner.noisySigma ?? 0) > 0))
      throw new TypeError('"explore.heads" above 1 needs "learner.noisySigma" above 0');
    this.#slates = new SlateBuilder(maxCandidates, this.#explorer, slate);
    this.#reward = new Reward({ ...reward, bounceMs });
    this.#pending = new Pending(pending, (user, since) => this.#deadline(user, since));
    const { awaitWatch, beatTimeoutMs } = this.#pending.options;
    this.#watches = new Watches(beatTimeoutMs);
    this.#objective = new Objective(this.#reward, gamma, nextCandidates, returns, awaitWatch);
    const { features } = this.#scenes;
    this.#agent =
      typeof agent === "function" ? agent(agentOptions(this.options, features, this.#objective.options.heads)) : agent;
  }

  /**
   * Chooses a slate and remembers it until its feedback has come. Its propensities are exact; with `explore.heads`
   * above 1, given the score sets drawn for this request, and with an ensemble by `session`, given the session's member. An
   * explanation, on request, changes neither slate nor state.
   * @param told - Called with the rows that the decision was computed from, for a log: see `recordDecision`.
   * @param explore - In place of the options `explore` of the same names, for this request alone. Default: those.
   * @throws EventError for an invalid request, RangeError or TypeError for `explore`, Error for an apprentice; nothing changes
   *   then.
   */
  recommend(request: Request, told?: (rows: DecisionRows) => void, explore?: RequestExploration): Decision {
    if (this.#counts.isApprentice) throw new Error("an apprentice does not act: call graduate() first, or rank()");
    const { user, now, k, candidates, filter, explain: wanted = false } = parseRequest(request);
    this.#explorer.use(explore);
    this.#askedBy(user, now);
    const also = wanted === false ? undefined : new Map<CatalogStream, Set<Source>>();
    const scene = this.#face({ user, now, k, candidates, filter }, also);
    const { streams, sources } = scene;
    const among = this.#among(scene);
    const chosen = this.#slates.draw(among, k);
    const { indices, propensities } = chosen;
    const count = wanted === true ? k : Number(wanted);
    const why = also && this.#explain(scene, among, chosen, also, count);
    this.#explorer.use();
    const next = this.#close(scene, indices.length);
    const shown = indices.map((index) => streams[index]!);
    const id = this.#names.next();
    const others = this.#drawOffered(scene, shown);
    const rows = {
      observation: scene.observation.slice(),
      candidates: this.#rows(scene, [...indices, ...others]),
      offered: others.length,
      next,
    };
    this.#show(id, scene, shown, rows);
    told?.(rows);
    return {
      id,
      user,
      time: now,
      slate: shown.map((stream) => stream.id),
      propensities,
      scores: indices.map((index) => scene.values[index]!),
      ...(streams.length > 0 && sources[0] !== "all" && { sources: indices.map((index) => sources[index]!) }),
      ...why,
    };
  }

  /**
   * Records a decision of another policy among the streams on air now as one of its own, to learn off-policy from the
   * log of that policy. Call it at the decision's place in the log, then give the feedback that names it: its time is the
   * host's. Streams of the slate that are not on air are left out; a decision that came before is a duplicate. Before it
   * learns from it, `agreement` compares it with its own choice.
   * @param times - Number of times to learn from it, an integer in [0, 10000]; the numbers of `UserShares` make all
   *   users count the same. Default 1.
   * @param rows - What `recommend` told of this decision, in a recommender of the same features: it is learned from them,
   *   at a tenth of the cost, and `agreement` leaves it out. Rows that do not fit are computed anew. Default: they are computed.
   * @throws EventError for an invalid decision, RangeError for `times`; nothing changes then.
   */
  recordDecision(decision: LoggedDecision, times = 1, rows?: DecisionRows): void {
    if (!TIMES[0](times)) throw mustBe("times", TIMES[1], times);
    const { id, user, time: now, slate } = parseDecision(decision);
    if (this.#names.has(id) || this.#pending.has(id)) {
      this.#intake.counts.duplicates++;
      return;
    }
    this.#names.add(id);
    this.#askedBy(user, now);
    const shown = slate.flatMap((stream) => this.#scenes.state.catalogue.get(stream) ?? []);
    this.#counts.unknownStreams += slate.length - shown.length;
    if (rows && shown.length === slate.length && this.#fits(rows, user, shown.length)) {
      this.#scenes.state.users.open(user, now);
      if (rows.next)
        this.#observe(this.#pending.next(user, { ...rows.next, time: now, observation: rows.observation }));
      this.#show(id, { user, now }, shown, rows, times);
      return;
    }
    const scene = this.#face({ user, now, k: shown.length });
    const own = this.#scenes.rowsOf(shown);
    // Longer slates than it evaluates at once count by their first streams.
    this.#compare(scene, shown.slice(0, this.options.maxCandidates), own);
    this.#close(scene, shown.length);
    const others = this.#drawOffered(scene, shown);
    const candidates = new Float32Array(own.length + others.length * this.#scenes.features.candidateSize);
    candidates.set(own);
    candidates.set(this.#rows(scene, others), own.length);
    const known = { observation: scene.observation.slice(), candidates, offered: others.length };
    this.#show(id, scene, shown, known, times);
  }

  /** Whether rows are those of a slate of so many streams, and say what follows the decisions that wait for the user. */
  #fits({ observation, candidates, offered, next }: DecisionRows, user: Id, shown: number): boolean {
    const { observationSize, candidateSize } = this.#scenes.features;
    const most = this.options.nextCandidates * candidateSize;
    return (
      (next
        ? next.candidates.length % candidateSize === 0 && next.candidates.length <= most
        : !this.#pending.waits(user)) &&
      observation.length === observationSize &&
      offered >= 0 &&
      candidates.length === (shown + offered) * candidateSize &&
      [observation, candidates, next?.candidates ?? candidates].every((floats) => floats.every(Number.isFinite))
    );
  }

  /**
   * How far it agrees with the decisions given to `recordDecision`, each measured before it was learned from: its own
   * slate is the best streams by value, as `rank` gives them.
   */
  agreement(): Agreement {
    return this.#agreement.read();
  }

  /** Whether it is an apprentice, which does not act. */
  get isApprentice(): boolean {
    return this.#counts.isApprentice;
  }

  /** Ends an apprenticeship: from now on `recommend` acts. It still learns from `recordDecision` too. */
  graduate(): void {
    this.#counts.isApprentice = false;
  }

  /**
   * The best streams by value, without exploration and limits; with `explain`, why. It only reads: it shows, draws and
   * remembers nothing.
   * @throws EventError for an invalid request.
   */
  rank(request: Request): Pick<Decision, "slate" | "scores" | "explanations" | "runnersUp"> {
    const { k, explain: wanted = false, ...asked } = parseRequest(request);
    const also = wanted === false ? undefined : new Map<CatalogStream, Set<Source>>();
    const scene = this.#face({ k, ...asked }, also, true);
    const { streams, values, ranked } = scene;
    const indices = [...ranked.subarray(0, Math.min(k, ranked.length))];
    const chosen = { indices, propensities: indices.map(() => 1) };
    return {
      slate: indices.map((index) => streams[index]!.id),
      scores: indices.map((index) => values[index]!),
      ...(also && this.#explain(scene, this.#among(scene), chosen, also, wanted === true ? k : Number(wanted))),
    };
  }

  /**
   * For each position of another policy's slate, the probability of each stream under this policy: see
   * {@link TargetPolicy}. As with `rank`, nothing is remembered. With `explore.heads` above 1 they are an estimate, over as
   * many newly drawn score sets, and later decisions draw other noise.
   * @throws EventError for an invalid request, TypeError for a slate that is no array.
   */
  distributions(request: Request, slate: readonly Id[]): Map<Id, number>[] {
    if (!Array.isArray(slate)) throw mustBe("slate", "an array of ids", slate);
    const scene = this.#face(parseRequest(request), undefined, true);
    const { streams } = scene;
    const indexOf = new Map(streams.map(({ id }, index) => [id, index]));
    const indices = slate.map((id) => indexOf.get(id) ?? -1);
    const chances = this.#slates.chances(this.#among(scene), indices);
    return chances.map((at) => new Map(Array.from(at, ([index, chance]) => [streams[index]!.id, chance])));
  }

  /**
   * Takes an event of the platform or of a user. Also runs updates that are due: serving runs none.
   *
   * An event that came before, or is too late, changes nothing. Nor does one that is refused, which comes back as an
   * EventError: it is dated ahead of the host's time, or another event came under its id.
   *
   * @param now - The host's time, milliseconds, finite and >= 0: the present on a live platform, the event's own time for a
   *   log that is replayed. Default: the latest of requests and earlier events; an event far ahead of it is taken, but moves
   *   no time that users share.
   * @returns What became of the event.
   * @throws EventError for what is no event, RangeError for `now`; nothing changes then.
   */
  feedback(event: LiveEvent, now?: number): Receipt {
    const parsed = parseEvent(event);
    const { state } = this.#scenes;
    const receipt = this.#intake.receive(parsed, now, (repeated) => state.catalogue.changes(repeated, this.time));
    if (receipt !== "taken") return receipt;
    if (state.isForgotten(parsed)) {
      this.#counts.forgotten++;
      return "late";
    }
    state.follow(this.time, now !== undefined, this.#intake.clock.settled);
    const isTaken = this.#beaten(parsed);
    this.#observe(this.#pending.expire(this.#intake.clock.settled, EXPIRED_MAX));
    if ("user" in parsed && "stream" in parsed) {
      if (isTaken) this.#take(parsed);
    } else if (!this.#scenes.feedback(parsed).isKnown) this.#counts.unknownStreams++;
    this.#train();
    return receipt;
  }

  /**
   * Runs updates now, regardless of `trainEvery`; they count for the backlog.
   * @param updates - Number of updates. Default 1.
   * @returns The mean loss; NaN while the agent has too few transitions.
   */
  learn(updates = 1): number {
    this.#pace.worked(updates);
    return this.#learn(updates);
  }

  #learn(updates: number): number {
    const loss = this.#agent.learn(updates);
    if (!Number.isNaN(loss)) this.#counts.loss = loss;
    return loss;
  }

  /**
   * A copy of a user's profile with the data of groups of features, as plain values; undefined for an unknown user.
   */
  profile(user: Id): (ExportedProfile & Record<string, unknown>) | undefined {
    return this.#scenes.state.profile(user);
  }

  /** Decisions for a user whose feedback is not over, with what came of each stream so far, as plain values. */
  waiting(user: Id): Pick<KnownDecision, "id" | "time" | "slate" | "outcomes">[] {
    return this.#pending.of(user);
  }

  /**
   * Streams like one on air: those with the nearest vectors first, then the most viewed of its category.
   * @param k - Most streams, an integer >= 0. Default 10.
   * @returns Ids, without its own; undefined for a stream that is not on air.
   */
  similar(stream: Id, k = 10): Id[] | undefined {
    return this.#scenes.similar(stream, k);
  }

  /** A copy of a streamer's profile over all streams, as plain values; undefined for an unknown streamer. */
  streamerProfile(streamer: Id): StreamerProfile | undefined {
    return this.#scenes.state.users.streamers.profile(streamer, this.time);
  }

  /**
   * Forgets a user: profile, friendships, vector and pending decisions. The model, learned from all users together,
   * stays: it names nobody.
   * @returns Whether there was a profile.
   */
  forget(user: Id): boolean {
    this.#pending.forget(user);
    this.#watches.forget(user);
    return this.#scenes.state.forget(user, this.time);
  }

  /**
   * Forgets a streamer: the profile over all streams, the vector, and the history of users with it. Streams on air
   * stay.
   * @returns Whether there was a profile.
   */
  forgetStreamer(streamer: Id): boolean {
    return this.#scenes.forgetStreamer(streamer);
  }

  /** The present as far as calls tell, milliseconds: the host's time, which events without one move little. */
  get time(): number {
    return this.#intake.clock.time;
  }

  /** The streams on air, in no order that lasts. */
  onAir(): Id[] {
    return this.#scenes.state.catalogue.streams.map(({ id }) => id);
  }

  stats(): RecommenderStats {
    const { loss, notAdmitted, late, unknownDecisions, unknownStreams } = this.#counts;
    return {
      ...this.#intake.counts,
      decisions: this.#names.count,
      transitions: this.#agent.steps,
      updates: this.#agent.updates,
      backlog: this.#pace.backlog,
      loss: loss ?? Number.NaN,
      pending: this.#pending.size,
      users: this.#scenes.state.users.size,
      onAir: this.#scenes.state.catalogue.size,
      late: late + this.#watches.late,
      lostEnds: this.#watches.lostEnds,
      staleHeartbeats: this.#watches.stale,
      unknownDecisions,
      unknownStreams,
      dropped: this.#pending.dropped + notAdmitted,
      unfinished: this.#objective.unfinished,
      censored: this.#objective.censored,
      forgotten: this.#counts.forgotten,
      ...this.#scenes.state.stats(),
    };
  }

  /** Loss, mean value and gradients of the agent; undefined for a stand-in without `stats`. */
  agentStats(): ReturnType<DQN["stats"]> | undefined {
    return this.#agent.stats?.();
  }

  /**
   * Everything, as a file: a loaded recommender continues to the bit as if it had never stopped.
   * @throws SnapshotError if the agent's memory was damaged from outside.
   */
  save(): Uint8Array {
    return joined(this.#file());
  }

  /**
   * The same file in chunks of at most a mebibyte, the work of a few milliseconds each, so that serving need not stop and
   * nothing is in memory twice. It is the file of now: between the chunks the recommender may serve and learn, and what
   * changes is put aside before. Chunks are empty while the digest is made. Left before its last chunk, the iterator
   * needs `return`, which `for` calls by itself.
   *
   * ```ts
   * await saveFileAsync("live.liveq", recommender.saveChunks()); // of "liveq/node": requests are answered meanwhile
   * ```
   *
   * @throws SnapshotError as `save`.
   */
  saveChunks(): Generator<Uint8Array, void> {
    return chunksOf(this.#file());
  }

  #file(): FilePart {
    const numbers: Float32Array[] = [];
    const features = this.options.features.map(({ name, options }) => ({ name, options }));
    const scenes = this.#scenes.save(numbers);
    // They may be the state's own.
    const copies = numbers.map((array) => array.slice());
    const saved: Saved = {
      // A loaded one has a name of its own.
      options: { ...this.options, instance: undefined, features, returns: this.#objective.options },
      hasOwnReward: this.options.reward.of !== undefined,
      sizes: this.#scenes.features.sizes,
      scenes,
      pending: { dropped: this.#pending.dropped },
      watches: this.#watches.counts(),
      lost: { unfinished: this.#objective.unfinished, censored: this.#objective.censored },
      intake: this.#intake.save(),
      pace: this.#pace.save(),
      random: [...this.#random.state()],
      drawn: [...this.#offers.state()],
      agreement: this.#agreement.save(),
      counts: { ...this.#counts, decisions: this.#names.count },
      floats: numbers.map(lengthOf),
    };
    const parts = [
      jsonPart("json", saved),
      this.#agent.part?.("agent") ?? wholePart("agent", this.#agent.save()),
      ...this.#pending.parts(),
      this.#watches.part(),
      floatsPart("state", () => copies),
      windowPart("events", this.#intake.window()),
      windowPart("names", this.#names.window()),
      ...this.#scenes.parts(),
    ];
    return filePart("", KIND, { version: VERSION, features: String(featureVersion) }, parts, 1);
  }

  /**
   * Loads a recommender from the file of `save`.
   * @param features - Groups that the file may hold beside the default ones: a file names its groups and keeps their
   *   options. Default: none.
   * @param reward - The function `of` of the reward, exactly where the saved recommender had one. Default: none.
   * @param instance - Part of the names of its decisions from now on; it still knows those of before. Default: a new one.
   * @param loadAgent - Reads the agent's part. Default `DQN.load`.
   * @param loadAgentChunks - The same, for `loadChunks`, while the part comes. Default `loadAgent` where it is given, which
   *   gets the part as a whole, else `DQN.loadChunks`.
   * @throws SnapshotError for a file that is damaged, foreign, of another version of the recommender or its features,
   *   with groups missing from `features`, or saved with a function in its reward and loaded without, or the reverse.
   */
  static load(file: FileBytes, options: LoadOptions = {}): Recommender {
    return loadWhole(file, Recommender.#loader(options));
  }

  /**
   * Loads a recommender from chunks of its file: a Node or Web stream, `saveChunks`, or any iterable. Each part is read
   * as it comes, so that the file is never in memory as a whole.
   * @param options - As for `load`.
   * @throws SnapshotError as `load`, also where the stream ends too soon; what the stream throws.
   */
  static loadChunks(chunks: FileChunks, options: LoadOptions = {}): Promise<Recommender> {
    return loadStream(chunks, Recommender.#loader(options));
  }

  static #loader(options: LoadOptions): Loader<QFunction, Recommender> {
    const { features = [], reward = {}, instance, loadAgent, loadAgentChunks } = options;
    let isOld = false;
    return {
      kind: KIND,
      // The first version had no number.
      check({ version = "1", features: layout }) {
        isOld = version === OLD;
        if (version !== VERSION && !isOld)
          throw new SnapshotError(`the file is of version ${version}, here it is ${VERSION}`);
        if (layout !== String(featureVersion)) {
          throw new SnapshotError(`the file's features are version ${layout}, here they are ${featureVersion}`);
        }
      },
      agent: loadAgent ?? ((bytes) => DQN.load(bytes)),
      agentOf: loadAgentChunks ?? (loadAgent ? undefined : (bytes) => DQN.loadChunks(bytes)),
      open(json, agent) {
        const saved = savedOf(json);
        const groups = savedGroups(saved.options.features, [...features, ...SCENE_DEFAULTS.features]);
        const { of } = reward;
        if (saved.hasOwnReward !== (of !== undefined)) {
          const has = saved.hasOwnReward
            ? "has a function: give it as { reward: { of } }"
            : "has no function, but one is given";
          throw new SnapshotError(`the file's reward ${has}`);
        }
        const own = { ...saved.options.reward, ...(of && { of }) };
        const recommender = new Recommender({ ...saved.options, instance, features: groups, reward: own }, agent);
        const [sizes, given] = [saved.sizes, recommender.#scenes.features.sizes].map(String);
        if (sizes !== given) {
          throw new SnapshotError(`the file's features have sizes ${sizes}, the given ones ${given}`);
        }
        requireAgent(agent, recommender.options, recommender.#scenes.features, recommender.#objective.options.heads);
        return recommender.#opened(saved, isOld);
      },
    };
  }

  /** What reads the parts of a file after the first two. */
  #opened(saved: Saved, isOld: boolean): Opened<Recommender> {
    const { nextCandidates: next } = this.options;
    const { observationSize: observation, candidateSize: candidate } = this.#scenes.features;
    const slate = Math.min(next, TARGET_SLATE);
    const pending = new PendingReader({ observation, candidate, next, slate });
    const watches = { running: [], ended: [] };
    const [events, names] = [new BytesReader(), new BytesReader()];
    let floats: FloatsReader | undefined;
    const readers: Opened<Recommender>["readers"] = new Map<string, (bytes: number) => PartReader>([
      ...pending.readers,
      ["watches", () => Watches.reader(watches)],
      ["state", (bytes) => (floats = new FloatsReader("state", saved.floats, bytes))],
      ["events", () => events],
      ["names", () => names],
      ...Array.from(this.#scenes.readers(isOld), ([name, reader]) => [name, () => reader] as const),
    ]);
    const finish = () => {
      const numbers = new Float32Array(saved.floats.reduce((sum, length) => sum + length, 0));
      let at = 0;
      for (const length of saved.floats) {
        numbers.set(floats!.take(length), at);
        at += length;
      }
      this.#restore(saved, {
        numbers,
        events: wordsOf("events", events.take()),
        decisions: wordsOf("names", names.take()),
      });
      const { entries, deadlines } = pending;
      this.#pending.load({ entries, deadlines, ...saved.pending }, (length) => pending.take(length));
      this.#watches.load({ ...watches, ...saved.watches });
      return this;
    };
    return { readers, finish };
  }

  /**
   * A recommender of the same options and the same agent, to which nothing has happened yet: for another pass over a log.
   * This one must not be used afterwards.
   */
  restarted(): Recommender {
    return new Recommender(this.options, this.#agent);
  }

  /** A copy of all the agent's weights, for `restoreWeights`; undefined for a stand-in without `copyWeights`. */
  copyWeights(): Float32Array | undefined {
    return this.#agent.copyWeights?.();
  }

  /** Restores what `copyWeights` gave. @throws RangeError for other sizes. */
  restoreWeights(weights: Float32Array): void {
    this.#agent.restoreWeights?.(weights);
  }

  /** Frees the agent's memory; the recommender cannot be used afterwards. */
  dispose(): void {
    this.#agent.dispose();
  }

  /** The candidates of a request, with their values. */
  #face(request: Request, also?: Map<CatalogStream, Set<Source>>, isRead = false): ValuedScene {
    const scene = this.#scenes.face(request, also, isRead);
    const known = this.#valuesOf(scene);
    const scores = this.#scoresOf(known, request.k);
    return { ...scene, ...known, k: request.k, scores, ranked: this.#slates.rank(scores) };
  }

  #valuesOf(scene: Scene): CandidateValues {
    if (this.#isWarm(scene)) return this.#evaluate(scene.observation, scene.candidates);
    return { values: Float32Array.from(scene.streams, ({ viewers }) => log1p(viewers)) };
  }

  #scoresOf(values: CandidateValues, k: number): Float32Array {
    return slateScores(values, k, this.#slates.options.order === "product");
  }

  #isWarm({ streams }: Scene): boolean {
    return this.#agent.updates >= this.options.warmupUpdates && streams.length > 0;
  }

  #evaluate(
    observation: Float32Array,
    candidates: Float32Array,
    noise = false,
    agent: Pick<QFunction, "evaluate" | "choices" | "nothing"> = this.#agent,
  ): CandidateValues {
    const n = candidates.length / this.#scenes.features.candidateSize;
    const values = agent.evaluate(observation, candidates, noise).slice(0, n);
    return { values, choices: agent.choices?.slice(0, n), nothing: agent.nothing };
  }

  /** What the slate is drawn from: scores with bonuses. Decisions report, and the agent learns, the values alone. */
  #among(scene: ValuedScene): Among {
    const { streams, candidates: rows, now, profile, k } = scene;
    const { users } = this.#scenes.state;
    const { bonus } = this.#explorer.options;
    const impressions = (i: number) => users.streamers.impressions(streams[i]!.streamer, now);
    const sets = this.#isWarm(scene) ? this.#sets(scene).map((known) => this.#scoresOf(known, k)) : [];
    if (sets.length === 0) sets.push(scene.scores);
    const heads = sets.map((set) => {
      const scores = bonus === 0 ? set : this.#explorer.lift(set, impressions);
      return { scores, ranked: scores === scene.scores ? scene.ranked : this.#slates.rank(scores) };
    });
    return { candidates: streams, heads, rows, ignored: (i) => ignored(profile, streams[i]!.streamer) };
  }

  /** What a slate may follow, each as likely, in place of the values: members of an ensemble, or weights with noise. */
  #sets(scene: ValuedScene): CandidateValues[] {
    const { observation, candidates, user, profile } = scene;
    const { heads, members: by, optimism } = this.#explorer.options;
    let { members } = this.#agent;
    if (members === undefined || by === "mean") {
      return Array.from({ length: heads > 1 ? heads : 0 }, () => this.#evaluate(observation, candidates, true));
    }
    if (by === "session") {
      const random = Random.named(this.options.seed, "member", user, `${profile.session.start}`);
      members = [random.pick(members)];
    }
    const sets = members.map((member) => this.#evaluate(observation, candidates, false, member));
    return by === "optimism" ? [optimistic(scene, sets, optimism)] : sets;
  }

  #explain(scene: ValuedScene, among: Among, slate: Slate, also: Map<CatalogStream, Set<Source>>, count: number) {
    const { users } = this.#scenes.state;
    const { profile } = scene;
    const company = users.company(profile, scene.now);
    const facts = ({ streamer, category, startedAt, viewers }: CatalogStream): ExplainedFacts => ({
      streamer,
      category,
      onAirMs: Math.max(scene.now - startedAt, 0),
      viewers,
      visits: profile.pairs.get(streamer)?.visits ?? 0,
      minutes: profile.pairs.get(streamer)?.minutes ?? 0,
      follows: profile.follows?.has(streamer) === true,
      friends: company.filter((one) => one === streamer).length,
    });
    const evaluate = this.#isWarm(scene) ? this.#evaluate.bind(this) : undefined;
    const parts = (...rows: [Float32Array, Float32Array]) => this.#agent.evaluateParts?.(...rows);
    const [{ features }, builder] = [this.#scenes, this.#slates];
    return explain({ scene, among, slate, builder, features, also, evaluate, parts, facts }, count);
  }

  /** When a user who shows no sign since a time counts as gone: at a multiple of the user's own usual gap. */
  #deadline(user: Id, since: number): number {
    const { users } = this.#scenes.state;
    const profile = users.get(user);
    if (profile === undefined) return since;
    const left = Math.max(since, users.presentUntil(profile));
    return left + PATIENCE * exp(users.returns.logHabit(profile.rhythm)) * HOUR;
  }

  /**
   * The scene is the next state of the decisions that wait for its user: the target takes the best slate of the best
   * candidates at this time, of as many streams as were shown: a log of decisions tells no more.
   */
  #close(scene: ValuedScene, shown: number): NextState | undefined {
    if (!this.#pending.waits(scene.user)) return;
    const ranked = shown === scene.k ? scene.ranked : this.#slates.rank(this.#scoresOf(scene, shown));
    const best = ranked.subarray(0, this.options.nextCandidates);
    const { session, rhythm } = scene.profile;
    const next: NextState = {
      time: scene.now,
      slate: Math.min(shown, this.options.nextCandidates, TARGET_SLATE),
      lateness: session.requests === 0 && session.gapMs > 0 ? rhythm.lateness : 0,
      observation: scene.observation.slice(),
      candidates: this.#rows(scene, best),
    };
    this.#observe(this.#pending.next(scene.user, next));
    return next;
  }

  /** Remembers a shown slate with its rows until its feedback has come. */
  #show(
    id: Id,
    { user, now }: Pick<Scene, "user" | "now">,
    shown: readonly CatalogStream[],
    { observation, candidates, offered }: DecisionRows,
    times?: number,
  ): void {
    this.#scenes.state.shown(user, shown, now);
    if (shown.length === 0) return;
    const slate = shown.map((stream) => stream.id);
    const known = { observation, candidates, times, offered: offered || undefined };
    this.#observe(this.#pending.add({ id, user, time: now, slate, ...known }));
  }

  /** Candidates that are not shown, each set of them equally likely, for the conservative term. */
  #drawOffered({ streams }: Scene, shown: readonly CatalogStream[]): number[] {
    const { offered, learner } = this.options;
    if (offered === 0 || !((learner.cqlAlpha ?? 0) > 0 || learner.clone)) return [];
    const hidden = new Set(shown);
    const others = Array.from(streams.keys()).filter((index) => !hidden.has(streams[index]!));
    return drawSome(this.#offers, others, offered);
  }

  /** Compares the slate of another policy with its own. `rows`: those of the slate. */
  #compare(scene: ValuedScene, shown: readonly CatalogStream[], rows: Float32Array): void {
    const { streams, ranked } = scene;
    const best = ranked.subarray(0, shown.length);
    const ids = (of: readonly CatalogStream[]) => of.map(({ id }) => id);
    const own = ids(Array.from(best, (index) => streams[index]!));
    // Streams that it would not have among its candidates have values too.
    const candidates = rows.subarray(0, shown.length * this.#scenes.features.candidateSize);
    const theirs = this.#valuesOf({ ...scene, streams: shown, candidates });
    const { choices, nothing = 0 } = scene;
    let values: Compared["values"];
    let scores: ArrayLike<number> = theirs.values;
    if (choices !== undefined && theirs.choices !== undefined) {
      const value = slateValue(scene.values, choices, nothing, best);
      const all = Int32Array.from(shown.keys());
      values = { own: value, other: slateValue(theirs.values, theirs.choices, nothing, all) };
      scores = theirs.values.map((q, i) => theirs.choices![i]! * (q - value));
    }
    this.#agreement.add({ shown: ids(shown), scores, own, candidates: streams.length, values });
  }

  /** Copies of the rows of some candidates. */
  #rows({ candidates }: Scene, indices: ArrayLike<number>): Float32Array {
    const { candidateSize } = this.#scenes.features;
    const rows = new Float32Array(indices.length * candidateSize);
    for (let i = 0; i < indices.length; i++) {
      const start = indices[i]! * candidateSize;
      rows.set(candidates.subarray(start, start + candidateSize), i * candidateSize);
    }
    return rows;
  }

  /** A user asks for streams: no longer in any, as far as is known. */
  #askedBy(user: Id, now: number): void {
    this.#intake.follow(now);
    this.#scenes.state.follow(now, true, this.#intake.clock.settled);
    const { settled } = this.#intake.clock;
    this.#end(this.#watches.expire(settled, EXPIRED_MAX));
    this.#end(this.#watches.leave(user));
    this.#observe(this.#pending.expire(settled, EXPIRED_MAX));
  }

  /** Ends the watches that are over by an event. Returns whether the event itself counts. */
  #beaten(event: LiveEvent): boolean {
    this.#end(this.#watches.expire(this.#intake.clock.settled, EXPIRED_MAX));
    // A watch of an unknown stream counts nowhere, so none runs.
    if (event.kind === "heartbeat" && this.#scenes.state.catalogue.find(event.stream) === undefined) return true;
    const { ended, isTaken } = this.#watches.take(event, this.time);
    this.#end(ended);
    return isTaken;
  }

  /** Takes watches that ended at their last heartbeat, as if each had come then. */
  #end(watches: readonly Watch[]): void {
    for (const watch of watches) {
      this.#take(watch);
      this.#train();
    }
  }

  /** Records feedback in the decision that showed the stream, and in the state. */
  #take(event: FeedbackEvent): void {
    if (event.kind === "heartbeat") {
      if (!this.#scenes.feedback(event).isKnown) this.#counts.unknownStreams++;
      return;
    }
    const shown = this.#pending.find(event);
    const isOwn = shown !== undefined || this.#isOwn(event);
    let watch: WatchTime | undefined;
    // Impressions of its own decisions were counted at the decision.
    if (event.kind !== "impression" || !isOwn) {
      const taken = this.#scenes.feedback(event, shown?.decision.time);
      if (!taken.isKnown) this.#counts.unknownStreams++;
      watch = taken.watch;
    }
    if (shown === undefined || !this.#reward.counts(event)) return;
    this.#observe(this.#pending.take(shown, event, watch, this.time));
  }

  /** Whether feedback belongs to a decision of this recommender; counts late feedback and unknown decisions. */
  #isOwn(event: FeedbackEvent): boolean {
    const decision = "decision" in event ? event.decision : undefined;
    if (decision === undefined) return false;
    const isMade = this.#names.has(decision);
    if (isMade && !this.#pending.has(decision)) this.#counts.late++;
    else this.#counts.unknownDecisions++;
    return isMade;
  }

  /** Gives closed decisions to the agent, up to the bound on decisions of each user. */
  #observe(closed: readonly ClosedDecision[]): void {
    for (const each of closed) {
      const { user, times = 1 } = each.decision;
      const transitions = times > 0 ? this.#objective.transitions(each) : [];
      if (transitions.length === 0) continue;
      if (!this.#scenes.state.users.admits(user, this.time)) {
        this.#counts.notAdmitted++;
        continue;
      }
      for (const transition of transitions) for (let n = 0; n < times; n++) this.#agent.observe(transition);
      this.#pace.add(transitions.length * times);
    }
  }

  #train(): void {
    for (let rounds = this.#pace.due(); rounds > 0; rounds--) this.#learn(this.options.updatesPerTrain);
  }

  #restore(
    saved: Saved,
    { numbers, events, decisions }: { numbers: Float32Array } & Record<"events" | "decisions", Uint32Array>,
  ): void {
    Object.assign(this.#counts, saved.counts);
    this.#scenes.load(saved.scenes, numbers);
    this.#intake.load(saved.intake, events);
    this.#names.load(saved.counts.decisions, decisions);
    this.#pace.load(saved.pace);
    this.#random.restore(Uint32Array.from(saved.random));
    this.#offers.restore(Uint32Array.from(saved.drawn));
    this.#agreement.load(saved.agreement);
    Object.assign(this.#objective, saved.lost);
  }
}

/** How often a user was shown a streamer in this session; 0 once the user has entered a stream of theirs in it. */
function ignored({ session, pairs }: UserProfile, streamer: Id): number {
  const pair = pairs.get(streamer);
  const hasEntered = pair !== undefined && pair.visits + pair.watches > 0 && pair.lastVisit >= session.start;
  return hasEntered ? 0 : (session.shown.get(streamer) ?? 0);
}

function dqn(options: DQNOptions): QFunction {
  return new DQN(options);
}

function agentOptions(
  { seed, maxCandidates, nextCandidates, learner }: RecommenderOptions,
  { observationSize, candidateSize }: Features,
  parts: number,
): DQNOptions {
  const candidates = { max: maxCandidates, features: candidateSize, next: nextCandidates };
  // Quantiles have a loss of their own.
  const loss = (learner.quantiles ?? 1) > 1 ? "huber" : LEARNER.loss;
  const slate = { size: Math.min(nextCandidates, TARGET_SLATE), parts };
  // Declared rewards may add up to more: no event of a user makes a call throw.
  const rewardClip = learner.rewardClip || REWARD_MAX;
  return { ...LEARNER, loss, ...learner, rewardClip, observation: observationSize, candidates, slate, seed };
}

function lengthOf({ length }: Float32Array): number {
  return length;
}

/** The state of a file, as far as its parts do not check themselves. */
function savedOf(json: Uint8Array): Saved {
  const saved = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json)) as Saved;
  requireShape(SAVED, saved, "file");
  const groups = list(fields<SavedGroup>({ name: text, options: group }));
  requireShape(groups, saved.options?.features, "options.features");
  return saved;
}

/** Requires an agent to fit its recommender; one of another class is taken as it is. */
function requireAgent(agent: QFunction, options: RecommenderOptions, features: Features, parts: number): void {
  if (!(agent instanceof DQN)) return;
  const { maxCandidates: max, nextCandidates: next, explore } = options;
  const { observation, sparse, candidates, slate, rewardClip, noisySigma } = agent.options;
  const size = Math.min(next, TARGET_SLATE);
  const expected = [features.observationSize, features.candidateSize, max, next, size, parts];
  const own = [observation, candidates?.features, candidates?.max, candidates?.next, slate?.size, slate?.parts];
  const isPlain = sparse === undefined && candidates?.sparse === undefined && rewardClip > 0;
  if (isPlain && (noisySigma > 0 || !((explore.heads ?? 1) > 1)) && String(own) === String(expected)) return;
  throw new SnapshotError(`the file's agent has rows, slates and parts of ${own}, expected ${expected}`);
}
