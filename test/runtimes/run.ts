/** The command: trains the same agents in every runtime and compares their hashes with those that are committed. */
import { readFileSync, writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { CASES, LOGS, VARIANTS } from "./cases.js";
import { PATIENT } from "./execute.js";
import { EVERY, identity, type Trained } from "./identity.js";
import { type Runtime, type RuntimeName, runtime } from "./install.js";
import { type Job, runJob } from "./job.js";
import { report } from "./report.js";

/** A runtime, and its flags where it runs more than once. */
interface Target {
  name: string;
  runtime: RuntimeName;
  flags?: string[];
}

const plain = (...names: RuntimeName[]): Target[] => names.map((name) => ({ name, runtime: name }));

const TARGETS: Target[] = [
  ...plain("node20", "node22", "node24", "node26"),
  // With --liftoff --no-wasm-tier-up train steps take as long as with --no-liftoff, with this three times as long.
  { name: "v8-baseline", runtime: "node26", flags: ["--liftoff-only"] },
  { name: "v8-optimising", runtime: "node26", flags: ["--no-liftoff"] },
  // Some three minutes, all in one emulated processor.
  ...plain("arm64"),
  ...plain("bun", "deno", "workerd", "chromium", "firefox", "webkit"),
];

/** An emulated processor takes some ten times as long. */
const EMULATED = { timeoutMs: 6 * PATIENT.timeoutMs };

const HASHES = "test/runtimes/hashes.json";
const JOB: Job = { module: "test/runtimes/identity.ts", function: "identity" };

type Hashes = Record<string, string[]>;

/** The first difference from what is committed, in words. */
function differenceOf(trained: readonly Trained[], expected: Hashes): string | undefined {
  for (const { case: name, variant, hashes, error } of trained) {
    const label = variant ? `"${name}" with ${variant}` : `"${name}"`;
    const at = expected[name]?.findIndex((hash, i) => hash !== hashes[i]) ?? 0;
    if (error !== undefined) return `${label} failed: ${error}`;
    if (at >= 0) return `${label} differs at step ${(at + 1) * EVERY}: ${hashes[at]}`;
  }
  const wanted = (CASES.length + LOGS.length) * VARIANTS.length;
  return trained.length === wanted ? undefined : `${trained.length} of ${wanted} were trained`;
}

async function check(target: Target, { command, ...rest }: Runtime, expected: Hashes): Promise<boolean> {
  const start = performance.now();
  let result: string | undefined;
  let alone = "";
  try {
    const started = { ...rest, command: [...command, ...(target.flags ?? [])] };
    const trained = (await runJob(started, JOB, target.name === "arm64" ? EMULATED : PATIENT)) as Trained[];
    result = differenceOf(trained, expected);
    const reason = trained.find((each) => each.alone)?.alone;
    if (reason) alone = `; one thread: ${reason}`;
  } catch (error) {
    result = (error as Error).message;
  }
  const hashes = Object.values(expected).flat().length * VARIANTS.length;
  report(
    target.name,
    rest.version,
    performance.now() - start,
    result ?? `${CASES.length} agents, ${LOGS.length} logs, ${hashes} hashes equal${alone}`,
  );
  return result === undefined;
}

async function update(): Promise<void> {
  const trained = (await identity()).filter(({ variant }) => variant === VARIANTS[0]!.name);
  for (const { case: name, error } of trained) if (error) throw new Error(`"${name}" failed: ${error}`);
  const hashes = Object.fromEntries(trained.map(({ case: name, hashes }) => [name, hashes]));
  writeFileSync(HASHES, `${JSON.stringify(hashes, null, 2)}\n`);
}

const program = new Command("test:runtimes")
  .description(
    "Trains the same agents in every runtime and compares their state, every 100 steps, with the committed hashes. " +
      "Runtimes that are not there are installed: from npm into LIVEQ_RUNTIMES (default ~/.cache/liveq-runtimes), " +
      "browsers and the emulator for arm64 by apt as root. Ends with 1 where one differs, fails or is missing.",
  )
  .addOption(new Option("--only <name...>", "only these").choices(TARGETS.map(({ name }) => name)))
  .addOption(new Option("--skip <name...>", "not these").choices(TARGETS.map(({ name }) => name)))
  .option("--available", "missing runtimes are named, but do not fail")
  .option("--update", "writes the hashes of this Node as those to be committed, and runs nothing else")
  .parse();
const {
  only,
  skip,
  available,
  update: isUpdate,
} = program.opts<{
  only?: string[];
  skip?: string[];
  available?: true;
  update?: true;
}>();

if (isUpdate) {
  await update();
} else {
  const expected = JSON.parse(readFileSync(HASHES, "utf8")) as Hashes;
  for (const target of TARGETS.filter(({ name }) => (!only || only.includes(name)) && !skip?.includes(name))) {
    const found = runtime(target.runtime);
    if ("missing" in found) {
      report(target.name, "missing", undefined, found.missing);
      if (!available) process.exitCode = 1;
    } else if (!(await check(target, found, expected))) process.exitCode = 1;
  }
}
