import { HOUR, type Id } from "../../../protocol/index.js";
import type { CatalogStream, Streamers, UserProfile } from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup, type Moment } from "../group.js";
import { logScaled, saturated } from "../scale.js";

/**
 * A stream's viewers and age, and the estimates of its streamer from all visits, over weeks and over hours.
 *
 * Reads the statistics of streamers, which impressions, clicks, watches and approvals write. Writes 13 numbers of a
 * candidate.
 */
export function audience(): FeatureGroup {
  return featureGroup("audience", {}, ({ state }) => new Audience(state.users.streamers));
}

class Audience implements FeatureWriter {
  readonly observation = 0;
  readonly candidate = 13;
  readonly #streamers: Streamers;
  /** By the stream's index: a number of viewers, and its logarithm, which costs as much as half a row. */
  readonly #viewers: number[] = [];
  readonly #logs: number[] = [];
  #moment!: Moment;

  constructor(streamers: Streamers) {
    this.#streamers = streamers;
  }

  begin(_user: Id, _profile: UserProfile, moment: Moment): void {
    this.#moment = moment;
  }

  /** A stream without viewers that has just begun, of a streamer whom nobody has visited. */
  writeUnknown(row: Float32Array, offset: number): void {
    this.writeCandidate(row, offset, { index: 0, streamer: "", category: "", viewers: 0, startedAt: this.#moment.now });
  }

  writeCandidate(
    row: Float32Array,
    offset: number,
    stream: Pick<CatalogStream, "index" | "streamer" | "category" | "viewers" | "startedAt">,
  ): void {
    const moment = this.#moment;
    const estimate = this.#streamers.estimate(stream.streamer, stream.category, moment.now);
    const { long, now } = estimate;
    const { index, viewers } = stream;
    if (this.#viewers[index] !== viewers) {
      this.#viewers[index] = viewers;
      this.#logs[index] = logScaled(viewers, 5);
    }
    row[offset] = this.#logs[index]!;
    row[offset + 1] = moment.viewersMax > 0 ? Math.min(viewers / moment.viewersMax, 1) : 0;
    row[offset + 2] = saturated(Math.max(moment.now - stream.startedAt, 0), HOUR);
    row[offset + 3] = Math.min(long.clickRate * 5, 3);
    row[offset + 4] = Math.min(now.clickRate * 5, 3);
    row[offset + 5] = long.engagedShare;
    row[offset + 6] = Math.min(long.weight / 2, 3);
    row[offset + 7] = Math.min(now.weight / 2, 3);
    row[offset + 8] = Math.min(long.clickRate * long.weight * 4, 3);
    row[offset + 9] = Math.min(long.repeatShare, 1);
    row[offset + 10] = Math.min(long.approvalRate * 3, 3);
    row[offset + 11] = saturated(estimate.watches, 10);
    row[offset + 12] = estimate.impressions < 10 ? 1 : 0;
  }
}
