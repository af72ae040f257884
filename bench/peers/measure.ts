/** Measures the peers at one shape: each is checked, warmed up and then sampled in turn with the others. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Probe, sampleInTurn } from "../harness/rounds.js";
import type { Context } from "../harness/suite.js";
import { faultOf } from "./check.js";
import { dataOf, type Shape, writeData } from "./data.js";
import type { Peer } from "./peers.js";
import { PeerProcess } from "./process.js";
import { type Expected, expectedOf } from "./reference.js";
import { type Samples, titled } from "./report.js";
import { type Effort, fastest, type Metric, probeOf, type Runner, warm } from "./timing.js";

/** The measurement at a shape. */
export interface Plan {
  shape: Shape;
  peers: readonly Peer[];
  metrics: readonly Metric[];
  effort: Effort;
}

/** A peer in its fastest form. */
interface Ready {
  peer: Peer;
  runner: Runner;
}

const firstLine = (error: unknown) => (error as Error).message.split("\n")[0];

/** Files that peers read and write. */
interface Files {
  data: string;
  scratch: string;
}

/** The forms of a peer that compute what they should, running. */
async function checked(peer: Peer, shape: Shape, files: Files, expected: Expected, context: Context) {
  const passed: PeerProcess[] = [];
  const faults: string[] = [];
  for (const variant of peer.variants(shape)) {
    let running: PeerProcess | undefined;
    let fault: string | undefined;
    try {
      running = await PeerProcess.start(variant, files.data);
      fault = await faultOf(running, peer.comparison, expected, files.scratch);
    } catch (error) {
      fault = firstLine(error);
    }
    if (fault === undefined) passed.push(running!);
    else {
      faults.push(`${titled(peer.label)} (${variant.name}) at ${shape.name}: ${fault}`);
      await running?.close();
    }
  }
  // A form that a version of a library does not have is no failure of the others.
  for (const fault of faults) context.say(`left out: ${fault}`);
  if (passed.length === 0) faults.forEach(context.fail);
  return passed;
}

/** The fastest form of each peer, warm for training where it can be trained. */
async function ready({ shape, peers, effort }: Plan, files: Files, context: Context): Promise<Ready[]> {
  const data = dataOf(shape);
  writeData(files.data, data);
  const expected = expectedOf(data);
  const all: Ready[] = [];
  for (const peer of peers) {
    const metric = peer.comparison === "actions" ? "act" : "train";
    const runners: Runner[] = [];
    for (const process of await checked(peer, shape, files, expected, context)) {
      try {
        runners.push(await warm(process, metric, effort));
      } catch (error) {
        context.fail(`${titled(peer.label)} at ${shape.name}: ${firstLine(error)}`);
        await process.close();
      }
    }
    if (runners.length === 0) continue;
    const runner = await fastest(runners, metric, effort, context);
    for (const other of runners) if (other !== runner) await other.peer.close();
    all.push({ peer, runner });
    context.say(`${shape.name}: ${titled(peer.label, runner.peer.version)} computes what it should`);
  }
  return all;
}

/** A probe that warms a peer up for a metric first; for training it is warm. */
function probed(name: string, { runner }: Ready, metric: Metric, effort: Effort): Probe {
  const probe = probeOf(name, runner, metric, effort);
  if (metric === "train") return probe;
  return {
    ...probe,
    async prepare() {
      const again = await warm(runner.peer, metric, { ...effort, warmup: effort.warmup / 4 });
      return probeOf(name, again, metric, effort).prepare();
    },
  };
}

async function sampled(all: readonly Ready[], metric: Metric, { shape, effort }: Plan, context: Context) {
  const taking = all.filter(({ peer }) => metric !== "train" || peer.comparison !== "actions");
  const names = taking.map(({ peer }) => `${metric}/${shape.name}/${peer.name}`);
  const probes = taking.map((each, i) => probed(names[i]!, each, metric, effort));
  const series = await sampleInTurn(probes, effort.rounds, context);
  return series.map(({ name, values }): Samples => {
    const { peer, runner } = taking[names.indexOf(name)]!;
    const { variant, version } = runner.peer;
    const node = variant.command === process.execPath ? `node ${process.versions.node}` : "";
    const runtime = [titled(peer.label, version), variant.name, node].filter(Boolean).join(", ");
    return { peer: peer.name, shape: shape.name, metric, runtime, samples: values };
  });
}

/** The samples of all peers at a shape. */
export async function measure(plan: Plan, context: Context): Promise<Samples[]> {
  const folder = mkdtempSync(join(tmpdir(), "liveq-peers-"));
  const files = { data: join(folder, "data"), scratch: join(folder, "weights") };
  let all: Ready[] = [];
  try {
    all = await ready(plan, files, context);
    const samples: Samples[] = [];
    for (const metric of plan.metrics) {
      samples.push(...(await sampled(all, metric, plan, context)));
      context.say(`${plan.shape.name}: ${metric} is measured`);
    }
    return samples;
  } finally {
    for (const { runner } of all) await runner.peer.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
