import {
  any,
  fields,
  group,
  nonNegativeInteger,
  positiveInteger,
  type Rule,
  type Rules,
  requireShape,
} from "../../check/index.js";
import type { Part } from "../../engine/index.js";
import type { Id, LiveEvent, Request, Source } from "../../protocol/index.js";
import { defaultFeatures, type FeatureGroup, Features, featureGroups, keptVectors } from "../features/index.js";
import {
  type CatalogStream,
  type NamedReader,
  type Pair,
  type ProfileOptions,
  type SavedState,
  State,
  type UserProfile,
  type WatchTime,
  watchTimeOf,
} from "../state/index.js";
import { dearestOf, favouritesOf, type RetrievalOptions, Retriever } from "./retriever.js";
import { type SavedTowers, Towers, type TowersOptions, towersOptions } from "./towers.js";

/** Options of the state, of retrieval and of features. */
export interface SceneOptions {
  /** Seed of everything random, an integer >= 0. Default 1. */
  seed: number;
  /** Most streams scored for a request; retrieval chooses them when more are on air. [1, 65536]. Default 256. */
  maxCandidates: number;
  /**
   * Groups of features: the agent's view of user and streams. A group that is not given is neither built nor fed nor
   * saved. Default `defaultFeatures()`.
   */
  features: readonly FeatureGroup[];
  /** The choice of candidates when more streams are on air than `maxCandidates`, and a filter for every request. */
  retrieval: Partial<RetrievalOptions>;
  /**
   * The search for streams with vectors near the user's, when a group keeps vectors (`taste`, `vectors`); false: none.
   * Default: among all on air.
   */
  towers: Partial<TowersOptions> | false;
  /** Memory for users and streamers, and the lengths of engaged watches and bounces. */
  profile: Partial<ProfileOptions>;
}

const CANDIDATES_MAX = 65_536;
export const candidateCount: Rule = [
  (value) => positiveInteger[0](value) && (value as number) <= CANDIDATES_MAX,
  `an integer in [1, ${CANDIDATES_MAX}]`,
];

export const SCENE_DEFAULTS: Readonly<SceneOptions> = {
  seed: 1,
  maxCandidates: 256,
  features: defaultFeatures(),
  retrieval: {},
  towers: {},
  profile: {},
};

export const SCENE_RULES: Rules<SceneOptions> = {
  seed: nonNegativeInteger,
  maxCandidates: candidateCount,
  features: featureGroups,
  retrieval: group,
  towers: [(value) => value === false || group[0](value), "an object, or false"],
  profile: group,
};

/** The candidates of a request, as rows of features. */
export interface Scene {
  readonly user: Id;
  readonly profile: UserProfile;
  readonly now: number;
  readonly streams: readonly CatalogStream[];
  /** For each stream, the source that brought it. */
  readonly sources: readonly Source[];
  /** The state, and a row for each stream: views that the next scene overwrites. */
  readonly observation: Float32Array;
  readonly candidates: Float32Array;
}

/** The result of `Scenes.feedback`. */
export interface Taken {
  /** False for feedback on an unknown stream, and for an `update` or `off_air` of one not on air. */
  readonly isKnown: boolean;
  /** The length of a watch; undefined for other events. */
  readonly watch: WatchTime | undefined;
}

/** The plain values of `Scenes.save`, beside its numbers. */
export interface SavedScenes {
  state: SavedState;
  towers: SavedTowers | undefined;
}

/** When a streamer was last entered or left; -Infinity for one who was only approved or disliked. */
function enteredAt(pair: Pair | undefined): number {
  return pair === undefined || pair.visits + pair.watches === 0 ? Number.NEGATIVE_INFINITY : pair.lastVisit;
}

/** State, retrieval and features together: events update the state, requests become rows. */
export class Scenes {
  readonly state: State;
  readonly features: Features;
  readonly #towers: Towers | undefined;
  readonly #retriever: Retriever;
  readonly #maxCandidates: number;
  readonly #observation: Float32Array;
  readonly #candidates: Float32Array;

  /** @throws TypeError or RangeError for an option of a part that is unknown or out of its range. */
  constructor(options: Readonly<SceneOptions>) {
    const { seed, maxCandidates, retrieval, towers, profile, features } = options;
    this.state = new State(profile);
    this.features = new Features(features, { state: this.state, seed });
    const vectors = keptVectors(this.state);
    const search = towers !== false && towersOptions(towers);
    if (search && vectors !== undefined) {
      this.#towers = new Towers(vectors, search);
      this.state.catalogue.follow(this.#towers);
    }
    this.#retriever = new Retriever(this.state.catalogue, retrieval, this.#towers);
    this.#maxCandidates = maxCandidates;
    this.#observation = new Float32Array(this.features.observationSize);
    this.#candidates = new Float32Array(maxCandidates * this.features.candidateSize);
  }

  /**
   * Takes an event. Looks up its stream and computes the length of a watch once for all parts.
   *
   * @param shownAt - Time at which a decision showed the stream to the user: the earliest start of a watch. Default:
   *   unknown.
   */
  feedback(event: LiveEvent, shownAt: number = Number.NEGATIVE_INFINITY): Taken {
    const { state } = this;
    const stream = "stream" in event ? state.catalogue.find(event.stream) : undefined;
    let watch: WatchTime | undefined;
    if (event.kind === "watch") {
      const { users } = state;
      const visit = stream === undefined ? shownAt : users.lastVisit(event.user, stream.streamer);
      // Users who share a name are shown a stream while another of them watches it.
      const since = users.options.influenceWindowMs > 0 ? Math.max(visit, shownAt) : Number.NEGATIVE_INFINITY;
      watch = watchTimeOf(event, since, stream?.isOnAir === true);
    }
    return { isKnown: state.feedback(event, stream, watch), watch };
  }

  /**
   * The candidates of a request, with their rows. Marks the user as present.
   *
   * @param also - Gets the sources that also proposed a stream. Default: they are not kept.
   * @param isRead - Whether it only reads: nothing changes then, not even that the user is present. Default false.
   */
  face(
    { user, now, candidates, filter }: Omit<Request, "k">,
    also?: Map<CatalogStream, Set<Source>>,
    isRead: boolean = false,
  ): Scene {
    const { users, catalogue } = this.state;
    const profile = isRead ? users.peek(user, now) : users.open(user, now);
    const { streams, sources } = this.#retriever.retrieve({
      user,
      now,
      max: this.#maxCandidates,
      favourites: favouritesOf(profile),
      dear: dearestOf(profile),
      friends: users.company(profile, now),
      candidates,
      filter,
      lastVisit: (streamer) => enteredAt(profile.pairs.get(streamer)),
      ...(also && { also }),
    });
    let viewersMax = 0;
    for (const stream of streams) viewersMax = Math.max(viewersMax, stream.viewers);
    this.features.begin(user, profile, { now, onAir: catalogue.size, viewersMax });
    this.features.writeObservation(this.#observation);
    this.features.writeCandidates(this.#candidates, streams);
    const rows = this.#candidates.subarray(0, streams.length * this.features.candidateSize);
    return { user, profile, now, streams, sources, observation: this.#observation, candidates: rows };
  }

  /** At most k streams like one on air, the nearest first; then the most viewed of its category. Undefined: it is not on air. */
  similar(id: Id, k: number): Id[] | undefined {
    const { catalogue } = this.state;
    const stream = catalogue.get(id);
    if (stream === undefined) return undefined;
    const near = this.#towers?.like(stream, k + 1) ?? [];
    const same = [...catalogue.popular].filter(({ category }) => category === stream.category);
    return [...new Set([...near, ...same].map((each) => each.id))].filter((other) => other !== id).slice(0, k);
  }

  /** A row for each of these streams, in the latest scene. */
  rowsOf(streams: readonly CatalogStream[]): Float32Array {
    const rows = new Float32Array(streams.length * this.features.candidateSize);
    this.features.writeCandidates(rows, streams);
    return rows;
  }

  /** Forgets a streamer; streams on air stay. Returns whether there was a profile. */
  forgetStreamer(streamer: Id): boolean {
    const isKnown = this.state.forgetStreamer(streamer);
    for (const stream of this.state.catalogue.of(streamer)) this.#towers?.changed(stream);
    return isKnown;
  }

  /** The large data of the state, in parts: pictures of this moment. Release each. */
  parts(): Part[] {
    return [...this.state.parts(), ...(this.#towers ? [this.#towers.part("towers")] : [])];
  }

  /** Readers of such parts, in their order, into empty scenes of the same options. */
  readers(): NamedReader[] {
    return [
      ...this.state.readers(),
      ...(this.#towers ? [["towers", this.#towers.reader("towers")] as NamedReader] : []),
    ];
  }

  /** Plain values; the numbers of the state are pushed to a list. */
  save(numbers: Float32Array[]): SavedScenes {
    return { state: this.state.save(numbers), towers: this.#towers?.save() };
  }

  /** Restores a save of the same options; `numbers`: the list joined. */
  load(saved: SavedScenes, numbers: Float32Array): void {
    const towers: Rule = this.#towers ? group : [(value) => value === undefined, "absent, as no group keeps vectors"];
    requireShape(fields<SavedScenes>({ state: any, towers }), saved, "scenes");
    this.state.load(saved.state, numbers);
    this.#towers?.load(saved.towers!);
  }
}
