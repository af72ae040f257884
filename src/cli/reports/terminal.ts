import type { Bar } from "./charts.js";
import { figure } from "./html.js";

const STEPS = "▁▂▃▄▅▆▇█";
const EIGHTHS = " ▏▎▍▌▋▊▉█";

/** Values as a line of small blocks, each the mean of its neighbours; "" without any. */
export function sparkline(values: readonly number[], width = 24): string {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return "";
  const n = Math.min(width, known.length);
  const means = Array.from({ length: n }, (_, i) => {
    const part = known.slice(Math.floor((i * known.length) / n), Math.floor(((i + 1) * known.length) / n));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  return means.map((value) => STEPS[high === low ? 0 : Math.round(((value - low) / (high - low)) * 7)]).join("");
}

/** Values as bars of text, each with its interval; the longest is `width` wide. Values below 0 have no bar. */
export function textBars(bars: readonly Bar[], width = 30): string[] {
  const names = Math.max(0, ...bars.map(({ name }) => name.length));
  const most = Math.max(0, ...bars.map(({ value }) => value).filter(Number.isFinite));
  return bars.map(({ name, value, lo, hi }) => {
    const eighths = most > 0 && value > 0 ? Math.round((value / most) * width * 8) : 0;
    const bar = `${"█".repeat(eighths >> 3)}${EIGHTHS[eighths & 7]}`.trimEnd();
    const bounds = lo !== undefined && hi !== undefined ? ` [${figure(lo)}, ${figure(hi)}]` : "";
    return `${name.padEnd(names)}  ${bar.padEnd(width)}  ${figure(value)}${bounds}`;
  });
}
