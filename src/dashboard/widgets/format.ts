const WHOLE = new Intl.NumberFormat("en");

/** A figure for people: three digits that count, thousands apart, "" for what is not a number. */
export function format(value: number): string {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size >= 1e7) return `${(value / 1e6).toPrecision(3)} M`;
  if (Number.isInteger(value) || size >= 1000) return WHOLE.format(Math.round(value));
  if (size < 0.001) return value.toExponential(1);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** Bytes for people. */
export function bytes(value: number): string {
  if (value < 1e3) return `${value} B`;
  return value < 1e6 ? `${format(value / 1e3)} kB` : `${format(value / 1e6)} MB`;
}
