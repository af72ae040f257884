import { assigned, type TrainEnvironmentOptions, trainEnvironment } from "../../environments/index.js";
import { readJsonObject } from "../../reading/options.js";
import { Progress } from "../../reports/index.js";
import { Curve } from "../../writing/curve.js";
import { print, takeModel, titleOf, tryOutputs } from "../../writing/output.js";
import { type Row, writeRows } from "../../writing/results.js";

export interface TrainEnvOptions extends Omit<TrainEnvironmentOptions, "agent" | "checkpoints"> {
  /** Options of the agent: a file with JSON, and words that win over it. */
  options?: string;
  set: string[];
  checkpoints?: string;
  json?: string;
}

/** Trains in the environment of a module; false if the signal ended it early. */
export async function trainEnv(file: string, given: TrainEnvOptions, signal: AbortSignal): Promise<boolean> {
  const { model, json, seed, checkpoints = `${model}.checkpoints` } = given;
  const agent = { ...(given.options !== undefined && readJsonObject(given.options)), ...assigned(given.set) };
  tryOutputs(json);
  const lock = takeModel(model);
  const progress = new Progress("steps");
  const [returns, greedy] = [new Curve("mean return", "steps"), new Curve("return of evaluations", "steps")];
  const result = await trainEnvironment(
    file,
    { ...given, agent, checkpoints },
    {
      signal,
      say: (line) => process.stderr.write(`${line}\n`),
      onProgress({ step, total, episodes, meanReturn, evaluation }) {
        returns.add(step, meanReturn);
        if (evaluation) greedy.add(evaluation.step, evaluation.meanReturn);
        const text = () => `${episodes} episodes, mean return ${meanReturn.toPrecision(4)} ${returns.picture}`;
        progress.show({ count: step, fraction: step / total, text });
      },
    },
  );
  progress.end();
  for (const curve of [returns, greedy]) curve.note();
  lock.release();
  process.stderr.write(`${titleOf(model)} written: ${result.steps} steps in ${progress.seconds.toFixed(1)} s\n`);
  const recent = result.returns.slice(-20);
  const mean = recent.reduce((sum, x) => sum + x, 0) / recent.length;
  const row = (metric: string, value: number): Row => ({
    suite: "train-env",
    case: result.name,
    metric,
    value,
    unit: "1",
  });
  const rows = [row("steps", result.steps), row("episodes", result.returns.length)];
  if (recent.length > 0) rows.push(row("recent_return", mean));
  if (result.best) rows.push(row("best_return", result.best.meanReturn), row("best_step", result.best.step));
  writeRows(
    json,
    rows.map((each) => ({ ...each, seeds: [seed] })),
  );
  const best = result.best
    ? `; best evaluation ${result.best.meanReturn.toPrecision(4)} at step ${result.best.step}`
    : "";
  const last = recent.length > 0 ? `mean return ${mean.toPrecision(4)} over the last ${recent.length}` : "none ended";
  print(`${result.name}: ${result.returns.length} episodes, ${last}${best}\n`, json, model);
  return result.ended !== "signal";
}
