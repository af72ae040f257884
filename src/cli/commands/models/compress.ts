import { resolve } from "node:path";
import { DQN } from "../../../engine/index.js";
import {
  cellsOf,
  chosen,
  compareWays,
  environmentOf,
  figuresOf,
  percent,
  statesIn,
  statesOf,
} from "../../compress/index.js";
import { UsageError } from "../../reading/arguments.js";
import { naming, readFile } from "../../reading/files.js";
import { Progress } from "../../reports/index.js";
import { print, STANDARD, titleOf, tryOutputs, writeFile } from "../../writing/output.js";
import { printVerdicts, writeRows } from "../../writing/results.js";
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

/**
 * Makes an agent smaller by rounding, pruning and a student, tells what each is worth, and writes the best that lost no more
 * than it may. Returns false if the signal ended it: it writes nothing then.
 * @throws Error where all lost more.
 */
export async function compress(file: string, options: CompressOptions, signal: AbortSignal): Promise<boolean> {
  const { environment: name, states: from, out, json, target, episodes } = options;
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
    : naming(from!, () => statesIn(new TextDecoder().decode(readFile(from!)))).slice(0, options.count);
  process.stderr.write(`${states.length} states of ${name ?? from}\n`);
  const progress = new Progress("%");
  const onProgress = (what: string, share: number) =>
    progress.show({ count: 100 * share, fraction: share, text: what });
  const trial = { agent, states, environment, episodes, now: () => performance.now() };
  const all = await compareWays(trial, { ...options, signal, onProgress });
  progress.end();
  if (signal.aborted) return false;
  print(`${table(...cellsOf(all, environment !== undefined))}\n`, out, json);
  writeRows(json, figuresOf(all, options.seed));
  const best = chosen(all.slice(1), options.loss, target);
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
    const instead = "its choices have no teacher; quantise of liveq/compression takes it";
    throw new Error(`${file}: a network of slates, as a recommender's, is not compressed here: ${instead}`);
  }
  if (normalization === "batch")
    throw new Error(`${file}: batch normalisation is not compressed: it takes no plain layers`);
  return agent;
}
