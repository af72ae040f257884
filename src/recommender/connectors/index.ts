/**
 * Sources of live events: a platform's lists of rooms and its push channels as LiveQ's events.
 *
 * `new PlatformConnector(bilibili(), fetch)` is one; an `Adapter` of your own makes another of any platform.
 */
export { type BilibiliKey, type BilibiliOptions, bilibili, signBilibili } from "./bilibili.js";
export {
  type Act,
  type Adapter,
  type ApiRequest,
  type Connector,
  type ConnectorOptions,
  type Fetch,
  type Message,
  PlatformConnector,
} from "./connector.js";
export { type DouyuOptions, douyu, douyuGifts } from "./douyu.js";
export { Fields } from "./fields.js";
export { bilibiliMessages } from "./packets.js";
export type { Room } from "./rooms.js";
export { parseStt, SttPackets } from "./stt.js";
