import { skipLine } from "../basics/index.js";
import { Line, LineError } from "../readers/lines.js";
import { type ByteSource, checkedReader, type ReaderOptions, readLineBlocks } from "../readers/text.js";
import type { RatingRecord } from "./ratings.js";

const COLUMNS = ["customer", "rating", "date"];
const ID_MAX = 2 ** 31 - 1;

/**
 * Reads one `combined_data_N.txt` of the Netflix prize: a line `MovieID:`, then a line `CustomerID,Rating,YYYY-MM-DD` for
 * each rating of that film, and so on. The data set (100,480,507 ratings) was withdrawn; this serves holders of a copy.
 *
 * @throws LineError naming line and field, unless `onError` is `skip`.
 */
export async function* readNetflix(
  source: ByteSource,
  options: ReaderOptions = {},
): AsyncGenerator<RatingRecord, void, undefined> {
  const { onError, report, ...text } = checkedReader(options);
  let movie: string | undefined;
  for await (const { first, lines } of readLineBlocks(source, text)) {
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const trimmed = typeof line === "string" ? line.trimEnd() : "";
      if (trimmed === "" && typeof line === "string") continue;
      if (/^\d+:$/.test(trimmed)) {
        movie = trimmed.slice(0, -1);
        continue;
      }
      try {
        if (typeof line !== "string") throw line;
        yield rating(trimmed, movie, text.name, first + i);
      } catch (error) {
        if (!(error instanceof LineError) || onError === "throw") throw error;
        if (report !== undefined) skipLine(report, error.message);
      }
    }
  }
}

function rating(text: string, movie: string | undefined, file: string | undefined, number: number): RatingRecord {
  const fields = text.split(",");
  if (fields.length !== COLUMNS.length) {
    throw new LineError(file, number, `must be a film such as "1:" or a customer, a rating and a date, got "${text}"`);
  }
  if (movie === undefined) throw new LineError(file, number, "must come after the line of a film");
  const line = new Line(file, number, COLUMNS, fields);
  return { user: String(line.integer(0, 1, ID_MAX)), item: movie, value: line.integer(1, 1, 5), time: line.time(2) };
}
