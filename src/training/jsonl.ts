import type { TrainProgress } from "./training.js";

/**
 * Makes a listener for `onProgress` that writes one JSON object a line: the fields of the report, and `agent.stats()` as
 * `stats`. NaN and infinities become null, as JSON lacks them.
 *
 * ```ts
 * train(agent, environment, { steps, onProgress: jsonLinesLogger(agent, (line) => file.write(line)) });
 * ```
 *
 * @param write - Gets each line with its newline.
 */
export function jsonLinesLogger(
  agent: { stats(): object },
  write: (line: string) => void,
): (progress: TrainProgress) => void {
  return (progress) => write(`${JSON.stringify({ ...progress, stats: agent.stats() })}\n`);
}
