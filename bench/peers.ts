/**
 * LiveQ and its peers side by side: the same train step and the same decisions, each peer first checked to compute them.
 * Every peer is a process of its own with one thread.
 */
import { cpus } from "node:os";
import { Option } from "commander";
import type { StoredRow } from "../src/cli/writing/results.js";
import { command } from "./harness/command.js";
import { NODE_OPTION } from "./harness/node.js";
import { type Case, type Context, momentary, type Task } from "./harness/suite.js";
import { installPackages, installSystem } from "./peers/build.js";
import { TOLERANCE } from "./peers/check.js";
import { CAPACITY, ROWS, SHAPES, STEPS } from "./peers/data.js";
import { measure } from "./peers/measure.js";
import { PEER_NAMES, type Peer, peersWith } from "./peers/peers.js";
import { OWN, rowsOf, tablesOf, titled } from "./peers/report.js";
import { EFFORT, METRICS, QUICK } from "./peers/timing.js";

interface Options {
  quick?: true;
  python?: string;
  install?: true;
}

const CASES: Case[] = SHAPES.flatMap(({ name }) =>
  METRICS.flatMap((metric) => PEER_NAMES.map((peer) => ({ name: `${metric}/${name}/${peer}` }))),
);

/** The peers of this machine, once they are built. */
let peers: Peer[] = [];
let asked: Options = {};

/** A task for each shape that is chosen; LiveQ takes part in each. */
function tasks(chosen: readonly Case[], options: Options): Task[] {
  asked = options;
  if (options.install) installSystem();
  installPackages();
  const names = new Set(chosen.map(({ name }) => name));
  const isAsked = (peer: string) => peer === OWN || chosen.some(({ name }) => name.endsWith(`/${peer}`));
  peers = peersWith(options.python ? { python: options.python } : {}).filter(({ name }) => isAsked(name));
  for (const { label, missing } of peers) if (missing) console.error(`${titled(label)} is absent: ${missing}`);
  const effort = options.quick ? QUICK : EFFORT;
  return SHAPES.flatMap((shape) => {
    const of = (metric: string) => peers.filter(({ name }) => names.has(`${metric}/${shape.name}/${name}`));
    const metrics = METRICS.filter((metric) => of(metric).length > 0);
    if (metrics.length === 0) return [];
    const taking = peers.filter((peer) => peer.name === OWN || metrics.some((metric) => of(metric).includes(peer)));
    const recipe = momentary(`peers/${shape.name}`, { effort, metrics, peers: taking.map(({ name }) => name) });
    const plan = { shape, peers: taking, metrics, effort };
    const run = async (context: Context) => rowsOf(await measure(plan, context));
    return [{ case: shape.name, recipe, isAlone: true, run }];
  });
}

/** What must be known to read the tables. */
function notes(rows: readonly StoredRow[]): string[] {
  const { rounds } = asked.quick ? QUICK : EFFORT;
  const [loss, weight] = [TOLERANCE.loss.toExponential(), TOLERANCE.weight.toExponential()];
  return [
    `Medians of up to ${rounds} samples, one thread each; in brackets, how many times the time of LiveQ in the same round`,
    `Checked first: the losses of ${STEPS} updates within ${loss} and all weights within ${weight} of the same in f64`,
    ...peers.flatMap(({ name, label, note }) =>
      note && rows.some((row) => row.case.endsWith(`/${name}`)) ? [`${titled(label)} ${note}`] : [],
    ),
  ];
}

function report(rows: readonly StoredRow[]): { text: string } {
  const machine = `${cpus()[0]?.model ?? "an unknown processor"}, Node ${process.versions.node}`;
  const setting = `a replay of ${CAPACITY} transitions, decisions for one row and for ${ROWS}`;
  return { text: [tablesOf(rows), "", `${machine}; ${setting}`, ...notes(rows)].join("\n") };
}

await command<Case, Options>({
  name: "peers",
  description: "Measures LiveQ beside other engines, each of which must compute what it is timed for.",
  cases: CASES,
  mustMeetGoals: true,
  options: [
    new Option("--quick", "few and short samples: to see that all of it works"),
    new Option("--python <path>", "a Python that has PyTorch"),
    new Option("--install", "install clang, OpenBLAS and PyTorch with apt-get first"),
    NODE_OPTION,
  ],
  tasks,
  report,
});
