import type { Id, LiveEvent, LoggedDecision } from "../../../protocol/index.js";
import type { DecisionRows } from "../../../recommender/index.js";
import type { RankRecord } from "../../rank/index.js";
import type { TrialOptions } from "../trials.js";
import { packRows, type RowsHead, unpackRows } from "./rows.js";

/** What a server's log holds: all that its learner is ever told. Times are the host's, milliseconds. */
export type EdgeRecord =
  | { readonly type: "event"; readonly now: number; readonly event: LiveEvent }
  /** With the rows that it was computed from, so that who learns from it computes none. */
  | { readonly type: "decision"; readonly decision: LoggedDecision; readonly rows?: DecisionRows | undefined }
  | { readonly type: "forget"; readonly user: Id }
  | { readonly type: "rank"; readonly record: RankRecord }
  /** An experiment begins; without options it ends. */
  | { readonly type: "trial"; readonly now: number; readonly options?: TrialOptions | undefined }
  /** Means nothing: the newest block of a log stays, so this one follows what must not stay. */
  | { readonly type: "nothing" };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
/** Bytes before the JSON of a decision with rows: its letter, and the length of the JSON. */
const HEAD = 5;

/** A record as bytes: its first letter, then JSON; for a decision with rows the length of the JSON before, and the rows behind. */
export function encodeRecord(record: EdgeRecord): Uint8Array {
  if (record.type === "event") return encoder.encode(`e${JSON.stringify([record.now, record.event])}`);
  if (record.type === "decision") return encodeDecision(record.decision, record.rows);
  if (record.type === "forget") return encoder.encode(`f${JSON.stringify(record.user)}`);
  if (record.type === "rank") return encoder.encode(`k${JSON.stringify(record.record)}`);
  if (record.type === "trial") return encoder.encode(`t${JSON.stringify([record.now, record.options ?? null])}`);
  return encoder.encode("n0");
}

function encodeDecision(decision: LoggedDecision, rows: DecisionRows | undefined): Uint8Array {
  if (rows === undefined) return encoder.encode(`d${JSON.stringify(decision)}`);
  const packed = packRows(rows, decision.slate.length);
  const json = encoder.encode(JSON.stringify([decision, packed.head]));
  const bytes = new Uint8Array(HEAD + json.byteLength + packed.bytes.byteLength);
  bytes[0] = "r".charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, json.byteLength, true);
  bytes.set(json, HEAD);
  bytes.set(packed.bytes, HEAD + json.byteLength);
  return bytes;
}

/** @throws Error for bytes of no record, which only a log of a later version holds: blocks have checksums. */
export function decodeRecord(bytes: Uint8Array): EdgeRecord {
  const letter = String.fromCharCode(bytes[0] ?? 0);
  if (letter === "r") {
    const end = HEAD + new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
    const [decision, head] = JSON.parse(decoder.decode(bytes.subarray(HEAD, end))) as [LoggedDecision, RowsHead];
    return { type: "decision", decision, rows: unpackRows(head, bytes.subarray(end)) };
  }
  const value: unknown = JSON.parse(decoder.decode(bytes.subarray(1)));
  if (letter === "e") {
    const [now, event] = value as [number, LiveEvent];
    return { type: "event", now, event };
  }
  if (letter === "d") return { type: "decision", decision: value as LoggedDecision };
  if (letter === "f") return { type: "forget", user: value as Id };
  if (letter === "k") return { type: "rank", record: value as RankRecord };
  if (letter === "t") {
    const [now, options] = value as [number, TrialOptions | null];
    return { type: "trial", now, options: options ?? undefined };
  }
  if (letter === "n") return { type: "nothing" };
  throw new Error(`a record must be an event, a decision or a user to forget, got ${JSON.stringify(letter)}`);
}
