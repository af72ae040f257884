export { Catalog, type CatalogStream, type Follower, isMoreViewed, isNewer, type SavedCatalog } from "./catalogue.js";
export {
  NEIGHBOUR_TABLE,
  NEIGHBOURS,
  type Nearness,
  type NeighbourOptions,
  Neighbours,
  type SavedNeighbours,
} from "./neighbours.js";
export { Audiences, emptyStreamerEstimate, type StreamProfile, shrink } from "./streamers.js";
export {
  type ExportedProfile,
  type Interest,
  type ProfileOptions,
  Profiles,
  type SavedProfiles,
  type Session,
  SPEEDS,
  type StreamTraits,
  type UserProfile,
  type UserTraits,
} from "./users.js";
export { CollaborativeVectors, type SavedVectors, type VectorOptions } from "./vectors.js";
export { Visits } from "./visits.js";
export { possible } from "./watchtime.js";
