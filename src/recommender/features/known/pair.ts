import { DAY, HOUR, type Id, MINUTE } from "../../../protocol/index.js";
import { type CatalogStream, shrink, type UserProfile } from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup, type Moment } from "../group.js";
import { saturated, TASTE } from "../scale.js";
import { PRIOR, shareScale } from "./priors.js";

/**
 * A user's history with the streamer: visits, minutes, time since, approval; and impressions of the streamer in this
 * session.
 *
 * Reads the user's profile, which impressions, clicks, watches, approvals and dislikes write; 64 streamers a user by
 * default. Writes 11 numbers of a candidate.
 */
export function pair(): FeatureGroup {
  return featureGroup("pair", {}, () => new Pairs());
}

class Pairs implements FeatureWriter {
  readonly observation = 0;
  readonly candidate = 11;
  #profile!: UserProfile;
  #now = 0;
  #share = 0;

  begin(_user: Id, profile: UserProfile, { now }: Moment): void {
    this.#profile = profile;
    this.#now = now;
    this.#share = shareScale(profile, TASTE);
  }

  /** Away for ever. */
  writeUnknown(row: Float32Array, offset: number): void {
    row[offset + 1] = 1;
    row[offset + 2] = 1;
  }

  writeCandidate(row: Float32Array, offset: number, { streamer }: CatalogStream): void {
    const { session, pairs } = this.#profile;
    row[offset] = saturated(session.shown.get(streamer) ?? 0, 2);
    const known = pairs.get(streamer);
    if (known === undefined) {
      row.fill(0, offset + 1, offset + this.candidate);
      this.writeUnknown(row, offset);
      return;
    }
    const away = Math.max(this.#now - known.lastVisit, 0);
    row[offset + 1] = saturated(away, 6 * HOUR);
    row[offset + 2] = saturated(away, 3 * DAY);
    row[offset + 3] = 1;
    row[offset + 4] = known.lastVisit >= session.start ? 1 : 0;
    row[offset + 5] = saturated(known.visits, 3);
    row[offset + 6] = saturated(known.minutes, 30);
    row[offset + 7] = shrink(known.engaged, known.watches, PRIOR.engaged, 2);
    row[offset + 8] = saturated(known.lastWatchMs, 10 * MINUTE);
    row[offset + 9] = Math.min(known.weight * this.#share, 1);
    row[offset + 10] = saturated(known.approvals, 2) - saturated(known.dislikes, 0.5);
  }
}
