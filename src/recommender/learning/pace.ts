/** When updates are due. */
export interface PaceOptions {
  /** Transitions between two rounds of updates; 0: no round is ever due. */
  readonly trainEvery: number;
  readonly updatesPerTrain: number;
  /** Most updates at once, but a round at least. */
  readonly maxUpdatesPerEvent: number;
}

/** The plain values of `Pace.save`. */
export interface SavedPace {
  untrained: number;
  waiting: number;
}

/** Spreads rounds of updates over events: many transitions at once make no call slow. */
export class Pace {
  readonly #options: PaceOptions;
  /** Transitions since the last round. */
  #untrained = 0;
  /** Rounds that were due and did not run. */
  #waiting = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Updates that were due and did not run. */
  get backlog(): number {
    return this.#waiting * this.#options.updatesPerTrain;
  }

  /** Counts transitions. */
  add(transitions: number): void {
    this.#untrained += transitions;
  }

  /** The rounds to run now. */
  due(): number {
    const { trainEvery, updatesPerTrain, maxUpdatesPerEvent } = this.#options;
    if (trainEvery === 0) return 0;
    const all = this.#waiting + Math.floor(this.#untrained / trainEvery);
    const now = Math.min(all, Math.max(1, Math.floor(maxUpdatesPerEvent / updatesPerTrain)));
    this.#untrained %= trainEvery;
    this.#waiting = all - now;
    return now;
  }

  /** Takes updates that ran besides from the backlog. */
  worked(updates: number): void {
    this.#waiting = Math.max(0, this.#waiting - Math.floor(updates / this.#options.updatesPerTrain));
  }

  save(): SavedPace {
    return { untrained: this.#untrained, waiting: this.#waiting };
  }

  load({ untrained, waiting }: SavedPace): void {
    this.#untrained = untrained;
    this.#waiting = waiting;
  }
}
