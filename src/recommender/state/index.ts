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
export {
  INTAKE_DEFAULTS,
  INTAKE_RULES,
  Intake,
  type IntakeCounts,
  type IntakeOptions,
  type SavedIntake,
} from "./intake/intake.js";
export { DecisionNames, instanceName, newInstance, prefixOf } from "./intake/names.js";
export {
  NEIGHBOUR_TABLE,
  NEIGHBOURS,
  type Nearness,
  type NeighbourOptions,
  Neighbours,
  type SavedNeighbours,
} from "./neighbours.js";
export { Rates, type SavedRates } from "./rates.js";
export { emptyRhythm, freshMinutes, LATENESS_MAX, type Rhythm } from "./rhythm.js";
export { type Fact, type Keeper, type SavedState, State } from "./state.js";
export { type StreamerProfile, Streamers, shrink } from "./streamers.js";
export {
  type ExportedProfile,
  type Interest,
  type Pair,
  type ProfileOptions,
  type SavedUsers,
  type Session,
  SPEEDS,
  type UserProfile,
  Users,
  type UserTraits,
} from "./users.js";
export { CollaborativeVectors, type SavedVectors, type VectorOptions } from "./vectors.js";
export { Visits } from "./visits.js";
export { type SavedWatches, Watches, type WatchTime, watchTimeOf } from "./watches.js";
