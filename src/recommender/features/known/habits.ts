import type { Id } from "../../../protocol/index.js";
import { type CatalogStream, type Interest, shrink, type UserProfile } from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup } from "../group.js";
import { logScaled, SITTING, TASTE, TODAY } from "../scale.js";
import { meanClickRate, meanWeight, PRIOR, PRIOR_IMPRESSIONS, PRIOR_WATCHES, shareScale } from "./priors.js";

/**
 * A user's habits over an hour, a day and a week, and how the category and tags of a stream fit them.
 *
 * Reads the user's profile, which impressions, clicks and watches write. Writes 14 numbers of the observation and 8 of
 * a candidate.
 */
export function habits(): FeatureGroup {
  return featureGroup("habits", {}, () => new Habits());
}

const NO_INTEREST: Interest = { impressions: 0, clicks: 0, watches: 0, weight: [0, 0, 0] };

class Habits implements FeatureWriter {
  readonly observation = 14;
  readonly candidate = 8;
  #profile!: UserProfile;
  #value = 0;
  #clickRate = 0;
  /** 1 / the user's watching at each speed; 0 without watching. */
  readonly #shares = new Float64Array(3);

  begin(_user: Id, profile: UserProfile): void {
    this.#profile = profile;
    this.#value = meanWeight(profile);
    this.#clickRate = meanClickRate(profile);
    for (let speed = 0; speed < this.#shares.length; speed++) this.#shares[speed] = shareScale(profile, speed);
  }

  writeObservation(row: Float32Array, offset: number): void {
    const { sums, requests, pairs } = this.#profile;
    row[offset] = logScaled(requests, 4);
    row[offset + 1] = logScaled(sums.clicks[TODAY]!, 3);
    row[offset + 2] = logScaled(sums.clicks[TASTE]!, 4);
    row[offset + 3] = logScaled(sums.minutes[SITTING]!, 4);
    row[offset + 4] = logScaled(sums.minutes[TODAY]!, 5);
    row[offset + 5] = logScaled(sums.minutes[TASTE]!, 6);
    row[offset + 6] = this.#clickRate * 3;
    const sitting = shrink(sums.clicks[SITTING]!, sums.impressions[SITTING]!, PRIOR.clickRate, PRIOR_IMPRESSIONS);
    row[offset + 7] = sitting * 3;
    row[offset + 8] = shrink(sums.engaged[TASTE]!, sums.watches[TASTE]!, PRIOR.engaged, PRIOR_WATCHES);
    row[offset + 9] = shrink(sums.engaged[SITTING]!, sums.watches[SITTING]!, PRIOR.engaged, PRIOR_WATCHES);
    row[offset + 10] = shrink(sums.bounces[TODAY]!, sums.watches[TODAY]!, PRIOR.bounced, PRIOR_WATCHES);
    row[offset + 11] = this.#value / 2;
    row[offset + 12] = shrink(sums.repeats[TASTE]!, sums.watches[TASTE]!, PRIOR.repeated, PRIOR_WATCHES);
    row[offset + 13] = logScaled(pairs.size, 4);
  }

  /** The priors: what a new user has. */
  writeUnknown(row: Float32Array, offset: number, part: "observation" | "candidate"): void {
    const { clickRate, engaged, bounced, repeated, weight } = PRIOR;
    const priors =
      part === "candidate"
        ? [0, 0, 0, weight / 2, clickRate * 5, 0, weight / 2, clickRate * 5]
        : [0, 0, 0, 0, 0, 0, clickRate * 3, clickRate * 3, engaged, engaged, bounced, weight / 2, repeated, 0];
    row.set(priors, offset);
  }

  writeCandidate(row: Float32Array, offset: number, stream: CatalogStream): void {
    const profile = this.#profile;
    const shares = this.#shares;
    const value = this.#value;
    const clickRate = this.#clickRate;
    const category = profile.categories.get(stream.category) ?? NO_INTEREST;
    row[offset] = Math.min(category.weight[SITTING]! * shares[SITTING]!, 1);
    row[offset + 1] = Math.min(category.weight[TODAY]! * shares[TODAY]!, 1);
    row[offset + 2] = Math.min(category.weight[TASTE]! * shares[TASTE]!, 1);
    row[offset + 3] = Math.min(shrink(category.weight[TASTE]!, category.watches, value, PRIOR_WATCHES) / 2, 3);
    const rate = shrink(category.clicks, category.impressions, clickRate, PRIOR_IMPRESSIONS);
    row[offset + 4] = Math.min(rate * 5, 3);
    let tagWeight = 0;
    let tagValue = 0;
    let tagClickRate = 0;
    for (const tag of stream.tags) {
      const interest = profile.tags.get(tag) ?? NO_INTEREST;
      tagWeight += interest.weight[TASTE]!;
      tagValue += shrink(interest.weight[TASTE]!, interest.watches, value, PRIOR_WATCHES);
      tagClickRate += shrink(interest.clicks, interest.impressions, clickRate, PRIOR_IMPRESSIONS);
    }
    const tags = stream.tags.length;
    row[offset + 5] = tags > 0 ? Math.min((tagWeight / tags) * shares[TASTE]!, 1) : 0;
    row[offset + 6] = Math.min((tags > 0 ? tagValue / tags : value) / 2, 3);
    row[offset + 7] = Math.min((tags > 0 ? tagClickRate / tags : clickRate) * 5, 3);
  }
}
