import { fieldsOf, KINDS, type LiveEvent } from "../../protocol/index.js";
import { PIECE } from "../readers/jsonl.js";
import type { EventMapping } from "./mapping.js";

/** Every field of events, in the order in which `toCsv` writes them. */
const FIELDS: readonly string[] = [...new Set(KINDS.flatMap((kind) => fieldsOf(kind)))];

/** The mapping of files that `toCsv` writes, and of files with some of their columns. */
export const LIVE_CSV: EventMapping = {
  source: { nulls: [""] },
  kind: { column: "kind" },
  fields: Object.fromEntries(FIELDS.map((field) => [field, `?${field}`])),
};

function cell(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Writes events as `readMapped` reads them by default, in pieces of whole records: a header, with one column for each
 * field that events may have, then the events. An empty title or description reads back as a missing one.
 */
export async function* toCsv(
  events: AsyncIterable<LiveEvent> | Iterable<LiveEvent>,
): AsyncGenerator<string, void, undefined> {
  let piece = `kind,${FIELDS.join(",")}\n`;
  for await (const event of events) {
    const fields = event as unknown as Record<string, unknown>;
    piece += `${event.kind},${FIELDS.map((field) => cell(fields[field])).join(",")}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
