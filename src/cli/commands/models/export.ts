import { resolve } from "node:path";
import { DQN, SnapshotError, unpackSnapshot } from "../../../engine/index.js";
import { readSafetensors, toOnnx, toSafetensors } from "../../../exchange/index.js";
import { naming, readFile } from "../../reading/files.js";
import { STANDARD, titleOf, tryOutputs, writeFile } from "../../writing/output.js";
import { version } from "../../writing/results.js";

/** The formats of `liveq export`. */
export const FORMATS = ["safetensors", "onnx"] as const;

export interface ExportOptions {
  format: (typeof FORMATS)[number];
  out: string;
}

/** Kinds of files with an agent inside, and the tensors that lead to it. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  recommender: ["agent"],
  training: ["agent"],
  ranker: ["agent"],
  model: ["ranker", "agent"],
};

/** The file of the agent in a file of any kind. @throws SnapshotError. */
export function agentIn(bytes: Uint8Array): Uint8Array {
  let inner = bytes;
  for (const name of WAYS[kindWithin(bytes)] ?? []) {
    const part = unpackSnapshot(kindWithin(inner), inner).tensors.get(name);
    if (part === undefined) throw new SnapshotError(`the file holds no ${name}`);
    inner = part;
  }
  return inner;
}

function kindWithin(bytes: Uint8Array): string {
  return readSafetensors(bytes).metadata.get("kind") ?? "";
}

/** Converts the weights of an agent, or of the one in another file of LiveQ's, for other tools. */
export function exportWeights(file: string, { format, out }: ExportOptions): void {
  if (out !== STANDARD && resolve(file) === resolve(out)) throw new Error(`"--out" must be another file than ${file}`);
  tryOutputs(out);
  const bytes = readFile(file);
  const agent = naming(file, () => DQN.load(agentIn(bytes)));
  const metadata = { producer: `liveq ${version}`, options: JSON.stringify(agent.options) };
  const exported = format === "onnx" ? toOnnx(agent) : toSafetensors(agent.weights(), metadata);
  writeFile(out, exported);
  process.stderr.write(`${titleOf(out)} written: ${exported.byteLength} bytes\n`);
}
