import type { PolicyName } from "../../../baselines/index.js";
import {
  CASE_SLICES,
  isEvent,
  type LogEntry,
  LogReplay,
  type LogReplayOptions,
  mergeDecisions,
  OffPolicyLog,
  type OffPolicyOptions,
  type RankingPolicy,
} from "../../../evaluation/index.js";
import { leaveLastOut } from "../../../logs/index.js";
import type { TargetPolicy } from "../../../protocol/index.js";
import { ItemKnn, ItemPop } from "../../../ranking/index.js";
import type { Figure } from "../../../statistics/index.js";
import { UsageError } from "../../reading/arguments.js";
import { consume, Inputs, openEvents, readDecisions, requireOneStdin } from "../../reading/input.js";
import { readModel } from "../../reading/model.js";
import { readMovieLens } from "../../reading/movielens.js";
import { LoggedReturns, unsupported, verdict } from "../../verdicts/index.js";
import { grid, rowsOf } from "../../writing/figures.js";
import { print, STANDARD, tryOutputs } from "../../writing/output.js";
import { compare } from "../../writing/ranking.js";
import { noteCalibration, noteListing, printVerdicts, writeRows } from "../../writing/results.js";
import { type BanditEvaluation, evaluateBandits } from "./bandit.js";
import {
  aboutModel,
  beginningOf,
  conclude,
  feed,
  type Outcome,
  policiesOf,
  rowsOfOutcomes,
  Trained,
} from "./replay.js";

export interface EvaluateOptions extends Partial<Pick<BanditEvaluation, "bandit" | "other">> {
  events?: string[];
  warmup: string[];
  movielens?: string;
  model: string[];
  policies?: PolicyName[];
  decisions?: string[];
  reward?: OffPolicyOptions["reward"];
  clip?: number;
  minEss?: number;
  k: number;
  negatives: number;
  target: LogReplayOptions["target"];
  seed: number;
  json?: string;
  report?: string;
}

/** Metrics in the unit of the reward. */
const EARNED: readonly string[] = [
  ...["logged", "ips", "snips", "rips", "snrips", "iips"],
  ...["dm", "dr", "sndr", "switch_dr"],
];

/** The note of rows that the log does not support. */
const UNSUPPORTED = "without support in the log";

/** The policies to evaluate. The others are compared with the first. */
function enter({ policies, model, seed }: EvaluateOptions): Promise<(RankingPolicy & TargetPolicy)[]> {
  const named = policies ?? (model.length > 0 ? ["popular"] : ["popular", "random"]);
  return policiesOf([...named, ...model], seed);
}

/** @throws UsageError for options that do not go with `--events`. */
function requireLogs(options: EvaluateOptions, files: readonly string[]): void {
  const { warmup, decisions, reward, clip, minEss } = options;
  if (options.model.length > 0 && warmup.length === 0) {
    throw new UsageError('"--model" needs "--warmup": the complete log before "--events", including the training log');
  }
  if (warmup.length > 0 && files.includes(STANDARD)) {
    throw new UsageError('"--events" must be a file where there is "--warmup"');
  }
  requireOneStdin(files, decisions);
  if (decisions === undefined && (reward !== undefined || clip !== undefined || minEss !== undefined)) {
    throw new UsageError('"--reward", "--clip" and "--min-ess" go with "--decisions"');
  }
}

async function evaluateLogs(options: EvaluateOptions, files: string[], signal: AbortSignal): Promise<boolean> {
  const { warmup, decisions, k, negatives, target, seed, json } = options;
  requireLogs(options, files);
  const from = warmup.length > 0 ? await beginningOf(files, signal) : 0;
  if (decisions !== undefined) return evaluateDecisions(options, files, decisions, from, signal);
  const policies = await enter(options);
  const contestants = policies.map((policy) => {
    return { name: policy.name, replay: new LogReplay(policy, { from, k, negatives, target, seed, learns: false }) };
  });
  if (warmup.length > 0) await feed(contestants, new Inputs(warmup, signal), signal);
  const count = await feed(contestants, new Inputs(files, signal), signal);
  const results = contestants.map(({ name, replay }) => ({ name, result: replay.result() }));
  const { cases, skipped } = results[0]!.result;
  const about = `${cases} cases in ${count} events; ${skipped} more on streams not on air; mean [95 % interval by user]`;
  if (cases === 0 && signal.aborted) return false;
  if (cases === 0) throw new Error(`${files.join(", ")}: must hold clicks on streams on air, got none`);
  print(`${tablesOf(results, k)}\n${about}\n`, json);
  conclude(results, policies, k, json);
  writeRows(json, rowsOfOutcomes(results, seed));
  return !signal.aborted;
}

/** Estimates the policies' rewards from the decisions of the logging policy, and the models' TD errors. */
async function evaluateDecisions(
  options: EvaluateOptions,
  files: string[],
  decisions: string[],
  from: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { warmup, reward = "click", clip, minEss, seed, json } = options;
  const judged = (await enter(options)).map((policy) => {
    const weights = { ...(clip !== undefined && { clip }), ...(minEss !== undefined && { minEss }) };
    return { policy, log: new OffPolicyLog(policy, { from, reward, ...weights }) };
  });
  const models = judged.flatMap(({ policy }) => (policy instanceof Trained ? [policy] : []));
  const returns = options.report === undefined ? undefined : new LoggedReturns(models, from);
  const take = (entry: LogEntry) => {
    returns?.take(entry);
    for (const { policy, log } of judged) {
      if (isEvent(entry)) log.feedback(entry);
      else if (entry.time >= from) {
        log.decision(entry);
        if (policy instanceof Trained) policy.recordDecision(entry);
      }
    }
  };
  if (warmup.length > 0) {
    const earlier = new Inputs(warmup, signal);
    await consume(earlier, await openEvents(earlier), take, signal);
  }
  const inputs = new Inputs(files, signal);
  const entries = mergeDecisions(await openEvents(inputs), readDecisions(new Inputs(decisions, signal)));
  const count = await consume(inputs, entries, take, signal);
  const n = judged[0]!.log.decisions;
  if (n === 0 && signal.aborted) return false;
  if (n === 0) throw new Error(`${decisions.join(", ")}: must hold decisions in the time of "--events", got none`);
  const results = judged.map(({ policy, log }) => {
    return { name: policy.name, figures: [...log.result(), ...(policy instanceof Trained ? policy.figures() : [])] };
  });
  const metrics = [...new Set(results.flatMap(({ figures }) => figures.map(({ metric }) => metric)))];
  const find = (metric: string, name: string) =>
    results.find((one) => one.name === name)!.figures.find((figure) => figure.metric === metric);
  const columns = results.map(({ name }) => name);
  const what = reward === "click" ? "clicks" : "minutes watched";
  const about = `${what} a decision, ${n} decisions in ${count} events and decisions; mean [95 % interval by user]`;
  print(`${grid(metrics, columns, find)}\n${about}\n`, json);
  const words = judged.flatMap(({ policy, log }) => {
    const { value: ess = 0 } = find("ess", policy.name) ?? {};
    return offPolicyVerdicts(policy.name, log, judged[0]!, { ess, n, metric: what });
  });
  printVerdicts([...words, ...models.flatMap((model) => aboutModel(model))], json);
  noteEstimates(results, n, what);
  for (const calibration of returns?.calibrations() ?? []) noteCalibration(calibration);
  for (const name of columns) {
    const left = find("ess", name)?.value ?? 0;
    const isGiven = find("ips", name) !== undefined;
    if (isGiven && find("ips", name)!.isUnsupported === undefined) continue;
    const then = isGiven
      ? "do not trust its estimates and intervals"
      : 'refused; "--min-ess 0" prints them all the same';
    const why = `it differs too much from the logging policy for estimates with weights: ${then}`;
    process.stderr.write(`${name}: weights leave ${left.toFixed(1)} of ${n} decisions: ${why}\n`);
  }
  const unit = { click: "1", watch: "min" }[reward];
  const rows = results.flatMap(({ name, figures }) =>
    rowsOf(figures, "recommender", `offpolicy-${reward}/${name}`, [seed]).map((row) => {
      const mark = find(row.metric, name)?.isUnsupported ? { note: UNSUPPORTED } : {};
      return { ...row, ...(EARNED.includes(row.metric) && { unit }), ...mark };
    }),
  );
  writeRows(json, rows);
  return !signal.aborted;
}

/** The estimates, and how many decisions they rest on, for a report. */
function noteEstimates(
  results: readonly { name: string; figures: readonly Figure[] }[],
  n: number,
  what: string,
): void {
  const rows = results.flatMap(({ name, figures }) =>
    figures
      .filter(({ metric }) => EARNED.includes(metric))
      .map(({ metric, value, lo, hi, isUnsupported }) => {
        return [name, metric, value, lo, hi, isUnsupported ? UNSUPPORTED : "yes"];
      }),
  );
  const header = ["policy", "estimate", "value", "lo", "hi", "supported"];
  noteListing({ title: `Off-policy estimates, ${what} a decision`, header, rows });
  const sizes = results.map(({ name, figures }) => {
    const of = (metric: string) => figures.find((one) => one.metric === metric)?.value ?? Number.NaN;
    return [name, n, of("ess"), of("ess") / n, of("mean_weight"), of("clipped_share")];
  });
  const about = ["policy", "decisions", "effective decisions", "share", "mean weight", "clipped share"];
  noteListing({ title: "Effective sample sizes", header: about, rows: sizes });
}

/** Estimates that verdicts are about: with the reward model and normalised weights, by position. */
const MAIN = "sndr";
/** Effective number of decisions below which nothing can be told. */
const ENOUGH = 50;

interface Estimated {
  policy: RankingPolicy;
  log: OffPolicyLog;
}

/** What a policy would earn beside the logging policy, and beside the first policy of the table. */
function offPolicyVerdicts(
  name: string,
  log: OffPolicyLog,
  first: Estimated,
  { ess, n, metric }: { ess: number; n: number; metric: string },
): string[] {
  const own = log.above(MAIN);
  if (own === undefined || ess < ENOUGH) return [unsupported(name, ess, n, ENOUGH)];
  const about = { name, metric: `${metric} a decision (${MAIN})`, unit: "users" };
  const told = verdict({ ...own, ...about, reference: "the logging policy" });
  const beside = log === first.log ? undefined : log.above(MAIN, first.log);
  return [told, ...(beside === undefined ? [] : [verdict({ ...beside, ...about, reference: first.policy.name })])];
}

/** Tables of all figures, of the main ones by slice, and of each policy's lead over the first. */
function tablesOf(results: readonly Outcome[], k: number): string {
  const [first, ...others] = results as [Outcome, ...Outcome[]];
  const columns = results.map(({ name }) => name);
  const figuresOf = new Map(results.map(({ name, result }) => [name, result.figures]));
  const find = (slice: string) => (metric: string, name: string) =>
    figuresOf.get(name)!.find((figure) => figure.metric === metric && figure.slice === slice);
  const metrics = [...new Set(first.result.figures.map(({ metric }) => metric))];
  const main = `ndcg_at_${k}`;
  const parts = [
    grid(metrics, columns, find("all")),
    `${main} by slice:\n${grid(CASE_SLICES, columns, (slice, name) => find(slice)(main, name))}`,
  ];
  if (others.length > 0) {
    const gains = new Map(others.map(({ name, result }) => [name, result.tally.minus(first.result.tally)]));
    const gain = (metric: string, name: string) =>
      gains.get(name)!.find((figure) => figure.metric === metric && figure.slice === "all");
    const common = first.result.tally.metrics;
    const names = others.map(({ name }) => name);
    parts.push(`above ${first.name}, user by user:\n${grid(common, names, gain)}`);
  }
  return parts.join("\n\n");
}

async function evaluateMovieLens({ movielens, model, seed, json }: EvaluateOptions): Promise<void> {
  const data = await readMovieLens(movielens!);
  const split = leaveLastOut(data.ratings);
  const { train } = split;
  const rankers = model.map((file) => {
    const { ranker } = readModel(file);
    const isSame = ranker.train.user.length <= train.user.length && ranker.train.items === train.items;
    if (!isSame || ranker.train.users !== train.users) {
      throw new Error(`${file}: was trained on other data than ${movielens}`);
    }
    return ranker;
  });
  compare([new ItemPop(train), new ItemKnn(train), ...rankers], split, { seed, json });
}

/**
 * Measures how well policies and models predict the clicks in a log; with decisions, estimates their rewards; on
 * MovieLens, measures how well rankers predict each user's last item. Returns false if the signal ended it early; the
 * figures then cover the part that was read.
 */
export async function evaluate(options: EvaluateOptions, signal: AbortSignal): Promise<boolean> {
  const { events, movielens, bandit, other } = options;
  if ([events, movielens, bandit].filter((given) => given !== undefined).length !== 1) {
    throw new UsageError('one of "--events", "--movielens" and "--bandit" must be given');
  }
  if (other !== undefined && bandit === undefined) throw new UsageError('"--other" goes with "--bandit"');
  tryOutputs(options.json);
  if (bandit !== undefined) return evaluateBandits({ ...options, bandit }, signal);
  if (events !== undefined) return evaluateLogs(options, events, signal);
  if (options.model.length > 1) throw new UsageError('"--model" must be one model where there is "--movielens"');
  if (options.warmup.length > 0 || options.policies !== undefined) {
    throw new UsageError('"--warmup" and "--policies" go with "--events"');
  }
  if (options.decisions !== undefined) {
    throw new UsageError('"--decisions" goes with "--events"');
  }
  await evaluateMovieLens(options);
  return true;
}
