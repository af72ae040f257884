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
  let training: unknown;
  try {
    training = JSON.parse(metadata["training"] ?? "");
  } catch (cause) {
    throw new SnapshotError("the training in the file must be JSON", { cause });
  }
  if (!isTraining(training)) throw new SnapshotError("the file holds no valid training");
  return { training, agent, best: best && new Float32Array(best.slice().buffer) };
}

const isCount = (x: unknown) => Number.isSafeInteger(x) && (x as number) >= 0;

function isEvaluated(x: unknown): boolean {
  const { step, meanReturn } = (x ?? {}) as EvaluationResult;
  return x === null || (isCount(step) && Number.isFinite(meanReturn));
}

function isSeat(x: unknown): boolean {
  const { observation, return: sum, length } = (x ?? {}) as SavedSeat;
  return typeof observation === "object" && observation !== null && Number.isFinite(sum) && isCount(length);
}

function isTraining(x: unknown): x is SavedTraining {
  const { options, seats, started, steps, returns, evaluated, best, worse } = (x ?? {}) as SavedTraining;
  return (
    typeof options === "object" &&
    Array.isArray(seats) &&
    seats.length > 0 &&
    seats.every(isSeat) &&
    [started, steps, worse].every(isCount) &&
    Array.isArray(returns) &&
    returns.every(Number.isFinite) &&
    isEvaluated(evaluated) &&
    isEvaluated(best)
  );
}

/** An input as plain data for JSON, exact for f32 numbers. */
export function toPlain(input: AgentInput): SavedSeat["observation"] {
  if (!("indices" in input)) return Array.from(input);
  const { dense = [], indices, weights } = input;
  const plain = { dense: Array.from(dense), indices: Array.from(indices) };
  return weights ? { ...plain, weights: Array.from(weights) } : plain;
}
