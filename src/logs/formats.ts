import type { LiveEvent } from "../protocol/index.js";
import { type Broadcast, readBroadcasts } from "./datasets/broadcasts.js";
import { type KuaiLiveFiles, readKuaiLive } from "./datasets/kuailive.js";
import { parseMovieLens } from "./datasets/movielens.js";
import { readRatings1M } from "./datasets/movielens1m.js";
import { readNetflix } from "./datasets/netflix.js";
import { type BanditRecord, readOpenBandit } from "./datasets/openbandit.js";
import type { RatingRecord } from "./datasets/ratings.js";
import { readTwitch, twitchEvents } from "./datasets/twitch.js";
import { csvEvents } from "./readers/csv.js";
import { readJsonl } from "./readers/jsonl.js";
import { type ReaderOptions, readBytes, type Source } from "./readers/text.js";

/** A file of a format. */
export interface FormatFile {
  /** Matches its name, without the folder. */
  pattern: RegExp;
  /** Whether the format can be read without it. */
  optional?: true;
  /** What is in it, in a few words. */
  about: string;
}

/** The first bytes of files by name; a few hundred of each are enough. */
export type FirstBytes = Readonly<Record<string, Uint8Array>>;

/** Opens a file of those that were offered; called once for each file that is read. */
export type Open = (fileName: string) => Source;

interface Common {
  /** What `--format` calls it. */
  name: string;
  /** One line. */
  description: string;
  files: readonly FormatFile[];
  /** Whether files of these names and beginnings are of this format. */
  detect(fileNames: readonly string[], firstBytes: FirstBytes): boolean;
}

/** A format, with what its records are. */
export type Format =
  | (Common & {
      yields: "events";
      read(fileNames: readonly string[], open: Open, options?: ReaderOptions): AsyncIterable<LiveEvent>;
    })
  | (Common & { yields: "ratings"; read(fileNames: readonly string[], open: Open): AsyncIterable<RatingRecord> })
  | (Common & { yields: "bandit"; read(fileNames: readonly string[], open: Open): AsyncIterable<BanditRecord> })
  | (Common & { yields: "broadcasts"; read(fileNames: readonly string[], open: Open): AsyncIterable<Broadcast> });

/** The name without its folder, whichever way the system writes paths. */
function baseName(fileName: string): string {
  return fileName.slice(Math.max(fileName.lastIndexOf("/"), fileName.lastIndexOf("\\")) + 1);
}

/** The files that match, in the order of their names. */
function matching(fileNames: readonly string[], pattern: RegExp): string[] {
  return fileNames.filter((name) => pattern.test(baseName(name))).sort();
}

/** The first line of a file, as latin-1: enough to tell formats apart. */
function firstLine(firstBytes: FirstBytes, fileName: string): string {
  const bytes = firstBytes[fileName] ?? new Uint8Array();
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 65_536)).replace(/^\u00ef\u00bb\u00bf/, "");
  return (text.split("\n", 1)[0] ?? "").trimEnd();
}

/** Whether there is a file for each that the format needs, with a first line that passes. */
function detector(files: readonly FormatFile[], first: RegExp): Common["detect"] {
  return (fileNames, firstBytes) => {
    const needed = files.filter(({ optional }) => !optional).map(({ pattern }) => matching(fileNames, pattern));
    return (
      needed.every((names) => names.length > 0) && needed[0]!.every((name) => first.test(firstLine(firstBytes, name)))
    );
  };
}

function one(fileNames: readonly string[], { pattern, about }: FormatFile): string {
  const [name] = matching(fileNames, pattern);
  if (name === undefined) throw new Error(`files must have one that matches ${pattern}: ${about}`);
  return name;
}

async function* each<T>(names: readonly string[], read: (name: string) => AsyncIterable<T>) {
  for (const name of names) yield* read(name);
}

const LIVE_JSONL: FormatFile[] = [{ pattern: /\.(?:jsonl|ndjson)$/i, about: "events, one JSON object a line" }];
const LIVE_CSV: FormatFile[] = [{ pattern: /\.csv$/i, about: "events with a column for each field, as toCsv writes" }];
const ML_100K: FormatFile[] = [
  { pattern: /^u\.data$/, about: "ratings" },
  { pattern: /^u\.item$/, about: "films" },
  { pattern: /^u\.user$/, about: "users" },
];
const ML_1M: FormatFile[] = [
  { pattern: /^ratings\.dat$/, about: "ratings" },
  { pattern: /^movies\.dat$/, about: "films", optional: true },
  { pattern: /^users\.dat$/, about: "users", optional: true },
];
const NETFLIX: FormatFile[] = [{ pattern: /^combined_data_\d+\.txt$/, about: "ratings by film" }];
const BANDIT: FormatFile[] = [
  { pattern: /^(?:all|men|women)\.csv$/, about: "logged choices" },
  { pattern: /^item_context\.csv$/, about: "items", optional: true },
];
const TWITCH: FormatFile[] = [{ pattern: /^100k\w*\.csv$/, about: "user, stream, streamer, start, stop" }];
const KUAILIVE: FormatFile[] = [
  { pattern: /^(?:mapped_)?room\.csv$/, about: "rooms" },
  { pattern: /^click\.csv$/, about: "clicks and what was watched" },
  ...["negative", "like", "comment", "gift", "user"].map((name): FormatFile => {
    return { pattern: new RegExp(`^${name}\\.csv$`), about: name, optional: true };
  }),
];
const BROADCASTS: FormatFile[] = [{ pattern: /^broadcasts\.csv$/, about: "broadcasts that have ended" }];

async function* movieLens100K(fileNames: readonly string[], open: Open): AsyncGenerator<RatingRecord, void, undefined> {
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

function kuaiLive(fileNames: readonly string[], open: Open, options: ReaderOptions = {}): AsyncIterable<LiveEvent> {
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

/**
 * All layouts that can be read, the most particular first: how `liveq prepare --format auto` knows what it has.
 *
 * Give `detect` the names of the files and their first bytes; the first format that says yes is it (`detectFormat`). Its
 * `read` opens the files that it needs and yields what `yields` says.
 */
export const FORMATS: readonly Format[] = [
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
    read: (fileNames, open) => readRatings1M(open(one(fileNames, ML_1M[0]!))),
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
    description: "KuaiLive: rooms, clicks with watch times, likes, comments, gifts, what was shown and not clicked",
    yields: "events",
    files: KUAILIVE,
    detect: detector(KUAILIVE, /(?:^|,)live_id,.*start_timestamp,end_timestamp/),
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
    description: "Twitch-100K of LiveRec: who watched whom in steps of 10 minutes; by user, so read whole into memory",
    yields: "events",
    files: TWITCH,
    detect: detector(TWITCH, /^[^,]+,\d+,[^,]+,\d+,\d+$/),
    read: async function* (fileNames, open) {
      const name = one(fileNames, TWITCH[0]!);
      yield* twitchEvents(await readTwitch(open(name), baseName(name)));
    },
  },
  {
    name: "jsonl",
    description: "LiveQ's own events, one JSON object a line",
    yields: "events",
    files: LIVE_JSONL,
    detect: detector(LIVE_JSONL, /^\s*(?:\{.*)?$/),
    read: (fileNames, open, options = {}) =>
      each(matching(fileNames, LIVE_JSONL[0]!.pattern), (name) =>
        readJsonl(open(name), { ...options, name: baseName(name) }),
      ),
  },
  {
    name: "csv",
    description: "LiveQ's own events, with a header and a column for each field",
    yields: "events",
    files: LIVE_CSV,
    detect: detector(LIVE_CSV, /(?:^|,)kind(?:,|$)/),
    read: (fileNames, open, options = {}) =>
      each(matching(fileNames, LIVE_CSV[0]!.pattern), (name) =>
        csvEvents(open(name), undefined, { ...options, name: baseName(name) }),
      ),
  },
];

/** The first format that knows these files; undefined when none does. */
export function detectFormat(fileNames: readonly string[], firstBytes: FirstBytes): Format | undefined {
  return FORMATS.find((format) => format.detect(fileNames, firstBytes));
}
