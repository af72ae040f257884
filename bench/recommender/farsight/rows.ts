/** The rows of the suite `farsight`: means over seeds, and gains in paired worlds. */

import type { StoredRow } from "../../../src/cli/writing/results.js";
import { meanInterval } from "../../../src/statistics/intervals.js";
import type { Result } from "../../harness/suite.js";
import { APPRENTICE } from "./apprentice.js";
import { ATTACK } from "./attack.js";
import { BOTS_CASES } from "./bots.js";
import { ENSEMBLES } from "./ensembles.js";
import { KNOWN } from "./known.js";
import { LIVE } from "./live.js";
import { LONGTERM } from "./longterm.js";
import { RECSIM } from "./recsim.js";

export const FARSIGHT = [
  ...KNOWN,
  ...RECSIM,
  ...LONGTERM,
  ...LIVE,
  ...BOTS_CASES,
  ...ENSEMBLES,
  ...ATTACK,
  ...APPRENTICE,
];
const PREFIX = "farsight/";

/** A computed row, of a suite of its own. */
type FarsightRow = Result & { suite: string; case: string };

/** Values of one case and metric, in order of seeds. */
interface Series {
  name: string;
  metric: string;
  unit: string;
  seeds: number[];
  values: number[];
}

function seriesOf(rows: readonly StoredRow[]): Series[] {
  const all = new Map<string, Series>();
  for (const { case: own, metric: label, unit, value, seeds } of rows) {
    if (!own.startsWith(PREFIX) || seeds?.length !== 1) continue;
    // Paired cases put the arm before the metric.
    const [metric, arm] = label.split(":").reverse() as [string, string | undefined];
    const name = own.slice(PREFIX.length) + (arm === undefined ? "" : `/${arm}`);
    const key = `${name} ${metric}`;
    const series = all.get(key) ?? { name, metric, unit, seeds: [], values: [] };
    series.seeds.push(seeds[0]!);
    series.values.push(value);
    all.set(key, series);
  }
  return [...all.values()].filter(({ values }) => values.length > 1);
}

/**
 * 100 (sum a / sum b - 1) over paired worlds, with the interval of a ratio of means (Fieller's, to first order): the
 * residuals a - ratio b are what differs between the pairs.
 */
export function pairedGain(
  a: readonly number[],
  b: readonly number[],
): { value: number; lo: number; hi: number; n: number } {
  const total = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0);
  const ratio = total(a) / total(b);
  const { lo, hi } = meanInterval(a.map((x, i) => x - ratio * b[i]!));
  const scale = (100 * b.length) / total(b);
  const value = 100 * (ratio - 1);
  return { value, lo: value + lo * scale, hi: value + hi * scale, n: a.length };
}

const WATCH = "watch_min_per_user_day";
const GAINS = {
  watch_min_per_user_day: "watch_gain_percent",
  sessions_per_user_day: "sessions_gain_percent",
  new_viewer_min_per_session: "new_viewer_gain_percent",
} as const;

/** Values of two series in the worlds that both have. */
function paired(mine: Series, theirs: Series): { mine: number[]; theirs: number[] } {
  const at = mine.seeds.map((seed) => theirs.seeds.indexOf(seed));
  const both = at.flatMap((index, i) => (index < 0 ? [] : [[mine.values[i]!, theirs.values[index]!] as const]));
  return { mine: both.map(([a]) => a), theirs: both.map(([, b]) => b) };
}

/** What each apprentice earns, in percent of what its teacher earns in the same worlds. */
function shares(series: readonly Series[]): FarsightRow[] {
  const watched = series.filter(({ name, metric }) => name.startsWith("apprentice/") && metric === WATCH);
  const teacher = watched.find(({ name }) => name === "apprentice/teacher");
  return watched.flatMap((each) => {
    if (teacher === undefined || each === teacher) return [];
    const { mine, theirs } = paired(each, teacher);
    if (mine.length < 2) return [];
    const { value, lo, hi, n } = pairedGain(mine, theirs);
    const common = { suite: "farsight", case: each.name, metric: "watch_of_teacher_percent", unit: "%" };
    return [{ ...common, value: 100 + value, lo: 100 + lo, hi: 100 + hi, n }];
  });
}

/** Gains of each arm of the settings of a kind over one of its arms, in the worlds that both have. */
function gains(series: readonly Series[], kind: string, over: string): FarsightRow[] {
  const own = series.filter(({ name }) => name === kind || name.startsWith(`${kind}-`) || name.startsWith(`${kind}/`));
  return own.flatMap((each) => {
    const { name, metric } = each;
    const [setting] = name.split("/");
    const base = own.find((other) => other.name === `${setting}/${over}` && other.metric === metric);
    if (base === undefined || name === base.name) return [];
    const { mine, theirs } = paired(each, base);
    if (mine.length < 2) return [];
    const common = { suite: "farsight", case: `${name}-over-${over}` };
    if (metric in GAINS) {
      return [{ ...common, metric: GAINS[metric as keyof typeof GAINS], unit: "%", ...pairedGain(mine, theirs) }];
    }
    return [{ ...common, metric: `${metric}_gain`, unit: "1", ...meanInterval(mine.map((a, i) => a - theirs[i]!)) }];
  });
}

/** Share of good streams from which a seed counts as solved. */
const SOLVED = 0.9;

/** The share of seeds with which the recommender solved a world with a known answer. */
function solved({ name, metric, seeds, values }: Series): FarsightRow[] {
  if (metric !== "good_share" || !name.endsWith("/dqn")) return [];
  const value = values.filter((share) => share >= SOLVED).length / values.length;
  return [{ suite: "farsight", case: name, metric: "solved_share", unit: "share", seeds, value, n: values.length }];
}

/** Means with intervals of all cases that ran with several seeds, and the gains. */
export function farsightRows(rows: readonly StoredRow[]): FarsightRow[] {
  const series = seriesOf(rows);
  const means = series.map(({ name, metric, unit, seeds, values }) => ({
    suite: "farsight",
    case: name,
    metric,
    unit,
    seeds,
    ...meanInterval(values),
  }));
  const all = [
    ...gains(series, "live", "gamma-0"),
    ...gains(series, "bots", "none"),
    ...gains(series, "defences", "none"),
    ...gains(series, "defences", "off"),
    ...gains(series, "explore", "epsilon"),
    ...gains(series, "attack", "plain"),
    ...shares(series),
  ];
  return [...means, ...series.flatMap(solved), ...all];
}

/** Whether a row is one seed's share of a mean. */
export function isOneSeed({ case: name, seeds }: StoredRow): boolean {
  return name.startsWith(PREFIX) && seeds?.length === 1;
}
