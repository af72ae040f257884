export {
  type Connection,
  type ConnectionFigure,
  type ConnectionState,
  Follower,
  type FollowerOptions,
  type Received,
  type WebhookRequest,
} from "./follower.js";
export { CONNECT_SECRETS, type ConnectParts, connect } from "./targets.js";
export { TwitchToken, type TwitchTokenOptions } from "./token.js";
export { Wire, WireError, type WireOptions } from "./wire.js";
