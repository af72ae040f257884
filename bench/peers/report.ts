/** Figures as rows, and as README's table. */
import type { Row } from "../../src/cli/writing/results.js";
import { METRICS, type Metric, median } from "./timing.js";

/** The samples of a peer at a shape, in microseconds. */
export interface Result {
  peer: string;
  /** What it is, {} standing for its version. */
  label: string;
  version: string;
  /** What it ran on, where that is no part of itself. */
  runtime?: string;
  shape: string;
  metric: Metric;
  /** In which of its forms. */
  variant: string;
  samples: readonly number[];
}

/** Who has no figures, and why. */
export interface Absence {
  label: string;
  reason: string;
}

/** The peer that the others are measured by. */
export const OWN = "liveq";

/** A label with a version in its place; without, where it is not known. */
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

const unique = (values: readonly string[]) => [...new Set(values)];

/**
 * How many times LiveQ's time a result is, where LiveQ has one: the median over rounds, which a slow spell of the machine
 * hardly changes; of medians for a peer that was not in all rounds.
 */
function ratioOf(result: Result, results: readonly Result[]): number | undefined {
  const { shape, metric, samples } = result;
  const own = results.find((other) => other.peer === OWN && other.shape === shape && other.metric === metric);
  if (!own) return undefined;
  if (own.samples.length !== samples.length) return median(samples) / median(own.samples);
  return median(samples.map((sample, i) => sample / own.samples[i]!));
}

/** Rows for a file; lo and hi are the fastest and the slowest sample. */
export function rowsOf(results: readonly Result[]): (Row & { runtime: string })[] {
  return results.flatMap((result) => {
    const { peer, shape, metric, samples } = result;
    const runtime = [titled(result.label, result.version), result.variant, result.runtime].filter(Boolean).join(", ");
    const common = { suite: "peers", case: `${metric}/${shape}/${peer}`, runtime };
    const figure = {
      ...{ ...common, metric: "median_us", value: median(samples), unit: "us", n: samples.length },
      ...{ lo: Math.min(...samples), hi: Math.max(...samples) },
    };
    const ratio = ratioOf(result, results);
    return ratio === undefined ? [figure] : [figure, { ...common, metric: "ratio", value: ratio, unit: "x" }];
  });
}

/** A table for each metric: a line for each peer, a column for each shape. */
export function tablesOf(results: readonly Result[]): string {
  const shapes = unique(results.map(({ shape }) => shape));
  return METRICS.filter((metric) => results.some((result) => result.metric === metric))
    .map((metric) => {
      const own = results.filter((result) => result.metric === metric);
      const lines = unique(own.map(({ peer }) => peer)).map((name) => {
        const mine = own.filter(({ peer }) => peer === name);
        const versions = unique(mine.map(({ version }) => version)).join(" or ");
        const title = titled(mine[0]!.label, versions);
        const cells = shapes.map((each) =>
          cellOf(
            mine.find(({ shape }) => shape === each),
            results,
          ),
        );
        return [title, ...cells].map((cell) => (name === OWN ? `**${cell}**` : cell));
      });
      return markdown([TITLES[metric], ...shapes], lines);
    })
    .join("\n\n");
}

function cellOf(result: Result | undefined, results: readonly Result[]): string {
  if (!result) return "-";
  const time = duration(median(result.samples));
  const ratio = ratioOf(result, results);
  return result.peer === OWN || ratio === undefined ? time : `${time} (${multiple(ratio)})`;
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

/** All that stands between the markers of a README. */
export function sectionOf(
  results: readonly Result[],
  { notes, absences, machine }: { notes: readonly string[]; absences: readonly Absence[]; machine: string },
): string {
  const sentences = [
    `${machine}.`,
    ...notes.map((note) => `${note}.`),
    ...(absences.length > 0
      ? [`Not here: ${absences.map(({ label, reason }) => `${label} (${reason})`).join("; ")}.`]
      : []),
  ];
  return `${tablesOf(results)}\n\n${wrapped(sentences.join(" "))}`;
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
