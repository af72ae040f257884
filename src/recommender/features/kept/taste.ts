import type { Id } from "../../../protocol/index.js";
import type { CatalogStream, CollaborativeVectors, UserProfile } from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup } from "../group.js";
import { squashed } from "../scale.js";
import { keepVectors, type TasteOptions, traitNames } from "./vectors.js";

/**
 * How well the collaborative vector of a streamer fits that of the user, and that of all users.
 *
 * Keeps the vectors that `vectors` describes, once for both groups; the recommender also retrieves streams by them that
 * are near the user (source `similar`). Writes 4 numbers of a candidate.
 */
export function taste(options: Partial<TasteOptions> = {}): FeatureGroup {
  return featureGroup("taste", options, (context, given) => new Taste(keepVectors(context, given)));
}

class Taste implements FeatureWriter {
  readonly observation = 0;
  readonly candidate = 4;
  readonly #vectors: CollaborativeVectors;
  readonly #user: Float32Array;
  readonly #everybody: Float32Array;
  readonly #streamer: Float32Array;
  #isKnown = 0;

  constructor(vectors: CollaborativeVectors) {
    this.#vectors = vectors;
    this.#user = new Float32Array(vectors.size);
    this.#everybody = new Float32Array(vectors.size);
    this.#streamer = new Float32Array(vectors.size);
  }

  begin(user: Id, { traits }: UserProfile): void {
    this.#isKnown = this.#vectors.readUser(user, this.#user, 0, traitNames(traits)) ? 1 : 0;
    // No user's id is empty.
    this.#vectors.readUser("", this.#everybody, 0);
  }

  writeCandidate(row: Float32Array, offset: number, { streamer, category, tags }: CatalogStream): void {
    const [user, everybody, theirs] = [this.#user, this.#everybody, this.#streamer];
    const isKnown = this.#vectors.readStreamer(streamer, category, theirs, 0, tags);
    let own = 0;
    let common = 0;
    for (let f = 0; f < theirs.length; f++) {
      own += user[f]! * theirs[f]!;
      common += everybody[f]! * theirs[f]!;
    }
    row[offset] = squashed(own);
    row[offset + 1] = squashed(common);
    row[offset + 2] = this.#isKnown;
    row[offset + 3] = isKnown ? 1 : 0;
  }
}
