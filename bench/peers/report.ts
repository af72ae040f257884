/** Figures as rows, and as the table of bench/README.md. */
import type { StoredRow } from "../../src/cli/writing/results.js";
import type { Result } from "../harness/suite.js";
import { spreadOf } from "../harness/timing.js";
import { METRICS, type Metric } from "./timing.js";

/** The samples of a peer at a shape, in microseconds. */
export interface Samples {
  peer: string;
  shape: string;
  metric: Metric;
  /** What ran: its title, the form of it and the runtime. */
  runtime: string;
  samples: readonly number[];
}

/** How a table names a peer. */
export interface Entry {
  name: string;
  /** {} stands for its version. */
  label: string;
  /** The names of its forms, which follow its title in the rows. */
  forms: readonly string[];
}

/** A peer without figures, and why. */
export interface Absence {
  label: string;
  reason: string;
}

/** The peer that the others are measured by. */
export const OWN = "liveq" as const;

/** A label with a version in its place; without one where it is not known. */
export function titled(label: string, version = ""): string {
  return label.replace(version ? "{}" : /,? by \{\}|,? ?\{\}/, version);
}

const TITLES: Record<Metric, string> = {
  train: "train step",
  act: "one decision",
  act64: "decisions for 64 rows",
};

const START = "<!-- bench:peers -->";
const END = "<!-- /bench:peers -->";
const LINE_LENGTH = 120;

/** A duration as a table shows it: `0.77 us`, `1,236 us`, `22.2 ms`, `32.6 s`. */
export function duration(us: number): string {
  if (us < 10) return `${us.toFixed(2)} us`;
  if (us < 100) return `${us.toFixed(1)} us`;
  if (us < 10_000) return `${Math.round(us).toLocaleString("en")} us`;
  if (us < 1_000_000) return `${(us / 1000).toPrecision(3)} ms`;
  return `${(us / 1e6).toPrecision(3)} s`;
}

/** A multiple as a table shows it: `0.29`, `1.25`, `13.5`, `952`. */
export function multiple(ratio: number): string {
  if (ratio < 10) return ratio.toFixed(2);
  return ratio < 100 ? ratio.toFixed(1) : Math.round(ratio).toLocaleString("en");
}

const median = (samples: readonly number[]) => spreadOf(samples).median;

const unique = (values: readonly string[]) => [...new Set(values)];

/**
 * How many times LiveQ's time a peer takes, where LiveQ has one: the median over rounds, which a slow spell of the machine
 * hardly changes; of medians for a peer that was not in all rounds.
 */
function ratioOf({ samples }: Samples, own: Samples | undefined): number | undefined {
  if (!own) return undefined;
  if (own.samples.length !== samples.length) return median(samples) / median(own.samples);
  return median(samples.map((sample, i) => sample / own.samples[i]!));
}

/** Rows of samples; lo and hi are the fastest and the slowest. */
export function rowsOf(all: readonly Samples[]): Result[] {
  return all.flatMap((each) => {
    const { peer, shape, metric, samples, runtime } = each;
    const { min, median: value, max } = spreadOf(samples);
    const common = { case: `${metric}/${shape}/${peer}`, runtime };
    const figure = { ...common, metric: "median_us", value, unit: "us", n: samples.length, lo: min, hi: max };
    const own = all.find((other) => other.peer === OWN && other.shape === shape && other.metric === metric);
    const ratio = ratioOf(each, own);
    return ratio === undefined ? [figure] : [figure, { ...common, metric: "ratio", value: ratio, unit: "x" }];
  });
}

/** The version of a peer that a row names, "" where it does not. */
function versionOf(runtime: string, { label, forms }: Entry): string {
  const titleAndForm = runtime.replace(/, node [\d.]+$/, "");
  const form = forms.find((each) => each !== "" && titleAndForm.endsWith(`, ${each}`));
  const title = form ? titleAndForm.slice(0, -`, ${form}`.length) : titleAndForm;
  const [before = "", after = ""] = label.split("{}");
  if (!title.startsWith(before) || !title.endsWith(after)) return "";
  return title.slice(before.length, title.length - after.length);
}

/** A table for each metric: a line for each peer, a column for each shape. */
export function tablesOf(rows: readonly StoredRow[], entries: readonly Entry[]): string {
  const places = rows.map((row) => ({
    row,
    place: row.case.split("/") as [metric: string, shape: string, peer: string],
  }));
  const shapes = unique(places.map(({ place }) => place[1]));
  return METRICS.filter((metric) => places.some(({ place }) => place[0] === metric))
    .map((metric) => {
      const own = places.filter(({ place }) => place[0] === metric);
      const lines = unique(own.map(({ place }) => place[2])).map((name) => {
        const mine = own.filter(({ place }) => place[2] === name);
        const entry = entries.find((each) => each.name === name) ?? { name, label: name, forms: [] };
        const versions = unique(mine.map(({ row }) => versionOf(row.runtime, entry))).join(" or ");
        const cells = shapes.map((shape) =>
          cellOf(mine.filter(({ place }) => place[1] === shape).map(({ row }) => row)),
        );
        return [titled(entry.label, versions), ...cells].map((cell) => (name === OWN ? `**${cell}**` : cell));
      });
      return markdown([TITLES[metric], ...shapes], lines);
    })
    .join("\n\n");
}

/** A figure as a table shows it, with its multiple of LiveQ's in brackets; `-` where there is none. */
export function cellOf(rows: readonly StoredRow[]): string {
  const of = (metric: string) => rows.find((row) => row.metric === metric);
  const [time, ratio] = [of("median_us"), of("ratio")];
  if (!time) return "-";
  if (!ratio || time.case.endsWith(`/${OWN}`)) return duration(time.value);
  return `${duration(time.value)} (${multiple(ratio.value)})`;
}

function markdown(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [row(header), `|---|${"--:|".repeat(header.length - 1)}`, ...lines.map(row)].join("\n");
}

/** A text in lines that are not too long. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= LINE_LENGTH) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join("\n");
}

/** The text between the markers of a README. */
export function sectionOf(
  tables: string,
  { notes, absences, machine }: { notes: readonly string[]; absences: readonly Absence[]; machine: string },
): string {
  const sentences = [
    `${machine}.`,
    ...notes.map((note) => `${note}.`),
    ...(absences.length > 0
      ? [`Not here: ${absences.map(({ label, reason }) => `${label} (${reason})`).join("; ")}.`]
      : []),
  ];
  return `${tables}\n\n${wrapped(sentences.join(" "))}`;
}

/**
 * A text with another section between its markers.
 * @throws Error where it has no markers.
 */
export function replaced(text: string, section: string): string {
  const start = text.indexOf(START);
  const end = text.indexOf(END);
  if (start < 0 || end < start) throw new Error(`there is no ${START} before a ${END}`);
  return `${text.slice(0, start + START.length)}\n\n${section}\n\n${text.slice(end)}`;
}
