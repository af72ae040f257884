import { resolve } from "node:path";
import { DQN } from "../../engine/index.js";
import { toOnnx, toSafetensors } from "../../exchange/index.js";
import { naming, readFile } from "../reading/files.js";
import { STANDARD, titleOf, tryOutputs, writeFile } from "../writing/output.js";
import { version } from "../writing/results.js";

/** The formats of `liveq export`. */
export const FORMATS = ["safetensors", "onnx"] as const;

export interface ExportOptions {
  format: (typeof FORMATS)[number];
  out: string;
}

/** Converts the weights in an agent's file for other tools. */
export function exportWeights(file: string, { format, out }: ExportOptions): void {
  if (out !== STANDARD && resolve(file) === resolve(out)) throw new Error(`"--out" must be another file than ${file}`);
  tryOutputs(out);
  const bytes = readFile(file);
  const agent = naming(file, () => DQN.load(bytes));
  const metadata = { producer: `liveq ${version}`, options: JSON.stringify(agent.options) };
  const exported = format === "onnx" ? toOnnx(agent) : toSafetensors(agent.weights(), metadata);
  writeFile(out, exported);
  process.stderr.write(`${titleOf(out)} written: ${exported.byteLength} bytes\n`);
}
