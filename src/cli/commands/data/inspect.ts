import { DQN, SnapshotError, unpackSnapshot } from "../../../engine/index.js";
import { readSafetensors } from "../../../exchange/index.js";
import { Batched, cleanEvents, inBatches, qualityReportLines, readBytes } from "../../../logs/index.js";
import type { Compression } from "../../../node/index.js";
import type { RecommenderStats } from "../../../recommender/index.js";
import { readFile } from "../../reading/files.js";
import { eventsOf, formatOf, Inputs, until } from "../../reading/input.js";
import { modelOf, recommenderOf } from "../../reading/model.js";
import { inOrder, type Ordering } from "../../reading/order.js";
import { amount, Progress } from "../../reports/index.js";
import { STANDARD } from "../../writing/output.js";
import { table } from "../../writing/table.js";

export interface InspectOptions {
  json: boolean;
}

interface TensorLine {
  name: string;
  dtype: string;
  shape: number[];
  bytes: number;
}

/** The output of `liveq inspect --json`. */
interface Description {
  /** `dqn`, `model`, ... for LiveQ's own files; `weights` for any other safetensors file. */
  kind: string;
  compression?: Compression;
  bytes: number;
  metadata: Record<string, string>;
  tensors: TensorLine[];
  agent?: AgentLines;
  /** Number of users and items of a model. */
  users?: number;
  items?: number;
  /** Counters and sizes of a recommender. */
  stats?: RecommenderStats;
  /** Files inside this one, by the name of their tensor. */
  parts?: Record<string, Description>;
}

interface AgentLines {
  steps: number;
  updates: number;
  skippedUpdates: number;
  replaySize: number;
  memoryBytes: number;
  options: object;
  layers: { name: string; inputs: number; outputs: number; parameters: number }[];
}

const TEXT_SHOWN = 200;

const CLEANING = { simultaneous: "sort" } as const;

/** Tensors that contain complete LiveQ files. */
const PARTS = ["agent", "ranker"];

const TITLES: Record<string, string> = {
  dqn: "an agent",
  model: "a model of liveq train",
  ranker: "a ranker",
  training: "a training that can be resumed",
  recommender: "a recommender",
  weights: "safetensors",
};

/** Checks a file completely, and prints its kind and contents. */
export async function inspect(file: string, options: InspectOptions, signal: AbortSignal): Promise<void> {
  const inputs = new Inputs([file], signal);
  const { bytes, compression, layout } = await inputs.head(inputs.names[0]!);
  if (bytes.length === 0) {
    throw new Error(`${inputs.title}: must hold events or tensors, got ${await inputs.nothing()}`);
  }
  // Text has no zero bytes, but UTF-16; a file of tensors begins with a length in eight bytes.
  const isTensors = bytes.includes(0) && layout === undefined;
  if (!isTensors) await inspectEvents(inputs, compression, options, signal);
  else {
    const isPlain = file !== STANDARD && compression === undefined;
    inspectTensors(file, isPlain ? readFile(file) : await inflated(inputs), compression, options);
  }
}

/** Most bytes that a byte of a compressed model may stand for, and bytes that any may have: more is no model. */
const INFLATION = 200;
const INFLATED = 2 ** 26;

/** All bytes of a pipe or a compressed file. @throws Error for one that inflates beyond reason. */
async function inflated(inputs: Inputs): Promise<Uint8Array> {
  const name = inputs.names[0]!;
  const bounded = async function* () {
    let bytes = 0;
    for await (const piece of inputs.open(name)) {
      bytes += piece.length;
      if (bytes > INFLATED + INFLATION * inputs.read) throw new Error(`${inputs.title}: inflates to more than a model`);
      yield piece;
    }
  };
  return readBytes(bounded());
}

/** Prints the quality of events, with the default cleaning of `liveq prepare`. */
async function inspectEvents(
  inputs: Inputs,
  compression: Compression | undefined,
  { json }: InspectOptions,
  signal: AbortSignal,
): Promise<void> {
  const format = await formatOf(inputs, "auto");
  if (format.yields !== "events") {
    throw new Error(`${inputs.title}: must hold events or tensors, got ${format.description}`);
  }
  const progress = new Progress("B");
  const ordering: Ordering = {
    order: "auto",
    isOnce: !inputs.isAgain,
    cleaning: CLEANING,
    folder: undefined,
    signal,
    open: (joining, report) => {
      inputs.read = 0;
      return new Batched(until(signal, inBatches(eventsOf(format, inputs, { onError: "skip", report }, joining))));
    },
  };
  const { result: quality, isSorted } = await inOrder(ordering, async ({ events, report, check }) => {
    const text = () => amount(report.read, "events");
    for await (const _ of inBatches(cleanEvents(events, { ...CLEANING, report }))) {
      progress.show({ count: inputs.read, fraction: inputs.fraction, text });
    }
    check();
    return report;
  });
  progress.end();
  signal.throwIfAborted();
  const kind = `events as ${format.name}${compression === undefined ? "" : `, compressed by ${compression}`}`;
  if (json) {
    const found = { kind, ...(compression && { compression }), inOrder: !isSorted, quality };
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  const order = isSorted ? ", not in order of time" : "";
  process.stdout.write(`${inputs.title}: ${kind}${order}\n${qualityReportLines(quality).map(plain).join("\n")}\n`);
}

function inspectTensors(
  file: string,
  bytes: Uint8Array,
  compression: Compression | undefined,
  { json }: InspectOptions,
): void {
  let description: Description;
  try {
    description = describe(bytes);
    if (description.kind === "model") {
      const { users, titles } = modelOf(bytes);
      description = { ...description, users: users.length, items: titles.length };
    }
    if (description.kind === "recommender") {
      const recommender = recommenderOf(bytes);
      description = { ...description, stats: recommender.stats() };
      recommender.dispose();
    }
  } catch (cause) {
    if (cause instanceof SnapshotError) throw new Error(`${file}: ${cause.message}`, { cause });
    throw cause;
  }
  if (compression !== undefined) description = { ...description, compression };
  const packed = compression === undefined ? "" : `${compression} of `;
  process.stdout.write(
    json ? `${JSON.stringify(description, null, 2)}\n` : `${file}: ${packed}${linesOf(description)}\n`,
  );
}

/** @throws SnapshotError for a file that is damaged or foreign. */
function describe(bytes: Uint8Array): Description {
  const { metadata, tensors } = readSafetensors(bytes);
  const common = {
    bytes: bytes.byteLength,
    metadata: Object.fromEntries(metadata),
    tensors: Array.from(tensors, ([name, { dtype, shape, bytes }]) => ({ name, dtype, shape, bytes: bytes.length })),
  };
  if (metadata.get("format") !== "liveq") return { kind: "weights", ...common };
  const kind = metadata.get("kind") ?? "";
  // Checks the digest, and that this version may read it.
  const snapshot = unpackSnapshot(kind, bytes);
  if (kind === "dqn") return { kind, ...common, agent: agentLines(bytes) };
  const parts = PARTS.flatMap((name) => {
    const part = snapshot.tensors.get(name);
    return part ? [[name, describe(part)] as const] : [];
  });
  return { kind, ...common, parts: Object.fromEntries(parts) };
}

function agentLines(bytes: Uint8Array): AgentLines {
  const agent = DQN.load(bytes);
  const { steps, updates, skippedUpdates, replaySize, memoryBytes, options } = agent;
  const layers = agent.weights().map(({ name, inputs, outputs, weight, bias, gain, shift }) => {
    const parameters = [weight, bias, gain, shift].reduce((sum, part) => sum + (part?.length ?? 0), 0);
    return { name, inputs, outputs, parameters };
  });
  agent.dispose();
  return { steps, updates, skippedUpdates, replaySize, memoryBytes, options, layers };
}

/** Text from a file, shortened and without control characters for the terminal; --json has all of it. */
function plain(text: string): string {
  const short = text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}...` : text;
  return short.replace(/\p{Cc}/gu, (mark) => JSON.stringify(mark).slice(1, -1));
}

function linesOf(description: Description): string {
  const { kind, bytes, metadata, tensors, agent, users, items, stats, parts = {} } = description;
  const lines = [`${TITLES[kind] ?? `a LiveQ file of kind "${kind}"`}, ${bytes} bytes`];
  if (users !== undefined) lines.push(`${users} users, ${items} items`);
  if (stats) lines.push(...linesOfStats(stats));
  // The options are among the agent's own lines.
  const notes = Object.entries(metadata).filter(([name]) => !(agent && name === "options"));
  lines.push(...notes.map(([name, text]) => plain(`${name}: ${text}`)));
  if (agent) lines.push(...linesOfAgent(agent));
  const rows = tensors.map(({ name, dtype, shape, bytes }) => [
    plain(name),
    dtype,
    `(${shape.join(", ")})`,
    String(bytes),
  ]);
  lines.push("", table(["tensor", "type", "shape", "bytes"], rows));
  for (const [name, part] of Object.entries(parts)) lines.push("", `"${name}" is ${linesOf(part)}`);
  return lines.join("\n");
}

function linesOfStats({ users, onAir, decisions, transitions, updates, pending, ...odd }: RecommenderStats): string[] {
  const { loss: _, ...counts } = odd;
  const rest = Object.entries(counts).map(([name, value]) => `${name} ${value}`);
  return [
    `users ${users}, streams on air ${onAir}, decisions ${decisions}, of which ${pending} are open`,
    `transitions ${transitions}, updates ${updates}`,
    `odd: ${rest.join(", ")}`,
  ];
}

function linesOfAgent({
  steps,
  updates,
  skippedUpdates,
  replaySize,
  memoryBytes,
  options,
  layers,
}: AgentLines): string[] {
  const rows = layers.map(({ name, inputs, outputs, parameters }) => [name, inputs, outputs, parameters].map(String));
  return [
    `steps ${steps}, updates ${updates}, skipped ${skippedUpdates}, replay ${replaySize}, memory ${memoryBytes} bytes`,
    "options:",
    ...Object.entries(options).map(([name, value]) => `  ${name}: ${JSON.stringify(value) ?? "none"}`),
    "",
    table(["layer", "inputs", "outputs", "parameters"], rows),
  ];
}
