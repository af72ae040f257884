/** The mean return of an evaluation at a step of training. */
export interface EvaluationResult {
  step: number;
  meanReturn: number;
}

/** A finished episode of training. */
export interface TrainEpisode {
  /** Index of its environment, 0 if there is only one. */
  environment: number;
  /** Sum of its rewards. */
  return: number;
  /** Its steps. */
  length: number;
  /** Steps of training at its end. */
  step: number;
}

/** A report on training. */
export interface TrainProgress {
  /** Steps done, over all environments, of `total`. */
  step: number;
  total: number;
  /** Episodes finished. */
  episodes: number;
  /** Mean return of the last (at most) 20 episodes; NaN before the first end. */
  meanReturn: number;
  /** Mean loss since the last report; NaN without updates. */
  loss: number;
  epsilon: number;
  /** The latest evaluation since the report before, if there was one. */
  evaluation?: EvaluationResult;
}

/** The result of a training. */
export interface TrainResult {
  /** Steps done, over all environments. */
  steps: number;
  /** Returns of the finished episodes, in the order of their ends. */
  returns: number[];
  /**
   * Why it ended: all steps are done, the signal aborted it, an evaluation reached `stopAt`, `patience` evaluations
   * brought nothing better, or a loop over its reports was left by `break`.
   */
  ended: "steps" | "signal" | "stopAt" | "patience" | "break";
  /** The best evaluation, if any. Unless `restoreBest` is false, the agent has its weights. */
  best?: EvaluationResult;
  /** Of `trainWithActors`: by which actor each chunk of steps was, in the order in which they were learned from. */
  order?: readonly number[];
}

/** The work behind a Training: reports, each after its steps, and the result so far. */
export interface Run {
  reports(): AsyncGenerator<TrainProgress, void>;
  save(): Uint8Array;
  result(): TrainResult;
}

/**
 * A lazy training: `await` it for its result, or loop over its reports.
 *
 * It does nothing before that. Between two reports of a loop the agent may be used or saved; leaving the loop ends the
 * training as a signal does. It runs once, however often it is awaited; a loop beside an `await` gets the latest report
 * whenever it requests one.
 *
 * ```ts
 * for await (const { step, meanReturn } of train(agent, environment, { steps: 50_000 })) console.log(step, meanReturn);
 * ```
 */
export class Training implements PromiseLike<TrainResult>, AsyncIterable<TrainProgress> {
  readonly #run: Run;
  readonly #reports: AsyncGenerator<TrainProgress, void>;
  #pulled: Promise<IteratorResult<TrainProgress, void>> | undefined;
  #failure: { error: unknown } | undefined;

  /** @internal */
  constructor(run: Run) {
    this.#run = run;
    this.#reports = run.reports();
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is its purpose.
  then<A = TrainResult, B = never>(
    onResult?: ((result: TrainResult) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#drain().then(onResult, onError);
  }

  /**
   * The agent, the state of the environments and the progress, as a file for `resume`. Call it between two reports: in a
   * loop over them, or from `onProgress`.
   */
  save(): Uint8Array {
    return this.#run.save();
  }

  /** As for a promise. */
  catch<B = never>(onError?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<TrainResult | B> {
    return this.#drain().catch(onError);
  }

  /** As for a promise. */
  finally(onEnd?: (() => void) | null): Promise<TrainResult> {
    return this.#drain().finally(onEnd);
  }

  [Symbol.asyncIterator](): AsyncIterator<TrainProgress, void> {
    return {
      next: () => this.#pull(),
      return: () => this.#reports.return(),
    };
  }

  async #drain(): Promise<TrainResult> {
    while (!(await this.#pull()).done);
    if (this.#failure) throw this.#failure.error;
    return this.#run.result();
  }

  /** The next report. Simultaneous callers share one, so that no step is done twice. */
  #pull(): Promise<IteratorResult<TrainProgress, void>> {
    this.#pulled ??= this.#reports
      .next()
      .catch((error: unknown) => {
        this.#failure = { error };
        throw error;
      })
      .finally(() => {
        this.#pulled = undefined;
      });
    return this.#pulled;
  }
}
