/** Each digit has one place in it, so that refusing a long text takes linear time. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A decimal number; NaN for any other text, such as an empty or a hexadecimal one. */
export function parseNumber(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}

/** The offset from UTC of a place whose clocks show a time, both in milliseconds. */
export type Zone = (wall: number) => number;

/** Longest text that can be a time. */
const TIME_LENGTH = 80;

/** The number of so many digits from a position; -1 if these are no digits. */
export function digitsAt(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    // Also at the end of the text, where the code is NaN.
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = 10 * value + digit;
  }
  return value;
}

/** How many digits stand from a position. */
export function countDigits(text: string, at: number): number {
  let end = at;
  while (digitsAt(text, end, 1) >= 0) end++;
  return end - at;
}

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Milliseconds of the start of a day, UTC; NaN for a day that no calendar has, and for years before 100. */
export function dayOf(year: number, month: number, day: number): number {
  if (!(year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= MONTH_DAYS[month - 1]!)) return Number.NaN;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && day === 29 && !isLeap ? Number.NaN : Date.UTC(year, month - 1, day);
}

/** Milliseconds of a time of day; NaN for one that no clock shows. The second 60 is a leap second. */
export function clockOf(hour: number, minute: number, second: number, fraction = 0): number {
  if (!(hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60)) return Number.NaN;
  return hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction;
}

const UNIVERSAL = /^(?:z|utc|gmt|ut)$/i;
const OFFSET = /^([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?(?: [A-Za-z]{1,5})?$/;

/**
 * The offset of a zone as texts of times write it, milliseconds: `Z`, `UTC`, `+00`, `-0330`, `+05:30`, and Go's
 * `+0100 CET`; NaN for any other text.
 */
export function parseOffset(text: string): number {
  if (UNIVERSAL.test(text)) return 0;
  const found = OFFSET.exec(text);
  if (found === null) return Number.NaN;
  const offset = clockOf(Number(found[2]), Number(found[3] ?? 0), Number(found[4] ?? 0));
  return found[1] === "-" ? -offset : offset;
}

/** A zone by a fixed offset. */
export const universal: Zone = () => 0;

/**
 * Milliseconds since the Unix epoch of a date, or date and time, in any form of ISO 8601, RFC 3339 and databases:
 * `2019-06-30`, `2019-06-30T23:45Z`, `2019-06-30 23:45:00.123456+02`, `20190630T234500Z`, `2019-06-30 23:45:00 UTC`,
 * `2019-06-30 23:45:00 +0000 UTC`. NaN for any other text, such as one of digits alone. Not `Date.parse`, which accepts
 * more in some engines and reads a time without zone as local.
 *
 * @param zone The zone of texts that name none. Default UTC.
 */
export function parseIsoTime(text: string, zone: Zone = universal): number {
  if (text.length > TIME_LENGTH) return Number.NaN;
  const gap = text.charCodeAt(4) === 45 ? 1 : 0;
  const end = 8 + 2 * gap;
  if (gap === 1 && text.charCodeAt(7) !== 45) return Number.NaN;
  const midnight = dayOf(digitsAt(text, 0, 4), digitsAt(text, 4 + gap, 2), digitsAt(text, 6 + 2 * gap, 2));
  if (text.length === end) return gap === 0 ? Number.NaN : midnight - zone(midnight);
  const mark = text.charCodeAt(end);
  // T, t or a space.
  if (Number.isNaN(midnight) || (mark !== 84 && mark !== 116 && mark !== 32)) return Number.NaN;
  return clockAt(text, end + 1, midnight, zone);
}

/** The time of a date whose clock time begins at a position of the text. */
function clockAt(text: string, from: number, midnight: number, zone: Zone): number {
  let at = from + 2;
  const colon = text.charCodeAt(at) === 58 ? 1 : 0;
  const hour = digitsAt(text, from, 2);
  let [minute, second, fraction] = [0, 0, 0];
  if (colon === 1 || digitsAt(text, at, 1) >= 0) {
    minute = digitsAt(text, at + colon, 2);
    at += 2 + colon;
    if (colon === 1 ? text.charCodeAt(at) === 58 : digitsAt(text, at, 1) >= 0) {
      second = digitsAt(text, at + colon, 2);
      at += 2 + colon;
      const mark = text.charCodeAt(at);
      if (mark === 46 || mark === 44) {
        const count = countDigits(text, at + 1);
        if (count === 0) return Number.NaN;
        fraction = Number(`.${text.slice(at + 1, at + 1 + count)}`) * 1000;
        at += 1 + count;
      }
    }
  }
  const wall = midnight + clockOf(hour, minute, second, fraction);
  if (at >= text.length) return wall - zone(wall);
  return wall - parseOffset(text.slice(text.charCodeAt(at) === 32 ? at + 1 : at));
}

const CLOCK = /^(?:(\d{1,5}) days? )?(\d{1,6}):([0-5]\d):([0-5]\d(?:\.\d{1,9})?)$/;
const ISO_DURATION = /^PT?(?:(\d{1,5})DT?)?(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?$/;

/** Milliseconds of a duration as `01:23:45.5`, `1 day 02:03:04` or `PT1H2M3.5S`; NaN for any other text. */
export function parseDuration(text: string): number {
  const found = CLOCK.exec(text) ?? (text.length > 2 ? ISO_DURATION.exec(text) : null);
  if (found === null) return Number.NaN;
  const [days, hours, minutes, seconds] = found.slice(1, 5).map((part) => Number(part ?? 0)) as number[];
  return 86_400_000 * days! + 3_600_000 * hours! + 60_000 * minutes! + 1000 * seconds!;
}
