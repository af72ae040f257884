import { mustBe } from "../check/index.js";
import type { DQN, Transition } from "../engine/index.js";
import type { QFunction } from "../recommender/index.js";
import type { SlateTransition } from "../recommender/learning/index.js";
import { type Figure, GroupCache, type ResampleOptions, Tally } from "../statistics/index.js";

/** The network that values next states in Bellman targets. */
export type TargetNetwork = Pick<DQN, "evaluate">;

/**
 * The TD error of a transition: reward + discount * value of the next state, minus the agent's value of the chosen
 * action.
 *
 * The target is Bellman's: the best available next action, chosen by the agent with the option `double` and by the
 * target network without, and valued by the target network; the reward alone where the transition terminated or no
 * action is available next. Rewards are scaled and clipped as in the agent's options. A transition that sums n steps
 * must come with its own `discount`, gamma ** n; `nStep` and `munchausen` change what an agent learns, not this error.
 *
 * @param agent - Evaluated without noise.
 * @param targetNetwork - The agent itself, or an agent of the same shape, such as an older save or one trained on other
 *   data. With the agent on both sides a constant has no error but that of the rewards: a low error is no sign of a
 *   good policy. Default the agent.
 * @throws TypeError or RangeError for a transition that the agent would refuse.
 */
export function tdError(agent: DQN, transition: Transition, targetNetwork: TargetNetwork = agent): number {
  const { gamma, rewardScale, rewardClip } = agent.options;
  const { reward, terminated, discount = gamma } = transition;
  if (!Number.isFinite(reward)) throw mustBe("reward", "a finite number", reward);
  if (!(discount >= 0 && discount <= 1)) throw mustBe("discount", "in [0, 1]", discount);
  const scaled = reward * rewardScale;
  const learned = rewardClip > 0 ? Math.max(-rewardClip, Math.min(rewardClip, scaled)) : scaled;
  const chosen = valueOfChosen(agent, transition);
  if (terminated || discount === 0) return learned - chosen;
  return learned + discount * valueOfNext(agent, transition, targetNetwork) - chosen;
}

/** The agent's value of the action that was taken. */
function valueOfChosen(agent: DQN, { observation, action, candidate, candidates, mask }: Transition): number {
  const isOne = candidates === undefined && agent.options.candidates !== undefined;
  const available = agent.options.candidates ? (candidates ?? candidate) : mask;
  const values = agent.evaluate(observation, available);
  const index = isOne ? 0 : action;
  if (index === undefined || !(Number.isInteger(index) && index >= 0 && index < values.length)) {
    throw mustBe("action", `an integer in [0, ${values.length - 1}]`, index);
  }
  return values[index]!;
}

/** The target network's value of the best next action; 0 where none is available. */
function valueOfNext(agent: DQN, transition: Transition, targetNetwork: TargetNetwork): number {
  const { nextObservation, nextMask, nextCandidates = [] } = transition;
  const { candidates, double } = agent.options;
  const available = candidates ? nextCandidates : nextMask;
  const mask = candidates ? undefined : nextMask;
  const chooser = double ? agent : targetNetwork;
  // A view that the next call overwrites.
  const values = chooser.evaluate(nextObservation, available).slice();
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    if (mask !== undefined && mask[i] === 0) continue;
    if (best < 0 || values[i]! > values[best]!) best = i;
  }
  if (best < 0) return 0;
  return chooser === targetNetwork ? values[best]! : targetNetwork.evaluate(nextObservation, available)[best]!;
}

/** The {@link tdError} of each transition, in order. */
export function tdErrors(
  agent: DQN,
  transitions: Iterable<Transition>,
  targetNetwork: TargetNetwork = agent,
): Float64Array {
  return Float64Array.from(transitions, (transition) => tdError(agent, transition, targetNetwork));
}

/**
 * Takes the place of a recommender's agent on a held-out log: gives the agent's values, learns nothing, and measures
 * the TD errors of the transitions that the agent would have learned from.
 *
 * ```ts
 * let examined: ExaminedAgent;
 * const recommender = Recommender.load(file, { loadAgent: (bytes) => (examined = new ExaminedAgent(DQN.load(bytes))) });
 * for (const entry of log) "kind" in entry ? recommender.feedback(entry) : recommender.recordDecision(entry);
 * console.table(examined.figures());
 * ```
 */
export class ExaminedAgent implements QFunction {
  readonly #agent: DQN;
  readonly #targetNetwork: TargetNetwork;
  readonly #tally = new Tally(["td_error_squared", "td_error_mean", "q_mean", "reward_mean"]);
  readonly #groups = new GroupCache();

  /** @param targetNetwork - See {@link tdError}. Default the agent. */
  constructor(agent: DQN, targetNetwork: TargetNetwork = agent) {
    this.#agent = agent;
    this.#targetNetwork = targetNetwork;
  }

  get steps(): number {
    return this.#agent.steps;
  }

  get updates(): number {
    return this.#agent.updates;
  }

  /** Measures a transition. @throws as {@link tdError}. */
  observe(transition: SlateTransition): void {
    const error = tdError(this.#agent, transition, this.#targetNetwork);
    const value = valueOfChosen(this.#agent, transition);
    const { user = "", reward } = transition;
    const group = this.#groups.of(user);
    for (const [metric, amount] of [error * error, error, value, reward].entries()) {
      this.#tally.add(group, metric, 1, amount, 1);
    }
  }

  evaluate(observation: ArrayLike<number>, candidates: ArrayLike<number>): Float32Array {
    return this.#agent.evaluate(observation, candidates);
  }

  /** Nothing is learned. */
  learn(): number {
    return Number.NaN;
  }

  stats(): ReturnType<DQN["stats"]> {
    return this.#agent.stats();
  }

  save(): Uint8Array {
    return this.#agent.save();
  }

  dispose(): void {
    this.#agent.dispose();
  }

  /**
   * Means over all transitions so far, with intervals by user: `td_error_squared`, `td_error_mean` (above 0 where
   * values are too low), `q_mean` and `reward_mean`.
   */
  figures(options: Partial<ResampleOptions> = {}): Figure[] {
    return this.#tally.figures(options);
  }
}
