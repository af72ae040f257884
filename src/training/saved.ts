import {
  any,
  either,
  fields,
  finite,
  group,
  list,
  nonNegativeInteger,
  or,
  requireShape,
  type Shape,
} from "../check/index.js";
import { type AgentInput, type FileBytes, packSnapshot, SnapshotError, unpackSnapshot } from "../engine/index.js";
import type { EvaluationResult } from "./training.js";

/** An unfinished episode in a file. */
export interface SavedSeat {
  /** Numbers, or dense numbers, indices and weights. */
  observation: number[] | { dense: number[]; indices: number[]; weights?: number[] };
  return: number;
  length: number;
  /** The environment's `state`; null if it has none. */
  state: unknown;
}

/** A training between two reports, without its agent, environments and callbacks. */
export interface SavedTraining {
  options: {
    steps: number;
    seed: number;
    progressEvery: number;
    /** Without the environment; null without an evaluation. */
    evaluation: Record<string, unknown> | null;
  };
  seats: SavedSeat[];
  started: number;
  steps: number;
  returns: number[];
  evaluated: EvaluationResult | null;
  best: EvaluationResult | null;
  worse: number;
}

/** The contents of a training's file. */
export interface TrainingFile {
  training: SavedTraining;
  /** The file of the agent. */
  agent: Uint8Array;
  /** The best weights so far, if there are any. */
  best: Float32Array | undefined;
}

export function packTraining({ training, agent, best }: TrainingFile): Uint8Array {
  const tensors = new Map([["agent", agent]]);
  if (best) tensors.set("best", new Uint8Array(best.buffer, best.byteOffset, best.byteLength));
  return packSnapshot("training", { training: JSON.stringify(training) }, tensors);
}

/** @throws SnapshotError for a file that is damaged, foreign, newer, or holds no training. */
export function unpackTraining(file: FileBytes): TrainingFile {
  const { metadata, tensors } = unpackSnapshot("training", file);
  const agent = tensors.get("agent");
  const best = tensors.get("best");
  const isSound = agent && tensors.size === (best ? 2 : 1) && (best?.byteLength ?? 0) % 4 === 0;
  if (!isSound) throw new SnapshotError('the file must hold the tensor "agent", and "best" or no other');
  let training: SavedTraining;
  try {
    training = JSON.parse(metadata["training"] ?? "") as SavedTraining;
  } catch (cause) {
    throw new SnapshotError("the training in the file must be JSON", { cause });
  }
  try {
    requireShape(TRAINING, training, "training");
  } catch (cause) {
    throw new SnapshotError(`the file holds no valid training: ${(cause as Error).message}`, { cause });
  }
  return { training, agent, best: best && new Float32Array(best.slice().buffer) };
}

const result = or(null, fields<EvaluationResult>({ step: nonNegativeInteger, meanReturn: finite }));
const floats = list(finite);
const sparse = fields<Exclude<SavedSeat["observation"], number[]>>({
  dense: floats,
  indices: list(nonNegativeInteger),
  weights: or(undefined, floats),
});

/** Options and states of environments are checked where they are used. */
const TRAINING: Shape = fields<SavedTraining>({
  options: group,
  seats: list(
    fields<SavedSeat>({
      observation: either(Array.isArray, floats, sparse),
      return: finite,
      length: nonNegativeInteger,
      state: any,
    }),
    1,
  ),
  started: nonNegativeInteger,
  steps: nonNegativeInteger,
  returns: floats,
  evaluated: result,
  best: result,
  worse: nonNegativeInteger,
});

/** An input as plain data for JSON, exact for f32 numbers. */
export function toPlain(input: AgentInput): SavedSeat["observation"] {
  if (!("indices" in input)) return Array.from(input);
  const { dense = [], indices, weights } = input;
  const plain = { dense: Array.from(dense), indices: Array.from(indices) };
  return weights ? { ...plain, weights: Array.from(weights) } : plain;
}
