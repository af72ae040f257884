/** Tables of figures as charts: those between the marks of bench/README.md. */
import { build } from "esbuild";
import { escaped } from "./markdown.mjs";

/** A table with more charts than these keeps them folded. */
const OPEN = 6;
/** What the chart of a report keeps for names, and what a letter takes, in its units. */
const NAMES = 190;
const LETTER = 6.4;
/** Microseconds. */
const TIMES = { us: 1, ms: 1000, s: 1e6 };
const NUMBER = String.raw`(-?[\d,]*\.?\d+)`;
/** Value, unit and interval; then what else is said in brackets. */
const CELL = new RegExp(`^${NUMBER}(?: (us|ms|s|%|events/s))?(?: \\[${NUMBER}, ${NUMBER}\\])?(?: \\([^)]*\\))?$`);

/** The renderer of the reports: it is TypeScript, so it is built first. */
export async function loadCharts() {
  const entryPoints = ["src/cli/reports/charts.ts"];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: "esm", write: false });
  const { barChart } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`
  );
  return barChart;
}

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
      const words = [header[0], group, title].filter((word) => word !== undefined && word !== "").join(" · ");
      return bars.length === 0 ? [] : [{ title: words, bars }];
    }),
  );
}

/** The chart of a report, with names that are not cut, room for them, and the figures as the table has them. */
function asInTable(svg, title, bars) {
  const more = Math.max(0, Math.ceil(LETTER * Math.max(...bars.map(({ name }) => name.length))) - NAMES);
  const [names, cells] = [bars.map(({ name }) => name), bars.map(({ cell }) => cell)];
  const label = `${title}: ${bars.map(({ name, cell }) => `${name} ${cell}`).join("; ")}`;
  return svg
    .replace(/viewBox="0 0 (\d+)/, (_, width) => `viewBox="${-more} 0 ${Number(width) + more}`)
    .replace(/(?<=aria-label=")[^"]*/, () => escaped(label))
    .replace(/(?<=text-anchor="end">)[^<]*/g, () => escaped(names.shift()))
    .replace(/(?<=text-anchor="start">)[^<]*/g, () => escaped(cells.shift()));
}

function figureOf({ title, bars }, barChart) {
  const svg = asInTable(barChart(title, bars), title, bars);
  const picture = `<div class="scroll" tabindex="0" role="group" aria-label="Chart">${svg}</div>`;
  return `<figure class="bars"><figcaption>${escaped(title)}</figcaption>\n${picture}</figure>`.replace(/\n+/g, "\n");
}

const folded = (summary, content, open) =>
  `<details${open ? " open" : ""}><summary>${summary}</summary>\n\n${content}\n\n</details>`;

/** A table with its charts before it. */
function charted(table, barChart) {
  const charts = chartsOf(table.split("\n"));
  if (charts.length === 0) return table;
  const figures = charts.map((chart) => figureOf(chart, barChart)).join("\n\n");
  const count = `${charts.length} chart${charts.length === 1 ? "" : "s"}`;
  return `${folded(count, figures, charts.length <= OPEN)}\n\n${folded("Table", table, false)}`;
}

/** The text with a chart for each column of figures of each generated table. */
export function withCharts(text, barChart) {
  return text.replace(/(?<=<!-- bench: \w+ -->\n\n)[\s\S]*?(?=\n\n<!-- end -->)/g, (block) =>
    block
      .split("\n\n")
      .map((table) => charted(table, barChart))
      .join("\n\n"),
  );
}
