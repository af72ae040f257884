/** Tables of figures as charts: those between the marks of bench/README.md. */
import { escaped } from "../html.mjs";

/** A table with more charts than these keeps them folded. */
const OPEN = 6;
/** Of a chart, in its own units: a page stretches it. */
const WIDTH = 1000;
/** Microseconds. */
const TIMES = { us: 1, ms: 1000, s: 1e6 };
const NUMBER = String.raw`(-?[\d,]*\.?\d+)`;
/** Value, unit and interval; then what else is said in brackets. */
const CELL = new RegExp(`^${NUMBER}(?: (us|ms|s|%|events/s))?(?: \\[${NUMBER}, ${NUMBER}\\])?(?: \\([^)]*\\))?$`);

const numberOf = (text) => (text === undefined ? undefined : Number(text.replaceAll(",", "")));

/** A cell as a value with bounds and what it counts; times in microseconds. */
function parsed(cell) {
  const [, value, unit = "", lo, hi] = CELL.exec(cell) ?? [];
  if (value === undefined) return undefined;
  const factor = TIMES[unit] ?? 1;
  const scaled = (text) => (text === undefined ? undefined : numberOf(text) * factor);
  return { value: scaled(value), lo: scaled(lo), hi: scaled(hi), unit: unit in TIMES ? "time" : unit };
}

function cellsOf(line) {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replace(/[`*]/g, "").trim());
}

/** The bars of one column, where all that it says are figures of one unit. */
function barsOf(rows, column) {
  const found = rows.filter((cells) => cells[column] !== "" && cells[column] !== "-");
  const bars = found.map((cells) => ({ name: cells[0], cell: cells[column], ...parsed(cells[column]) }));
  const units = new Set(bars.map(({ unit }) => unit));
  return bars.length > 1 && units.size === 1 && !units.has(undefined) ? bars : [];
}

/** A column is of words where no cell is a figure. */
function isOfWords(rows, column) {
  return rows.every((cells) => parsed(cells[column] ?? "") === undefined);
}

/** Titles and bars of a table: a chart a column, and where a second column names figures, one for each of these too. */
function chartsOf([head, , ...lines]) {
  const [header, rows] = [cellsOf(head), lines.map(cellsOf)];
  const isGrouped =
    header.length > 2 && isOfWords(rows, 1) && new Set(rows.map((cells) => cells[1])).size < rows.length;
  const groups = isGrouped ? [...new Set(rows.map((cells) => cells[1]))] : [undefined];
  return groups.flatMap((group) =>
    header.flatMap((title, column) => {
      const bars = column === 0 ? [] : barsOf(isGrouped ? rows.filter((cells) => cells[1] === group) : rows, column);
      // Of two columns of one name, that before says whose they are.
      const whose = header.indexOf(title) === header.lastIndexOf(title) ? undefined : header[column - 1];
      const words = [header[0], group, whose, title].filter((word) => word !== undefined && word !== "").join(" · ");
      return bars.length === 0 ? [] : [{ title: words, bars }];
    }),
  );
}

/** One bar with its interval, over the whole width: the text beside it is HTML, so that it stays as large on a phone. */
function barOf({ value, lo, hi }, low, high) {
  const xOf = (figure) => Number((((figure - low) / (high - low || 1)) * WIDTH).toFixed(1));
  const [from, to] = [xOf(Math.min(0, value)), xOf(Math.max(0, value))];
  const bar = `<rect class="bar" x="${from}" y="2" width="${Math.max(Number((to - from).toFixed(1)), 2)}" height="12"/>`;
  const whisker = lo === undefined ? "" : `<line class="whisker" x1="${xOf(lo)}" y1="8" x2="${xOf(hi)}" y2="8"/>`;
  const axis = `<line class="axis" x1="${xOf(0)}" y1="0" x2="${xOf(0)}" y2="16"/>`;
  return `<svg viewBox="0 0 ${WIDTH} 16" preserveAspectRatio="none" aria-hidden="true">${axis}${bar}${whisker}</svg>`;
}

/** Bars from 0 on one scale, each with its name and its figure as the table has it. */
function figureOf({ title, bars }) {
  const ends = bars.flatMap(({ value, lo = value, hi = value }) => [value, lo, hi]);
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const rows = bars.map((bar) => {
    return `<li><span>${escaped(bar.name)}</span>${barOf(bar, low, high)}<span>${escaped(bar.cell)}</span></li>`;
  });
  return `<figure class="bars"><figcaption>${escaped(title)}</figcaption>\n<ul class="rows">\n${rows.join("\n")}\n</ul></figure>`;
}

const folded = (summary, content, open) =>
  `<details${open ? " open" : ""}><summary>${summary}</summary>\n\n${content}\n\n</details>`;

/** A table with its charts before it. */
function charted(table) {
  const charts = chartsOf(table.split("\n"));
  if (charts.length === 0) return table;
  const figures = charts.map((chart) => figureOf(chart)).join("\n\n");
  const count = `${charts.length} chart${charts.length === 1 ? "" : "s"}`;
  return `${folded(count, figures, charts.length <= OPEN)}\n\n${folded("Table", table, false)}`;
}

/** The text with a chart for each column of figures of each generated table. */
export function withCharts(text) {
  return text.replace(/(?<=<!-- bench: \w+ -->\n\n)[\s\S]*?(?=\n\n<!-- end -->)/g, (block) =>
    block
      .split("\n\n")
      .map((table) => charted(table))
      .join("\n\n"),
  );
}
