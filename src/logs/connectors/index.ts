export {
  type BilibiliOptions,
  type BilibiliSigning,
  bilibiliAdapter,
  signBilibiliRequest,
} from "./bilibili.js";
export {
  type ConnectorOptions,
  type PlatformAdapter,
  PlatformConnector,
  type PlatformFetch,
  type PlatformMessage,
  type PlatformPage,
  type PlatformRequest,
  type ViewerAction,
} from "./connector.js";
export { type DouyuOptions, douyuAdapter, douyuGiftPrices } from "./douyu.js";
export { PlatformFields } from "./fields.js";
export { type OwncastOptions, owncastAdapter } from "./owncast.js";
export { parseBilibiliFrame } from "./packets.js";
export { type PeertubeOptions, peertubeAdapter } from "./peertube.js";
export type { PlatformRoom } from "./rooms.js";
export { DouyuPackets } from "./stt.js";
export { readTwitchWebhook, TwitchSocket, type TwitchSocketStep, type TwitchWebhook } from "./twitch/eventsub.js";
export { type TwitchOptions, twitchAdapter } from "./twitch/helix.js";
