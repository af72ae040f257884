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
  type PlatformRequest,
  type ViewerAction,
} from "./connector.js";
export { type DouyuOptions, douyuAdapter, douyuGiftPrices } from "./douyu.js";
export { PlatformFields } from "./fields.js";
export { parseBilibiliFrame } from "./packets.js";
export type { PlatformRoom } from "./rooms.js";
export { DouyuPackets } from "./stt.js";
