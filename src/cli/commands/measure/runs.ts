import { UsageError } from "../../reading/arguments.js";
import { findRun, type Run, type RunFigure, readRuns, registryOf } from "../../registry/registry.js";
import { cell } from "../../writing/figures.js";
import { print } from "../../writing/output.js";
import { table, toTheLeft } from "../../writing/table.js";

/** What `liveq runs` does. */
export const RUNS_ACTIONS = ["list", "show", "compare"] as const;

export interface RunsOptions {
  runs?: string;
  command?: string;
  limit: number;
  json: boolean;
}

/** Figures that tell most about a run, the first that it has. */
const MAIN = ["ndcg_at_10", "watch_min_per_user_day", "difference", "ips", "hr_at_10", "loss", "words"];
/** Characters of a run's result in the list. */
const WIDTH = 72;

/** Lists the runs of the registry, shows one, or compares two. */
export function runs(action: (typeof RUNS_ACTIONS)[number], ids: readonly string[], options: RunsOptions): void {
  const wanted = { list: 0, show: 1, compare: 2 }[action];
  if (ids.length !== wanted) throw new UsageError(`"liveq runs ${action}" takes ${wanted} ids, got ${ids.length}`);
  const file = registryOf(options);
  if (file === undefined) throw new UsageError('LIVEQ_RUNS is "none": there is no registry; give one by "--runs"');
  const { runs: all, others } = readRuns(file);
  if (others > 0) process.stderr.write(`${file}: ${others} lines are no rows of runs\n`);
  const { command, limit, json } = options;
  if (action === "list") {
    const listed = all.filter((run) => command === undefined || run.command === command).slice(-limit);
    print(json ? `${JSON.stringify(listed, null, 2)}\n` : `${listOf(listed)}\n`);
    return;
  }
  const chosen = ids.map((id) => findRun(all, id));
  const [a, b] = chosen as [Run, Run];
  if (json) print(`${JSON.stringify(action === "show" ? a : comparison(a, b), null, 2)}\n`);
  else print(`${action === "show" ? textOf(a) : textOfBoth(a, b)}\n`);
}

/** What a run found, in short. */
function resultOf({ error, verdicts, figures }: Run): string {
  const figure = MAIN.flatMap((name) => figures.find(({ metric }) => metric === name) ?? [])[0] ?? figures[0];
  const found = figure === undefined ? "" : `${figure.case} ${figure.metric} ${shown(figure)}`;
  const text = error ?? verdicts[0] ?? found;
  return text.length > WIDTH ? `${text.slice(0, WIDTH - 3)}...` : text;
}

function shown({ value, lo = -Infinity, hi = Infinity }: RunFigure): string {
  return Number.isInteger(value) && lo === -Infinity ? String(value) : cell({ value, lo, hi });
}

function listOf(all: readonly Run[]): string {
  const [title, ...results] = toTheLeft(["result", ...all.map(resultOf)]);
  const lines = all.map((run, i) => {
    const time = run.time.slice(0, 19).replace("T", " ");
    return [run.id, time, run.command, String(run.seed ?? ""), run.seconds.toFixed(1), String(run.exit), results[i]!];
  });
  return table(["id", "time, UTC", "command", "seed", "seconds", "exit", title!], lines);
}

/** Names of figures with the ones of each run. */
function figuresOf(...all: readonly Run[]): [name: string, figures: (RunFigure | undefined)[]][] {
  const nameOf = (one: RunFigure) => `${one.case} ${one.metric}`;
  const names = [...new Set(all.flatMap(({ figures }) => figures.map(nameOf)))];
  return names.map((name) => [name, all.map(({ figures }) => figures.find((one) => nameOf(one) === name))]);
}

function textOf(run: Run): string {
  const { id, time, command, line, options, data, commit, version, runtime, seconds, exit, error, verdicts } = run;
  const files = data.map(({ file, bytes, sha256, of }) => {
    const size = bytes === undefined ? "" : ` ${bytes} bytes`;
    return `${file}${size}${sha256 === undefined ? "" : ` sha256 ${sha256} of ${of}`}`;
  });
  const facts: [string, string][] = [
    ["id", id],
    ["time", time],
    ["command", ["liveq", ...(line.length > 0 ? line : [command])].join(" ")],
    ...Object.entries(options).map(([name, value]): [string, string] => [`  ${name}`, JSON.stringify(value) ?? ""]),
    ...files.map((file): [string, string] => ["data", file]),
    ["commit", commit ?? "not in a git work tree"],
    ["version", `${version}, ${runtime}`],
    ["seconds", String(seconds)],
    ["exit", error === undefined ? String(exit) : `${exit}: ${error}`],
    ...verdicts.map((verdict): [string, string] => ["verdict", verdict]),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const head = facts.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join("\n");
  const figures = figuresOf(run).map(([name, [figure]]) => [name, shown(figure!)]);
  return figures.length === 0 ? head : `${head}\n\n${table(["figure", ""], figures)}`;
}

/** What differs between two runs, and their figures. */
function comparison(a: Run, b: Run) {
  const sides = [a, b].map(({ command, options, data, commit, version }): Record<string, unknown> => {
    const files = Object.fromEntries(data.map(({ file, sha256 }) => [`data ${file}`, sha256 ?? "no digest"]));
    return { command, ...options, ...files, commit, version };
  });
  const names = [...new Set(sides.flatMap((side) => Object.keys(side)))];
  const differing = names.filter((name) => JSON.stringify(sides[0]![name]) !== JSON.stringify(sides[1]![name]));
  const differences = Object.fromEntries(differing.map((name) => [name, sides.map((side) => side[name] ?? null)]));
  const figures = figuresOf(a, b).map(([name, [one, other]]) => ({ name, a: one ?? null, b: other ?? null }));
  return { a: a.id, b: b.id, differences, figures };
}

function textOfBoth(a: Run, b: Run): string {
  const { differences, figures } = comparison(a, b);
  const given = (value: unknown) => (value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));
  const options = Object.entries(differences).map(([name, values]) => [name, ...values.map(given)]);
  const lines = figures.map(({ name, a: one, b: other }) => [name, one ? shown(one) : "", other ? shown(other) : ""]);
  const first =
    options.length === 0 ? "same command, options, data and commit" : table(["differs", a.id, b.id], options);
  const note = "intervals that overlap do not show that two runs are alike: liveq compare pairs them";
  return `${first}\n\n${table(["figure", a.id, b.id], lines)}\n${note}`;
}
