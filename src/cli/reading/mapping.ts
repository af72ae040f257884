import {
  type ByteSource,
  checkMapping,
  type EventMapping,
  emptyQualityReport,
  type LogFormat,
  mappedFormat,
  type QualityReport,
  type ReaderOptions,
  readJsonl,
  readMapped,
} from "../../logs/index.js";
import type { LiveEvent } from "../../protocol/index.js";
import { naming, readFile } from "./files.js";

type EventFormat = Extract<LogFormat, { yields: "events" }>;

/** What `--map` and `--unknown` say of all logs of events that a run reads. */
let chosen: { mapping?: EventMapping; unknown?: ReaderOptions["unknown"] } = {};
/** Warnings that were given: a log may be read several times. */
const told = new Set<string>();

/** Chooses how this run reads logs of events. @throws Error naming the file of an invalid mapping. */
export function chooseReading(file: string | undefined, unknown: ReaderOptions["unknown"] | undefined): void {
  const mapping = file === undefined ? undefined : mappingFrom(file);
  told.clear();
  chosen = { ...(mapping && { mapping }), ...(unknown && { unknown }) };
}

/** The mapping in a file of JSON. @throws Error naming the file. */
function mappingFrom(file: string): EventMapping {
  const text = new TextDecoder().decode(readFile(file));
  return naming(file, () => checkMapping(JSON.parse(text)));
}

/** Options of readers with those that were chosen. */
export function withChosen(options: ReaderOptions): ReaderOptions {
  return chosen.unknown === undefined ? options : { ...options, unknown: chosen.unknown };
}

/** The format of the mapping that was chosen. Without a report its warnings go to stderr, each once. */
export function chosenFormat(): EventFormat | undefined {
  if (chosen.mapping === undefined) return undefined;
  const format = mappedFormat(chosen.mapping);
  return {
    ...format,
    read: (names, open, options = {}) => {
      if (options.report !== undefined) return format.read(names, open, options);
      const report = emptyQualityReport();
      return warned(format.read(names, open, { ...options, report }), report);
    },
  };
}

/** The events of a growing log, one JSON object a line if no mapping says otherwise. */
export function followedEvents(source: ByteSource, options: ReaderOptions): AsyncIterable<LiveEvent> {
  const { mapping } = chosen;
  const own = withChosen(options);
  return mapping === undefined ? readJsonl(source, own) : readMapped(source, mapping, own);
}

async function* warned(events: AsyncIterable<LiveEvent>, report: QualityReport): AsyncGenerator<LiveEvent> {
  yield* events;
  for (const [what, rows] of Object.entries(report.warnings ?? {})) {
    if (told.has(what)) continue;
    told.add(what);
    process.stderr.write(`warning: ${what} (${rows} rows)\n`);
  }
}
