import type { LayerWeights } from "../../engine/index.js";
import type { TrainProgress } from "../../training/index.js";
import type { Frame } from "./scenes.js";
import type { EnvironmentName, Settings } from "./settings.js";

/** A point of the curves. */
export interface CurvePoint {
  readonly step: number;
  readonly meanReturn: number | null;
  readonly loss: number | null;
  readonly qMean: number | null;
  readonly epsilon: number;
  readonly evaluated: number | null;
}

/** A training that was put away: enough to go on bit for bit. */
export interface SavedTraining {
  readonly environment: EnvironmentName;
  readonly settings: Settings;
  /** A file of `Training.save`; of `DQN.save` once it has ended. */
  readonly file: Uint8Array<ArrayBuffer>;
  readonly ended: string | undefined;
  readonly curve: readonly CurvePoint[];
  /** SHA-256 of all that persists of the agent, and of its weights alone. */
  readonly hash: string;
  readonly weights: string;
}

/** What the page says to the worker. */
export type Call =
  | {
      readonly type: "start";
      readonly environment: EnvironmentName;
      readonly settings: Settings;
      readonly isPaused: boolean;
    }
  | { readonly type: "resume"; readonly saved: SavedTraining; readonly isPaused: boolean }
  /** Steps a second; Infinity: as fast as it can. */
  | { readonly type: "run"; readonly pace: number }
  | { readonly type: "pause" }
  /** Some steps, then a pause. */
  | { readonly type: "step" }
  | { readonly type: "save" };

/** What the worker says to the page. */
export type Answer =
  | {
      readonly type: "report";
      readonly progress: Omit<TrainProgress, "evaluation">;
      /** Steps since the report before, each with the agent's values; the last one alone at full speed. */
      readonly frames: readonly Frame[];
      /** The values of the actions in the last frame. */
      readonly values: readonly number[];
      readonly curve: readonly CurvePoint[];
      readonly layers?: readonly LayerWeights[];
      readonly ended: string | undefined;
    }
  | {
      readonly type: "saved";
      readonly saved: SavedTraining;
      readonly safetensors: Uint8Array;
      readonly onnx: Uint8Array;
    }
  | { readonly type: "failed"; readonly message: string };
