import { fieldsOf } from "../../protocol/index.js";
import { change, type QualityReport } from "../basics/index.js";

/** Fields that are names: of them integers are taken as text. */
const NAMES = new Set("id user stream streamer decision friend page category language gender region device".split(" "));

/**
 * A row of LiveQ's own events as exports of databases write it, made an event as far as that is certain: null is absent,
 * an integer is the id that it writes, a field that events of its kind do not have is left out and counted as changed.
 *
 * @returns A changed copy.
 */
export function lenient(value: unknown, unknown: "ignore" | "refuse", report: QualityReport | undefined): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const given = value as Readonly<Record<string, unknown>>;
  const known = fieldsOf(String(given["kind"]));
  const event: Record<string, unknown> = {};
  for (const [field, content] of Object.entries(given)) {
    if (content === null) continue;
    if (unknown === "ignore" && known.length > 0 && field !== "kind" && !known.includes(field)) {
      if (report !== undefined) change(report, "unknown field left out", field);
      continue;
    }
    event[field] = NAMES.has(field) && Number.isSafeInteger(content) ? String(content) : content;
  }
  return event;
}
