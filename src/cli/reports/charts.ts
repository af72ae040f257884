import { escaped, figure } from "./html.js";

/** A value with the bounds of its interval. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly lo?: number | undefined;
  readonly hi?: number | undefined;
}

/** A line over the places of a chart; NaN where nothing is known. */
export interface Curve {
  readonly name: string;
  readonly values: readonly number[];
}

const WIDTH = 720;
/** Height of a bar with its space. */
const ROW = 26;
const NAMES = 200;
const FIGURES = 150;
/** Height of a chart of lines, and the space around it. */
const HEIGHT = 220;
const MARGIN = { left: 62, right: 12, top: 10, bottom: 28 };
/** Ticks of an axis, about. */
const TICKS = 5;
/** Points of a line at the most: means of neighbours stand for more. */
const POINTS = 400;

/** Round values from `low` to `high`, some `TICKS` of them. */
export function ticks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / TICKS));
  const step = [1, 2, 5, 10].find((factor) => span / (factor * power) <= TICKS)! * power;
  const first = Math.ceil(low / step - 1e-9);
  const found: number[] = [];
  for (let i = first; i * step <= high + 1e-9 * step; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

function svg(height: number, label: string, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(label)}">\n${content}\n</svg>`;
}

function line(kind: string, x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line class="${kind}" x1="${a}" y1="${b}" x2="${c}" y2="${d}"/>`;
}

function words(text: string, x: number, y: number, anchor: "start" | "middle" | "end", kind = ""): string {
  const own = kind === "" ? "" : ` class="${kind}"`;
  return `<text${own} x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

/** Values as bars from 0, each with its interval. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const known = bars.filter(({ value }) => Number.isFinite(value));
  const ends = known.flatMap(({ value, lo = value, hi = value }) => [value, lo, hi]).filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const xOf = (value: number) => NAMES + ((value - low) / (high - low || 1)) * (WIDTH - NAMES - FIGURES);
  const rows = bars.map(({ name, value, lo, hi }, i) => {
    const [y, middle] = [i * ROW, i * ROW + ROW / 2];
    const title = words(name.length > 30 ? `${name.slice(0, 29)}…` : name, NAMES - 8, middle + 4, "end");
    if (!Number.isFinite(value)) return title;
    const [from, to] = [xOf(Math.min(0, value)), xOf(Math.max(0, value))];
    const size = `x="${from.toFixed(1)}" y="${y + 5}" width="${Math.max(to - from, 1).toFixed(1)}" height="${ROW - 10}"`;
    const isBounded = lo !== undefined && hi !== undefined && Number.isFinite(lo) && Number.isFinite(hi);
    const whisker = isBounded ? line("whisker", xOf(lo), middle, xOf(hi), middle) : "";
    const text = isBounded ? `${figure(value)} [${figure(lo)}, ${figure(hi)}]` : figure(value);
    return `${title}<rect class="bar" ${size}/>${whisker}${words(text, WIDTH - FIGURES + 8, middle + 4, "start")}`;
  });
  const zero = line("axis", xOf(0), 0, xOf(0), bars.length * ROW);
  const label = `${title}: ${bars.map(({ name, value }) => `${name} ${figure(value)}`).join(", ")}`;
  return svg(bars.length * ROW + 4, label, [...rows, zero].join("\n"));
}

/** Means of neighbours, so that at most `POINTS` are left. */
function thinned(values: readonly number[]): number[] {
  const width = Math.max(1, Math.ceil(values.length / POINTS));
  return Array.from({ length: Math.ceil(values.length / width) }, (_, i) => {
    const part = values.slice(i * width, (i + 1) * width).filter(Number.isFinite);
    return part.length === 0 ? Number.NaN : part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

/** The path through the points that are known. */
function path(xs: readonly number[], ys: readonly number[]): string {
  let isOpen = false;
  return xs
    .map((x, i) => {
      const y = ys[i]!;
      if (!Number.isFinite(y)) return "";
      const word = isOpen ? "L" : "M";
      isOpen = true;
      return `${word}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

/** Where values lie in a chart, and its grid. */
interface Frame {
  xOf(value: number): number;
  yOf(value: number): number;
  readonly grid: readonly string[];
}

/** A frame around values; `xs` and `ys` must not be empty. */
function frame(xs: readonly number[], ys: readonly number[]): Frame {
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const [width, height] = [WIDTH - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];
  const xOf = (value: number) => MARGIN.left + ((value - left) / (right - left || 1)) * width;
  const yOf = (value: number) => MARGIN.top + height - ((value - low) / (high - low || 1)) * height;
  const across = ticks(low, high).map((value) => {
    const y = yOf(value);
    return (
      line("grid", MARGIN.left, y, WIDTH - MARGIN.right, y) +
      words(figure(value), MARGIN.left - 6, y + 4, "end", "quiet")
    );
  });
  const below = ticks(left, right).map((value) => words(figure(value), xOf(value), HEIGHT - 8, "middle", "quiet"));
  return { xOf, yOf, grid: [...across, ...below] };
}

/** Lines over a common axis. */
export function lineChart(
  title: string,
  x: { label: string; values: readonly number[] },
  curves: readonly Curve[],
): string {
  const places = thinned(x.values);
  const lines = curves.map(({ name, values }) => ({ name, values: thinned(values) }));
  const all = lines.flatMap(({ values }) => values).filter(Number.isFinite);
  if (all.length === 0 || places.length === 0) return `<p>${escaped(title)}: nothing is known yet.</p>`;
  const { xOf, yOf, grid } = frame(places, all);
  const drawn = lines.map(({ values }, i) => {
    return `<path class="line-${1 + (i % 4)}" d="${path(places.map(xOf), values.map(yOf))}"/>`;
  });
  const legend = lines.map(({ name }, i) => `<span class="legend-${1 + (i % 4)}">${escaped(name)}</span>`).join(" ");
  const last = lines.map(({ name, values }) => `${name} ${figure(values.filter(Number.isFinite).at(-1)!)} at the end`);
  const picture = svg(HEIGHT, `${title} by ${x.label}: ${last.join(", ")}`, [...grid, ...drawn].join("\n"));
  return `<figure><figcaption><strong>${escaped(title)}</strong>, by ${escaped(x.label)} ${legend}</figcaption>${picture}</figure>`;
}

/** What was predicted and what came of it, in one bin of predictions. */
export interface Bin {
  readonly predicted: number;
  readonly realised: number;
  /** Bounds of what came of it. */
  readonly lo: number;
  readonly hi: number;
}

/** Bins of predictions with what came of them, beside the line on which both are the same. */
export function calibrationChart(title: string, bins: readonly Bin[]): string {
  const known = bins.filter((bin) => [bin.predicted, bin.realised].every(Number.isFinite));
  if (known.length === 0) return `<p>${escaped(title)}: nothing is known yet.</p>`;
  const xs = known.map(({ predicted }) => predicted);
  const ys = known.flatMap(({ realised, lo, hi }) => [realised, lo, hi]).filter(Number.isFinite);
  const [from, to] = [Math.max(Math.min(...xs), Math.min(...ys)), Math.min(Math.max(...xs), Math.max(...ys))];
  const { xOf, yOf, grid } = frame(xs, ys);
  const same = from < to ? line("same", xOf(from), yOf(from), xOf(to), yOf(to)) : "";
  const points = known.map(({ predicted, realised, lo, hi }) => {
    const x = xOf(predicted);
    const isBounded = Number.isFinite(lo) && Number.isFinite(hi);
    const whisker = isBounded ? line("whisker", x, yOf(lo), x, yOf(hi)) : "";
    return `${whisker}<circle class="point" cx="${x.toFixed(1)}" cy="${yOf(realised).toFixed(1)}" r="4"/>`;
  });
  const told = known.map(({ predicted, realised }) => `${figure(predicted)} became ${figure(realised)}`).join(", ");
  const picture = svg(HEIGHT, `${title}: ${told}`, [...grid, same, ...points].join("\n"));
  const legend = "by what was predicted; on the dashed line both are the same";
  return `<figure><figcaption><strong>${escaped(title)}</strong>, ${legend}</figcaption>${picture}</figure>`;
}
