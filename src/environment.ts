import type { DQN } from "./agent.js";

/** What a step gives. */
export interface StepResult {
  /** (observation) after the step. */
  observation: ArrayLike<number>;
  reward: number;
  /** The task has ended: no later reward follows, and nothing is bootstrapped. */
  terminated: boolean;
  /** The episode was cut, by a time limit say: the value of the last observation still counts. */
  truncated: boolean;
}

/** A task, in the manner of Gymnasium. */
export interface Environment {
  /** Numbers in an observation. */
  readonly observationSize: number;
  /** Number of actions; undefined where they are candidates. */
  readonly actions?: number;
  /** Starts an episode; the same seed starts the same episode. Without a seed the next of a sequence. */
  reset(seed?: number): ArrayLike<number>;
  /** Takes an action: its index among the actions, or among the candidates of the current state. */
  step(action: number): StepResult;
  /** (actions), 0 = not available in the current state. */
  mask?(): ArrayLike<number>;
  /** (n, features) of the current state. */
  candidates?(): Float32Array;
}

/** How training goes. */
export interface TrainProgress {
  /** Steps done, of `total`. */
  step: number;
  total: number;
  episodes: number;
  /** Mean return of the last (at most) 20 episodes; NaN before the first ended. */
  meanReturn: number;
  /** Mean loss since the last report; NaN while nothing is learned. */
  loss: number;
  epsilon: number;
}

export interface TrainOptions {
  /** Environment steps to do, at least 1. */
  steps: number;
  /** Of the first episode; each later one takes the next integer. Default 0. */
  seed?: number;
  /** Steps between two reports; the event loop runs between them. Default 1000. */
  progressEvery?: number;
  onProgress?: (progress: TrainProgress) => void;
  /** Stops training at the next report; what was learned stays in the agent. */
  signal?: AbortSignal;
}

export interface TrainResult {
  /** Steps done. */
  steps: number;
  /** Return of each episode that ended. */
  returns: number[];
  /** Whether the signal ended it. */
  aborted: boolean;
}

const RECENT = 20;

/** What the agent may choose from in the current state. */
function available(environment: Environment): ArrayLike<number> | undefined {
  return environment.candidates?.() ?? environment.mask?.();
}

function positive(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`"${name}" must be an integer of at least 1, got ${value}`);
  }
}

/** Lets the event loop run, so that signals, timers and requests are served. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** One step of an agent in an environment, stored; learns every `trainEvery` steps. */
function advance(agent: DQN, environment: Environment, observation: ArrayLike<number>): StepResult & { loss: number } {
  const choices = available(environment);
  const action = agent.act(observation, choices);
  if (action < 0) throw new Error("the environment offers no action, yet its episode goes on");
  const width = agent.options.candidates?.features ?? 0;
  // The environment may reuse its arrays: keep what the transition needs.
  const before = Float32Array.from(observation);
  const candidate = width ? (choices as Float32Array).slice(action * width, (action + 1) * width) : undefined;
  const result = environment.step(action);
  const { observation: nextObservation, reward, terminated, truncated } = result;
  const common = { observation: before, reward, terminated, truncated, nextObservation };
  const next = terminated ? undefined : available(environment);
  if (candidate) agent.observe({ ...common, candidate, nextCandidates: next ?? [] });
  else if (next) agent.observe({ ...common, action, nextMask: next });
  else agent.observe({ ...common, action });
  const { trainEvery, gradientSteps } = agent.options;
  const loss = agent.steps % trainEvery === 0 ? agent.learn(gradientSteps) : Number.NaN;
  return { ...result, loss };
}

/**
 * Trains an agent in an environment: epsilon-greedy steps, each stored, with `gradientSteps` updates after every
 * `trainEvery`.
 */
export async function train(agent: DQN, environment: Environment, options: TrainOptions): Promise<TrainResult> {
  const { steps, seed = 0, progressEvery = 1000, onProgress, signal } = options;
  positive("steps", steps);
  positive("progressEvery", progressEvery);
  const returns: number[] = [];
  let episodeReturn = 0;
  let losses = 0;
  let lossSum = 0;
  agent.abandonEpisode();
  let observation = environment.reset(seed);
  for (let step = 1; step <= steps; step++) {
    const result = advance(agent, environment, observation);
    episodeReturn += result.reward;
    observation = result.observation;
    if (!Number.isNaN(result.loss)) {
      losses++;
      lossSum += result.loss;
    }
    if (result.terminated || result.truncated) {
      returns.push(episodeReturn);
      episodeReturn = 0;
      observation = environment.reset(seed + returns.length);
    }
    if (step % progressEvery === 0 || step === steps) {
      const recent = returns.slice(-RECENT);
      const meanReturn = recent.reduce((sum, x) => sum + x, 0) / recent.length;
      const { epsilon } = agent;
      onProgress?.({ step, total: steps, episodes: returns.length, meanReturn, loss: lossSum / losses, epsilon });
      losses = 0;
      lossSum = 0;
      await breathe();
      if (signal?.aborted) return { steps: step, returns, aborted: true };
    }
  }
  return { steps, returns, aborted: false };
}

/**
 * Returns of greedy episodes; nothing is stored or learned.
 *
 * @param options.episodes - At least 1. Default 10.
 * @param options.seed - Of the first episode; each later one takes the next integer. Default 1000000.
 */
export function evaluate(
  agent: DQN,
  environment: Environment,
  options: { episodes?: number; seed?: number } = {},
): number[] {
  const { episodes = 10, seed = 1_000_000 } = options;
  positive("episodes", episodes);
  const returns: number[] = [];
  for (let episode = 0; episode < episodes; episode++) {
    let observation = environment.reset(seed + episode);
    let total = 0;
    for (;;) {
      const action = agent.act(observation, available(environment), 0);
      if (action < 0) break;
      const result = environment.step(action);
      total += result.reward;
      observation = result.observation;
      if (result.terminated || result.truncated) break;
    }
    returns.push(total);
  }
  return returns;
}
