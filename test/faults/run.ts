/** Breaks servers in every way that there is, and writes what held: `npm run test:faults`. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { type Row, type StoredRow, stamped } from "../../src/cli/writing/results.js";
import type { FaultCase, Figure } from "./case.js";
import { CASES } from "./cases.js";

const program = new Command("test:faults")
  .description("Breaks servers in every way that there is. Ends with 1 if something did not hold.")
  .option("--json <file>", "keep the rows in this file, with how many were done; a later run goes on from there")
  .option("--again", "do what is in the file again")
  .option("--only <text...>", "only the cases whose name holds one of these")
  .option("--share <x>", "a share of the full numbers, in (0, 1]", Number, 1)
  .option("--parts <n>", "end after so many parts of a case", Number)
  .option("--few", "as few as the tests of every day");
const {
  json,
  again,
  only,
  share,
  few,
  parts = Number.POSITIVE_INFINITY,
} = program.parse().opts<{
  json?: string;
  again?: true;
  only?: string[];
  share: number;
  few?: true;
  parts?: number;
}>();

const say = (text: string) => process.stderr.write(`${text}\n`);
const started = performance.now();
const stored = (): StoredRow[] =>
  json !== undefined && existsSync(json) ? JSON.parse(readFileSync(json, "utf8")) : [];

/** The figures of a case, those of an earlier run among them. */
function merged(before: readonly Row[], figures: readonly Figure[], name: string, n: number): Row[] {
  return figures.map(({ metric, value, unit, most, least, merge = "sum" }) => {
    const old = before.find((row) => row.case === name && row.metric === metric)?.value;
    const both = old === undefined ? value : merge === "max" ? Math.max(old, value) : old + value;
    const met = (most === undefined || both <= most) && (least === undefined || both >= least);
    const judged = most === undefined && least === undefined ? {} : { target: (most ?? least)!, met };
    return { suite: "faults", case: name, metric, value: both, unit, n, isExact: true, ...judged };
  });
}

async function runCase(own: FaultCase): Promise<boolean> {
  const { name, unit, full, part } = own;
  const total = few ? own.few : Math.max(1, Math.round(full * share));
  let rows: Row[] = again ? [] : stored().filter((row) => row.case === name);
  for (let [done, turn] = [rows[0]?.n ?? 0, 0]; done < total && turn < parts; turn++) {
    const count = Math.min(part, total - done);
    const tell = (line: string) => say(`${((performance.now() - started) / 1000).toFixed(0)} s  ${name}: ${line}`);
    const figures = await own.run(count, Math.floor(done / part), tell);
    done += count;
    rows = merged(rows, figures, name, done);
    tell(`${done} of ${total} ${unit} done`);
    if (json !== undefined) {
      const others = stored().filter((row) => row.case !== name);
      writeFileSync(json, `${JSON.stringify([...others, ...stamped(rows)], null, 1)}\n`);
    }
  }
  for (const { metric, value, unit: one, met, n } of rows) {
    say(`${met === false ? "NOT MET" : met ? "ok     " : "       "} ${name} (${n} ${unit}): ${metric} ${value} ${one}`);
  }
  return rows.every(({ met }) => met !== false);
}

let isRight = true;
for (const own of CASES) {
  if (only !== undefined && !only.some((text) => own.name.includes(text))) continue;
  try {
    isRight = (await runCase(own)) && isRight;
  } catch (error) {
    say(`FAILED  ${own.name}: ${(error as Error).stack}`);
    isRight = false;
  }
}
process.exit(isRight ? 0 : 1);
