import { exp } from "../../../numeric/index.js";
import type { Id } from "../../../protocol/index.js";
import {
  type CatalogStream,
  emptyRhythm,
  freshMinutes,
  type State,
  type UserProfile,
  type Users,
} from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup, type Moment } from "../group.js";
import { logScaled, saturated } from "../scale.js";

/** log(24), the middle of habits in log(hours). */
const LOG_DAY = 3.178;
/** Usual gaps, in hours, that bound the groups of users by activity. [set by hand] */
const GROUPS = [8, 24, 72] as const;

/**
 * How often a user comes back, in what mood; and how late users come back after a visit to the streamer, and how many
 * more of their visits there are engaged than elsewhere.
 *
 * Reads the user's profile and the streamer's statistics, which requests, clicks and watches write. Writes 9 numbers of
 * the observation and 4 of a candidate.
 */
export function returns(): FeatureGroup {
  return featureGroup("returns", {}, ({ state }) => new ReturnRows(state));
}

class ReturnRows implements FeatureWriter {
  readonly observation = 9;
  readonly candidate = 4;
  readonly #users: Users;
  #profile!: UserProfile;
  #now = 0;

  constructor({ users }: State) {
    this.#users = users;
  }

  begin(_user: Id, profile: UserProfile, { now }: Moment): void {
    this.#profile = profile;
    this.#now = now;
  }

  /** A new user, and a streamer whom nobody has visited. */
  writeUnknown(row: Float32Array, offset: number, part: "observation" | "candidate"): void {
    if (part === "candidate") this.writeCandidate(row, offset, { streamer: "", category: "" });
    else this.writeObservation(row, offset, emptyRhythm(this.#now));
  }

  writeObservation(row: Float32Array, offset: number, rhythm = this.#profile.rhythm): void {
    const logHabit = this.#users.returns.logHabit(rhythm);
    const hours = exp(logHabit);
    row[offset] = rhythm.mood;
    row[offset + 1] = Math.max(-3, Math.min(3, (logHabit - LOG_DAY) / 2));
    row[offset + 2] = saturated(rhythm.returns, 2);
    row[offset + 3] = rhythm.lateness / 2;
    row[offset + 4] = logScaled(freshMinutes(rhythm, this.#now), 4);
    let group = 0;
    while (group < GROUPS.length && hours >= GROUPS[group]!) group++;
    for (let i = 0; i <= GROUPS.length; i++) row[offset + 5 + i] = i === group ? 1 : 0;
  }

  writeCandidate(
    row: Float32Array,
    offset: number,
    { streamer, category }: Pick<CatalogStream, "streamer" | "category">,
  ): void {
    const { long, returns: weight } = this.#users.streamers.estimate(streamer, category, this.#now);
    row[offset] = Math.max(-3, Math.min(3, long.lateness * 3));
    row[offset + 1] = saturated(weight, 10);
    row[offset + 2] = Math.max(-3, Math.min(3, long.surplus * 4));
    row[offset + 3] = Math.max(-3, Math.min(3, (long.engagedShare - 0.3) * 4));
  }
}
