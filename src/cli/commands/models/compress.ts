import { resolve } from "node:path";
import { fields, finite, list, requireShape } from "../../../check/index.js";
import type { AgentState } from "../../../engine/compression/index.js";
import { DQN } from "../../../engine/index.js";
import {
  type Attempt,
  Attempts,
  chosen,
  environmentOf,
  type Judged,
  lossOf,
  play,
  statesOf,
  WAYS,
} from "../../compress/index.js";
import { UsageError } from "../../reading/arguments.js";
import { naming, readFile } from "../../reading/files.js";
import { Progress } from "../../reports/index.js";
import { print, STANDARD, titleOf, tryOutputs, writeFile } from "../../writing/output.js";
import { printVerdicts, type Row, writeRows } from "../../writing/results.js";
import { table } from "../../writing/table.js";
import { agentIn } from "./export.js";

export interface CompressOptions {
  target: number;
  loss: number;
  environment?: string;
  states?: string;
  count: number;
  episodes: number;
  updates: number;
  seed: number;
  out: string;
  json?: string;
}

/** Milliseconds for which the decisions of an attempt are timed. */
const TIMED_MS = 200;
/** Seeds of the episodes that judge, away from those whose states are learned on. */
const JUDGING = 500_000;

/**
 * Makes an agent smaller by rounding, pruning and a student, tells what each is worth, and writes the smallest that lost no
 * more than it may. Returns false if the signal ended it: it writes nothing then.
 * @throws Error where all lost more.
 */
export async function compress(file: string, options: CompressOptions, signal: AbortSignal): Promise<boolean> {
  const { environment: name, states: from, out, json, target } = options;
  if ((name === undefined) === (from === undefined)) {
    throw new UsageError("either '--environment <name>' or '--states <file>' must be given");
  }
  if (out !== STANDARD && resolve(file) === resolve(out))
    throw new UsageError(`"--out" must be another file than ${file}`);
  tryOutputs(out, json);
  const agent = agentOf(file);
  const environment = name === undefined ? undefined : environmentOf(name, agent.options);
  const states = environment
    ? statesOf(agent, environment, options.count, options.seed)
    : readStates(from!).slice(0, options.count);
  process.stderr.write(`${states.length} states of ${name ?? from}\n`);
  const progress = new Progress("%");
  const onProgress = (what: string, share: number) =>
    progress.show({ count: 100 * share, fraction: share, text: what });
  const attempts = new Attempts(agent, states, { ...options, signal, onProgress });
  const returnsOf = (attempt: Attempt) =>
    Array.from({ length: options.episodes }, (_, i) => play(attempt.actor, environment!, JUDGING + options.seed + i));
  const before = environment && returnsOf(attempts.original);
  const judged: Judged[] = [];
  const times: number[] = [timeOf(attempts.original, states)];
  for (const way of WAYS) {
    if (signal.aborted) break;
    const attempt = await attempts.make(way);
    if (signal.aborted) break;
    judged.push({ attempt, loss: before ? lossOf(before, returnsOf(attempt)) : lossByAction(attempt) });
    times.push(timeOf(attempt, states));
  }
  progress.end();
  if (signal.aborted) return false;
  const best = chosen(judged, options.loss, target);
  const all = [{ attempt: attempts.original, loss: { value: 0, lo: 0, hi: 0, n: 0 } }, ...judged];
  print(`${shown(all, times, environment !== undefined)}\n`, out, json);
  writeRows(json, rowsOf(all, times, options.seed));
  const limit = `${percent(options.loss)} of ${environment ? "the return" : "its actions"}`;
  if (!best) throw new Error(`nothing is written: each way loses more than ${limit}`);
  writeFile(out, best.attempt.file());
  const reached = best.attempt.ratio >= target ? "" : `, short of the ${target} times that were asked for`;
  const size = `${best.attempt.ratio.toFixed(2)} times smaller${reached}`;
  printVerdicts([`${best.attempt.name}: ${size}, loss ${percent(best.loss.value)}`], out, json);
  process.stderr.write(`${titleOf(out)} written\n`);
  return true;
}

function agentOf(file: string): DQN {
  const bytes = readFile(file);
  const agent = naming(file, () => DQN.load(agentIn(bytes)));
  const { slate, normalization } = agent.options;
  if (slate) {
    throw new Error(
      `${file}: a network of slates, as a recommender's, is not compressed here: its choices have no teacher; liveq/compression rounds it by quantise`,
    );
  }
  if (normalization === "batch")
    throw new Error(`${file}: batch normalisation is not compressed: it takes no plain layers`);
  return agent;
}

/** States of a file: a line of JSON each, { "observation": [...], "available": [...] }. */
function readStates(file: string): AgentState[] {
  const text = new TextDecoder().decode(readFile(file));
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return naming(file, () =>
    lines.map((line, i) => {
      let state: unknown;
      try {
        state = JSON.parse(line);
      } catch (cause) {
        throw new Error(`line ${i + 1} is not JSON: ${(cause as Error).message}`, { cause });
      }
      const isOffered = typeof state === "object" && state !== null && "available" in state;
      const numbers = list(finite);
      const shape = isOffered ? fields({ observation: numbers, available: numbers }) : fields({ observation: numbers });
      requireShape(shape, state, `line ${i + 1}`);
      return state as AgentState;
    }),
  );
}

/** Without an environment: the share of the states in which another action is best. */
function lossByAction({ agreement }: Attempt) {
  const value = 1 - agreement.sameBest;
  return { value, lo: value, hi: value, n: 0 };
}

/** Microseconds in which a state is valued. */
function timeOf({ actor }: Attempt, states: readonly AgentState[]): number {
  const begin = performance.now();
  let [count, gone] = [0, 0];
  for (; gone < TIMED_MS; gone = performance.now() - begin) {
    for (const { observation, available } of states.slice(0, 50)) actor.evaluate(observation, available);
    count += Math.min(50, states.length);
  }
  return (1000 * gone) / count;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function shown(all: readonly Judged[], times: readonly number[], hasReturns: boolean): string {
  const header = [
    "way",
    "hidden",
    "bytes",
    "smaller",
    "us",
    "same best",
    "tau",
    hasReturns ? "loss of return" : "loss",
  ];
  const rows = all.map(({ attempt, loss }, i) => [
    attempt.name,
    attempt.hidden.join("-"),
    String(attempt.bytes),
    attempt.ratio.toFixed(2),
    times[i]!.toFixed(2),
    attempt.agreement.sameBest.toFixed(3),
    attempt.agreement.tau.toFixed(3),
    loss.n > 0 ? `${percent(loss.value)} [${percent(loss.lo)}, ${percent(loss.hi)}]` : percent(loss.value),
  ]);
  return table(header, rows);
}

function rowsOf(all: readonly Judged[], times: readonly number[], seed: number): Row[] {
  return all.flatMap(({ attempt, loss }, i) => {
    const row = (metric: string, value: number, unit: string, more: Partial<Row> = {}): Row => ({
      ...{ suite: "compress", case: `compress/${attempt.name}`, metric, value, unit, seeds: [seed] },
      ...more,
    });
    return [
      row("network_bytes", attempt.bytes, "B", { isExact: true }),
      row("times_smaller", attempt.ratio, "", { isExact: true }),
      row("evaluate_us", times[i]!, "us"),
      row("same_best", attempt.agreement.sameBest, ""),
      row("kendall_tau", attempt.agreement.tau, ""),
      row("loss", loss.value, "", loss.n > 0 ? { lo: loss.lo, hi: loss.hi, n: loss.n } : {}),
    ];
  });
}
