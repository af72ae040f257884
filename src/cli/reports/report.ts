import { type Bar, type Bin, barChart, type Curve, calibrationChart, lineChart } from "./charts.js";
import { escaped, htmlDocument, htmlTable } from "./html.js";

/** One figure, as the rows of `--json` have it. */
export interface ReportedRow {
  readonly case: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly lo?: number;
  readonly hi?: number;
  readonly n?: number;
}

/** Curves over one axis: of a training, of a simulation. */
export interface Plot {
  readonly title: string;
  readonly x: { readonly label: string; readonly values: readonly number[] };
  readonly curves: readonly Curve[];
}

/** A table with a title: what was read and what was dropped, for example. */
export interface Listing {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Predicted values of choices beside the returns that followed. */
export interface Calibration {
  readonly title: string;
  /** What the returns are, in a sentence. */
  readonly about: string;
  /** By what was predicted, the lowest first; with the number of choices of each. */
  readonly bins: readonly (Bin & { readonly n: number })[];
  /** Of all choices: mean prediction, mean return, their difference and its root mean square. */
  readonly overall: readonly (Pick<Bin, "lo" | "hi"> & { readonly what: string; readonly value: number })[];
}

/** What a report is made of. */
export interface ReportContent {
  /** `liveq evaluate`. */
  readonly title: string;
  /** What the figures mean, a sentence each. */
  readonly verdicts: readonly string[];
  readonly plots: readonly Plot[];
  /** Default: none. */
  readonly calibrations?: readonly Calibration[];
  readonly listings: readonly Listing[];
  /** Names of slices: a row whose case ends in `/NAME` is of one. Default: none are. */
  readonly slices?: readonly string[];
  readonly rows: readonly ReportedRow[];
  /** Options that were in force. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How to run it again: the words of the command line, behind the program's name. Default `liveq`. */
  readonly line: readonly string[];
  readonly program?: string;
  /** Where and with what it ran: version, commit, runtime, machine, seconds. */
  readonly place: Readonly<Record<string, string>>;
}

const STYLE = `:root{color-scheme:light dark;--ground:light-dark(#f6f7f9,#14171c);--card:light-dark(#fff,#1c2027);
--line:light-dark(#d5d9e0,#353b45);--text:light-dark(#1b1f26,#e8ebf0);--quiet:light-dark(#555d69,#a4acb8);
--s1:light-dark(#1659c7,#7db1ff);--s2:light-dark(#b45309,#f3b15f);--s3:light-dark(#137a5b,#63d2ac);--s4:light-dark(#8a3ffc,#c4a3ff)}
body{margin:0 auto;max-width:900px;padding:1rem;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,sans-serif}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem;margin:0 0 1rem;overflow-x:auto}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:0 0 .5rem}h3{font-size:.95rem;margin:1rem 0 .3rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line)}
.number{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto;font:12px system-ui,sans-serif}
text{fill:var(--text)}.quiet{fill:var(--quiet)}.bar{fill:var(--s1);opacity:.55}.whisker{stroke:var(--text);stroke-width:2}
.axis{stroke:var(--quiet)}.same{stroke:var(--quiet);stroke-dasharray:5 4}.point{fill:var(--s1)}.grid{stroke:var(--line)}path{fill:none;stroke-width:2}figure{margin:0 0 1rem}
.line-1{stroke:var(--s1)}.line-2{stroke:var(--s2)}.line-3{stroke:var(--s3)}.line-4{stroke:var(--s4)}
[class^=legend]{margin-left:.8rem;font-weight:600}.legend-1{color:var(--s1)}.legend-2{color:var(--s2)}.legend-3{color:var(--s3)}
.legend-4{color:var(--s4)}pre{overflow:auto;white-space:pre-wrap}`;

/** It has its style in it, and loads nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** Bars of one chart at the most; the table has all. */
const BARS = 24;

function section(title: string, content: string): string {
  return content === "" ? "" : `<section>\n<h2>${escaped(title)}</h2>\n${content}\n</section>`;
}

function charts(rows: readonly ReportedRow[]): string {
  const byMetric = new Map<string, Bar[]>();
  for (const { case: name, metric, unit, value, lo, hi } of rows) {
    const title = `${metric}${unit === "" || unit === "1" ? "" : `, ${unit}`}`;
    byMetric.set(title, [...(byMetric.get(title) ?? []), { name, value, lo, hi }]);
  }
  return [...byMetric]
    .map(([title, bars]) => `<h3>${escaped(title)}</h3>\n${barChart(title, bars.slice(0, BARS))}`)
    .join("\n");
}

/** The slice that a row is of; undefined where it is of all cases. */
function sliceOf({ case: name }: ReportedRow, slices: readonly string[]): string | undefined {
  const last = name.slice(name.lastIndexOf("/") + 1);
  return name.includes("/") && slices.includes(last) ? last : undefined;
}

/** For each metric and policy a chart of its slices, where it has some. */
function bySlice(rows: readonly ReportedRow[], slices: readonly string[]): string {
  const groups = new Map<string, ReportedRow[]>();
  for (const row of rows) {
    const slice = sliceOf(row, slices);
    const name = slice === undefined ? row.case : row.case.slice(0, -slice.length - 1);
    const key = JSON.stringify([row.metric, name]);
    groups.set(key, [...(groups.get(key) ?? []), { ...row, case: (slice ?? "all").replaceAll("_", " ") }]);
  }
  const parts = [...groups].filter(([, own]) => own.length > 1);
  return parts
    .map(([key, own]) => {
      const [metric, name] = JSON.parse(key) as [string, string];
      const unit = own[0]!.unit === "" || own[0]!.unit === "1" ? "" : `, ${own[0]!.unit}`;
      const title = `${name}: ${metric}${unit}`;
      const bars = own.map(({ case: slice, value, lo, hi }) => ({ name: slice, value, lo, hi }));
      return `<details><summary>${escaped(title)}</summary>\n${barChart(title, bars)}\n</details>`;
    })
    .join("\n");
}

function calibrated({ title, about, bins, overall }: Calibration): string {
  const rows = bins.map(({ predicted, realised, lo, hi, n }) => [predicted, realised, lo, hi, n]);
  const header = ["predicted", "return", "lo", "hi", "choices"];
  const all = overall.map(({ what, value, lo, hi }) => [what, value, lo, hi]);
  return [
    `<p>${escaped(about)}</p>`,
    calibrationChart(title, bins),
    htmlTable(["of all choices", "value", "lo", "hi"], all),
    `<h3>By tenth of the predictions</h3>\n${htmlTable(header, rows)}`,
  ].join("\n");
}

function allRows(rows: readonly ReportedRow[]): string {
  if (rows.length === 0) return "";
  const cells = rows.map(({ case: name, metric, value, unit, lo, hi, n }) => {
    return [name, metric, value, unit, lo ?? Number.NaN, hi ?? Number.NaN, n ?? Number.NaN];
  });
  return htmlTable(["case", "metric", "value", "unit", "lo", "hi", "n"], cells).replaceAll("unknown", "");
}

/** Words of a command line as a shell takes them. */
function quoted(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A report as one file of HTML: it loads nothing, runs nothing, and can be sent to others. */
export function renderReport(content: ReportContent): string {
  const { title, verdicts, plots, calibrations = [], listings, slices = [], rows, options, line, place } = content;
  const { program = "liveq" } = content;
  const whole = rows.filter((row) => sliceOf(row, slices) === undefined);
  const pairs = (of: Readonly<Record<string, unknown>>) =>
    Object.entries(of).map(([name, value]) => [
      name,
      typeof value === "string" ? value : (JSON.stringify(value) ?? ""),
    ]);
  const means = verdicts.map((sentence) => `<p>${escaped(sentence)}</p>`).join("\n");
  const curves = plots.map((plot) => lineChart(plot.title, plot.x, plot.curves)).join("\n");
  const parts = [
    section("What the figures mean", means),
    section("Curves", curves),
    section("Figures, with 95 % intervals where there are any", charts(whole)),
    section("By slice: new and known viewers and streamers", bySlice(rows, slices)),
    ...calibrations.map((one) => section(one.title, calibrated(one))),
    ...listings.map((listing) => section(listing.title, htmlTable(listing.header, listing.rows))),
    section("All figures", allRows(rows)),
    section("Options", Object.keys(options).length === 0 ? "" : htmlTable(["option", "value"], pairs(options))),
    section(
      "To repeat it",
      `<pre>${escaped(program)} ${escaped(line.map(quoted).join(" "))}</pre>\n${htmlTable(["what", "is"], pairs(place))}`,
    ),
  ];
  const shown = [`<h1>${escaped(title)}</h1>`, ...parts.filter((part) => part !== "")].join("\n");
  return htmlDocument({
    ...{ title, policy: POLICY, head: `<style>${STYLE}</style>` },
    body: `<body>\n${shown}\n</body>`,
  });
}
