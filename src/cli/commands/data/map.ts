import { checkMapping, type EventMapping, emptyQualityReport, readMapped } from "../../../logs/index.js";
import type { LiveEvent } from "../../../protocol/index.js";
import { type GuessedMapping, guessMapping, type Sample, sampleOf } from "../../guessing/index.js";
import { Inputs } from "../../reading/input.js";
import { STANDARD, tryOutputs, writeJson } from "../../writing/output.js";

export interface MapOptions {
  out?: string;
}

/** Most bytes of a sample. */
const BYTES = 2 << 20;

async function firstBytes(inputs: Inputs, name: string): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  let isWhole = true;
  for await (const piece of inputs.open(name)) {
    pieces.push(piece);
    length += piece.length;
    if (length >= BYTES) {
      isWhole = false;
      break;
    }
  }
  return { bytes: Buffer.concat(pieces), isWhole };
}

/** The events that a mapping reads from the sample, by kind, and why others are not. */
async function tried(mapping: EventMapping, text: string) {
  const report = emptyQualityReport();
  const kinds = new Map<LiveEvent["kind"], number>();
  for await (const { kind } of readMapped(text, mapping, { onError: "skip", report })) {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return { report, kinds };
}

function explanation({ guesses, notes, unused }: GuessedMapping, { rows, about }: Sample): string[] {
  const width = Math.max(0, ...guesses.map(({ what }) => what.length));
  return [
    `looked at ${rows} rows: ${about.join("; ")}`,
    ...guesses.map(({ what, from, why, others }) => {
      const more = others.length === 0 ? "" : `; or else ${others.slice(0, 3).join(", ")}`;
      return `  ${what.padEnd(width)}  ${from}: ${why}${more}`;
    }),
    ...(unused.length === 0 ? [] : [`not used: ${unused.slice(0, 20).join(", ")}${unused.length > 20 ? ", ..." : ""}`]),
    ...notes.map((note) => `note: ${note}`),
  ];
}

/**
 * Looks at the first rows of a file, and writes a mapping with its guesses explained on stderr.
 * @throws Error that names what could not be found: a time, a user, an item.
 */
export async function map(file: string, { out = STANDARD }: MapOptions, signal: AbortSignal): Promise<void> {
  tryOutputs(out);
  const inputs = new Inputs([file], signal);
  const [name] = inputs.names;
  const { bytes, isWhole } = await firstBytes(inputs, name!);
  let sample: Sample;
  try {
    sample = await sampleOf(bytes, isWhole);
  } catch (cause) {
    throw new Error(`${inputs.title}: ${(cause as Error).message}`, { cause });
  }
  const guessed = guessMapping(sample);
  const say = (lines: readonly string[]) => process.stderr.write(`${lines.map(plain).join("\n")}\n`);
  say(explanation(guessed, sample));
  if (guessed.mapping === undefined) {
    const names = sample.columns
      .map((column) => column.name)
      .slice(0, 20)
      .join(", ");
    const wanted = guessed.missing.join(" and ");
    throw new Error(`${inputs.title}: no column found for ${wanted} among ${plain(names)}; write the mapping by hand`);
  }
  checkMapping(guessed.mapping);
  const { report, kinds } = await tried(guessed.mapping, sample.text);
  const read = [...kinds.values()].reduce((sum, n) => sum + n, 0);
  const byKind = Array.from(kinds, ([kind, n]) => `${n} ${kind}`).join(", ");
  say([
    `the mapping reads ${read} events of ${sample.total} rows${byKind === "" ? "" : `: ${byKind}`}`,
    ...(report.leftOut === undefined ? [] : [`left out on purpose: ${report.leftOut} rows`]),
    ...(report.dropped === 0 ? [] : [`not readable: ${report.dropped} rows, e.g. ${report.examples[0]}`]),
    ...Object.keys(report.warnings ?? {}).map((what) => `warning: ${what}`),
    `next: liveq prepare ${file} --map ${out === STANDARD ? "map.json" : out} --out data`,
  ]);
  if (read === 0) throw new Error(`${inputs.title}: the mapping reads none of the rows`);
  writeJson(out, guessed.mapping);
}

/** Text from a file without control characters for the terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, (mark) => JSON.stringify(mark).slice(1, -1));
}
