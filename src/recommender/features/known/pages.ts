import type { Id } from "../../../protocol/index.js";
import type { CatalogStream, UserProfile } from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup } from "../group.js";
import { FADED, logScaled, saturated, TASTE, TODAY } from "../scale.js";

/**
 * Pages that a user looked at, and ratings.
 *
 * Reads the user's profile, which `page_view` and `rating` events write. Writes 8 numbers of the observation and 4 of a
 * candidate.
 */
export function pages(): FeatureGroup {
  return featureGroup("pages", {}, () => new Pages());
}

class Pages implements FeatureWriter {
  readonly observation = 8;
  readonly candidate = 4;
  #profile!: UserProfile;

  begin(_user: Id, profile: UserProfile): void {
    this.#profile = profile;
  }

  writeObservation(row: Float32Array, offset: number): void {
    const { sums, session } = this.#profile;
    const pages = sums.pages?.[TASTE] ?? 0;
    const ratings = sums.ratings?.[TASTE] ?? 0;
    row.fill(0, offset, offset + this.observation);
    // A sum that faded to almost 0 counts as unknown: its shares would be rounding errors.
    if (pages > FADED) {
      row[offset] = 1;
      row[offset + 1] = logScaled(sums.pages![TODAY]!, 3);
      row[offset + 2] = logScaled(session.pages, 2);
      row[offset + 3] = Math.min(sums.pageBounces![TASTE]! / pages, 1);
      row[offset + 4] = Math.min(sums.dwell![TASTE]! / pages / 5, 3);
    }
    if (ratings > FADED) {
      row[offset + 5] = 1;
      row[offset + 6] = logScaled(ratings, 3);
      row[offset + 7] = Math.min(Math.max(sums.ratingSum![TASTE]! / ratings, -1), 1);
    }
  }

  writeCandidate(row: Float32Array, offset: number, stream: CatalogStream): void {
    const pair = this.#profile.pairs.get(stream.streamer);
    row.fill(0, offset, offset + this.candidate);
    if (pair === undefined || pair.ratings === 0) return;
    row[offset] = 1;
    row[offset + 1] = pair.ratingSum / pair.ratings;
    row[offset + 2] = saturated(pair.ratings, 2);
  }
}
