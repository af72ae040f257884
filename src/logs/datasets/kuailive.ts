import { mustBe } from "../../check/index.js";
import { PriorityQueue } from "../../collections/index.js";
import { asEvent, type Id, type LiveEvent, type UserUpdate } from "../../protocol/index.js";
import { type QualityReport, skipLine } from "../basics/index.js";
import { type RowOptions, readRows } from "../readers/csv.js";
import { type Line, LineError } from "../readers/lines.js";
import { mergeByTime, sortByTime } from "../readers/merge.js";
import type { ByteSource } from "../readers/text.js";
import { TitleVectors } from "./titles.js";

/** The files of KuaiLive that are read as events; any may be absent. */
export interface KuaiLiveFiles {
  room?: ByteSource;
  click?: ByteSource;
  /** Impressions without a click. */
  negative?: ByteSource;
  like?: ByteSource;
  comment?: ByteSource;
  gift?: ByteSource;
  user?: ByteSource;
}

/** How to read KuaiLive. */
export interface KuaiLiveOptions {
  /** A file that is not in order of time is an error (`check`), or is sorted whole in memory (`sort`). Default `check`. */
  order?: "check" | "sort";
  /** Vectors of room titles from `readKuaiLiveTitles`, for the `text` embedding of streams. Default none. */
  titles?: TitleVectors;
  /** An invalid row ends the reading with an error, or is skipped and counted. Default throw. */
  onError?: "throw" | "skip";
  /** Counts the skipped rows. Default none. */
  report?: QualityReport;
}

/** A row as events: those at its time, and later ones. */
interface Entry {
  time: number;
  events: LiveEvent[];
  later: LiveEvent[];
}

const INTERACTION = ["user_id", "live_id", "timestamp"];
const TIME_MAX = 8.64e15;

type Parse = (row: Line, titles: TitleVectors | undefined) => Entry;

function event(row: Line, value: LiveEvent): LiveEvent {
  try {
    return asEvent(value);
  } catch (cause) {
    throw new LineError(row.file, row.number, cause);
  }
}

/** The fields that all interactions have. */
function baseOf(row: Line): { user: Id; stream: Id; time: number } {
  return { user: row.id(0), stream: row.id(1), time: row.integer(2, 0, TIME_MAX) };
}

function plain(kind: "impression" | "like" | "comment"): Parse {
  return (row) => {
    const base = baseOf(row);
    return { time: base.time, events: [event(row, { kind, ...base })], later: [] };
  };
}

const PARSERS: Readonly<Record<Exclude<keyof KuaiLiveFiles, "user">, [columns: string[], parse: Parse]>> = {
  room: [
    [
      ...["live_id", "streamer_id|author_id", "start_timestamp", "end_timestamp"],
      ...["?live_content_category", "?live_type", "?live_name_id"],
    ],
    (row, titles) => {
      const [stream, streamer] = [row.id(0), row.id(1)];
      const time = row.integer(2, 0, TIME_MAX);
      const category = row.text(4) === "" ? "unknown" : row.text(4);
      const tags = row.text(5) === "" ? [] : [`type-${row.text(5)}`];
      const text = titles?.of(row.text(6));
      const embeddings = text === undefined ? {} : { embeddings: { text: [...text] } };
      const onAir = event(row, { kind: "on_air", time, stream, streamer, category, tags, ...embeddings });
      return { time, events: [onAir], later: [{ kind: "off_air", time: row.integer(3, time, TIME_MAX), stream }] };
    },
  ],
  negative: [INTERACTION, plain("impression")],
  click: [
    [...INTERACTION, "watch_live_time"],
    (row) => {
      const base = baseOf(row);
      const watchMs = row.decimal(3, 0, TIME_MAX);
      const shown = event(row, { kind: "impression", ...base });
      const watch = event(row, { ...base, kind: "watch", time: base.time + watchMs, watchMs });
      return { time: base.time, events: [shown, event(row, { kind: "click", ...base })], later: [watch] };
    },
  ],
  like: [INTERACTION, plain("like")],
  comment: [INTERACTION, plain("comment")],
  gift: [
    [...INTERACTION, "gift_price"],
    (row) => {
      const base = baseOf(row);
      const amount = row.decimal(3, 0, Number.MAX_VALUE);
      return { time: base.time, events: [event(row, { kind: "gift", ...base, amount })], later: [] };
    },
  ],
};

/**
 * Reads KuaiLive (Qu et al. 2025, arXiv:2508.05633) as events in order of time: rooms go on and off air; a click is an
 * impression, a click and, `watch_live_time` later, a watch; negatives are impressions; users come first, at the time of
 * the first event, with the middle of their age range. Columns may be in any order; `author_id` replaces a missing
 * `streamer_id`. Holds one row of each file, and the ends of open rooms and watches.
 *
 * @throws LineError naming file, line and field; an Error for a file that is not in order of time (see `order`).
 */
export async function* readKuaiLive(
  files: KuaiLiveFiles,
  options: KuaiLiveOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  const { order = "check", titles, ...reading } = options;
  if (order !== "check" && order !== "sort") throw mustBe("order", '"check" or "sort"', order);
  if (titles !== undefined && !(titles instanceof TitleVectors)) throw mustBe("titles", "TitleVectors", titles);
  const sources: Record<string, AsyncIterable<LiveEvent>> = {};
  for (const [name, [wanted, parse]] of Object.entries(PARSERS)) {
    const source = files[name as keyof typeof PARSERS];
    if (source === undefined) continue;
    const file = `${name}.csv`;
    const entries = entriesOf(source, { ...reading, name: file, wanted }, (row) => parse(row, titles));
    sources[file] = withLater(order === "sort" ? sortByTime(entries) : entries);
  }
  let begun = false;
  async function* users(time: number): AsyncGenerator<LiveEvent, void, undefined> {
    begun = true;
    if (files.user === undefined) return;
    const entries = entriesOf(files.user, { ...reading, name: "user.csv", wanted: USER }, parseUser);
    for await (const { events } of entries) for (const user of events) yield { ...user, time };
  }
  for await (const event of mergeByTime(sources)) {
    if (!begun) yield* users(event.time);
    yield event;
  }
  if (!begun) yield* users(0);
}

async function* entriesOf(
  source: ByteSource,
  options: RowOptions,
  parse: (row: Line) => Entry,
): AsyncGenerator<Entry, void, undefined> {
  for await (const row of readRows(source, options)) {
    let entry: Entry;
    try {
      entry = parse(row);
    } catch (error) {
      if (options.onError !== "skip" || !(error instanceof LineError)) throw error;
      if (options.report !== undefined) skipLine(options.report, error.message);
      continue;
    }
    yield entry;
  }
}

/** Merges the later events of entries into their order. */
async function* withLater(entries: AsyncIterable<Entry>): AsyncGenerator<LiveEvent, void, undefined> {
  const queue = new PriorityQueue<LiveEvent>();
  /** The end of each open room: a long broadcast has a row for each day, and ends once. */
  const ends = new Map<Id, number>();
  const isLast = (event: LiveEvent) => event.kind !== "off_air" || ends.get(event.stream) === event.time;
  function* due(time: number): Generator<LiveEvent, void, undefined> {
    for (let first = queue.first; first !== undefined && first.time < time; first = queue.first) {
      queue.pop();
      if (!isLast(first)) continue;
      if (first.kind === "off_air") ends.delete(first.stream);
      yield first;
    }
  }
  for await (const { time, events, later } of entries) {
    yield* due(time);
    yield* events;
    for (const event of later) {
      if (event.kind === "off_air" && !((ends.get(event.stream) ?? -1) < event.time)) continue;
      if (event.kind === "off_air") ends.set(event.stream, event.time);
      queue.push(event);
    }
  }
  yield* due(Infinity);
}

/** The middle of a range such as `18-23`, the bound of `50+`, or the number; undefined for other text. */
function ageOf(text: string): number | undefined {
  const found = /^(\d+)(?:-(\d+)|\+)?$/.exec(text);
  if (found === null) return undefined;
  return found[2] === undefined ? Number(found[1]) : (Number(found[1]) + Number(found[2])) / 2;
}

const USER = ["user_id", "?age", "?gender", "?country", "?device_brand"];

function parseUser(row: Line): Entry {
  const user: UserUpdate = { kind: "user", time: 0, user: row.id(0) };
  const age = ageOf(row.text(1));
  if (age !== undefined) user.age = age;
  if (row.text(2) !== "") user.gender = row.text(2);
  if (row.text(3) !== "") user.region = row.text(3);
  if (row.text(4) !== "") user.device = row.text(4);
  return { time: 0, events: [event(row, user)], later: [] };
}
