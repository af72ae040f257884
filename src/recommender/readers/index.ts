/**
 * Everything that reads: JSON lines and CSV of any size, and the layouts of public data sets.
 *
 * `FORMATS` lists the layouts; `detectFormat(fileNames, firstBytes)` says which one a folder holds, and its
 * `read(fileNames, open)` yields events, ratings, logged choices or broadcasts, as its `yields` says. `open(name)` gives
 * any `Source`: bytes, text, a Node or web stream. A reader and `cleanEvents` may share one `emptyReport()`.
 */
export { type Broadcast, readBroadcasts } from "./broadcasts.js";
export { type CsvOptions, csvEvents, type EventMapping, type FieldMapping, readCsv, toCsv } from "./csv.js";
export { detectFormat, type FirstBytes, FORMATS, type Format, type FormatFile, type Open } from "./formats.js";
export { readJsonl, toJsonl } from "./jsonl.js";
export { type KuaiLiveFiles, type KuaiLiveOptions, readKuaiLive } from "./kuailive.js";
export { LineError, parseTime } from "./lines.js";
export { mergeByTime, sortByTime } from "./merge.js";
export {
  GENRES,
  type MovieLens,
  type MovieLensFiles,
  type MovieLensItem,
  type MovieLensUser,
  OCCUPATIONS,
  parseMovieLens,
} from "./movielens.js";
export {
  AGES_1M,
  type MovieLens1M,
  type MovieLens1MFiles,
  type MovieLens1MUser,
  OCCUPATIONS_1M,
  readMovieLens1M,
  readRatings1M,
} from "./movielens1m.js";
export { readNetflix } from "./netflix.js";
export {
  type BanditItem,
  type BanditLog,
  type BanditRecord,
  collectBandit,
  readOpenBandit,
  readOpenBanditItems,
} from "./openbandit.js";
export { collectRatings, type RatingLog, type RatingRecord } from "./ratings.js";
export { type KuaiLiveStreamer, readKuaiLiveStreamers } from "./streamers.js";
export type { Encoding, Pieces, ReaderOptions, Source, TextOptions } from "./text.js";
export { readKuaiLiveTitles, TitleVectors } from "./titles.js";
export {
  readTwitch,
  splitTwitch,
  TWITCH_STEP_MS,
  type TwitchLog,
  type TwitchSplit,
  twitchEvents,
  twitchOnAir,
} from "./twitch.js";
