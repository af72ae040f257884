import { evaluateBandit, itemShares } from "../../../evaluation/index.js";
import { type BanditLog, collectBanditLog, readOpenBanditItems } from "../../../logs/index.js";
import type { Id } from "../../../protocol/index.js";
import { arithmeticMean, bootstrapInterval, type Figure } from "../../../statistics/index.js";
import { formatOf, Inputs } from "../../reading/input.js";
import { cell, grid, rowsOf } from "../../writing/figures.js";
import { print } from "../../writing/output.js";
import { writeRows } from "../../writing/results.js";

export interface BanditEvaluation {
  /** Files or folders of logged choices with their probabilities. */
  bandit: string[];
  /** The log of another policy, to estimate its value from the first log. */
  other?: string[];
  clip?: number;
  minEss?: number;
  seed: number;
  json?: string;
}

/** Choices that the click rate of an item begins with: those of an average item. Set by hand. */
const PRIOR = 100;

/** Ids of the items of a folder, in the order of its `item_context.csv`; none without one. */
async function itemsOf(inputs: Inputs): Promise<Id[]> {
  const file = inputs.names.find((name) => /(?:^|[\\/])item_context\.csv$/.test(name));
  if (file === undefined) return [];
  const items = await readOpenBanditItems(inputs.open(file), file);
  return items.map(({ item }) => item);
}

/** @throws Error for a log of another layout, or one without choices. */
async function readLog(paths: readonly string[], signal: AbortSignal, before: readonly Id[] = []): Promise<BanditLog> {
  const inputs = new Inputs(paths, signal);
  const format = await formatOf(inputs, "auto");
  if (format.yields !== "bandit") {
    throw new Error(
      `${inputs.title}: must hold logged choices with probabilities, got ${format.yields} (${format.name})`,
    );
  }
  const items = new Set([...before, ...(await itemsOf(inputs))]);
  const log = await collectBanditLog(
    format.read(inputs.names, (name) => inputs.open(name)),
    items,
  );
  if (log.n === 0) throw new Error(`${inputs.title}: must hold logged choices, got none`);
  return log;
}

/** The records of a log at some places. */
function selected(log: BanditLog, places: Int32Array): BanditLog {
  const { context, affinity, affinities, featureNames } = log;
  const wide = (rows: Float32Array, width: number) => {
    const out = new Float32Array(places.length * width);
    for (const [i, place] of places.entries()) out.set(rows.subarray(place * width, (place + 1) * width), i * width);
    return out;
  };
  return {
    ...log,
    n: places.length,
    time: Float64Array.from(places, (i) => log.time[i]!),
    action: places.map((i) => log.action[i]!),
    position: places.map((i) => log.position[i]!),
    reward: Float32Array.from(places, (i) => log.reward[i]!),
    propensity: Float64Array.from(places, (i) => log.propensity[i]!),
    context: wide(context, featureNames.length),
    affinity: wide(affinity, affinities),
  };
}

/** The earlier and the later half of a log: what is fitted on one is judged on the other. */
function halves(log: BanditLog): [BanditLog, BanditLog] {
  const order = Int32Array.from({ length: log.n }, (_, i) => i).sort((a, b) => log.time[a]! - log.time[b]! || a - b);
  const middle = order.length >> 1;
  return [selected(log, order.subarray(0, middle)), selected(log, order.subarray(middle))];
}

/** (positions, items): each item in proportion to its click rate at a position, by a log that shows all of them. */
function byClicks({ n, positions, items, action, position, reward }: BanditLog): Float64Array {
  const shown = new Float64Array(positions * items.length);
  const clicks = new Float64Array(positions * items.length);
  for (let i = 0; i < n; i++) {
    const at = position[i]! * items.length + action[i]!;
    shown[at]!++;
    clicks[at]! += reward[i]!;
  }
  // A log without a click says nothing of them.
  const mean = (n === 0 ? 0 : arithmeticMean(reward)) || 1;
  const chances = shown.map((count, at) => (clicks[at]! + PRIOR * mean) / (count + PRIOR));
  for (let from = 0; from < chances.length; from += items.length) {
    const at = chances.subarray(from, from + items.length);
    const sum = at.reduce((total, one) => total + one, 0);
    for (let i = 0; i < at.length; i++) at[i]! /= sum;
  }
  return chances;
}

/**
 * Estimates, from logged choices with their probabilities, what other policies would earn a choice: one that shows every
 * item equally often, one that shows items in proportion to their click rates at each position in the earlier half, and on
 * request the policy of another log, by the share of each item at each position. What is fitted on the earlier half is judged on the later one.
 */
export async function evaluateBandits(options: BanditEvaluation, signal: AbortSignal): Promise<boolean> {
  const { bandit, other, clip, minEss, seed, json } = options;
  const theirs = other && (await readLog(other, signal));
  const log = await readLog(bandit, signal, theirs?.items);
  const [earlier, later] = halves(log);
  const count = log.items.length;
  const uniform = new Float64Array(log.positions * count).fill(1 / count);
  const policies: [string, Float64Array, BanditLog][] = [
    ["uniform", uniform, log],
    ["by-clicks", byClicks(earlier), later],
  ];
  if (theirs !== undefined) {
    const shares = new Float64Array(log.positions * count);
    shares.set(
      itemShares({ ...theirs, positions: Math.min(theirs.positions, log.positions) }, count).subarray(0, shares.length),
    );
    policies.push(["other", shares, log]);
  }
  const weights = { ...(clip !== undefined && { clip }), ...(minEss !== undefined && { minEss }) };
  const results = policies.map(([name, chances, judged]) => {
    const rowOf = (i: number) => chances.subarray(judged.position[i]! * count, (judged.position[i]! + 1) * count);
    return { name, n: judged.n, figures: evaluateBandit(judged, rowOf, weights, { seed }) };
  });
  const find = (metric: string, name: string) =>
    results.find((one) => one.name === name)!.figures.find((figure) => figure.metric === metric);
  const metrics = [...new Set(results.flatMap(({ figures }) => figures.map(({ metric }) => metric)))];
  const names = results.map(({ name }) => name);
  const own = theirs && bootstrapInterval(theirs.reward);
  const lines = [
    `clicks a choice, ${log.n} choices, by-clicks on the ${later.n} latest; mean [95 % interval by context]`,
    ...(own ? [`other earned ${cell(own)} in its own log of ${theirs.n} choices`] : []),
  ];
  print(`${grid(metrics, names, find)}\n${lines.join("\n")}\n`, json);
  for (const { name, n } of results) {
    const ess = find("ess", name)!.value;
    if (find("ips", name) !== undefined) continue;
    const why = 'it differs too much from the logging policy; "--min-ess 0" prints them all the same';
    process.stderr.write(`${name}: weights leave ${ess.toFixed(1)} of ${n} choices: estimates refused, as ${why}\n`);
  }
  if (json === undefined) return !signal.aborted;
  const truth: Figure[] = own ? [{ ...own, metric: "on_policy", slice: "all", n: theirs.n }] : [];
  const all = results.map(({ name, figures }) => ({
    name,
    figures: name === "other" ? [...figures, ...truth] : figures,
  }));
  writeRows(
    json,
    all.flatMap(({ name, figures }) => rowsOf(figures, "recommender", `bandit/${name}`, [seed])),
  );
  return !signal.aborted;
}
