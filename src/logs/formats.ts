import type { LiveEvent } from "../protocol/index.js";
import { type Broadcast, readBroadcasts } from "./datasets/broadcasts.js";
import { type KuaiLiveFiles, readKuaiLive } from "./datasets/kuailive.js";
import { parseMovieLens } from "./datasets/movielens.js";
import { readMovieLens1MRatings } from "./datasets/movielens1m.js";
import { readNetflix } from "./datasets/netflix.js";
import { type BanditRecord, readOpenBandit } from "./datasets/openbandit.js";
import type { RatingRecord } from "./datasets/ratings.js";
import { readTwitch, twitchEvents } from "./datasets/twitch.js";
import { EVENT_LAYOUTS, type EventLayout } from "./layouts/eventlayouts.js";
import { RATING_LAYOUTS, type RatingLayout } from "./layouts/ratinglayouts.js";
import type { EventMapping } from "./mapping/mapping.js";
import { readCsvEvents, readMapped } from "./mapping/readmapped.js";
import { utf16Of } from "./readers/encodings.js";
import { readJsonArray } from "./readers/jsonarray.js";
import { readJsonl } from "./readers/jsonl.js";
import { type ByteSource, type ReaderOptions, readBytes } from "./readers/text.js";

/** A file of a format. */
export interface LogFormatFile {
  /** Matches the name of the file, without its folder. */
  pattern: RegExp;
  /** Present if the format can be read without the file. */
  optional?: true;
  /** The content of the file, in a few words. */
  about: string;
}

/** The first bytes of files, by name; a few hundred of each are enough. */
export type FirstBytes = Readonly<Record<string, Uint8Array>>;

/** Opens one of the offered files; called once for each file to read. */
export type OpenFile = (fileName: string) => ByteSource;

interface CommonFormat {
  /** The name for `--format`. */
  name: string;
  /** One line. */
  description: string;
  files: readonly LogFormatFile[];
  /** Present if each file can be read alone, so that several can be merged by time. */
  isByFile?: true;
  /** Whether files with these names and first bytes have this format. */
  detect(fileNames: readonly string[], firstBytes: FirstBytes): boolean;
}

/** A format; `yields` names the type of its records. */
export type LogFormat =
  | (CommonFormat & {
      yields: "events";
      read(fileNames: readonly string[], open: OpenFile, options?: ReaderOptions): AsyncIterable<LiveEvent>;
    })
  | (CommonFormat & {
      yields: "ratings";
      read(fileNames: readonly string[], open: OpenFile): AsyncIterable<RatingRecord>;
    })
  | (CommonFormat & {
      yields: "bandit";
      read(fileNames: readonly string[], open: OpenFile): AsyncIterable<BanditRecord>;
    })
  | (CommonFormat & {
      yields: "broadcasts";
      read(fileNames: readonly string[], open: OpenFile): AsyncIterable<Broadcast>;
    });

/** The name without its folder, with either path separator. */
function baseName(fileName: string): string {
  return fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
}

/** The matching files, ordered by name. */
function matching(fileNames: readonly string[], pattern: RegExp): string[] {
  return fileNames.filter((name) => pattern.test(baseName(name))).sort();
}

/** The start of a file as text: UTF-16 with its mark, else latin-1, which is enough to distinguish formats. */
function startOf(bytes: Uint8Array): string {
  const start = bytes.subarray(0, 65_536);
  const text = utf16Of(start)?.text(start) ?? new TextDecoder("latin1").decode(start);
  return text.replace(/^(?:\u00ef\u00bb\u00bf|\ufeff)/, "");
}

function firstLine(firstBytes: FirstBytes, fileName: string): string {
  return (startOf(firstBytes[fileName] ?? new Uint8Array()).split(/[\r\n]/, 1)[0] ?? "").trimEnd();
}

/** Lines within which one must be an event. */
const LINES = 20;

/** A layout of LiveQ's own events. */
export interface OwnLayout {
  name: "jsonl" | "json" | "csv";
  /** Between the columns of `csv`. */
  separator?: "," | ";" | "\t";
}

/**
 * The layout of LiveQ's own events that a file has by its first bytes, whatever its name: a JSON array, an object a line,
 * or columns of which one is `kind`. An empty file is `jsonl`. Undefined for any other file.
 */
export function ownLayoutOf(bytes: Uint8Array): OwnLayout | undefined {
  const start = startOf(bytes);
  // Files of tensors begin with a length in eight bytes.
  if (start.slice(0, 8).includes("\0")) return undefined;
  const text = start.trimStart();
  const line = (text.split(/[\r\n]/, 1)[0] ?? "").trimEnd();
  if (text.startsWith("[")) return { name: "json" };
  // An object on many lines: its first line ends within it.
  if (text.startsWith("{")) return { name: line.length < text.length && /[{,[]$/.test(line) ? "json" : "jsonl" };
  if (text === "") return { name: "jsonl" };
  for (const separator of [",", ";", "\t"] as const) {
    const names = line.split(separator).map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
    if (names.includes("kind")) return { name: "csv", separator };
  }
  // A damaged line may be the first.
  const isLine = (one: string) => one.startsWith("{") && one.trimEnd().endsWith("}");
  return text.split(/[\r\n]+/, LINES).some(isLine) ? { name: "jsonl" } : undefined;
}

/** Whether the files that match have a layout of LiveQ's own, by their first bytes. */
function ownDetector([file]: readonly LogFormatFile[], name: OwnLayout["name"]): CommonFormat["detect"] {
  return (fileNames, firstBytes) => {
    const names = matching(fileNames, file!.pattern);
    return names.length > 0 && names.every((one) => ownLayoutOf(firstBytes[one] ?? new Uint8Array())?.name === name);
  };
}

/** Whether every required file exists, and `first` matches the first lines of the first one. */
function detector(files: readonly LogFormatFile[], first: RegExp): CommonFormat["detect"] {
  return (fileNames, firstBytes) => {
    const needed = files.filter(({ optional }) => !optional).map(({ pattern }) => matching(fileNames, pattern));
    return (
      needed.every((names) => names.length > 0) && needed[0]!.every((name) => first.test(firstLine(firstBytes, name)))
    );
  };
}

function one(fileNames: readonly string[], { pattern, about }: LogFormatFile): string {
  const [name] = matching(fileNames, pattern);
  if (name === undefined) throw new Error(`files must have one that matches ${pattern}: ${about}`);
  return name;
}

async function* each<T>(names: readonly string[], read: (name: string) => AsyncIterable<T>) {
  for (const name of names) yield* read(name);
}

const LIVE_JSONL: LogFormatFile[] = [{ pattern: /\.(?:jsonl|ndjson)$/i, about: "events, one JSON object a line" }];
const LIVE_JSON: LogFormatFile[] = [{ pattern: /\.json$/i, about: "events, a JSON array or objects on many lines" }];
const LIVE_CSV: LogFormatFile[] = [
  { pattern: /\.csv$/i, about: "events with a column for each field, as toCsv writes" },
];
const ML_100K: LogFormatFile[] = [
  { pattern: /^u\.data$/, about: "ratings" },
  { pattern: /^u\.item$/, about: "films" },
  { pattern: /^u\.user$/, about: "users" },
];
const ML_1M: LogFormatFile[] = [
  { pattern: /^ratings\.dat$/, about: "ratings" },
  { pattern: /^movies\.dat$/, about: "films", optional: true },
  { pattern: /^users\.dat$/, about: "users", optional: true },
];
const NETFLIX: LogFormatFile[] = [{ pattern: /^combined_data_\d+\.txt$/, about: "ratings by film" }];
const BANDIT: LogFormatFile[] = [
  { pattern: /^(?:all|men|women)\.csv$/, about: "logged choices" },
  { pattern: /^item_context\.csv$/, about: "items", optional: true },
];
const TWITCH: LogFormatFile[] = [{ pattern: /^100k\w*\.csv$/, about: "user, stream, streamer, start, stop" }];
const KUAILIVE: LogFormatFile[] = [
  { pattern: /^(?:mapped_)?room\.csv$/, about: "rooms" },
  { pattern: /^click\.csv$/, about: "clicks and watch times" },
  ...["negative", "like", "comment", "gift", "user"].map((name): LogFormatFile => {
    return { pattern: new RegExp(`^${name}\\.csv$`), about: name, optional: true };
  }),
];
const BROADCASTS: LogFormatFile[] = [{ pattern: /^broadcasts\.csv$/, about: "finished broadcasts" }];

async function* movieLens100K(
  fileNames: readonly string[],
  open: OpenFile,
): AsyncGenerator<RatingRecord, void, undefined> {
  const [data, item, user] = await Promise.all(ML_100K.map((file) => readBytes(open(one(fileNames, file)))));
  const { users, items, ratings } = parseMovieLens({ data: data!, item: item!, user: user! });
  for (let i = 0; i < ratings.user.length; i++) {
    yield {
      user: String(users[ratings.user[i]!]!.id),
      item: String(items[ratings.item[i]!]!.id),
      value: ratings.value[i]!,
      time: ratings.time[i]!,
    };
  }
}

function kuaiLive(fileNames: readonly string[], open: OpenFile, options: ReaderOptions = {}): AsyncIterable<LiveEvent> {
  const files: KuaiLiveFiles = {};
  for (const { pattern } of KUAILIVE) {
    const [name] = matching(fileNames, pattern);
    if (name === undefined) continue;
    const role = baseName(name)
      .replace(/^mapped_/, "")
      .replace(".csv", "") as keyof KuaiLiveFiles;
    files[role] = open(name);
  }
  const { onError = "throw", report } = options;
  return readKuaiLive(files, { onError, ...(report === undefined ? {} : { report }) });
}

/** The format of a layout of ratings. */
function ratingFormat({ name, description, pattern, about, first, read }: RatingLayout): LogFormat {
  const files: LogFormatFile[] = [{ pattern, about }];
  return {
    ...{ name, description, files, detect: detector(files, first) },
    yields: "ratings",
    read: (fileNames, open) => each(matching(fileNames, pattern), (file) => read(open(file), baseName(file))),
  };
}

/** The format of a layout of events: its ready mapping. */
function eventFormat({ name, description, pattern, about, first, mapping }: EventLayout): LogFormat {
  const files: LogFormatFile[] = [{ pattern, about }];
  return {
    ...{ name, description, files, isByFile: true, detect: detector(files, first) },
    yields: "events",
    read: (fileNames, open, options = {}) =>
      each(matching(fileNames, pattern), (file) =>
        readMapped(open(file), mapping, { ...options, name: baseName(file) }),
      ),
  };
}

/**
 * All readable formats, the most specific first, for `liveq prepare --format auto`.
 *
 * `detectLogFormat` returns the first format whose `detect` accepts the names and first bytes of the files. Its `read`
 * opens the files that it needs and yields records of the type that `yields` names.
 */
export const LOG_FORMATS: readonly LogFormat[] = [
  {
    name: "movielens-100k",
    description: "MovieLens-100K: ratings of films, with films and users",
    yields: "ratings",
    files: ML_100K,
    detect: detector(ML_100K, /^\d+\t\d+\t\d+\t\d+$/),
    read: movieLens100K,
  },
  {
    name: "movielens-1m",
    description: "MovieLens-1M: ratings of films, with films and users",
    yields: "ratings",
    files: ML_1M,
    detect: detector(ML_1M, /^\d+::\d+::\d+::\d+$/),
    read: (fileNames, open) => readMovieLens1MRatings(open(one(fileNames, ML_1M[0]!))),
  },
  {
    name: "netflix",
    description: "Netflix prize: ratings by film, combined_data_1.txt to _4.txt",
    yields: "ratings",
    files: NETFLIX,
    detect: detector(NETFLIX, /^\d+:$/),
    read: (fileNames, open) =>
      each(matching(fileNames, NETFLIX[0]!.pattern), (name) => readNetflix(open(name), { name: baseName(name) })),
  },
  {
    name: "open-bandit",
    description: "Open Bandit: logged choices with their probabilities, for off-policy evaluation",
    yields: "bandit",
    files: BANDIT,
    detect: detector(BANDIT, /(?:^|,)timestamp,item_id,position,click,(?:propensity_score|action_prob)(?:,|$)/),
    read: (fileNames, open) => {
      const name = one(fileNames, BANDIT[0]!);
      return readOpenBandit(open(name), baseName(name));
    },
  },
  {
    name: "kuailive",
    description: "KuaiLive: rooms, clicks with watch times, likes, comments, gifts, impressions without a click",
    yields: "events",
    files: KUAILIVE,
    detect: detector(KUAILIVE, /^(?=.*start_timestamp,end_timestamp)(?:.*,)?live_id,/),
    read: kuaiLive,
  },
  {
    name: "twitch-broadcasts",
    description: "Broadcasts of channels: start, length, viewers, categories; schedules for the simulator",
    yields: "broadcasts",
    files: BROADCASTS,
    detect: detector(BROADCASTS, /^channel,start,length_min,/),
    read: (fileNames, open) => {
      const name = one(fileNames, BROADCASTS[0]!);
      return readBroadcasts(open(name), baseName(name));
    },
  },
  {
    name: "twitch-100k",
    description:
      "Twitch-100K of LiveRec: who watched whom in steps of 10 minutes; ordered by user, so read whole into memory",
    yields: "events",
    files: TWITCH,
    detect: detector(TWITCH, /^[^,]+,\d+,[^,]+,\d+,\d+$/),
    read: async function* (fileNames, open) {
      const name = one(fileNames, TWITCH[0]!);
      yield* twitchEvents(await readTwitch(open(name), baseName(name)));
    },
  },
  ...RATING_LAYOUTS.map(ratingFormat),
  ...EVENT_LAYOUTS.map(eventFormat),
  {
    name: "jsonl",
    description: "LiveQ's own events, one JSON object a line",
    yields: "events",
    files: LIVE_JSONL,
    detect: ownDetector(LIVE_JSONL, "jsonl"),
    read: (fileNames, open, options = {}) =>
      each(matching(fileNames, LIVE_JSONL[0]!.pattern), (name) =>
        readJsonl(open(name), { ...options, name: baseName(name) }),
      ),
  },
  {
    name: "json",
    description: "LiveQ's own events, a JSON array, or objects on many lines",
    yields: "events",
    files: LIVE_JSON,
    detect: ownDetector(LIVE_JSON, "json"),
    read: (fileNames, open, options = {}) =>
      each(matching(fileNames, LIVE_JSON[0]!.pattern), (name) =>
        readJsonArray(open(name), { ...options, name: baseName(name) }),
      ),
  },
  {
    name: "csv",
    description: "LiveQ's own events, with a header and a column for each field",
    yields: "events",
    files: LIVE_CSV,
    detect: ownDetector(LIVE_CSV, "csv"),
    read: (fileNames, open, options = {}) =>
      each(matching(fileNames, LIVE_CSV[0]!.pattern), (name) =>
        readCsvEvents(open(name), { ...options, name: baseName(name) }),
      ),
  },
];

/** A format of events in files of any name, by a mapping that has been checked. */
export function mappedFormat(mapping: EventMapping): Extract<LogFormat, { yields: "events" }> {
  return {
    name: "map",
    description: "events by a mapping",
    yields: "events",
    files: [{ pattern: /^/, about: "rows that the mapping describes" }],
    isByFile: true,
    detect: () => false,
    read: (fileNames, open, options = {}) =>
      each(fileNames, (name) => readMapped(open(name), mapping, { ...options, name: baseName(name) })),
  };
}

/** The first format that accepts these files; undefined if none does. */
export function detectLogFormat(fileNames: readonly string[], firstBytes: FirstBytes): LogFormat | undefined {
  return LOG_FORMATS.find((format) => format.detect(fileNames, firstBytes));
}
