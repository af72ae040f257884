import type { Id, LiveEvent, LoggedDecision } from "../../protocol/index.js";

/** What a server's log holds: all that its learner is ever told. Times are the host's, milliseconds. */
export type EdgeRecord =
  | { readonly type: "event"; readonly now: number; readonly event: LiveEvent }
  | { readonly type: "decision"; readonly decision: LoggedDecision }
  | { readonly type: "forget"; readonly user: Id }
  /** Means nothing: the newest block of a log stays, so this one follows what must not stay. */
  | { readonly type: "nothing" };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A record as bytes: its first letter, then JSON. */
export function encodeRecord(record: EdgeRecord): Uint8Array {
  if (record.type === "event") return encoder.encode(`e${JSON.stringify([record.now, record.event])}`);
  if (record.type === "decision") return encoder.encode(`d${JSON.stringify(record.decision)}`);
  if (record.type === "forget") return encoder.encode(`f${JSON.stringify(record.user)}`);
  return encoder.encode("n0");
}

/** @throws Error for bytes of no record, which only a log of a later version holds: blocks have checksums. */
export function decodeRecord(bytes: Uint8Array): EdgeRecord {
  const text = decoder.decode(bytes);
  const value: unknown = JSON.parse(text.slice(1));
  if (text[0] === "e") {
    const [now, event] = value as [number, LiveEvent];
    return { type: "event", now, event };
  }
  if (text[0] === "d") return { type: "decision", decision: value as LoggedDecision };
  if (text[0] === "f") return { type: "forget", user: value as Id };
  if (text[0] === "n") return { type: "nothing" };
  throw new Error(`a record must be an event, a decision or a user to forget, got ${JSON.stringify(text[0])}`);
}
