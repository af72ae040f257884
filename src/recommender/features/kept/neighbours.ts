import { checked, oneOf, type Rules } from "../../../check/index.js";
import type { Part } from "../../../engine/index.js";
import { type Id, isLiking } from "../../../protocol/index.js";
import {
  type CatalogStream,
  type Fact,
  type Keeper,
  type NamedReader,
  type Nearness,
  Neighbours,
  type SavedNeighbours,
  type State,
  type UserProfile,
} from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup, type Moment } from "../group.js";
import { saturated } from "../scale.js";

/** Less than the baseline's: a request reads the history of its user for every candidate. [set by hand] */
const NEIGHBOURHOOD = { history: 32, neighbours: 64 } as const;

/**
 * How near a streamer is to the others that the user liked, by common users.
 *
 * Keeps the streamers that each user liked and the number of common users of each pair, which engaged watches and
 * approvals write: some 64 names a streamer and 32 a user. Writes 4 numbers of a candidate.
 */
export function neighbours(options: Partial<NeighbourSources> = {}): FeatureGroup {
  return featureGroup("neighbours", options, ({ state }, given) => {
    return new NeighbourWriter(state.keep("neighbours", () => new KeptNeighbours(state, given)).neighbours);
  });
}

/** What neighbours are learned from. */
export interface NeighbourSources {
  /** `watches`: engaged watches and approvals. `visits`: clicks too, as of {@link TasteOptions}. Default `watches`. */
  learnFrom: "watches" | "visits";
}

const RULES: Rules<NeighbourSources> = { learnFrom: oneOf("watches", "visits") };

class KeptNeighbours implements Keeper {
  readonly neighbours: Neighbours;
  readonly #engagedMs: number;
  readonly #takesClicks: boolean;

  constructor(state: State, options: Partial<NeighbourSources>) {
    this.#takesClicks = checked(options, RULES, { learnFrom: "watches" }, "neighbours.").learnFrom === "visits";
    const { users, streamers, engagedMs } = state.users.options;
    this.neighbours = new Neighbours({ users, streamers, ...NEIGHBOURHOOD });
    this.#engagedMs = engagedMs;
  }

  feedback({ event, stream, watch, now }: Fact): void {
    if (stream === undefined || !("user" in event) || !("stream" in event)) return;
    const liked = watch ? watch.watchMs >= this.#engagedMs : isLiking(event, this.#engagedMs);
    if (liked || (this.#takesClicks && event.kind === "click"))
      this.neighbours.learn(event.user, stream.streamer, Math.min(event.time, now));
  }

  forget(user: Id): void {
    this.neighbours.forget(user);
  }

  forgetStreamer(streamer: Id): void {
    this.neighbours.forgetStreamer(streamer);
  }

  parts(name: string): Part[] {
    return this.neighbours.parts(name);
  }

  readers(name: string): NamedReader[] {
    return this.neighbours.readers(name);
  }

  save(): SavedNeighbours {
    return this.neighbours.save();
  }

  load(saved: unknown): void {
    this.neighbours.load(saved as SavedNeighbours);
  }
}

class NeighbourWriter implements FeatureWriter {
  readonly observation = 0;
  readonly candidate = 4;
  readonly #neighbours: Neighbours;
  readonly #nearness: Nearness = { all: 0, others: 0, weight: 0, nearest: 0 };

  constructor(neighbours: Neighbours) {
    this.#neighbours = neighbours;
  }

  begin(user: Id, _profile: UserProfile, { now }: Moment): void {
    this.#neighbours.begin(user, now);
  }

  writeCandidate(row: Float32Array, offset: number, { streamer }: CatalogStream): void {
    const nearness = this.#nearness;
    row.fill(0, offset, offset + this.candidate);
    // Unknown: a user who liked no other streamer, or a streamer that nobody liked.
    if (!this.#neighbours.read(streamer, nearness) || nearness.weight === 0) return;
    row[offset] = 1;
    row[offset + 1] = saturated(nearness.others, 1);
    row[offset + 2] = nearness.nearest;
    row[offset + 3] = nearness.others / nearness.weight;
  }
}
