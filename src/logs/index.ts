export { type EventBounds, type EventBoundsOptions, fitEventBounds } from "./cleaning/bounds.js";
export { cleanEvents, EventCleaner } from "./cleaning/cleaner.js";
export type { LogDiversity } from "./cleaning/diversity.js";
export type { CleanEventsOptions } from "./cleaning/options.js";
export {
  type CleanedRecords,
  type CleanTableOptions,
  type ColumnCleaning,
  type ColumnStatistics,
  cleanTable,
  fitTable,
  type TableCell,
  type TableCleaning,
  type TableRow,
  type TableStatistics,
} from "./cleaning/table.js";
export {
  type BilibiliOptions,
  type BilibiliSigning,
  bilibiliAdapter,
  signBilibiliRequest,
} from "./connectors/bilibili.js";
export {
  type ConnectorOptions,
  type PlatformAdapter,
  PlatformConnector,
  type PlatformFetch,
  type PlatformMessage,
  type PlatformRequest,
  type ViewerAction,
} from "./connectors/connector.js";
export { type DouyuOptions, douyuAdapter, douyuGiftPrices } from "./connectors/douyu.js";
export { PlatformFields } from "./connectors/fields.js";
export { parseBilibiliFrame } from "./connectors/packets.js";
export type { PlatformRoom } from "./connectors/rooms.js";
export { DouyuPackets } from "./connectors/stt.js";
export { type Broadcast, readBroadcasts } from "./datasets/broadcasts.js";
export { type KuaiLiveFiles, type KuaiLiveOptions, readKuaiLive } from "./datasets/kuailive.js";
export {
  MOVIELENS_GENRES,
  MOVIELENS_OCCUPATIONS,
  type MovieLens,
  type MovieLensFiles,
  type MovieLensItem,
  type MovieLensUser,
  parseMovieLens,
} from "./datasets/movielens.js";
export {
  MOVIELENS_1M_AGES,
  MOVIELENS_1M_OCCUPATIONS,
  type MovieLens1M,
  type MovieLens1MFiles,
  type MovieLens1MUser,
  readMovieLens1M,
} from "./datasets/movielens1m.js";
export { readNetflix } from "./datasets/netflix.js";
export {
  type BanditItem,
  type BanditLog,
  type BanditRecord,
  collectBanditLog,
  readOpenBandit,
  readOpenBanditItems,
} from "./datasets/openbandit.js";
export { collectRatings, DenseIds, growingFloat64, type RatingLog, type RatingRecord } from "./datasets/ratings.js";
export { type KuaiLiveStreamer, readKuaiLiveStreamers } from "./datasets/streamers.js";
export { readKuaiLiveTitles, TitleVectors } from "./datasets/titles.js";
export {
  readTwitch,
  splitTwitch,
  TWITCH_STEP_MS,
  type TwitchLog,
  twitchEvents,
  twitchOnAir,
} from "./datasets/twitch.js";
export {
  detectLogFormat,
  LOG_FORMATS,
  type LogFormat,
  type LogFormatFile,
  type OpenFile,
  type OwnLayout,
  ownLayoutOf,
} from "./formats.js";
export { Batched, inBatches } from "./readers/batches.js";
export { type CsvOptions, readCsv } from "./readers/csv.js";
export { type CsvEventMapping, type CsvFieldMapping, readCsvEvents, toCsv } from "./readers/csvevents.js";
export { readJsonArray } from "./readers/jsonarray.js";
export { parseEventLine, readJsonl, toJsonl } from "./readers/jsonl.js";
export { LineError } from "./readers/lines.js";
export { type BatchSource, mergeBatches, mergeByTime, OverlapError } from "./readers/merge.js";
export { type ByteSource, readBytes } from "./readers/pieces.js";
export { type RunStore, type SortOptions, sortEvents } from "./readers/sort.js";
export { type ReaderOptions, readLineBlocks, type TextOptions } from "./readers/text.js";
export { emptyQualityReport, type QualityReport, qualityReportLines } from "./report.js";
export { cutEventsAt, type EventSplit, holdOutUserEvents, kFoldEvents } from "./splits/events.js";
export {
  type Interactions,
  lastOfEachPair,
  selectInteractions,
  sortInteractions,
  type UserHistories,
  userHistories,
} from "./splits/interactions.js";
export { dealFolds, sampleMask, splitInstants } from "./splits/partition.js";
export {
  cutInteractionsAt,
  holdOutUsers,
  type InteractionSplit,
  kFold,
  leaveLastOut,
  leaveLastTwoOut,
  type ThreeWaySplit,
} from "./splits/splits.js";
export { parseIsoTime } from "./values.js";
