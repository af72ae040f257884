export {
  Batched,
  emptyQualityReport,
  inBatches,
  type LogDiversity,
  parseIsoTime,
  type QualityReport,
  qualityReportLines,
} from "./basics/index.js";
export {
  type CleanEventsOptions,
  type CleanedRecords,
  type CleanTableOptions,
  type ColumnCleaning,
  type ColumnStatistics,
  cleanEvents,
  cleanTable,
  type EventBounds,
  type EventBoundsOptions,
  EventCleaner,
  fitEventBounds,
  fitTable,
  type TableCell,
  type TableCleaning,
  type TableRow,
  type TableStatistics,
} from "./cleaning/index.js";
export {
  type BilibiliOptions,
  type BilibiliSigning,
  bilibiliAdapter,
  type ConnectorOptions,
  type DouyuOptions,
  DouyuPackets,
  douyuAdapter,
  douyuGiftPrices,
  type OwncastOptions,
  owncastAdapter,
  type PeertubeOptions,
  type PlatformAdapter,
  PlatformConnector,
  type PlatformFetch,
  PlatformFields,
  type PlatformMessage,
  type PlatformPage,
  type PlatformRequest,
  type PlatformRoom,
  parseBilibiliFrame,
  peertubeAdapter,
  readTwitchWebhook,
  signBilibiliRequest,
  type TwitchOptions,
  TwitchSocket,
  type TwitchSocketStep,
  type TwitchWebhook,
  twitchAdapter,
  type ViewerAction,
} from "./connectors/index.js";
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
  mappedFormat,
  type OpenFile,
  type OwnLayout,
  ownLayoutOf,
} from "./formats.js";
export { checkMapping } from "./mapping/check.js";
export { type ReadTime, timeReader } from "./mapping/clock.js";
export { toCsv } from "./mapping/livecsv.js";
export type {
  Condition,
  EachMapping,
  EventMapping,
  EventRule,
  FieldMapping,
  KindMapping,
  MappedSource,
  ValueCondition,
} from "./mapping/mapping.js";
export { readCsvEvents, readMapped } from "./mapping/readmapped.js";
export { readCsv } from "./readers/csv.js";
export { readJsonArray } from "./readers/jsonarray.js";
export { parseEventLine, readJsonl, toJsonl } from "./readers/jsonl.js";
export { LineError } from "./readers/lines.js";
export { type BatchSource, mergeBatches, mergeByTime, OverlapError } from "./readers/merge.js";
export { type ByteSource, readBytes } from "./readers/pieces.js";
export type { CsvDialect, CsvOptions } from "./readers/records.js";
export { type RunStore, type SortOptions, sortEvents } from "./readers/sort.js";
export { type ReaderOptions, readLineBlocks, type TextOptions } from "./readers/text.js";
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
