export {
  Follower,
  type FollowerOptions,
  type PlatformConnection,
  type PlatformFigure,
  type PlatformState,
  type WebhookAnswer,
  type WebhookRequest,
} from "./follower.js";
export { CONNECT_SECRETS, connectPlatforms, type PlatformParts } from "./targets.js";
export { TwitchToken, type TwitchTokenOptions } from "./token.js";
export { Wire, WireError, type WireOptions } from "./wire.js";
