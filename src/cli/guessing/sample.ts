import { emptyQualityReport, type MappedSource, readCsv } from "../../logs/index.js";

/** A column of a sample. */
export interface SampledColumn {
  /** The name in the header, or the path in JSON objects. */
  name: string;
  /** A value for each row; undefined for a missing one. */
  values: readonly unknown[];
}

/** The first rows of a file, and how it is written. */
export interface Sample {
  source: MappedSource;
  columns: SampledColumn[];
  rows: number;
  /** The layout in words, with what supports it. */
  about: string[];
  /** All rows of the first bytes, those and later ones, as text, and their number. */
  text: string;
  total: number;
}

/** Most rows of a sample, and those that show the layout. */
const ROWS = 4000;
const LAYOUT_ROWS = 300;
/** Most columns of a sample: each is compared with what each field may look like. */
const COLUMNS = 500;
/** Separators, the likelier first; a space only where nothing else separates. */
const SEPARATORS = [",", "\t", ";", "|", "::"];
const NAMES: Readonly<Record<string, string>> = {
  ",": "commas",
  "\t": "tabs",
  ";": "semicolons",
  "|": "bars",
  " ": "spaces",
};
/** Texts that exports write for a missing value beside those of every mapping. */
const MISSING = new Set(["NaN", "nan", "None", "N/A", "n/a", "NA", "<NA>", "(null)", "undefined", "-"]);
/** Depth of the paths in JSON objects. */
const DEPTH = 4;

/** The text of bytes, with its encoding. A mark says UTF-16, which readers see as well. */
function decode(bytes: Uint8Array): [text: string, encoding: "utf-8" | "latin-1"] {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return [new TextDecoder("utf-16le").decode(bytes), "utf-8"];
  if (first === 0xfe && second === 0xff) return [new TextDecoder("utf-16be").decode(bytes), "utf-8"];
  try {
    return [new TextDecoder("utf-8", { fatal: true }).decode(bytes), "utf-8"];
  } catch {
    return [new TextDecoder("latin1").decode(bytes), "latin-1"];
  }
}

/** The whole lines of the first bytes of a file; of a file without line feeds, all of them up to a whole character. */
function wholeLines(bytes: Uint8Array): Uint8Array {
  const feed = bytes.lastIndexOf(10);
  // The line feed of UTF-16LE has a zero after it.
  if (feed >= 0) return bytes.subarray(0, feed + (bytes[feed + 1] === 0 ? 2 : 1));
  let end = bytes.length;
  while (end > 0 && bytes[end - 1]! > 0x7f) end--;
  return bytes.subarray(0, end);
}

/** Whether a field is a number or a date, as those of a header hardly are. */
function isValue(text: string): boolean {
  return text === "" || (text.length <= 64 && /^[+-]?[\d.,:/ T-]*\d[\d.,:/ TZ+-]*$/.test(text));
}

interface Parsed {
  /** Whether the first line has as many fields as the others. */
  isEven: boolean;
  dialect: MappedSource;
  records: string[][];
  dropped: number;
}

async function parse(text: string, dialect: MappedSource): Promise<Parsed> {
  const { format: _, decimal: __, nulls: ___, encoding: ____, ...csv } = dialect;
  const separator = csv.separator ?? ",";
  const widths = new Map<number, number>();
  for (const line of text.split("\n", LAYOUT_ROWS)) {
    const width = line.split(separator).length;
    widths.set(width, (widths.get(width) ?? 0) + (line === "" ? 0 : 1));
  }
  const first = text.slice(0, text.indexOf("\n") >>> 0).split(separator).length;
  const usual = [...widths].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 1;
  let best: Parsed | undefined;
  for (const width of new Set([first, usual])) {
    const report = emptyQualityReport();
    const columns = Array.from({ length: width }, (_, i) => `${i}`);
    const records: string[][] = [];
    for await (const row of readCsv(text, { ...csv, columns, onError: "skip", report }))
      records.push(columns.map((one) => row[one]!));
    if (best === undefined || records.length > best.records.length)
      best = { isEven: first === usual, dialect, records, dropped: report.dropped };
  }
  return best!;
}

/** How good a way to read is: rows that it reads, where there is more than one column. */
function goodness({ isEven, records, dropped }: Parsed): number {
  const share = records.length / (records.length + dropped);
  return (records[0]?.length ?? 0) < 2 ? 0 : share - (isEven ? 0 : 0.1);
}

async function best(text: string, dialects: readonly MappedSource[]): Promise<Parsed> {
  let chosen: Parsed | undefined;
  for (const dialect of dialects) {
    const parsed = await parse(text, dialect);
    // A later one must be clearly better.
    if (chosen === undefined || goodness(parsed) > goodness(chosen) + 0.02) chosen = parsed;
  }
  return chosen!;
}

/** Separator, quotes and escapes of a text of records. */
async function dialectOf(text: string): Promise<MappedSource> {
  const head = text.split("\n", LAYOUT_ROWS).join("\n");
  const comment = head.startsWith("#") ? { comment: "#" } : {};
  // Without quoting too: a file whose texts hold odd quotes is hardly readable with it.
  const ways = (separators: readonly string[], more: MappedSource): MappedSource[] =>
    separators.map((separator) => ({ separator, ...comment, ...more }));
  const found = await best(head, [...ways(SEPARATORS, {}), ...ways(SEPARATORS, { quote: "none" })]);
  const { dialect } = goodness(found) > 0 ? found : await best(head, ways([" "], {}));
  const others: MappedSource[] = [dialect];
  if (head.includes('\\"') || /\\[tn\\]/.test(head)) others.push({ ...dialect, escape: "backslash" });
  if (head.includes('"')) others.push({ ...dialect, quote: "none" });
  const apostrophes = new RegExp(
    `^'[^']*'\\s*[${dialect.separator === "|" ? "|" : (dialect.separator ?? ",")[0]}]`,
    "m",
  );
  if (apostrophes.test(head)) others.unshift({ ...dialect, quote: "'" });
  return (await best(head, others)).dialect;
}

/** Whether the first record names the columns. */
function isHeader([first, ...rest]: readonly string[][]): boolean {
  if (first === undefined || first.some(isValue) || new Set(first).size < first.length) return false;
  const isNamed =
    first.filter((name) => /^[\p{L}_#$@][\p{L}\p{N}_ .:#/()-]*$/u.test(name.trim())).length === first.length;
  const isUnlike = first.some((_, column) => rest.length > 0 && rest.every((row) => isValue(row[column]!)));
  const isRepeated = first.every((name, column) => rest.every((row) => row[column] !== name));
  return isNamed && (isUnlike || isRepeated);
}

async function recordSample(text: string, encoding: "utf-8" | "latin-1"): Promise<Sample> {
  const dialect = await dialectOf(text);
  const { records } = await parse(text, dialect);
  const width = records[0]?.length ?? 0;
  if (width > COLUMNS) throw new Error(`must have at most ${COLUMNS} columns, got ${width}: write the mapping by hand`);
  const hasHeader = isHeader(records);
  const names = hasHeader ? records[0]!.map((name) => name.trim()) : (records[0] ?? []).map((_, i) => `column${i + 1}`);
  const rows = records.slice(hasHeader ? 1 : 0, ROWS);
  const nulls = new Set<string>();
  const columns = names.map((name, column): SampledColumn => {
    const texts = rows.map((row) => row[column]!);
    // A hyphen or NaN stands for a missing value among numbers and dates, but may be a name among names.
    const others = texts.filter((one) => one !== "" && !MISSING.has(one));
    const isMissing = others.length > 0 && others.every(isValue);
    return {
      name,
      values: texts.map((one) => {
        if (["", "NULL", "null", "\\N"].includes(one)) return undefined;
        if (!isMissing || !MISSING.has(one)) return one;
        nulls.add(one);
        return undefined;
      }),
    };
  });
  const { separator = ",", quote, escape: escaping } = dialect;
  const source: MappedSource = {
    format: separator === "\t" ? "tsv" : "csv",
    ...(separator === "," || separator === "\t" ? {} : { separator }),
    ...(quote === undefined ? {} : { quote }),
    ...(escaping === undefined ? {} : { escape: escaping }),
    ...(dialect.comment === undefined ? {} : { comment: dialect.comment }),
    ...(encoding === "utf-8" ? {} : { encoding }),
    ...(nulls.size === 0 ? {} : { nulls: ["", "NULL", "null", "\\N", ...nulls] }),
    ...(hasHeader ? {} : { columns: names }),
  };
  const about = [
    `${NAMES[separator] ?? JSON.stringify(separator)} between ${names.length} columns`,
    hasHeader ? "the first line names them" : "no line with names: they are numbered",
    ...(quote === "none" ? ["quotes are text, as they do not come in pairs"] : []),
    ...(escaping === "backslash" ? ["backslashes escape"] : []),
    ...(encoding === "utf-8" ? [] : ["not UTF-8, so read as windows-1252"]),
    ...(nulls.size === 0 ? [] : [`${[...nulls].map((one) => JSON.stringify(one)).join(", ")} mean a missing value`]),
  ];
  return { source, columns, rows: rows.length, about, text, total: records.length - (hasHeader ? 1 : 0) };
}

/** Adds the scalars and lists in a value to the columns, by path. */
function spread(value: unknown, path: string, depth: number, row: number, columns: Map<string, unknown[]>): void {
  if (value === null || value === undefined || value === "") return;
  if (typeof value === "object" && !Array.isArray(value)) {
    if (depth < DEPTH)
      for (const [key, inner] of Object.entries(value))
        spread(inner, path === "" ? key : `${path}.${key}`, depth + 1, row, columns);
    return;
  }
  let values = columns.get(path);
  if (values === undefined) columns.set(path, (values = []));
  values[row] = value;
}

/** Objects one a line. */
function objectsOf(text: string): unknown[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line.trim() === "" ? [] : [JSON.parse(line) as unknown];
    } catch {
      // Counted when the sample is read by the mapping.
      return [];
    }
  });
}

/** Ends of objects to try, from the last one, until the list up to there is whole. */
const TRIES = 50;

/** The start of a JSON array up to the end of its last whole element. @throws Error if there is none. */
function wholeArray(text: string): string {
  let end = text.lastIndexOf("}");
  for (let i = 0; i < TRIES && end > 0; i++, end = text.lastIndexOf("}", end - 1)) {
    const whole = `${text.slice(0, end + 1)}]`;
    try {
      JSON.parse(whole);
      return whole;
    } catch {
      // An object within an object ends here.
    }
  }
  throw new Error("must hold a JSON array of objects, got one that cannot be read");
}

function objectSample(text: string, encoding: "utf-8" | "latin-1"): Sample {
  const isArray = text.startsWith("[");
  const whole = isArray ? wholeArray(text) : text;
  const all = isArray ? (JSON.parse(whole) as unknown[]) : objectsOf(whole);
  const objects = all.slice(0, ROWS);
  const columns = new Map<string, unknown[]>();
  for (const [row, object] of objects.entries()) spread(object, "", 0, row, columns);
  const rows = objects.length;
  return {
    source: { format: isArray ? "json" : "jsonl", ...(encoding === "utf-8" ? {} : { encoding }) },
    columns: Array.from(commonest(columns), ([name, values]) => ({
      name,
      values: Array.from({ length: rows }, (_, i) => values[i]),
    })),
    rows,
    about: [
      `JSON, ${isArray ? "an array of objects" : "one object a line"}, with ${columns.size} values`,
      ...(columns.size > COLUMNS ? [`the ${COLUMNS} that most rows have are looked at`] : []),
    ],
    text: whole,
    total: all.length,
  };
}

/** The values that most rows have, as many as are looked at, in their order. */
function commonest(columns: ReadonlyMap<string, unknown[]>): (readonly [string, unknown[]])[] {
  const all = [...columns];
  if (all.length <= COLUMNS) return all;
  const count = (values: readonly unknown[]) => Object.keys(values).length;
  const kept = new Set([...all].sort((a, b) => count(b[1]) - count(a[1])).slice(0, COLUMNS));
  return all.filter((one) => kept.has(one));
}

/**
 * Looks at the first bytes of a file.
 * @param isWhole Whether these are all: the last line is complete.
 * @throws Error for a layout that mappings do not read.
 */
export async function sampleOf(bytes: Uint8Array, isWhole: boolean): Promise<Sample> {
  const [all, encoding] = decode(isWhole ? bytes : wholeLines(bytes));
  const text = all.includes("\n") ? all : all.replaceAll("\r", "\n");
  const start = text.replace(/^\ufeff/, "").trimStart();
  if (start === "") throw new Error("must hold rows, got none");
  if (start.includes("\0")) throw new Error("must hold text, got zero bytes");
  return /^[{[]/.test(start) ? objectSample(start, encoding) : recordSample(start, encoding);
}
