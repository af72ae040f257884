/**
 * What the recommender is worth and what it costs. Every part is a process of its own; those that measure time or memory
 * run alone.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Argument, Command, Option } from "commander";
import { type Row, readRows, type StoredRow, stamped, writeRows } from "../src/cli/writing/results.js";
import { table } from "../src/cli/writing/table.js";
import type { Part } from "./recommender/part.js";
import { SUITES } from "./recommender/suites.js";
import type { Message } from "./recommender/worker.js";

const INTERRUPTED = 130;
const all = Object.values(SUITES).flat();

const program = new Command("bench:recommender")
  .description("Measures a suite; ends with 1 if a figure is not what it must be, 130 if interrupted.")
  .addArgument(new Argument("<suite>").choices(Object.keys(SUITES)))
  .option("--json <file>", "keep the figures as rows, part by part; rows of other parts in the file stay")
  .addOption(new Option("--only <part...>", "only these").choices(all.map(({ name }) => name)))
  .addHelpText("after", ["", "Parts:", ...all.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`)].join("\n"))
  .parse();
const { json, only } = program.opts<{ json?: string; only?: string[] }>();
const parts = SUITES[program.args[0]!]!.filter(({ name }) => !only || only.includes(name));

/** The rows of a part; the process ends with the signal. */
function measure({ name }: Part, signal: AbortSignal): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const worker = fileURLToPath(new URL("./recommender/worker.ts", import.meta.url));
    const child = fork(worker, [name], { execArgv: [...process.execArgv, "--expose-gc"] });
    const stop = () => void child.kill("SIGKILL");
    signal.addEventListener("abort", stop);
    child.on("message", (message: Message) => {
      if ("text" in message) process.stderr.write(`${name}: ${message.text}\n`);
      else if ("rows" in message) resolve(message.rows);
      else reject(new Error(`${name}: ${message.error}`));
    });
    child.on("exit", (code, by) => {
      signal.removeEventListener("abort", stop);
      reject(new Error(`${name}: the process ended with ${by ?? `code ${code}`}`));
    });
  });
}

function number(value: number, unit: string): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return unit === "1" || unit === "share" ? value.toFixed(3) : value.toPrecision(3);
}

/** One line of a part's table. */
function line({ case: name, metric, value, unit, lo, hi, isExact, published, band, target, met }: Row): string[] {
  const goal = band ? `${number(band[0], unit)} to ${number(band[1], unit)}` : target === undefined ? "" : `${target}`;
  const interval = isExact ? "exact" : lo === undefined ? "" : `[${number(lo, unit)}, ${number(hi!, unit)}]`;
  const judgement = met === undefined ? "" : met ? "met" : "NOT met";
  const known = published === undefined ? "" : `${published}`;
  return [`${name} ${metric}`, unit, number(value, unit), interval, known, goal, judgement];
}

const HEADER = ["figure", "unit", "value", "95 % interval", "published", "goal", ""];
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());
const failures: string[] = [];
const rows: Row[] = [];
let kept: StoredRow[] = json ? readRows(json) : [];

/** Measures one part, prints it, and keeps it. */
async function take(part: Part): Promise<void> {
  try {
    const started = performance.now();
    const own = await measure(part, interrupt.signal);
    rows.push(...own);
    for (const { case: name, metric, lo, hi, isExact } of own) {
      const isBounded = Number.isFinite(lo) && Number.isFinite(hi);
      if (!isBounded && !isExact) failures.push(`${name} ${metric} has no interval`);
    }
    console.log(`\n${part.title} (${Math.round((performance.now() - started) / 1000)} s)\n`);
    console.log(table(HEADER, own.map(line)));
    if (!json) return;
    const cases = new Set(own.map((row) => row.case));
    kept = [...kept.filter((row) => !cases.has(row.case)), ...stamped(own)];
    writeRows(json, kept);
  } catch (error) {
    if (!interrupt.signal.aborted) failures.push((error as Error).message);
  }
}

/** One part after the other, until none is left. */
async function work(queue: Part[]): Promise<void> {
  for (let part = queue.shift(); part && !interrupt.signal.aborted; part = queue.shift()) await take(part);
}

const untimed = parts.filter(({ isTimed }) => !isTimed);
await Promise.all(Array.from({ length: availableParallelism() }, () => work(untimed)));
await work(parts.filter(({ isTimed }) => isTimed));

const judged = rows.filter(({ met }) => met !== undefined);
console.log(`\n${judged.filter(({ met }) => met).length} of ${judged.length} figures are what they must be`);
for (const row of judged.filter(({ met }) => !met)) {
  console.log(`NOT met  ${line(row).slice(0, -1).filter(Boolean).join("  ")}${row.note ? `: ${row.note}` : ""}`);
}
for (const failure of failures) console.log(`failed   ${failure}`);
if (interrupt.signal.aborted) process.exit(INTERRUPTED);
process.exitCode = failures.length === 0 && judged.every(({ met }) => met) ? 0 : 1;
