import type { LogDiversity } from "./cleaning/diversity.js";
import { count } from "./counts.js";

/** Counts of items read, kept, dropped and changed, with reasons: plain data. Always `read = kept + dropped`. */
export interface QualityReport {
  /** Lines, events or rows. */
  read: number;
  /** Of those, kept, changed or not. */
  kept: number;
  dropped: number;
  /** Events that cleaning adds: missing ends of streams. */
  added: number;
  /** Dropped items by reason. */
  droppedBy: Record<string, number>;
  /** Changed values by reason, then by column; an event with two changed values counts in both. */
  changedBy: Record<string, Record<string, number>>;
  /** Added events by reason. */
  addedBy: Record<string, number>;
  /** Streams still on air when the events ended. */
  open: number;
  /** Messages of the first few unreadable lines. */
  examples: string[];
  /** By reason the first dropped item: an event as JSON, shortened, or the message of an unreadable line. */
  examplesBy: Record<string, string>;
  /** Diversity of the events kept; absent for tables. */
  diversity?: LogDiversity;
}

/** Most messages kept in `examples`. */
const EXAMPLES = 10;

/** An empty report: pass the same one to a reader and to the cleaning, and it counts both. */
export function emptyQualityReport(): QualityReport {
  const counts = { read: 0, kept: 0, dropped: 0, added: 0, open: 0 };
  return { ...counts, droppedBy: {}, changedBy: {}, addedBy: {}, examples: [], examplesBy: {} };
}

/** Longest example of a dropped item. */
const EXAMPLE = 200;

/** Counts a dropped item, and keeps the first of each reason. */
export function drop(report: QualityReport, reason: string, item?: object | string): void {
  report.dropped++;
  count(report.droppedBy, reason);
  // A report from elsewhere may lack the field.
  if (item === undefined || report.examplesBy?.[reason] !== undefined) return;
  const text = typeof item === "string" ? item : JSON.stringify(item);
  report.examplesBy ??= {};
  report.examplesBy[reason] = text.length > EXAMPLE ? `${text.slice(0, EXAMPLE)}...` : text;
}

/** Counts a changed value. */
export function change(report: QualityReport, reason: string, column: string): void {
  count((report.changedBy[reason] ??= {}), column);
}

/** Counts a line that a reader skips: read and dropped. */
export function skipLine(report: QualityReport, message: string): void {
  report.read++;
  drop(report, "unreadable", message);
  if (report.examples.length < EXAMPLES) report.examples.push(message);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "" : `${((100 * part) / whole).toFixed(2)} %`;
}

function figure(value: number, exact: boolean): string {
  return `${exact ? "" : "about "}${Number.isInteger(value) ? value : value.toFixed(4)}`;
}

function diversityRows(diversity: LogDiversity): string[][] {
  const { users, streams, streamers, categories, events, from, to, repeatShare, exposureGini, exact } = diversity;
  const rows = [
    ["users", figure(users, exact)],
    ["streams", figure(streams, exact)],
    ["streamers", figure(streamers, exact)],
    ["categories", figure(categories, exact)],
    ["repeat share of clicks", figure(repeatShare, exact)],
    ["Gini of exposure", figure(exposureGini, exact)],
  ];
  if (to > from) rows.push(["hours", ((to - from) / 3_600_000).toFixed(2)]);
  for (const [kind, n] of Object.entries(events)) rows.push([`events: ${kind}`, String(n)]);
  return rows;
}

/** The report as the lines of a table: name, count, and share of the items read. */
export function qualityReportLines(report: QualityReport): string[] {
  const { read } = report;
  const rows: string[][] = [
    ["read", String(read)],
    ["kept", String(report.kept), percent(report.kept, read)],
    ["dropped", String(report.dropped), percent(report.dropped, read)],
  ];
  for (const [reason, n] of Object.entries(report.droppedBy)) rows.push([`  ${reason}`, String(n), percent(n, read)]);
  for (const [reason, columns] of Object.entries(report.changedBy)) {
    for (const [column, n] of Object.entries(columns)) {
      rows.push([`changed ${column}: ${reason}`, String(n), percent(n, read)]);
    }
  }
  for (const [reason, n] of Object.entries(report.addedBy)) rows.push([`added: ${reason}`, String(n)]);
  if (report.open > 0) rows.push(["streams still on air", String(report.open)]);
  if (report.diversity !== undefined) rows.push(...diversityRows(report.diversity));
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map(([name, n, share = ""]) => {
    return `${name!.padEnd(widths[0]!)}  ${n!.padStart(widths[1]!)}  ${share.padStart(widths[2]!)}`.trimEnd();
  });
  const reasons = Object.entries(report.examplesBy ?? {}).filter(([reason]) => reason !== "unreadable");
  const examples = [...reasons.map(([reason, item]) => `${reason}: ${item}`), ...report.examples];
  return [...table, ...examples.map((example) => `e.g. ${example}`)];
}
