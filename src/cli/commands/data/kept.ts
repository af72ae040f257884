import type { QualityReport } from "../../../logs/index.js";

/** What may help where most items were dropped for a reason. */
const HELP: Readonly<Record<string, string>> = {
  late: '"--order sort" sorts them in',
  "stream not on air": '"--off-air keep" keeps them',
  "time out of range": "times must be milliseconds since 1970, and within --from and --to",
  unreadable: '"--strict" stops at the first one',
};

export interface KeptOptions {
  /** Least share of the items to keep; 0 for any. */
  minKept: number;
  /** Whether a range of time was asked for: what lies outside is not counted. */
  isRange: boolean;
  /** Names of the inputs, for messages. */
  title: string;
  /** What they hold where they hold no items. */
  nothing: string;
}

/**
 * The failure of a run that could keep too few of the items read, with every reason and an example of each; undefined if
 * it kept enough.
 *
 * @param things - `events` or `ratings`.
 */
export function tooFew(report: QualityReport, things: string, options: KeptOptions): Error | undefined {
  const { minKept, isRange, title } = options;
  if (report.read === 0) return new Error(`${title}: holds no ${things}: ${options.nothing}`);
  const outside = isRange ? (report.droppedBy["time out of range"] ?? 0) : 0;
  const asked = report.read - outside;
  const isEnough = minKept === 0 || (report.kept > 0 && report.kept >= minKept * asked);
  if (isEnough) return undefined;
  const share = asked === 0 ? "" : ` (${percent(report.kept / asked)})`;
  const range = outside > 0 ? " in the range of time" : "";
  const first = `kept ${figure(report.kept)} of ${figure(asked)} ${things}${range}${share}, less than --min-kept`;
  return new Error([`${title}: ${first} ${percent(minKept)}:`, ...reasonLines(report)].join("\n"));
}

/** Every reason to drop items, the most frequent first, with an example. */
export function reasonLines({ droppedBy, examplesBy }: QualityReport): string[] {
  const reasons = Object.entries(droppedBy).sort(([, a], [, b]) => b - a);
  return reasons.map(([reason, n], i) => {
    const example = examplesBy[reason];
    const help = i === 0 ? HELP[reason] : undefined;
    return `  ${figure(n)} ${reason}${example ? `, such as ${plain(example)}` : ""}${help ? `; ${help}` : ""}`;
  });
}

/** Text from a file without control characters, for the terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, (mark) => JSON.stringify(mark).slice(1, -1));
}

function figure(n: number): string {
  return n.toLocaleString("en");
}

function percent(share: number): string {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(digits)} %`;
}
