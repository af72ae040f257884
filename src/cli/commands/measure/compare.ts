import { existsSync } from "node:fs";
import { basename } from "node:path";
import { LogReplay, type LogReplayOptions } from "../../../evaluation/index.js";
import { meanInterval } from "../../../statistics/index.js";
import { gainByWorld, METRICS } from "../../demo/demo.js";
import { CONTESTANTS } from "../../jobs/contest.js";
import { JOBS, Pool } from "../../jobs/pool.js";
import type { Contestant, WorldTask } from "../../jobs/tasks.js";
import { UsageError } from "../../reading/arguments.js";
import { Inputs } from "../../reading/input.js";
import { checkRecommender, type JsonOptions, readJsonObject } from "../../reading/options.js";
import { Progress } from "../../reports/index.js";
import type { WorldOptions } from "../../tuning/target.js";
import { gainOf, type Paired, verdict } from "../../verdicts/index.js";
import { cell } from "../../writing/figures.js";
import { print, STANDARD, tryOutputs } from "../../writing/output.js";
import { printVerdicts, type Row, writeRows } from "../../writing/results.js";
import { table } from "../../writing/table.js";
import {
  beginningOf,
  conclude,
  feed,
  leadOf,
  type Outcome,
  policiesOf,
  REPLAYED,
  requireDistinct,
  rowsOfOutcomes,
} from "./replay.js";

export interface CompareOptions extends WorldOptions {
  events?: string[];
  warmup: string[];
  simulate: boolean;
  k: number;
  negatives: number;
  target: LogReplayOptions["target"];
  seed: number;
  /** Default: one for each core. */
  jobs?: number;
  json?: string;
}

/** Compares contestants, the first with each other one. Returns false if the signal ended it early. */
export async function compare(names: string[], options: CompareOptions, signal: AbortSignal): Promise<boolean> {
  const { events, simulate, json } = options;
  if ((events === undefined) === !simulate) throw new UsageError('one of "--events" and "--simulate" must be given');
  tryOutputs(json);
  return events === undefined ? inWorlds(names, options, signal) : onLog(names, events, options, signal);
}

/** @throws UsageError for a name of nobody, and for options that do not go together. */
function requireLog(names: readonly string[], events: readonly string[], { warmup }: CompareOptions): void {
  const unknown = names.find((name) => !(REPLAYED as readonly string[]).includes(name) && !existsSync(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `on a log a contestant must be a model's file or one of ${REPLAYED.join(", ")}, got ${unknown}`,
    );
  }
  const model = names.find((name) => !(REPLAYED as readonly string[]).includes(name));
  if (model !== undefined && warmup.length === 0) {
    throw new UsageError(`${model} needs "--warmup": the complete log before "--events", including the training log`);
  }
  if (warmup.length > 0 && events.includes(STANDARD)) {
    throw new UsageError('"--events" must be a file where there is "--warmup"');
  }
}

async function onLog(
  names: string[],
  events: string[],
  options: CompareOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { warmup, k, negatives, target, seed, json } = options;
  requireLog(names, events, options);
  const from = warmup.length > 0 ? await beginningOf(events, signal) : 0;
  const policies = await policiesOf(names, seed);
  const contestants = policies.map((policy) => {
    return { name: policy.name, replay: new LogReplay(policy, { from, k, negatives, target, seed, learns: false }) };
  });
  if (warmup.length > 0) await feed(contestants, new Inputs(warmup, signal), signal);
  const count = await feed(contestants, new Inputs(events, signal), signal);
  const results = contestants.map(({ name, replay }): Outcome => ({ name, result: replay.result() }));
  const [first] = results as [Outcome, ...Outcome[]];
  const { cases } = first.result;
  if (cases === 0 && signal.aborted) return false;
  if (cases === 0) throw new Error(`${events.join(", ")}: must hold clicks on streams on air, got none`);
  const metrics = [`hr_at_${k}`, `ndcg_at_${k}`, "mrr", `stream_coverage_at_${k}`];
  const figure = ({ result }: Outcome, metric: string) =>
    result.figures.find((one) => one.metric === metric && one.slice === "all");
  const lines = results.map((one) => {
    const lead = one === first ? undefined : leadOf(one, first, k);
    const cells = metrics.map((metric) => figure(one, metric)).map((each) => (each ? cell(each) : ""));
    return [one.name, ...cells, lead ? gainOf(lead) : ""];
  });
  print(`${table(["", ...metrics, `NDCG above ${first.name}`], lines)}\n`, json);
  print(`${cases} cases in ${count} events; mean [95 % interval by user], gains user by user\n`, json);
  conclude(results, policies, k, json);
  writeRows(json, rowsOfOutcomes(results, seed));
  return !signal.aborted;
}

interface Entered {
  name: string;
  contestant: Contestant;
  options?: JsonOptions;
}

/** A policy by name, or the DQN with options from a file. */
function entered(name: string): Entered {
  if ((CONTESTANTS as readonly string[]).includes(name)) return { name, contestant: name as Contestant };
  if (!name.endsWith(".json")) {
    const must = "must be a file of options that ends in .json, or one of";
    const hint = /\.liveq$/.test(name) ? "; a trained model knows other viewers: compare it on a log" : "";
    throw new UsageError(`in the simulator a contestant ${must} ${CONTESTANTS.join(", ")}, got ${name}${hint}`);
  }
  const options = readJsonObject(name);
  try {
    checkRecommender(options);
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause });
  }
  return { name: basename(name, ".json"), contestant: "dqn", options };
}

async function inWorlds(names: string[], options: CompareOptions, signal: AbortSignal): Promise<boolean> {
  const { viewers, streamers, days, slate, firstSeed, jobs = JOBS, json } = options;
  const all = names.map(entered);
  requireDistinct(all);
  const seeds = Array.from({ length: options.seeds }, (_, i) => firstSeed + i);
  const size = { viewers, streamers, days, slate, warmupDays: Math.floor(days / 2) };
  const tasks = all.flatMap(({ name: _, ...own }) =>
    seeds.map((seed): WorldTask => ({ kind: "world", ...own, platform: { ...size, seed } })),
  );
  const progress = new Progress("worlds");
  const outcomes = await new Pool(jobs, signal).runAll(tasks, (fraction) =>
    progress.show({ count: fraction * tasks.length, fraction }),
  );
  progress.end();
  const results = all.map((_, i) =>
    outcomes.slice(i * seeds.length, (i + 1) * seeds.length).map(({ result }) => result),
  );
  const watched = results.map((worlds) => worlds.map(METRICS[0].of));
  const first = all[0]!.name;
  const leads = all.map(({ name }, i): Paired => {
    const gain = gainByWorld(watched[i]!, watched[0]!);
    return { name, reference: first, metric: "watch time", base: 1, unit: "worlds", ...gain };
  });
  const lines = all.map(({ name }, i) => {
    const cells = METRICS.map(({ of }, m) => cell(meanInterval(results[i]!.map(of)), m === 0 ? 2 : 3));
    return [name, ...cells, i === 0 ? "" : gainOf(leads[i]!)];
  });
  print(`${table(["", ...METRICS.map(({ title }) => title), `watch time above ${first}`], lines)}\n`, json);
  print(`mean [95 % interval] of ${seeds.length} worlds, gains world by world\n`, json);
  printVerdicts(leads.slice(1).map(verdict), json);
  const common = { suite: "recommender", seeds };
  const rows = all.flatMap(({ name }, i) =>
    METRICS.map(({ metric, unit, of }): Row => {
      return { ...common, case: `livesim/${name}`, metric, unit, ...bounded(meanInterval(results[i]!.map(of))) };
    }),
  );
  const paired = leads.slice(1).map(({ name, value, lo, hi, n }): Row => {
    const gain = bounded({ value, lo, hi, n });
    return { ...common, case: `livesim/${name}-above-${first}`, metric: "watch_time_gain", unit: "1", ...gain };
  });
  writeRows(json, [...rows, ...paired]);
  return true;
}

/** Without bounds where there are none: JSON knows no infinity. */
function bounded({ value, lo, hi, n }: { value: number; lo: number; hi: number; n: number }) {
  return Number.isFinite(lo) && Number.isFinite(hi) ? { value, lo, hi, n } : { value, n };
}
