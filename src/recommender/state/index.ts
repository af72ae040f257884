export {
  type CatalogStream,
  Catalogue,
  type Follower,
  isMoreViewed,
  isNewer,
  type KnownStream,
  type SavedCatalogue,
  type StreamTraits,
} from "./catalogue.js";
export { Clock, type ClockOptions, type SavedClock } from "./intake/clock.js";
export { DecisionNames, instanceName, newInstance, prefixOf } from "./intake/decisions.js";
export {
  INTAKE_DEFAULTS,
  INTAKE_RULES,
  Intake,
  type IntakeCounts,
  type IntakeOptions,
  intakeShape,
  type SavedIntake,
} from "./intake/intake.js";
export { Signs } from "./intake/signs.js";
export {
  NEIGHBOUR_TABLE,
  NEIGHBOURS,
  type Nearness,
  type NeighbourOptions,
  Neighbours,
  type SavedNeighbours,
} from "./neighbours.js";
export {
  ByteReader,
  ByteWriter,
  floatRows,
  framedPart,
  framedReader,
  type NumberRows,
  PackedMap,
  wordsIn,
} from "./packed/index.js";
export type { ProfileOptions } from "./profiles/options.js";
export {
  type ExportedProfile,
  type Interest,
  type Pair,
  type Session,
  SPEEDS,
  type UserProfile,
  type UserTraits,
} from "./profiles/profile.js";
export { Rates, type SavedRates } from "./rates.js";
export { emptyRhythm, freshMinutes, LATENESS_MAX, type Rhythm } from "./rhythm.js";
export { type Fact, type Keeper, type NamedReader, type SavedState, State } from "./state.js";
export { type StreamerProfile, Streamers, shrink } from "./streamers.js";
export { type SavedUsers, Users } from "./users.js";
export { CollaborativeVectors, type VectorOptions } from "./vectors.js";
export { Visits } from "./visits.js";
export { type SavedWatches, Watches, type WatchTime, watchTimeOf } from "./watches.js";
