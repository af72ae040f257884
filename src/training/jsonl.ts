import type { DQN } from "../engine/index.js";
import type { TrainProgress } from "./training.js";

/**
 * A listener for `onProgress` that writes one JSON object a line: the fields of the report, and those of
 * `agent.stats()` as `stats`. Numbers that are NaN or infinite are null, as JSON has no others.
 *
 * ```ts
 * train(agent, environment, { steps, onProgress: jsonLinesLogger(agent, (line) => file.write(line)) });
 * ```
 *
 * @param write - Takes each line, its newline included.
 */
export function jsonLinesLogger(agent: DQN, write: (line: string) => void): (progress: TrainProgress) => void {
  return (progress) => write(`${JSON.stringify({ ...progress, stats: agent.stats() })}\n`);
}
