import { group, nonNegativeInteger, positiveInteger, type Rule, type Rules } from "../../check/index.js";
import type { Id, LiveEvent, Request, Source } from "../../protocol/index.js";
import { defaultFeatures, type FeatureGroup, Features, featureGroups, keptVectors } from "../features/index.js";
import {
  type CatalogStream,
  type ProfileOptions,
  type SavedState,
  State,
  type WatchTime,
  watchTimeOf,
} from "../state/index.js";
import { favouritesOf, type RetrievalOptions, Retriever } from "./retriever.js";
import { type SavedTowers, Towers, type TowersOptions, towersOptions } from "./towers.js";

/** The options of what is known and of how it becomes rows. */
export interface SceneOptions {
  /** Seed of everything random, an integer >= 0. Default 1. */
  seed: number;
  /** Streams scored for a request, at most; more on air are retrieved first. [1, 65536]. Default 256. */
  maxCandidates: number;
  /**
   * Groups of features: what the agent sees of user and streams. A group that is not given is neither built nor fed nor
   * saved. Default `defaultFeatures()`.
   */
  features: readonly FeatureGroup[];
  /** Which streams are candidates where more are on air than `maxCandidates`, and which no request may show. */
  retrieval: Partial<RetrievalOptions>;
  /**
   * The search for streams whose vectors are near the user's, where a group keeps vectors (`taste`, `vectors`); false:
   * none. Default: among all on air.
   */
  towers: Partial<TowersOptions> | false;
  /** How much of users and streamers is remembered, and from when a watch counts as engaged or as a bounce. */
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

/** The streams that a user may be shown, as rows of features. */
export interface Scene {
  readonly user: Id;
  readonly now: number;
  readonly streams: readonly CatalogStream[];
  /** For each stream the source that brought it. */
  readonly sources: readonly Source[];
  /** The state, and a row for each stream: views that the next scene overwrites. */
  readonly observation: Float32Array;
  readonly candidates: Float32Array;
}

/** What `Scenes.feedback` found out about an event. */
export interface Taken {
  /** False for feedback on an unknown stream, and for an `update` or `off_air` of one not on air. */
  readonly isKnown: boolean;
  /** The length of a watch; undefined for other events. */
  readonly watch: WatchTime | undefined;
}

/** What `Scenes.save` gives beside its numbers. */
export interface SavedScenes {
  state: SavedState;
  towers: SavedTowers | undefined;
}

/** From events to what is known, and from requests to rows: state, retrieval and features together. */
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
   * Takes an event. Looks its stream up, and decides how long a watch was, once for all.
   *
   * @param shownAt - When a decision showed the stream to the user: a watch cannot have begun before. Default: unknown.
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

  /** The streams that a user may be shown, with their rows. The user is here now. */
  face({ user, now, candidates, filter }: Omit<Request, "k">): Scene {
    const { users, catalogue } = this.state;
    const profile = users.open(user, now);
    const { streams, sources } = this.#retriever.retrieve({
      user,
      now,
      max: this.#maxCandidates,
      favourites: favouritesOf(profile),
      friends: users.company(profile, now),
      candidates,
      filter,
    });
    let viewersMax = 0;
    for (const stream of streams) viewersMax = Math.max(viewersMax, stream.viewers);
    this.features.begin(user, profile, { now, onAir: catalogue.size, viewersMax });
    this.features.writeObservation(this.#observation);
    this.features.writeCandidates(this.#candidates, streams);
    const rows = this.#candidates.subarray(0, streams.length * this.features.candidateSize);
    return { user, now, streams, sources, observation: this.#observation, candidates: rows };
  }

  /** A row for each of these streams, as the scene that was last faced would have it. */
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

  /** Plain values; the numbers of the state and of the towers are pushed to their lists. */
  save(numbers: { state: Float32Array[]; towers: Float32Array[] }): SavedScenes {
    return { state: this.state.save(numbers.state), towers: this.#towers?.save(numbers.towers) };
  }

  /** Takes what `save` of the same options gave, knowing nothing yet; `numbers`: each list joined. */
  load(saved: SavedScenes, numbers: { state: Float32Array; towers: Float32Array }): void {
    this.state.load(saved.state, numbers.state);
    if (saved.towers !== undefined) this.#towers?.load(saved.towers, numbers.towers);
  }
}
