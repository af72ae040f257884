/** Each digit has one place in it, so that refusing a long text takes linear time. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A decimal number; NaN for any other text, such as an empty or a hexadecimal one. */
export function parseNumber(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}

const DAY = String.raw`(\d{4})-(\d\d)-(\d\d)`;

const CLOCK = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?`;

const ZONE = String.raw`(?:(Z)|([+-])(\d\d):?(\d\d))`;

const MOMENT = new RegExp(`^${DAY}(?:[T ]${CLOCK}(?: ?${ZONE})?)?$`);

/**
 * Milliseconds since the Unix epoch of an ISO 8601 date, or date and time (with a T or a space), UTC if it names no
 * zone; NaN for any other text. Not `Date.parse`, which accepts more in some engines and reads a time without zone as local.
 */
export function parseIsoTime(text: string): number {
  const found = MOMENT.exec(text);
  if (found === null) return Number.NaN;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part = "0") => Number(part)) as number[];
  const fraction = found[7] === undefined ? 0 : Number(`.${found[7]}`) * 1000;
  const [zoneHour, zoneMinute] = [Number(found[10] ?? 0), Number(found[11] ?? 0)];
  if (hour! > 23 || minute! > 59 || second! > 59 || zoneHour > 23 || zoneMinute > 59) return Number.NaN;
  const midnight = Date.UTC(year!, month! - 1, day!);
  const date = new Date(midnight);
  // February 30 would become March, and year 50 become 1950.
  const same = date.getUTCFullYear() === year! && date.getUTCMonth() === month! - 1 && date.getUTCDate() === day!;
  if (!same) return Number.NaN;
  const zone = (zoneHour * 60 + zoneMinute) * (found[9] === "-" ? -1 : 1);
  return midnight + (hour! * 60 + minute! - zone) * 60_000 + second! * 1000 + fraction;
}
