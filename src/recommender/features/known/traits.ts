import { type FeatureColumn, FeatureSet } from "../../../encoders/index.js";
import type { UserTraits } from "../../state/index.js";
import { type FeatureGroup, featureGroup } from "../group.js";

/** Hashed names share few places; a missing trait writes zeros. */
const COLUMNS: readonly FeatureColumn[] = [
  { name: "age", encode: { kind: "age" } },
  { name: "gender", encode: { kind: "hashed", size: 4 } },
  { name: "region", encode: { kind: "hashed", size: 8 } },
  { name: "language", encode: { kind: "hashed", size: 8 } },
  { name: "device", encode: { kind: "hashed", size: 4 } },
];

/**
 * A user's age, gender, region, language and device.
 *
 * Reads the user's profile, which `user` events write. Writes 28 numbers of the observation.
 */
export function traits(): FeatureGroup {
  return featureGroup("traits", {}, () => {
    const columns = new FeatureSet(COLUMNS);
    let current: UserTraits = {};
    return {
      observation: columns.width,
      candidate: 0,
      begin: (_user, profile) => {
        current = profile.traits;
      },
      writeObservation: (row, offset) => columns.write(current, row, offset),
    };
  });
}
