import { Recommender, type RecommenderOptions } from "../../recommender/index.js";
import type { Checkpoints, Shelf } from "../../storage/index.js";
import { Ranker, type RankModel, type RankOptions } from "../rank/index.js";
import { type Model, modelOf } from "./agent.js";
import { whole } from "./log/file.js";
import type { Candidate } from "./port.js";
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
  /** What scored in the shadow. Default: nothing. */
  readonly shadow?: Candidate | undefined;
  /** The models of ranking that were kept, the oldest first, and the one that somebody went back to. Default: none. */
  readonly rankModels?: readonly RankModel[];
  readonly rankPinned?: number | undefined;
}

/** Where models are kept. */
export interface ModelShelves {
  /** Default: nowhere. */
  readonly shelf?: Shelf | undefined;
  /** Those of ranking. Default: nowhere. */
  readonly rankShelf?: Shelf | undefined;
}

/** The name of the shelf's note of what scores in the shadow. */
export const SHADOW = "shadow";

function shadowOf(note: string | undefined): Candidate | undefined {
  if (note === "newest") return note;
  return note !== undefined && /^\d{1,15}$/.test(note) ? { model: Number(note) } : undefined;
}

function keptIn({ shelf, rankShelf }: ModelShelves): Partial<Beginning> {
  const of = <M extends { readonly weights: Float32Array }>(from: Shelf) =>
    Array.from(from.items(), ({ bytes }) => modelOf<M>(bytes));
  return {
    ...(shelf && { models: of<Model>(shelf).map(withNorm), pinned: shelf.mark, shadow: shadowOf(shelf.note(SHADOW)) }),
    ...(rankShelf && { rankModels: of<RankModel>(rankShelf), rankPinned: rankShelf.mark }),
  };
}

/** Older files of models have no norm of gradients. */
function withNorm(model: Model): Model {
  return { ...model, gradientNorm: model.gradientNorm ?? Number.NaN };
}

/**
 * The newest checkpoint; without one a new recommender, and a new ranker.
 *
 * @param shelves Where models are kept. Default: nowhere.
 * @throws TypeError, RangeError for wrong options.
 */
export function beginning(
  checkpoints: Checkpoints | undefined,
  options: Partial<RecommenderOptions>,
  rank: Partial<RankOptions> = {},
  shelves: ModelShelves = {},
): Beginning {
  const kept = keptIn(shelves);
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
