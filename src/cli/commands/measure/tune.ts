import {
  checkSpace,
  type TuneOptions as SearchOptions,
  type SearchSpace,
  type TuneTrial,
  tune,
} from "../../../training/index.js";
import { JOBS, Pool } from "../../jobs/pool.js";
import type { Judged, Who } from "../../jobs/tasks.js";
import { digestsOf } from "../../origins/index.js";
import { UsageError } from "../../reading/arguments.js";
import { requireOneStdin } from "../../reading/input.js";
import { type JsonOptions, nested, readJsonObject } from "../../reading/options.js";
import { Progress } from "../../reports/index.js";
import {
  figureOf,
  filmTarget,
  judgedOf,
  logTarget,
  meanOf,
  type Part,
  pairedOf,
  requireTaken,
  type Target,
  type WorldOptions,
  worldTarget,
} from "../../tuning/target.js";
import { TrialsFile } from "../../tuning/trials.js";
import { gainOf, type Paired, verdict } from "../../verdicts/index.js";
import { Curve } from "../../writing/curve.js";
import { cell } from "../../writing/figures.js";
import { print, STANDARD, takeModel, tryOutputs, writeJson } from "../../writing/output.js";
import { printVerdicts, type Row, writeRows } from "../../writing/results.js";
import { table, toTheLeft } from "../../writing/table.js";

export interface TuneOptions extends WorldOptions {
  events?: string[];
  decisions?: string[];
  movielens?: string;
  simulate: boolean;
  space?: string;
  search: NonNullable<SearchOptions["search"]>;
  trials?: number;
  steps: number;
  eta: number;
  rungs: number;
  minutes?: number;
  /** Default: one for each core. */
  jobs?: number;
  k: number;
  seed: number;
  out: string;
  json?: string;
}

/** Trials in the table. */
const SHOWN = 10;

/** @throws UsageError for options that do not go together. */
function requireTarget({ events, decisions, movielens, simulate, out }: TuneOptions): void {
  if ([events, movielens, simulate || undefined].filter((given) => given !== undefined).length !== 1) {
    throw new UsageError('one of "--events", "--movielens" and "--simulate" must be given');
  }
  if (events === undefined && decisions !== undefined) throw new UsageError('"--decisions" goes with "--events"');
  if ([...(events ?? []), ...(decisions ?? [])].includes(STANDARD)) {
    throw new UsageError('"--events" and "--decisions" are read for each trial: they must be files, got -');
  }
  requireOneStdin(events ?? [], decisions);
  if (out === STANDARD) throw new UsageError('"--out" must be a file: the trials are kept beside it');
}

async function targetOf(options: TuneOptions, signal: AbortSignal): Promise<Target> {
  const { events, decisions, movielens } = options;
  if (events) return logTarget({ events, ...(decisions && { decisions }) }, options, signal);
  if (movielens !== undefined) return filmTarget(movielens, options);
  const { viewers, streamers, days, slate, seeds, firstSeed } = options;
  return worldTarget({ viewers, streamers, days, slate, seeds, firstSeed });
}

/** The file of the trials of `--out`. */
export function trialsOf(out: string): string {
  return `${out.replace(/\.json$/, "")}.trials.jsonl`;
}

/** Does trials in processes, each part once: what the file of trials holds is not done again. */
class Bench {
  readonly #target: Target;
  readonly #pool: Pool;
  readonly #file: TrialsFile;
  /** Parts that run or have run, so that nobody else begins them. */
  readonly #begun = new Map<string, Promise<Judged>>();

  constructor(target: Target, pool: Pool, file: TrialsFile) {
    this.#target = target;
    this.#pool = pool;
    this.#file = file;
  }

  /** Sums of all parts of a trial. */
  async sums(who: Who, parts: readonly Part[]): Promise<Judged["sums"]> {
    const judged = await Promise.all(
      parts.map((part) => {
        const key = `${part.name} ${JSON.stringify(who)}`;
        const running = this.#begun.get(key) ?? this.#part(who, part);
        this.#begun.set(key, running);
        return running;
      }),
    );
    return judged.flatMap(({ sums }) => sums);
  }

  of(who: Who, budget: number): Promise<Judged["sums"]> {
    return this.sums(who, this.#target.parts(budget));
  }

  async #part(who: Who, { name, task }: Part): Promise<Judged> {
    const known = this.#file.get(who, name);
    if (known?.judged) return known.judged;
    if (known) throw new Error(known.error);
    const own = task(who);
    try {
      const { result, seconds } = await this.#pool.run(own);
      const judged = judgedOf(own, result);
      this.#file.add({ who, part: name, judged, seconds });
      return judged;
    } catch (error) {
      const isEnded = this.#pool.isEnded;
      if (!isEnded) this.#file.add({ who, part: name, error: (error as Error).message, seconds: 0 });
      throw error;
    }
  }
}

/** A trial's options in short. */
function inShort(point: object): string {
  const entries = Object.entries(point).map(([name, value]) => {
    const text = typeof value === "number" ? String(Number(value.toPrecision(3))) : JSON.stringify(value);
    return `${name} ${text}`;
  });
  return entries.join(", ") || "the defaults";
}

/**
 * Looks for the options with the best figure, writes them as JSON for `liveq train --options`, and checks the winner on
 * what no trial has seen. Returns false if the signal ended it; the same command then goes on where it ended.
 */
export async function tuneOptions(options: TuneOptions, signal: AbortSignal): Promise<boolean> {
  const { out, json, seed, search, steps, eta, rungs, jobs = JOBS, minutes } = options;
  requireTarget(options);
  tryOutputs(json);
  const lock = takeModel(out);
  const target = await targetOf(options, signal);
  if (signal.aborted) return false;
  const space: unknown = options.space === undefined ? target.space : readJsonObject(options.space);
  try {
    checkSpace(space);
  } catch (cause) {
    throw new UsageError(`${options.space}: ${(cause as Error).message}`);
  }
  await requireTaken(space, target, (point) => nested(point as JsonOptions));
  const files = [...(options.events ?? []), ...(options.decisions ?? []), options.movielens ?? []].flat();
  const data = digestsOf(files).map(({ sha256 }) => sha256);
  const file = new TrialsFile(trialsOf(out), { ...target.setting, data });
  if (file.size > 0) process.stderr.write(`${trialsOf(out)}: goes on after ${file.size} parts of trials\n`);
  const bench = new Bench(target, new Pool(jobs, signal), file);
  const timer = new AbortController();
  const alarm = minutes === undefined ? undefined : setTimeout(() => timer.abort(), minutes * 60_000).unref();
  const progress = new Progress("trials");
  const curve = new Curve("score of a trial on the whole budget", "trials");
  let [count, highest] = [0, Number.NEGATIVE_INFINITY];
  const { trials, ...result } = await tune(async ({ point, budget }) => meanOf(await bench.of(nested(point), budget)), {
    ...{ space: space as SearchSpace, search, steps, eta, rungs, seed, jobs, first: [{}] },
    ...(options.trials !== undefined && { trials: options.trials }),
    signal: AbortSignal.any([signal, timer.signal]),
    onTrial({ value, budget }) {
      if (budget === 1) curve.add(count + 1, value);
      if (budget === 1 && value > highest) highest = value;
      progress.show({ count: ++count, text: Number.isFinite(highest) ? `best ${highest.toPrecision(4)}` : "" });
    },
  });
  clearTimeout(alarm);
  progress.end();
  curve.note();
  const failed = trials.filter(({ error }) => error !== undefined);
  if (failed[0]) {
    const why = (failed[0].error as Error).message;
    process.stderr.write(`${failed.length} trials failed, such as ${inShort(failed[0].point)}: ${why}\n`);
  }
  if (signal.aborted) {
    process.stderr.write(`${trialsOf(out)} keeps ${file.size} parts of trials: the same command goes on there\n`);
    return false;
  }
  if (!result.isComplete) process.stderr.write(`${minutes} minutes are over: no further trials\n`);
  if (result.best === undefined) throw new Error(`no trial ended in ${minutes} minutes`);
  const { budget, value } = result.best;
  // The defaults may have failed on a small budget: they are judged on that of the winner too.
  const defaults: TuneTrial = { id: 0, point: {}, budget, value: meanOf(await bench.of({}, budget)) };
  const best = defaults.value >= value ? defaults : result.best;
  const rows = await report({ trials: [...trials, defaults], best, target, bench, json });
  const checked = await check({ best, target, bench, json });
  writeJson(out, nested(best.point));
  lock.release();
  process.stderr.write(`${out} written: ${inShort(best.point)}\n`);
  writeRows(
    json,
    [...rows, ...checked].map((row) => ({ ...row, seeds: [seed] })),
  );
  return true;
}

interface Tuned {
  best: TuneTrial;
  target: Target;
  bench: Bench;
  json: string | undefined;
}

/** Prints the best trials beside the defaults, all judged on the same. */
async function report({ trials, best, target, bench, json }: Tuned & { trials: readonly TuneTrial[] }): Promise<Row[]> {
  const { metric, title, unit, judgedOn } = target;
  const last = trials.filter(({ budget, error }) => budget === best.budget && error === undefined);
  const byId = new Map(last.map((trial) => [trial.id, trial]));
  const sorted = [...byId.values()].sort((a, b) => b.value - a.value || a.id - b.id).slice(0, SHOWN);
  const defaults = await bench.of({}, best.budget);
  const rows: Row[] = [];
  const lines: string[][] = [];
  const [heading, ...texts] = toTheLeft(["options", ...sorted.map(({ point }) => inShort(point))]);
  for (const [i, { id, point }] of sorted.entries()) {
    const sums = await bench.of(nested(point), best.budget);
    const [own, gain] = [figureOf(sums, unit), pairedOf(sums, defaults, unit)];
    const isDefault = Object.keys(point).length === 0;
    lines.push([String(id), cell(own), isDefault ? "" : gainOf(gain), texts[i]!]);
    rows.push(rowOf(`tune/trial-${id}`, metric, own));
    if (!isDefault) rows.push(rowOf(`tune/trial-${id}-above-default`, metric, gain));
  }
  print(`${table(["trial", title, "above the defaults", heading!], lines)}\n`, json);
  const n = new Set(trials.map(({ id }) => id)).size;
  print(`${n} options tried; judged on ${judgedOn}; mean [95 % interval], gains by the same ${unit}\n`, json);
  if (best.budget < 1) print(`the largest budget that was reached is ${best.budget.toFixed(3)} of the whole\n`, json);
  print(`The figure of the best of ${n} is too good, for luck was chosen too. Checked on ${target.checkedOn}:\n`, json);
  return rows;
}

/** Judges the winner, the defaults and most popular on what no trial has seen. */
async function check({ best, target, bench, json }: Tuned): Promise<Row[]> {
  const { metric, title, unit } = target;
  const parts = target.checks();
  const winner = nested(best.point);
  const isDefault = Object.keys(best.point).length === 0;
  const [own, defaults, popular] = await Promise.all([
    bench.sums(winner, parts),
    bench.sums({}, parts),
    bench.sums("popular", parts),
  ]);
  const all = { ...(!isDefault && { winner: own }), default: defaults, popular };
  const lines = Object.entries(all).map(([name, sums]) => [name, cell(figureOf(sums, unit))]);
  print(`${table(["", title], lines)}\n`, json);
  const name = isDefault ? "the default" : "the winner";
  const paired = (reference: string, sums: Judged["sums"]): Paired => {
    return { name, reference, metric: title, unit, ...pairedOf(own, sums, unit) };
  };
  const leads = [...(isDefault ? [] : [paired("the default", defaults)]), paired("popular", popular)];
  const first = isDefault ? ["No options did better than the default in the trials."] : [];
  printVerdicts([...first, ...leads.map(verdict)], json);
  const figures = Object.entries(all).map(([who, sums]) => rowOf(`tune-check/${who}`, metric, figureOf(sums, unit)));
  const gains = leads.map((lead) => {
    const [who, other] = [lead.name, lead.reference].map((each) => each.replace(/^the /, ""));
    return rowOf(`tune-check/${who}-above-${other}`, metric, lead);
  });
  return [...figures, ...gains];
}

/** A row; gains in worlds are shares of the other's figure. */
function rowOf(
  what: string,
  metric: string,
  { value, lo, hi, n }: Omit<Paired, "name" | "reference" | "metric" | "base" | "unit">,
): Row {
  const isGain = what.includes("-above-");
  const unit = metric.startsWith("watch_min") && !isGain ? "min" : "1";
  const name = metric.startsWith("watch_min") && isGain ? "watch_time_gain" : metric;
  const bounds = Number.isFinite(lo) && Number.isFinite(hi) ? { lo, hi } : {};
  return { suite: "recommender", case: what, metric: name, unit, value, ...bounds, n };
}
