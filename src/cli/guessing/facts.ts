import { parseIsoTime, timeReader } from "../../logs/index.js";
import type { SampledColumn } from "./sample.js";

/** How the times of a column are written. */
export interface TimeFacts {
  unit?: "ns" | "us" | "ms" | "s";
  format?: string;
  /** What supports it, in words. */
  why: string;
  isSure: boolean;
  /** Other ways to read them. */
  others: string[];
  /** Whether the rows are in order of these times, more or less. */
  isSorted: boolean;
}

/** What the values of a column are. */
export interface Facts {
  name: string;
  /** The name in lower-case words: `watchTime_ms` is watch, time, ms. */
  words: readonly string[];
  values: readonly unknown[];
  /** Values that are there. */
  count: number;
  distinct: number;
  /** Whether all are numbers; then their least and largest, and the middle one. */
  isNumber: boolean;
  min: number;
  max: number;
  median: number;
  /** Whether numbers have decimal commas. */
  hasCommas: boolean;
  /** Whether all are 0 and 1, or true and false. */
  isFlag: boolean;
  /** Whether all are lists. */
  isList: boolean;
  time: TimeFacts | undefined;
}

/** The words of a name, in lower case. */
export function wordsOf(name: string): string[] {
  const spaced = name.replace(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2").replace(/:\p{L}+$/u, "");
  return spaced
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

const UNITS = [
  ["s", 3e8, 4.2e9, "seconds"],
  ["ms", 3e11, 4.2e12, "milliseconds"],
  ["us", 3e14, 4.2e15, "microseconds"],
  ["ns", 3e17, 4.2e18, "nanoseconds"],
] as const;

const CLOCKS = ["", " HH:mm:ss", " H:mm:ss", " HH:mm", " H:mm", " HH:mm:ss.S", " h:mm:ss A", " h:mm A", " HH:mm:ss Z"];
const FORMS: readonly string[] = [
  ...["DD/MM/YYYY", "D/M/YYYY", "DD.MM.YYYY", "D.M.YYYY", "DD-MM-YYYY", "D-M-YYYY", "DD/MM/YY", "D/M/YY"],
  ...["MM/DD/YYYY", "M/D/YYYY", "MM-DD-YYYY", "M-D-YYYY", "MM/DD/YY", "M/D/YY", "YYYY/MM/DD", "YYYY/M/D", "YYYY.MM.DD"],
  ...["DD-MMM-YYYY", "D-MMM-YYYY", "DD MMM YYYY", "D MMM YYYY", "MMM D, YYYY", "MMM DD, YYYY", "D-MMM-YY", "DD-MMM-YY"],
].flatMap((day) => CLOCKS.flatMap((clock) => (clock === "" ? [day] : [`${day}${clock}`, `${day},${clock}`])));
const OTHER_FORMS = [
  ...["YYYYMMDDHHmmss", "YYYYMMDD", "YYYYMMDD HH:mm:ss", "DD/MMM/YYYY:HH:mm:ss Z", "ddd, DD MMM YYYY HH:mm:ss Z"],
  ...["ddd, D MMM YYYY HH:mm:ss Z", "ddd MMM DD HH:mm:ss Z YYYY", "ddd MMM D HH:mm:ss YYYY", "YYYY-MM-DD h:mm:ss A"],
  ...["YYYY-MM-DD-HH.mm.ss.S", "YYYY-MM-DD HH.mm.ss", "YYYY-M-D H:mm:ss", "YYYY-M-D"],
];

/** The share of steps back in time. */
function disorder(times: readonly number[]): number {
  let back = 0;
  for (let i = 1; i < times.length; i++) if (times[i]! < times[i - 1]!) back++;
  return times.length < 2 ? 0 : back / (times.length - 1);
}

/** Times of texts by a form; none if one cannot be read. */
function timesBy(form: string, texts: readonly string[]): number[] | undefined {
  const read = timeReader(form)!;
  if (Number.isNaN(read(texts[0]!, () => 0))) return undefined;
  const times = texts.map((text) => read(text, () => 0));
  return times.some(Number.isNaN) ? undefined : times;
}

function textTime(texts: readonly string[]): TimeFacts | undefined {
  const iso = texts.map((text) => parseIsoTime(text));
  if (!iso.some(Number.isNaN)) {
    const zoned = texts.some((text) => /(?:[zZ]|[+-]\d\d(?::?\d\d)?|UTC|GMT)$/.test(text.slice(10)));
    const zone = zoned ? "" : '; no zone, so read as UTC: "zone" names another';
    return { why: `dates in the order of ISO 8601${zone}`, isSure: true, others: [], isSorted: disorder(iso) < 0.2 };
  }
  const found: { form: string; times: number[] }[] = [];
  for (const form of [...FORMS, ...OTHER_FORMS]) {
    const times = timesBy(form, texts);
    // Of forms that read the same, the first.
    const isNew = times !== undefined && !found.some((one) => one.times.every((time, i) => time === times[i]));
    if (isNew) found.push({ form, times });
  }
  if (found.length === 0) return undefined;
  const order = ({ times }: { times: number[] }) => disorder(times) + 1e-13 * spanOf(times);
  const [one, ...others] = found.sort((a, b) => order(a) - order(b));
  const why =
    others.length === 0
      ? `all read as ${one!.form}`
      : `as ${one!.form} the rows are nearest to being in order, but no day above 12 decides between day and month`;
  return {
    format: one!.form,
    why,
    isSure: others.length === 0,
    others: others.map(({ form }) => form),
    isSorted: disorder(one!.times) < 0.2,
  };
}

function numberTime(numbers: readonly number[], min: number, max: number): TimeFacts | undefined {
  const unit = UNITS.find(([, low, high]) => min >= low && max < high);
  if (unit === undefined) return undefined;
  const [name, , , word] = unit;
  const day = new Date(min * { s: 1e3, ms: 1, us: 1e-3, ns: 1e-6 }[name]).toISOString().slice(0, 10);
  return {
    unit: name,
    why: `numbers of the size of ${word} since 1970: the first is of ${day}`,
    isSure: true,
    others: [],
    isSorted: disorder(numbers) < 0.2,
  };
}

/** Looks at the values of a column. */
export function factsOf({ name, values }: SampledColumn): Facts {
  const there = values.filter((value) => value !== undefined);
  const scalars = there.filter((value) => typeof value !== "object").map(String);
  const isComma = (text: string) => /^[+-]?\d+,\d+$/.test(text);
  const isDecimal = (text: string) => /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text);
  const hasCommas = scalars.some(isComma) && scalars.every((text) => isComma(text) || /^[+-]?\d+$/.test(text));
  const isNumber = scalars.length > 0 && scalars.length === there.length && (hasCommas || scalars.every(isDecimal));
  const numbers = isNumber ? scalars.map((text) => Number(text.replace(",", "."))) : [];
  const sorted = [...numbers].sort((a, b) => a - b);
  const [min, max] = [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN];
  const distinct = new Set(scalars);
  const isText =
    scalars.length > 0 &&
    scalars.length === there.length &&
    scalars.every((text) => text.length <= 48 && /\d/.test(text));
  const time = isNumber && !hasCommas ? numberTime(numbers, min, max) : undefined;
  return {
    name,
    words: wordsOf(name),
    values,
    count: there.length,
    distinct: distinct.size,
    isNumber,
    min,
    max,
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    hasCommas,
    isFlag: there.length > 0 && [...distinct].every((text) => /^(?:0|1|true|false|t|f|yes|no)$/i.test(text)),
    isList: there.length > 0 && there.every(Array.isArray),
    time: time ?? (isText ? textTime(scalars) : undefined),
  };
}

/** The last of some times less the first of them. */
function spanOf(times: readonly number[]): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const time of times) {
    low = Math.min(low, time);
    high = Math.max(high, time);
  }
  return high - low;
}
