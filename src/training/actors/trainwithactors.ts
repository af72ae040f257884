import { callback, checked, mustBe, positive, positiveInteger, type Rule, type Rules } from "../../check/index.js";
import type { ContinuousAgent, DQN } from "../../engine/index.js";
import type { Learner } from "../driver.js";
import { TrainRun } from "../run.js";
import { Training } from "../training.js";
import { resolveTrain, type TrainOptions } from "../trainoptions.js";
import { type ActorOrder, Crew, type CrewOptions } from "./crew.js";
import type { ActorWorker } from "./ports.js";

/** Who acts, and in which order it is learned from. */
export interface ActorsOptions {
  /** Number of actors, at least 1, at most the agent's option `environments`. */
  actors: number;
  /** Starts the worker of that index, from 0: one whose module calls `runActor`. */
  start: (index: number) => ActorWorker;
  /** Steps that an actor takes by the same weights before it sends them, at least 1. Default 64. */
  chunk?: number;
  /**
   * In which order chunks are learned from: as they come (`arrival`); of each actor in turn (`rounds`), with the same bits
   * whatever the timing; or the order of an earlier training, `TrainResult.order`, whose bits it repeats. Default `arrival`.
   */
  order?: ActorOrder;
  /** Milliseconds to wait for a chunk before the training fails, above 0. Default 120000. */
  timeoutMs?: number;
}

/** Options of `trainWithActors`: those of `train`, and the actors. */
export interface TrainWithActorsOptions extends Omit<TrainOptions, "checkpoint">, ActorsOptions {}

const order: Rule = [
  (value) => value === "arrival" || value === "rounds" || Array.isArray(value),
  '"arrival", "rounds" or an array of indices of actors',
];

const RULES: Rules<ActorsOptions> = {
  actors: positiveInteger,
  start: callback,
  chunk: positiveInteger,
  order,
  timeoutMs: positive,
};

const DEFAULTS = { chunk: 64, order: "arrival", timeoutMs: 120_000 } as const;

/**
 * Trains an agent with environments in workers: each actor acts in one, by a copy of the agent, and sends its steps in
 * chunks; this thread learns from them and answers each chunk with its weights. It pays where environments take longer than
 * updates. Workers start with the training, and end with it, for whatever reason.
 *
 * All bits follow from the seeds and the order in which chunks are learned from, which the result tells.
 *
 * ```ts
 * // actor.ts
 * runActor(() => new MyEnvironment());
 * // The program, with Worker of node:worker_threads or of the web.
 * const start = () => new Worker(new URL("./actor.js", import.meta.url));
 * const { returns } = await trainWithActors(agent, { actors: 2, start, steps: 100_000 });
 * ```
 *
 * @returns As `train`. Its `save` throws: environments are in workers, so save the agent.
 * @throws TypeError or RangeError for unknown or wrong options. The training throws an Error that names the actor where one
 *   fails, ends or is silent for `timeoutMs`.
 */
export function trainWithActors(agent: DQN | ContinuousAgent, options: TrainWithActorsOptions): Training {
  const { actors, start, chunk, order, timeoutMs, ...others } = options;
  const given = { actors, start, chunk, order, timeoutMs };
  const own = checked<ActorsOptions>(given, RULES, DEFAULTS) as Omit<CrewOptions, "seed">;
  const most = agent.options.environments;
  if (own.actors > most) throw mustBe("actors", `at most the agent's option "environments", ${most}`, own.actors);
  if ("checkpoint" in others) throw new TypeError('"checkpoint" goes with train: environments are in workers here');
  const resolved = resolveTrain(others);
  const crew = new Crew(agent as Learner, { ...own, seed: resolved.seed, signal: resolved.signal });
  return new Training(new TrainRun(agent, resolved, crew));
}
