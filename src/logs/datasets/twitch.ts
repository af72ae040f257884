import type { Id, LiveEvent } from "../../protocol/index.js";
import { readRows } from "../readers/csv.js";
import type { Source } from "../readers/text.js";
import { type Interactions, select } from "../splits.js";
import { int32, Numbering } from "./ratings.js";

/** Milliseconds of a step of the data: 10 minutes. */
export const TWITCH_STEP_MS = 600_000;
/** Steps of the test, and as many before them of the validation: LiveRec's split. */
const HELD_OUT = 250;
const STEP_MAX = 1e7;

/** Who watched what on Twitch, in columns in order of time; streams are what was on air, streamers what is recommended. */
export interface TwitchLog {
  users: Id[];
  streams: Id[];
  streamers: Id[];
  /** `item` is the streamer, `value` the steps watched, `time` the step in milliseconds. */
  interactions: Interactions;
  /** The stream of each interaction. */
  stream: Int32Array;
  /** The last step of the data. */
  lastStep: number;
  /** Of each stream: its streamer, and its first and last known moment as steps: on air in [start, stop). */
  streamerOf: Int32Array;
  start: Int32Array;
  stop: Int32Array;
}

/** A log by the time of its interactions. */
export interface TwitchSplit {
  train: Interactions;
  validation: Interactions;
  test: Interactions;
}

/**
 * Reads Twitch-100K as LiveRec has it (Rappaz et al. 2021, "Recommendation on live-streaming platforms: dynamic availability and repeat
 * consumption"): no header, `user,stream,streamer,start,stop`, in steps of 10 minutes. When a stream was on air is not
 * told: it is taken as from when the first of its viewers came until the last left.
 *
 * Takes all of it into memory, 24 bytes a row (72 MB for its 3 million). It cannot be streamed: rows are by user and not by
 * time, so that the first event may stand in the last row, and a stream's beginning and end are known after all of them.
 *
 * @param name Of the file, for messages. Default none.
 * @throws LineError naming line and field, what it must be and what it was.
 */
export async function readTwitch(source: Source, name?: string): Promise<TwitchLog> {
  const [users, streams, streamers] = [new Numbering(), new Numbering(), new Numbering()];
  const [user, stream, from, until] = [int32(), int32(), int32(), int32()];
  const streamerOf: number[] = [];
  const start: number[] = [];
  const stop: number[] = [];
  const columns = ["user", "stream", "streamer", "start", "stop"];
  for await (const row of readRows(source, { columns, ...(name === undefined ? {} : { name }) })) {
    const begin = row.integer(3, 0, STEP_MAX);
    const end = row.integer(4, begin, STEP_MAX);
    const streamer = streamers.of(row.id(2));
    const number = streams.of(row.id(1));
    if (streamerOf[number] === undefined) {
      streamerOf[number] = streamer;
      start[number] = begin;
      stop[number] = end;
    }
    if (streamerOf[number] !== streamer) throw row.refuse(2, "be the streamer that the stream had before");
    start[number] = Math.min(start[number]!, begin);
    stop[number] = Math.max(stop[number]!, end);
    user.push(users.of(row.id(0)));
    stream.push(number);
    from.push(begin);
    until.push(end);
  }
  const [unsorted, begins, ends] = [stream.values, from.values, until.values];
  const log: Interactions = {
    users: users.ids.length,
    items: streamers.ids.length,
    user: user.values,
    item: unsorted.map((number) => streamerOf[number]!),
    value: Float32Array.from(begins, (begin, i) => ends[i]! - begin),
    time: Float64Array.from(begins, (begin) => begin * TWITCH_STEP_MS),
  };
  const order = Int32Array.from(begins.keys()).sort((a, b) => begins[a]! - begins[b]! || a - b);
  return {
    users: users.ids,
    streams: streams.ids,
    streamers: streamers.ids,
    interactions: select(log, order),
    stream: order.map((i) => unsorted[i]!),
    lastStep: stop.reduce((last, step) => Math.max(last, step), 0),
    streamerOf: Int32Array.from(streamerOf),
    start: Int32Array.from(start),
    stop: Int32Array.from(stop),
  };
}

/** LiveRec's split by the step in which an interaction began: the last 250 for the test, the 250 before for validation. */
export function splitTwitch(log: TwitchLog): TwitchSplit {
  const test = log.lastStep - HELD_OUT;
  const validation = test - HELD_OUT;
  const positions = Int32Array.from(log.interactions.time.keys());
  const between = (low: number, high: number) =>
    select(
      log.interactions,
      positions.filter((i) => {
        const step = log.interactions.time[i]! / TWITCH_STEP_MS;
        return step >= low && step < high;
      }),
    );
  return { train: between(-1, validation), validation: between(validation, test), test: between(test, Infinity) };
}

/** The streams on air in each step, one step after the other: what could be recommended then. */
export function* twitchOnAir(log: TwitchLog): Generator<ReadonlySet<number>, void, undefined> {
  const starts = bySteps(log.start, log.lastStep);
  const stops = bySteps(log.stop, log.lastStep);
  const onAir = new Set<number>();
  for (let step = 0; step <= log.lastStep; step++) {
    for (const stream of starts[step]!) onAir.add(stream);
    for (const stream of stops[step]!) onAir.delete(stream);
    yield onAir;
  }
}

function bySteps(steps: Int32Array, last: number): number[][] {
  const lists: number[][] = Array.from({ length: last + 1 }, () => []);
  for (let stream = 0; stream < steps.length; stream++) lists[steps[stream]!]!.push(stream);
  return lists;
}

/** Of what happens in one step, streams come first, then those who leave, then those who enter, then streams end. */
const COMES = 0;
const LEAVES = 1;
const ENTERS = 2;
const ENDS = 3;

/**
 * The log as events in order of time: streams on and off air, clicks, and watches at their end. The data tell no
 * categories.
 *
 * @param category Of all streams. Default `live`.
 */
export function* twitchEvents(log: TwitchLog, category = "live"): Generator<LiveEvent, void, undefined> {
  const { interactions, stream, start, stop } = log;
  const [n, s] = [interactions.user.length, start.length];
  const key = new Float64Array(2 * (n + s));
  for (let i = 0; i < n; i++) {
    const step = interactions.time[i]! / TWITCH_STEP_MS;
    key[i] = 4 * step + ENTERS;
    // Who leaves in the step in which they came leaves after that.
    key[n + i] = 4 * (step + interactions.value[i]!) + (interactions.value[i] === 0 ? ENTERS : LEAVES);
  }
  for (let i = 0; i < s; i++) {
    key[2 * n + i] = 4 * start[i]! + COMES;
    key[2 * n + s + i] = 4 * stop[i]! + ENDS;
  }
  const order = Int32Array.from(key.keys()).sort((a, b) => key[a]! - key[b]! || a - b);
  for (const place of order) {
    const time = Math.floor(key[place]! / 4) * TWITCH_STEP_MS;
    if (place >= 2 * n) {
      const number = (place - 2 * n) % s;
      const id = log.streams[number]!;
      const streamer = log.streamers[log.streamerOf[number]!]!;
      if (place < 2 * n + s) yield { kind: "on_air", time, stream: id, streamer, category };
      else yield { kind: "off_air", time, stream: id };
      continue;
    }
    const i = place % n;
    const who = { user: log.users[interactions.user[i]!]!, stream: log.streams[stream[i]!]! };
    if (place < n) yield { kind: "click", time, ...who };
    else yield { kind: "watch", time, ...who, watchMs: interactions.value[i]! * TWITCH_STEP_MS };
  }
}
