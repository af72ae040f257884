import type { Id } from "../../protocol/index.js";
import { parseIsoTime, type QualityReport, skipLine } from "../basics/index.js";
import { readRows } from "../readers/csv.js";
import { type Line, LineError } from "../readers/lines.js";
import type { ByteSource } from "../readers/text.js";

/** A streamer of KuaiLive; empty fields of the table are absent. Counts are text, since most are ranges. */
export interface KuaiLiveStreamer {
  streamer: Id;
  gender?: string;
  /** A range, such as `24-30`. */
  age?: string;
  country?: string;
  deviceBrand?: string;
  devicePrice?: string;
  /** The platform's tag for the kind of broadcast. */
  operationTag?: string;
  fans?: string;
  /** Members of the streamer's fan club. */
  fanClub?: string;
  follows?: string;
  broadcasts?: string;
  broadcastDuration?: string;
  plays?: string;
  playDuration?: string;
  /** Milliseconds. */
  registered?: number;
  /** Milliseconds. */
  firstBroadcast?: number;
  /** Seven categories of undisclosed meaning. */
  hidden: string[];
}

const TEXTS = {
  gender: "gender",
  age: "age",
  country: "country",
  deviceBrand: "device_brand",
  devicePrice: "device_price",
  operationTag: "live_operation_tag",
  fans: "fans_user_num|fans_num",
  fanClub: "fans_group_fans_num|fans_group_num",
  follows: "follow_user_num|follow_num",
  broadcasts: "accu_live_cnt",
  broadcastDuration: "accu_live_duration",
  plays: "accu_play_cnt",
  playDuration: "accu_play_duration",
} as const;
const MOMENTS = { registered: "reg_timestamp", firstBroadcast: "first_live_timestamp" } as const;
const HIDDEN = 7;
const TIME_MAX = 8.64e15;

const WANTED = [
  "streamer_id|author_id",
  ...[...Object.values(TEXTS), ...Object.values(MOMENTS)].map((column) => `?${column}`),
  ...Array.from({ length: HIDDEN }, (_, i) => `?onehot_feat${i}`),
];

/** Milliseconds, or a date and time. */
function moment(row: Line, column: number): number {
  const time = parseIsoTime(row.text(column));
  return Number.isNaN(time) ? row.integer(column, 0, TIME_MAX) : time;
}

function parse(row: Line): KuaiLiveStreamer {
  const streamer: KuaiLiveStreamer = { streamer: row.id(0), hidden: [] };
  let column = 1;
  for (const field of Object.keys(TEXTS) as (keyof typeof TEXTS)[]) {
    if (row.text(column) !== "") streamer[field] = row.text(column);
    column++;
  }
  for (const field of Object.keys(MOMENTS) as (keyof typeof MOMENTS)[]) {
    if (row.text(column) !== "") streamer[field] = moment(row, column);
    column++;
  }
  for (; column < WANTED.length; column++) streamer.hidden.push(row.text(column));
  return streamer;
}

/**
 * Reads `streamer.csv` of KuaiLive (Qu et al. 2025, arXiv:2508.05633), one streamer at a time. Columns may be in any order;
 * all but the id may be missing. `readKuaiLive` uses the same ids.
 *
 * @throws LineError naming line and field, unless `onError` is `skip`.
 */
export async function* readKuaiLiveStreamers(
  source: ByteSource,
  options: { onError?: "throw" | "skip"; report?: QualityReport } = {},
): AsyncGenerator<KuaiLiveStreamer, void, undefined> {
  for await (const row of readRows(source, { ...options, name: "streamer.csv", wanted: WANTED })) {
    let streamer: KuaiLiveStreamer;
    try {
      streamer = parse(row);
    } catch (error) {
      if (options.onError !== "skip" || !(error instanceof LineError)) throw error;
      if (options.report !== undefined) skipLine(options.report, error.message);
      continue;
    }
    yield streamer;
  }
}
