/**
 * LiveQ and its peers side by side: the same train step and the same decisions, each peer first checked to compute them.
 * Every peer is a process of its own with one thread; samples go round all of them.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { writeRows } from "../../src/cli/writing/results.js";
import { installPackages, installSystem } from "./build.js";
import { faultOf, TOLERANCE } from "./check.js";
import { CAPACITY, dataOf, ROWS, SHAPES, type Shape, STEPS, writeData } from "./data.js";
import { type Peer, peersWith } from "./peers.js";
import { PeerProcess } from "./process.js";
import { type Expected, expectedOf } from "./reference.js";
import { type Absence, type Result, replaced, rowsOf, sectionOf, tablesOf, titled } from "./report.js";
import { EFFORT, fastest, interleave, METRICS, QUICK, type Runner, warm } from "./timing.js";

interface Options {
  json?: string;
  readme?: true;
  quick?: true;
  only?: string[];
  shapes?: string[];
  node: string;
  python?: string;
  install?: true;
}

const program = new Command("bench:peers")
  .description("Measures LiveQ beside other engines; ends with 1 if a peer does not compute what it should.")
  .option("--json <file>", "write the figures as rows")
  .option("--readme", "write the tables to README.md, between its markers")
  .option("--quick", "few and short samples: to see that all of it works")
  .option("--only <peer...>", "LiveQ and only these peers, by their names in the rows")
  .option("--shapes <shape...>", `only these shapes: ${SHAPES.map(({ name }) => JSON.stringify(name)).join(", ")}`)
  .option("--node <path>", "the Node that runs LiveQ and the peers in JavaScript and Wasm", process.execPath)
  .option("--python <path>", "a Python that has PyTorch")
  .option("--install", "install clang, OpenBLAS and PyTorch with apt-get first")
  .parse();
const options = program.opts<Options>();
const { only, node } = options;
const effort = options.quick ? QUICK : EFFORT;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

if (options.install) installSystem();
installPackages();
const nodeVersion = execFileSync(node, ["--version"], { encoding: "utf8" }).trim().slice(1);
const everybody = peersWith({ node, ...(options.python ? { python: options.python } : {}) });
for (const name of only ?? [])
  if (!everybody.some((peer) => peer.name === name)) program.error(`there is no peer ${name}`);
for (const name of options.shapes ?? []) {
  if (!SHAPES.some((shape) => shape.name === name)) program.error(`there is no shape ${name}`);
}
const peers = everybody.filter(({ name }, i) => i === 0 || !only || only.includes(name));
const shapes = SHAPES.filter(({ name }) => !options.shapes || options.shapes.includes(name));
const folder = mkdtempSync(join(tmpdir(), "liveq-peers-"));
const results: Result[] = [];
const absences: Absence[] = peers.flatMap(({ label, missing }) =>
  missing ? [{ label: titled(label), reason: missing }] : [],
);
const failures: string[] = [];
for (const { label, reason } of absences) say(`${label} is absent: ${reason}`);

/** The forms of a peer that compute what they should, running. */
async function checked(peer: Peer, shape: Shape, file: string, expected: Expected): Promise<PeerProcess[]> {
  const passed: PeerProcess[] = [];
  const faults: string[] = [];
  for (const variant of peer.variants(shape)) {
    let running: PeerProcess | undefined;
    let fault: string | undefined;
    try {
      running = await PeerProcess.start(variant, file);
      fault = await faultOf(running, peer.comparison, expected, join(folder, "weights"));
    } catch (error) {
      fault = (error as Error).message;
    }
    if (fault === undefined) passed.push(running!);
    else {
      faults.push(`${titled(peer.label)} (${variant.name}) at ${shape.name}: ${fault.split("\n")[0]}`);
      await running?.close();
    }
  }
  // A form that a version of a library does not have is no failure of the others.
  for (const fault of faults) say(`left out: ${fault}`);
  if (passed.length === 0) failures.push(...faults);
  return passed;
}

/** The fastest form of each peer, warm for training where it can be trained. */
async function ready(shape: Shape): Promise<{ peer: Peer; runner: Runner }[]> {
  const file = join(folder, "data");
  const data = dataOf(shape);
  writeData(file, data);
  const expected = expectedOf(data);
  const all: { peer: Peer; runner: Runner }[] = [];
  for (const peer of peers) {
    const metric = peer.comparison === "actions" ? "act" : "train";
    const runners: Runner[] = [];
    for (const process of await checked(peer, shape, file, expected)) runners.push(await warm(process, metric, effort));
    if (runners.length === 0) continue;
    const runner = await fastest(runners, metric, effort);
    for (const other of runners) if (other !== runner) await other.peer.close();
    all.push({ peer, runner });
    say(`${shape.name}: ${titled(peer.label, runner.peer.version)} computes what it should`);
  }
  return all;
}

async function measure(shape: Shape): Promise<void> {
  const all = await ready(shape);
  for (const metric of METRICS) {
    const taking = all.filter(({ peer }) => metric !== "train" || peer.comparison !== "actions");
    const runners: Runner[] = [];
    for (const { runner } of taking) {
      runners.push(
        metric === "train" ? runner : await warm(runner.peer, metric, { ...effort, warmup: effort.warmup / 4 }),
      );
    }
    await interleave(runners, metric, effort);
    for (const [i, { peer }] of taking.entries()) {
      const { peer: process, samples, fault } = runners[i]!;
      const { name: variant, command } = process.variant;
      if (fault !== undefined)
        failures.push(`${titled(peer.label)} at ${shape.name}, ${metric}: ${fault.split("\n")[0]}`);
      if (fault !== undefined || samples.length === 0) continue;
      const runtime = command === node ? { runtime: `node ${nodeVersion}` } : {};
      const what = { peer: peer.name, label: peer.label, version: process.version, variant, ...runtime };
      results.push({ ...what, shape: shape.name, metric, samples });
    }
    say(`${shape.name}: ${metric} is measured`);
  }
  for (const { runner } of all) await runner.peer.close();
}

const notes = () => [
  `Medians of up to ${effort.rounds} samples, one thread each; in brackets, how many times the time of LiveQ in the same round`,
  `Checked first: the losses of ${STEPS} updates within ${TOLERANCE.loss.toExponential()} and all weights within ${TOLERANCE.weight.toExponential()} of the same in f64`,
  ...peers.flatMap(({ name, label, note }) =>
    note && results.some(({ peer }) => peer === name) ? [`${titled(label)} ${note}`] : [],
  ),
];

const started = performance.now();
try {
  for (const shape of shapes) await measure(shape);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const machine = `${cpus()[0]?.model ?? "an unknown processor"}, Node ${nodeVersion}`;
console.log(tablesOf(results));
console.log(`\n${machine}; a replay of ${CAPACITY} transitions, decisions for one row and for ${ROWS}`);
say(`${Math.round((performance.now() - started) / 60_000)} minutes`);
if (options.json) writeRows(options.json, rowsOf(results));
if (options.readme) {
  const section = sectionOf(results, { notes: notes(), absences, machine });
  writeFileSync("README.md", replaced(readFileSync("README.md", "utf8"), section));
}
if (failures.length > 0) {
  say(`\nNot as they should be:\n${failures.join("\n")}`);
  process.exitCode = 1;
}
