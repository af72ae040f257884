export type { Diversity } from "./cleaning/diversity.js";
export {
  type BoundsOptions,
  Cleaner,
  type CleanOptions,
  cleanEvents,
  type EventBounds,
  fitBounds,
} from "./cleaning/events.js";
export {
  type Cell,
  type Cleaning,
  type ColumnPolicy,
  type ColumnStatistics,
  cleanTable,
  fitTable,
  type Row,
  type TableOptions,
  type TablePolicy,
  type TableStatistics,
} from "./cleaning/table.js";
export { type BilibiliKey, type BilibiliOptions, bilibili, signBilibili } from "./connectors/bilibili.js";
export {
  type Act,
  type Adapter,
  type ApiRequest,
  type Connector,
  type ConnectorOptions,
  type Fetch,
  type Message,
  PlatformConnector,
} from "./connectors/connector.js";
export { type DouyuOptions, douyu, douyuGifts } from "./connectors/douyu.js";
export { Fields } from "./connectors/fields.js";
export { bilibiliMessages } from "./connectors/packets.js";
export type { Room } from "./connectors/rooms.js";
export { parseStt, SttPackets } from "./connectors/stt.js";
export type { Counts } from "./counts.js";
export { cutLogAt, holdOutLogUsers, kFoldLog, type LogSplit } from "./cuts.js";
export { type Broadcast, readBroadcasts } from "./datasets/broadcasts.js";
export { type KuaiLiveFiles, type KuaiLiveOptions, readKuaiLive } from "./datasets/kuailive.js";
export {
  GENRES,
  type MovieLens,
  type MovieLensFiles,
  type MovieLensItem,
  type MovieLensUser,
  OCCUPATIONS,
  parseMovieLens,
} from "./datasets/movielens.js";
export {
  AGES_1M,
  type MovieLens1M,
  type MovieLens1MFiles,
  type MovieLens1MUser,
  OCCUPATIONS_1M,
  readMovieLens1M,
  readRatings1M,
} from "./datasets/movielens1m.js";
export { readNetflix } from "./datasets/netflix.js";
export {
  type BanditItem,
  type BanditLog,
  type BanditRecord,
  collectBandit,
  readOpenBandit,
  readOpenBanditItems,
} from "./datasets/openbandit.js";
export { collectRatings, float64, Numbering, type RatingLog, type RatingRecord } from "./datasets/ratings.js";
export { type KuaiLiveStreamer, readKuaiLiveStreamers } from "./datasets/streamers.js";
export { readKuaiLiveTitles, TitleVectors } from "./datasets/titles.js";
export {
  readTwitch,
  splitTwitch,
  TWITCH_STEP_MS,
  type TwitchLog,
  type TwitchSplit,
  twitchEvents,
  twitchOnAir,
} from "./datasets/twitch.js";
export { detectFormat, type FirstBytes, FORMATS, type Format, type FormatFile, type Open } from "./formats.js";
export { type CsvOptions, csvEvents, type EventMapping, type FieldMapping, readCsv, toCsv } from "./readers/csv.js";
export { parseLine, readJsonl, toJsonl } from "./readers/jsonl.js";
export { LineError } from "./readers/lines.js";
export { mergeByTime, sortByTime } from "./readers/merge.js";
export { type Pieces, type ReaderOptions, readBlocks, readBytes, type TextOptions } from "./readers/text.js";
export { emptyReport, type QualityReport, reportLines } from "./report.js";
export {
  byTime,
  cutAt,
  deal,
  drawShare,
  type Histories,
  histories,
  holdOutUsers,
  type Interactions,
  instantsOf,
  kFold,
  lastOfEachPair,
  leaveLastOut,
  leaveLastTwoOut,
  type Split,
  select,
  type ThreeWaySplit,
} from "./splits.js";
export { parseTime } from "./values.js";
