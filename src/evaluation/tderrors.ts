import { mustBe } from "../check/index.js";
import type { DQN, Transition } from "../engine/index.js";
import type { QFunction } from "../recommender/index.js";
import type { DenseTransition } from "../recommender/learning/index.js";
import { type Figure, GroupCache, type ResampleOptions, Tally } from "../statistics/index.js";

/** What is needed of the network that values what comes next. */
export type TargetNetwork = Pick<DQN, "evaluate">;

/**
 * The TD error of a transition: reward + discount * value of the next state, minus the agent's value of what was chosen.
 *
 * The target is Bellman's plain one: the best available next action, picked by the agent with the option `double`, by the
 * target without, and valued by the target; the reward alone where the transition terminated, and where nothing is
 * available next. Rewards are scaled and clipped as the agent's options say. A transition that sums n steps must come with
 * its own `discount`, gamma ** n; `nStep` and `munchausen` change what an agent learns, not what is measured here.
 *
 * @param agent - Acts by the weights that are judged, without noise.
 * @param target - Values the next state: the agent itself, or another one of the same shape, such as an older save or one
 *   trained on other data. With the agent on both sides a constant has no error but that of the rewards: a low error
 *   is no sign of a good policy. Default the agent.
 * @throws TypeError or RangeError for a transition that the agent would refuse.
 */
export function tdError(agent: DQN, transition: Transition, target: TargetNetwork = agent): number {
  const { gamma, rewardScale, rewardClip, double } = agent.options;
  const { reward, terminated, discount = gamma } = transition;
  if (!Number.isFinite(reward)) throw mustBe("reward", "a finite number", reward);
  if (!(discount >= 0 && discount <= 1)) throw mustBe("discount", "in [0, 1]", discount);
  const scaled = reward * rewardScale;
  const learned = rewardClip > 0 ? Math.max(-rewardClip, Math.min(rewardClip, scaled)) : scaled;
  const chosen = valueOfChosen(agent, transition);
  if (terminated || discount === 0) return learned - chosen;
  return (
    learned + discount * valueOfNext(double ? agent : target, transition, target, !!agent.options.candidates) - chosen
  );
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

/** The target's value of the best next action, as `chooser` picks it; 0 where none is available. */
function valueOfNext(
  chooser: TargetNetwork,
  transition: Transition,
  target: TargetNetwork,
  hasCandidates: boolean,
): number {
  const { nextObservation, nextMask, nextCandidates = [] } = transition;
  const available = hasCandidates ? nextCandidates : nextMask;
  // A view that the next call overwrites.
  const values = chooser.evaluate(nextObservation, available).slice();
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    if (!hasCandidates && nextMask !== undefined && nextMask[i] === 0) continue;
    if (best < 0 || values[i]! > values[best]!) best = i;
  }
  if (best < 0) return 0;
  return chooser === target ? values[best]! : target.evaluate(nextObservation, available)[best]!;
}

/** The TD error of each transition, in order: {@link tdError}. */
export function tdErrors(agent: DQN, transitions: Iterable<Transition>, target: TargetNetwork = agent): Float64Array {
  return Float64Array.from(transitions, (transition) => tdError(agent, transition, target));
}

/**
 * Stands for the agent of a recommender that is told of a held-out log: it values as the agent does, and measures what
 * the agent would have learned from.
 *
 * ```ts
 * let examined: ExaminedAgent;
 * const recommender = Recommender.load(file, { loadAgent: (bytes) => (examined = new ExaminedAgent(DQN.load(bytes))) });
 * for (const entry of log) "kind" in entry ? recommender.feedback(entry) : recommender.decided(entry);
 * console.table(examined.figures());
 * ```
 */
export class ExaminedAgent implements QFunction {
  readonly #agent: DQN;
  readonly #target: TargetNetwork;
  readonly #tally = new Tally(["td_error_squared", "td_error_mean", "q_mean", "reward_mean"]);
  readonly #groups = new GroupCache();

  /** @param target - See {@link tdError}. Default the agent. */
  constructor(agent: DQN, target: TargetNetwork = agent) {
    this.#agent = agent;
    this.#target = target;
  }

  get steps(): number {
    return this.#agent.steps;
  }

  get updates(): number {
    return this.#agent.updates;
  }

  /** Measures a transition, from which nothing is learned. @throws as {@link tdError}. */
  observe(transition: DenseTransition): void {
    const error = tdError(this.#agent, transition, this.#target);
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
   * Means over all transitions so far, with intervals by user: `td_error_squared`, `td_error_mean` (above 0: more came than
   * was predicted), `q_mean` and `reward_mean`.
   */
  figures(options: Partial<ResampleOptions> = {}): Figure[] {
    return this.#tally.figures(options);
  }
}
