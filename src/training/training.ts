/** Mean return of greedy episodes at a step of training. */
export interface EvaluationResult {
  step: number;
  meanReturn: number;
}

/** An episode of training that ended. */
export interface TrainEpisode {
  /** Index of its environment; 0 where there is one only. */
  environment: number;
  /** Sum of its rewards. */
  return: number;
  /** Its steps. */
  length: number;
  /** Steps of training done when it ended. */
  step: number;
}

/** How training goes. */
export interface TrainProgress {
  /** Steps done, over all environments, of `total`. */
  step: number;
  total: number;
  /** Episodes that ended. */
  episodes: number;
  /** Mean return of the last (at most) 20 episodes; NaN before the first ended. */
  meanReturn: number;
  /** Mean loss since the last report; NaN while nothing is learned. */
  loss: number;
  epsilon: number;
  /** The last evaluation, once there is one. */
  evaluation?: EvaluationResult;
}

/** What training came to. */
export interface TrainResult {
  /** Steps done, over all environments. */
  steps: number;
  /** Return of each episode that ended, in the order of their ends. */
  returns: number[];
  /**
   * Why it ended: all steps were done, the signal was given, an evaluation reached `stopAt`, `patience` evaluations
   * brought nothing better, or the loop over its reports was left.
   */
  ended: "steps" | "signal" | "stopAt" | "patience" | "break";
  /** The best evaluation, whose weights the agent has unless `restoreBest` is false; undefined if there was none. */
  best?: EvaluationResult;
}

/** Training as it is done: reports, each after the steps that lead to it, and what it has come to so far. */
export interface Run {
  reports(): AsyncGenerator<TrainProgress, void>;
  save(): Uint8Array;
  result(): TrainResult;
}

/**
 * A training that goes on while somebody waits for it: `await` it for its result, or loop over its reports.
 *
 * Nothing happens before the one or the other. Between two reports of a loop the agent may be used, or saved; leaving
 * the loop ends training as a signal does. It is done once, however often it is awaited; while somebody awaits it, a
 * loop beside sees the latest report whenever it asks for one.
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
   * The agent, the environments that have a `state`, and how far training is, as a file for `resume`. To be called
   * between two reports: in a loop over them, or from `onProgress`.
   */
  save(): Uint8Array {
    return this.#run.save();
  }

  /** As of a promise. */
  catch<B = never>(onError?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<TrainResult | B> {
    return this.#drain().catch(onError);
  }

  /** As of a promise. */
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

  /** The next report. All who wait at the same time wait for the same one, so that no step is done twice. */
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
