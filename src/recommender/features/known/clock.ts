import { cos, sin } from "../../../numeric/index.js";
import { DAY, WEEK } from "../../../protocol/index.js";
import { type FeatureGroup, featureGroup, type Moment } from "../group.js";
import { logScaled } from "../scale.js";

const TWO_PI = 6.283185307179586;

/**
 * Hour and weekday as circles, and the number of streams on air.
 *
 * Keeps nothing. Writes 7 numbers of the observation.
 */
export function clock(): FeatureGroup {
  return featureGroup("clock", {}, () => {
    let moment: Moment;
    return {
      observation: 7,
      candidate: 0,
      begin: (_user, _profile, now) => {
        moment = now;
      },
      writeObservation: (row, offset) => {
        const hour = ((moment.now % DAY) / DAY) * TWO_PI;
        const weekday = ((moment.now % WEEK) / WEEK) * TWO_PI;
        row[offset] = sin(hour);
        row[offset + 1] = cos(hour);
        row[offset + 2] = sin(2 * hour);
        row[offset + 3] = cos(2 * hour);
        row[offset + 4] = sin(weekday);
        row[offset + 5] = cos(weekday);
        row[offset + 6] = logScaled(moment.onAir, 5);
      },
    };
  });
}
