import type { Id, LiveEvent } from "../../protocol/index.js";
import { readRows } from "../readers/csv.js";
import type { ByteSource } from "../readers/text.js";
import { type Interactions, selectInteractions } from "../splits/interactions.js";
import type { ThreeWaySplit } from "../splits/splits.js";
import { DenseIds, growingInt32 } from "./ratings.js";

/** Milliseconds of a step of the data: 10 minutes. */
export const TWITCH_STEP_MS = 600_000;
/** Steps of the test, and as many before them of the validation: LiveRec's split. */
const HELD_OUT = 250;
const STEP_MAX = 1e7;

/** Watches on Twitch, in columns, in order of time. Each stream is one broadcast of a streamer. */
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
  /** For each stream its streamer, and its first and last known step: it is on air in [start, stop). */
  streamerOf: Int32Array;
  start: Int32Array;
  stop: Int32Array;
}

/**
 * Reads Twitch-100K of LiveRec (Rappaz et al. 2021, "Recommendation on live-streaming platforms: dynamic availability and
 * repeat consumption"): no header, `user,stream,streamer,start,stop`, in steps of 10 minutes. The data have no times on
 * air: a stream counts as on air from the arrival of its first viewer until its last viewer left.
 *
 * Holds all rows in memory, 24 bytes each (72 MB for its 3 million). Streaming is impossible: rows are ordered by user, so
 * that the last row may hold the first event, and the start and end of a stream are known only after all rows.
 *
 * @param name Of the file, for messages. Default none.
 * @throws LineError naming line, field, requirement and value.
 */
export async function readTwitch(source: ByteSource, name?: string): Promise<TwitchLog> {
  const [users, streams, streamers] = [new DenseIds(), new DenseIds(), new DenseIds()];
  const [user, stream, from, until] = [growingInt32(), growingInt32(), growingInt32(), growingInt32()];
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
    interactions: selectInteractions(log, order),
    stream: order.map((i) => unsorted[i]!),
    lastStep: stop.reduce((last, step) => Math.max(last, step), 0),
    streamerOf: Int32Array.from(streamerOf),
    start: Int32Array.from(start),
    stop: Int32Array.from(stop),
  };
}

/** LiveRec's split by the first step of an interaction: the last 250 steps for the test, the 250 before for validation. */
export function splitTwitch(log: TwitchLog): ThreeWaySplit {
  const test = log.lastStep - HELD_OUT;
  const validation = test - HELD_OUT;
  const positions = Int32Array.from(log.interactions.time.keys());
  const between = (low: number, high: number) =>
    selectInteractions(
      log.interactions,
      positions.filter((i) => {
        const step = log.interactions.time[i]! / TWITCH_STEP_MS;
        return step >= low && step < high;
      }),
    );
  return { train: between(-1, validation), validation: between(validation, test), test: between(test, Infinity) };
}

/** The streams on air in each step, one step after the other: the candidates at that time. */
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

/** Order within one step: streams start, viewers leave, viewers enter, streams end. */
const COMES = 0;
const LEAVES = 1;
const ENTERS = 2;
const ENDS = 3;

/**
 * The log as events in order of time: streams on and off air, clicks, and watches at their end.
 *
 * @param category Of all streams, since the data have none. Default `live`.
 */
export function* twitchEvents(log: TwitchLog, category = "live"): Generator<LiveEvent, void, undefined> {
  const { interactions, stream, start, stop } = log;
  const [n, s] = [interactions.user.length, start.length];
  const key = new Float64Array(2 * (n + s));
  for (let i = 0; i < n; i++) {
    const step = interactions.time[i]! / TWITCH_STEP_MS;
    key[i] = 4 * step + ENTERS;
    // A viewer who leaves in the step of their arrival leaves after it.
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
