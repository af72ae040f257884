import { Recommender, type RecommenderOptions } from "../../recommender/index.js";
import type { Checkpoints, Shelf } from "../../storage/index.js";
import { Ranker, type RankOptions } from "../rank/index.js";
import { type Model, modelOf } from "./agent.js";
import { whole } from "./log/file.js";
import { replicaFile } from "./replica.js";
import { Trials } from "./trials.js";

/**
 * Users whose profiles a new server keeps ready, unless its options say otherwise: some 10 MB here and as many in the learner.
 * An event of a user whose profile is packed takes three times as long.
 */
const ACTIVE = 1024;

/** What a server begins with. */
export interface Beginning {
  /** A file of what its log made until then. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** The sequence number of the first record that is not in it. */
  readonly sequence: number;
  /** The models that were kept, the oldest first, and the one that somebody went back to. Default: none. */
  readonly models?: readonly Model[];
  readonly pinned?: number | undefined;
}

/**
 * The newest checkpoint; without one a new recommender, and a new ranker.
 *
 * @param shelf Where models are kept. Default: nowhere.
 * @throws TypeError, RangeError for wrong options.
 */
export function beginning(
  checkpoints: Checkpoints | undefined,
  options: Partial<RecommenderOptions>,
  rank: Partial<RankOptions> = {},
  shelf?: Shelf,
): Beginning {
  const kept = shelf && { models: Array.from(shelf.items(), ({ bytes }) => modelOf(bytes)), pinned: shelf.mark };
  const newest = checkpoints?.newest();
  if (newest !== undefined) {
    return { file: whole(checkpoints!.read(newest)), sequence: newest.sequence, ...kept };
  }
  const recommender = new Recommender(withActive(options));
  const file = replicaFile({ recommender, ranker: new Ranker(rank), trials: new Trials() });
  recommender.dispose();
  return { file, sequence: 0, ...kept };
}

function withActive(options: Partial<RecommenderOptions>): Partial<RecommenderOptions> {
  const { profile = {} } = options;
  // What is no group of options is refused as it was given.
  return typeof profile === "object" && profile !== null
    ? { ...options, profile: { active: ACTIVE, ...profile } }
    : options;
}
