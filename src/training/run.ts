import type { Learner } from "./driver.js";
import { isLater, type Later } from "./environment.js";
import { evaluateAny } from "./evaluate.js";
import { packTraining, type SavedTraining } from "./saved.js";
import type { EvaluationResult, Run, TrainProgress, TrainResult } from "./training.js";
import type { ResolvedTrainOptions } from "./trainoptions.js";

/** Where the steps of a training come from. */
export interface Source {
  /** Before the first step. */
  begin(): Later<void>;
  /** Does the next step and has the agent observe it. */
  step(course: Course): Later<void>;
  /** What a file has of it. */
  saved(): Pick<SavedTraining, "seats" | "started">;
  /** After the last step, whatever the reason. */
  end(): Later<void>;
  /** What the result has of it. */
  readonly order?: readonly number[];
}

/** What a source sees of its training. */
export interface Course {
  /** Steps done so far. */
  readonly steps: number;
  /** Steps that may be taken before something is reported, evaluated or saved, at least 1. */
  readonly undisturbed: number;
  /** Takes note of an episode that the step under way has ended. */
  ended(environment: number, total: number, length: number): void;
}

/** Number of latest episodes in the reported mean return. */
const RECENT = 20;

/** Has an agent learn from steps, reports on it, evaluates it, and keeps the best weights. */
export class TrainRun implements Run, Course {
  readonly #agent: Learner;
  readonly #options: ResolvedTrainOptions;
  readonly #source: Source;
  #steps = 0;
  readonly #returns: number[] = [];
  #losses = 0;
  #lossSum = 0;
  #evaluated: EvaluationResult | undefined;
  /** Whether no report had it yet. */
  #isNew = false;
  #best: EvaluationResult | undefined;
  #bestWeights: Float32Array | undefined;
  /** Evaluations in a row that were not better than the best. */
  #worse = 0;
  #ended: TrainResult["ended"] = "break";

  constructor(
    agent: Learner,
    options: ResolvedTrainOptions,
    source: Source,
    from?: SavedTraining,
    best?: Float32Array,
  ) {
    this.#agent = agent;
    this.#options = options;
    this.#source = source;
    if (!from) return;
    this.#steps = from.steps;
    this.#returns.push(...from.returns);
    this.#evaluated = from.evaluated ?? undefined;
    this.#best = from.best ?? undefined;
    this.#bestWeights = best;
    this.#worse = from.worse;
  }

  get steps(): number {
    return this.#steps;
  }

  get undisturbed(): number {
    const { progressEvery, evaluation, checkpoint, steps } = this.#options;
    const until = (every: number) => every - (this.#steps % every);
    const pauses = [progressEvery, evaluation?.every ?? progressEvery, checkpoint?.every ?? progressEvery];
    return Math.min(steps - this.#steps, ...pauses.map(until));
  }

  ended(environment: number, total: number, length: number): void {
    this.#returns.push(total);
    this.#options.onEpisode?.({ environment, return: total, length, step: this.#steps + 1 });
  }

  save(): Uint8Array {
    const { steps, seed, progressEvery, evaluation } = this.#options;
    const { environment: _, ...rest } = evaluation ?? { environment: null };
    const training = {
      options: { steps, seed, progressEvery, evaluation: evaluation ? rest : null },
      ...this.#source.saved(),
      steps: this.#steps,
      returns: this.#returns,
      evaluated: this.#evaluated ?? null,
      best: this.#best ?? null,
      worse: this.#worse,
    };
    return packTraining({ training, agent: this.#agent.save(), best: this.#bestWeights });
  }

  async *reports(): AsyncGenerator<TrainProgress, void> {
    const { signal, steps } = this.#options;
    if (signal?.aborted || this.#steps >= steps) {
      this.#ended = signal?.aborted ? "signal" : "steps";
      return;
    }
    try {
      await this.#source.begin();
      yield* this.#run();
    } catch (error) {
      // A source may end its waiting by the signal.
      if (!signal?.aborted || error !== signal.reason) throw error;
      this.#ended = "signal";
    } finally {
      await this.#source.end();
      this.#agent.abandonEpisode();
      if (this.#bestWeights) this.#agent.restoreWeights(this.#bestWeights);
    }
  }

  async *#run(): AsyncGenerator<TrainProgress, void> {
    const { progressEvery, evaluation, checkpoint, onProgress, signal, steps } = this.#options;
    const isDue = (every: number | undefined) => every !== undefined && this.#steps % every === 0;
    for (;;) {
      const step = this.#source.step(this);
      if (isLater(step)) await step;
      this.#steps++;
      this.#learn();
      let end: TrainResult["ended"] | undefined = this.#steps === steps ? "steps" : undefined;
      if (evaluation && (end || isDue(evaluation.every))) end = (await this.#evaluate(evaluation)) ?? end;
      if (checkpoint && isDue(checkpoint.every)) await checkpoint.write(this.save(), this.#steps);
      if (!end && !isDue(progressEvery)) continue;
      const progress = this.#report();
      onProgress?.(progress);
      if (end) this.#ended = end;
      yield progress;
      if (end) return;
      await breathe();
      if (!signal?.aborted) continue;
      // Nothing of it is lost.
      if (checkpoint && !isDue(checkpoint.every)) await checkpoint.write(this.save(), this.#steps);
      this.#ended = "signal";
      return;
    }
  }

  result(): TrainResult {
    const { order } = this.#source;
    const result: TrainResult = { steps: this.#steps, returns: this.#returns, ended: this.#ended };
    return { ...result, ...(this.#best && { best: this.#best }), ...(order && { order }) };
  }

  /** Learns every `trainEvery` steps. */
  #learn(): void {
    const agent = this.#agent;
    if (agent.steps % agent.options.trainEvery !== 0) return;
    const loss = agent.learn(agent.options.gradientSteps);
    if (Number.isNaN(loss)) return;
    this.#losses++;
    this.#lossSum += loss;
  }

  /** Returns why training ends here, if it does. */
  async #evaluate({
    environment,
    episodes,
    seed,
    stopAt,
    patience,
    restoreBest,
  }: NonNullable<ResolvedTrainOptions["evaluation"]>): Promise<TrainResult["ended"] | undefined> {
    const meanReturn = mean(await evaluateAny(this.#agent, environment, { episodes, seed }));
    this.#evaluated = { step: this.#steps, meanReturn };
    this.#isNew = true;
    this.#worse = !this.#best || meanReturn > this.#best.meanReturn ? 0 : this.#worse + 1;
    if (!this.#best || meanReturn >= this.#best.meanReturn) {
      this.#best = this.#evaluated;
      if (restoreBest) this.#bestWeights = this.#agent.copyWeights();
    }
    if (stopAt !== undefined && meanReturn >= stopAt) return "stopAt";
    return patience !== undefined && this.#worse >= patience ? "patience" : undefined;
  }

  #report(): TrainProgress {
    const progress: TrainProgress = {
      step: this.#steps,
      total: this.#options.steps,
      episodes: this.#returns.length,
      meanReturn: mean(this.#returns.slice(-RECENT)),
      loss: this.#lossSum / this.#losses,
      epsilon: this.#agent.epsilon,
    };
    this.#losses = 0;
    this.#lossSum = 0;
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew ? { ...progress, evaluation: this.#evaluated! } : progress;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Lets the event loop serve signals, timers and requests. In browsers a timer would wait for 4 ms, however short it is. */
export function breathe(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => void setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
