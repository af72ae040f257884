export type { Environment, StepResult } from "./environment.js";
export { type EvaluateOptions, evaluate } from "./evaluate.js";
export { jsonLines } from "./jsonl.js";
export { type EvaluationOptions, type ResumeOptions, resume, type TrainOptions, train } from "./train.js";
export type { Evaluated, TrainEpisode, Training, TrainProgress, TrainResult } from "./training.js";
