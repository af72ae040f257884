import { resolve } from "node:path";
import { DQN } from "../../engine/index.js";
import { toOnnx, toSafetensors } from "../../exchange/index.js";
import { saveFile } from "../../node/index.js";
import { naming, readFile } from "../reading/files.js";
import { version } from "../writing/results.js";

/** The formats of `liveq export`. */
export const FORMATS = ["safetensors", "onnx"] as const;

export interface ExportOptions {
  format: (typeof FORMATS)[number];
  out: string;
}

/** Converts the weights in an agent's file for other tools. */
export function exportWeights(file: string, { format, out }: ExportOptions): void {
  if (resolve(file) === resolve(out)) throw new Error(`"--out" must be another file than ${file}`);
  const bytes = readFile(file);
  const agent = naming(file, () => DQN.load(bytes));
  const metadata = { producer: `liveq ${version}`, options: JSON.stringify(agent.options) };
  const exported = format === "onnx" ? toOnnx(agent) : toSafetensors(agent.weights(), metadata);
  saveFile(out, exported);
  process.stderr.write(`${out} written: ${exported.byteLength} bytes\n`);
}
