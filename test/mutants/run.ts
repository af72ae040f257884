/**
 * Seeds one fault after the other into the kernels and asks whether a test sees it: `npm run test:mutants`, with
 * `-- WORDS` only those whose number, file or fault has one of the words in it. Works in a copy, and fails where a fault survives, where
 * one that is listed as harmless does not, and where the text to change is not found once.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { main } from "assemblyscript/asc";
import { MUTANTS, type Mutant } from "./list.js";

/** A run that takes so many times as long as all tests without a fault has been caught in an endless loop. */
const ENDLESS = 5;

const KERNELS = ["test/memory/kernels.test.ts", "test/memory/sumtree.test.ts"];
const AGENTS = ["test/memory/agents.test.ts"];
const ASSEMBLY = ["test/assembly"];
/** Rooms that kernels.wasm exports by name; what they do wrong is seen by calls of their own first. */
const ROOMS =
  /\/(gemm|tiles|crew|storage|pack|sparse|noise|norm|vector|adam|values|loss|bellman|sumtree|rng)\.m?[tj]s$/;

const SILENT = { write: () => undefined };

type Outcome = { mutant: Mutant; number: number } & (
  | { kind: "killed"; by: string }
  | { kind: "survived" | "same module" | "not found" | "does not compile"; by?: undefined }
);

const source = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "liveq-mutants-"));
let child: ChildProcess | undefined;
let limitMs = 2 ** 31 - 1;

/** Runs a Node program in the copy; undefined where it takes too long. */
function run(args: string[]): Promise<number | undefined> {
  return new Promise((done, failed) => {
    // A group of its own, so that workers that hang end with it.
    const started = spawn(process.execPath, args, { cwd: folder, stdio: "ignore", detached: true });
    child = started;
    const timer = setTimeout(() => {
      end(started);
      done(undefined);
    }, limitMs);
    started.on("error", failed);
    started.on("exit", (code) => {
      clearTimeout(timer);
      done(code ?? 1);
    });
  });
}

function end(started: ChildProcess): void {
  if (started.pid !== undefined && started.exitCode === null) process.kill(-started.pid, "SIGKILL");
}

/** Whether the code of the copy compiles. In this process, where the compiler is warm: half a second each. */
async function build(): Promise<boolean> {
  if ((await run(["assembly/tiles.mjs"])) !== 0) return false;
  for (const args of [
    ["--target", "release"],
    ["assembly/kernels.ts", "--target", "kernels"],
  ]) {
    const { error } = await main([...args, "--baseDir", folder], { stdout: SILENT, stderr: SILENT });
    if (error) return false;
  }
  return true;
}

const wasm = () =>
  ["dqn", "kernels"].map((name) => readFileSync(join(folder, `.build/${name}.wasm`)).toString("base64"));

/** The first test of some files that fails, and how; undefined where none does. */
async function failureOf(files: string[]): Promise<string | undefined> {
  const report = join(folder, "report.json");
  rmSync(report, { force: true });
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts", "--root", "."];
  const code = await run([...vitest, "--bail", "1", "--reporter=json", `--outputFile=${report}`, ...files]);
  if (code === 0) return undefined;
  if (code === undefined) return `${files[0]}: no end`;
  if (!existsSync(report)) return `${files[0]}: crashed`;
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as Report;
  for (const { name, message, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    const test = name.slice(name.indexOf("test/"));
    if (failed) return `${test}: ${failed.title}: ${reasonOf(failed.failureMessages[0] ?? "")}`;
    if (message && assertionResults.length === 0) return `${test}: ${reasonOf(message)}`;
  }
  return `${files[0]}: failed`;
}

interface Report {
  testResults: {
    name: string;
    message?: string;
    assertionResults: { status: string; title: string; failureMessages: string[] }[];
  }[];
}

/** The line of a failure that gives the reason. */
function reasonOf(message: string): string {
  const lines = message.split("\n");
  const cause = lines.find((line) => /^(?:Got|Caused by:) /.test(line))?.replace(/^(?:Got|Caused by:) /, "");
  return (cause ?? lines[0] ?? "").trim().slice(0, 110);
}

async function tryOut(mutant: Mutant, original: string[]): Promise<Omit<Outcome, "mutant" | "number">> {
  const path = join(folder, mutant.file);
  const code = readFileSync(path, "utf8");
  if (code.split(mutant.find).length !== 2) return { kind: "not found" };
  try {
    writeFileSync(
      path,
      code.replace(mutant.find, () => mutant.replace),
    );
    if (!(await build())) return { kind: "does not compile" };
    if (wasm().every((bytes, i) => bytes === original[i])) return { kind: "same module" };
    const stages = ROOMS.test(mutant.file) ? [KERNELS, AGENTS, ASSEMBLY] : [AGENTS, ASSEMBLY, KERNELS];
    for (const files of stages) {
      const by = await failureOf(files);
      if (by) return { kind: "killed", by } as Omit<Outcome, "mutant" | "number">;
    }
    return { kind: "survived" };
  } finally {
    writeFileSync(path, code);
  }
}

async function campaign(): Promise<void> {
  for (const name of ["assembly", "test", "src", "asconfig.json", "package.json", "tsconfig.json"]) {
    cpSync(join(source, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(source, "node_modules"), join(folder, "node_modules"));
  if (!(await build())) throw new Error("the code does not compile as it is");
  const original = wasm();
  const start = performance.now();
  const before = await failureOf([...KERNELS, ...AGENTS, ...ASSEMBLY]);
  limitMs = ENDLESS * (performance.now() - start);
  if (before) throw new Error(`without any fault a test fails: ${before}`);

  const words = process.argv.slice(2);
  const outcomes: Outcome[] = [];
  for (const [i, mutant] of MUTANTS.entries()) {
    const place = `${i + 1} ${mutant.file.replace("assembly/", "")}: ${mutant.what}`;
    if (words.length > 0 && !words.some((word) => place.includes(word))) continue;
    const began = performance.now();
    const outcome = { mutant, number: i + 1, ...(await tryOut(mutant, original)) } as Outcome;
    outcomes.push(outcome);
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(`${place}\n    ${outcome.kind}${outcome.by ? ` by ${outcome.by}` : ""} (${seconds} s)`);
  }
  const isFine = ({ kind, mutant }: Outcome) =>
    mutant.harmless ? kind === "survived" || kind === "same module" : kind === "killed";
  const wrong = outcomes.filter((outcome) => !isFine(outcome));
  const killed = outcomes.filter(({ kind }) => kind === "killed").length;
  const harmless = outcomes.filter((outcome) => outcome.mutant.harmless && isFine(outcome)).length;
  console.log(`\n${outcomes.length} faults: ${killed} seen, ${harmless} harmless as listed, ${wrong.length} wrong`);
  for (const { kind, mutant, number } of wrong) console.log(`  ${number} ${mutant.file}: ${mutant.what}: ${kind}`);
  if (wrong.length > 0) process.exitCode = 1;
}

try {
  await campaign();
} finally {
  if (child) end(child);
  rmSync(folder, { recursive: true, force: true });
}
