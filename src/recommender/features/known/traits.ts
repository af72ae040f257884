import { AGE_EDGES, bucketOf } from "../../../encoders/index.js";
import type { Id } from "../../../protocol/index.js";
import type { UserProfile, UserTraits } from "../../state/index.js";
import { type FeatureGroup, type FeatureWriter, featureGroup } from "../group.js";

/** Traits that are names, and the number of places for the hash of each: few, as most have few names. [set by hand] */
const NAMES = [
  ["gender", 4],
  ["region", 8],
  ["language", 8],
  ["device", 4],
] as const;
const AGES = AGE_EDGES.length + 1;

/**
 * A user's age, gender, region, language and device, each with a mask.
 *
 * Reads the user's profile, which `user` events write. Writes 37 numbers of the observation.
 */
export function traits(): FeatureGroup {
  return featureGroup("traits", {}, () => new Traits());
}

class Traits implements FeatureWriter {
  readonly observation = 1 + AGES + NAMES.reduce((sum, [, places]) => sum + 1 + places, 0);
  readonly candidate = 0;
  #traits: UserTraits = {};

  begin(_user: Id, { traits }: UserProfile): void {
    this.#traits = traits;
  }

  writeObservation(row: Float32Array, offset: number): void {
    row.fill(0, offset, offset + this.observation);
    const { age } = this.#traits;
    if (age !== undefined) {
      row[offset] = 1;
      row[offset + 1 + AGE_EDGES.filter((edge) => age >= edge).length] = 1;
    }
    let at = offset + 1 + AGES;
    for (const [trait, places] of NAMES) {
      const name = this.#traits[trait];
      if (name !== undefined) {
        row[at] = 1;
        row[at + 1 + bucketOf(name, places)] = 1;
      }
      at += 1 + places;
    }
  }
}
