import { log1p } from "../../../numeric/index.js";
import { HOUR, MINUTE, WEEK } from "../../../protocol/index.js";
import type { Session } from "../../state/index.js";
import { type FeatureGroup, featureGroup } from "../group.js";
import { logScaled } from "../scale.js";

/** log(1 + hours) of a month: the gap before a first session. */
const LONG_AGO = log1p((WEEK / HOUR) * 4);

function logHours(elapsedMs: number): number {
  return Math.min(log1p(Math.max(elapsedMs, 0) / HOUR), LONG_AGO) / LONG_AGO;
}

/**
 * The session so far: its beginning, and the user's actions in it.
 *
 * Reads the user's profile, which requests, clicks and watches write. Writes 10 numbers of the observation.
 */
export function session(): FeatureGroup {
  return featureGroup("session", {}, () => {
    let current: Session;
    let time = 0;
    return {
      observation: 10,
      candidate: 0,
      begin: (_user, profile, { now }) => {
        current = profile.session;
        time = now;
      },
      // The first request of a first session.
      writeUnknown: (row, offset) => {
        row[offset] = 1;
      },
      writeObservation: (row, offset) => {
        row[offset] = current.requests === 0 ? 1 : 0;
        row[offset + 1] = logHours(current.gapMs);
        row[offset + 2] = logScaled(current.requests, 2);
        row[offset + 3] = logScaled(current.clicks, 2);
        row[offset + 4] = logScaled(current.engaged, 2);
        row[offset + 5] = logScaled(current.bounces, 2);
        row[offset + 6] = logScaled(current.ignored, 2);
        row[offset + 7] = logScaled(current.minutes, 4);
        row[offset + 8] = logScaled(current.lastWatchMs / MINUTE, 4);
        row[offset + 9] = logScaled(Math.max(time - current.start, 0) / MINUTE, 4);
      },
    };
  });
}
