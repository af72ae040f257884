export {
  type CatalogStream,
  Catalogue,
  type Follower,
  isMoreViewed,
  isNewer,
  type SavedCatalogue,
} from "./catalogue.js";
export {
  NEIGHBOUR_TABLE,
  NEIGHBOURS,
  type Nearness,
  type NeighbourOptions,
  Neighbours,
  type SavedNeighbours,
} from "./neighbours.js";
export { emptyStreamerEstimate, type StreamerProfile, Streamers, shrink } from "./streamers.js";
export {
  type ExportedProfile,
  type Interest,
  type ProfileOptions,
  type SavedUsers,
  type Session,
  SPEEDS,
  type StreamTraits,
  type UserProfile,
  Users,
  type UserTraits,
} from "./users.js";
export { CollaborativeVectors, type SavedVectors, type VectorOptions } from "./vectors.js";
export { Visits } from "./visits.js";
export { possibleWatchMs } from "./watchtime.js";
