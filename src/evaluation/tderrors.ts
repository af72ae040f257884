import { mustBe } from "../check/index.js";
import type { AgentInput, DQN, Transition } from "../engine/index.js";
import type { QFunction } from "../recommender/index.js";
import type { SlateTransition } from "../recommender/learning/index.js";
import { type Figure, GroupCache, type ResampleOptions, Tally } from "../statistics/index.js";

/** The network that values next states in Bellman targets; with the option `slate` also by `choices` and `nothing`. */
export type TargetNetwork = Pick<DQN, "evaluate"> & Partial<Pick<DQN, "choices" | "nothing" | "evaluateBatch">>;

/**
 * The TD error of a transition: reward + discount * value of the next state, minus the agent's value of the chosen
 * action.
 *
 * The target is Bellman's: the best available next action, chosen by the agent with the option `double` and by the
 * target network without, and valued by the target network; the reward alone where the transition terminated or no
 * action is available next. Rewards are scaled and clipped as in the agent's options. A transition that sums n steps
 * must come with its own `discount`, gamma ** n; `nStep` and `munchausen` change what an agent learns, not this error.
 *
 * With the option `slate` the value of the next state is that of its best slate, found as in `DQN.actSlate`, of
 * `nextSlate` candidates: the mean of its values, and that of nothing, by the weights of the choice.
 *
 * @param agent - Evaluated without noise.
 * @param targetNetwork - The agent itself, or an agent of the same shape, such as an older save or one trained on other
 *   data. With the agent on both sides a constant has no error but that of the rewards: a low error is no sign of a
 *   good policy. Default the agent.
 * @throws TypeError or RangeError for a transition that the agent would refuse.
 */
export function tdError(agent: DQN, transition: Transition, targetNetwork: TargetNetwork = agent): number {
  const { learned, discount } = learnedOf(agent, transition);
  const chosen = valueOfChosen(agent, transition);
  if (discount === 0) return learned - chosen;
  const next = agent.options.slate ? valueOfNextSlate : valueOfNext;
  return learned + discount * next(agent, transition, targetNetwork) - chosen;
}

/** The reward as it is learned from, and the discount of the next state's value: 0 after termination. */
function learnedOf(agent: DQN, transition: Transition): { learned: number; discount: number } {
  const { gamma, rewardScale, rewardClip } = agent.options;
  const { reward, terminated, discount = gamma } = transition;
  if (!Number.isFinite(reward)) throw mustBe("reward", "a finite number", reward);
  if (!(discount >= 0 && discount <= 1)) throw mustBe("discount", "in [0, 1]", discount);
  const scaled = reward * rewardScale;
  const learned = rewardClip > 0 ? Math.max(-rewardClip, Math.min(rewardClip, scaled)) : scaled;
  return { learned, discount: terminated ? 0 : discount };
}

/** What the taken action was chosen from, as `evaluate` takes it. */
function offerTaken(agent: DQN, { candidate, candidates, mask }: Transition): AgentInput | undefined {
  return agent.options.candidates ? (candidates ?? candidate) : (mask as AgentInput | undefined);
}

function offerNext(agent: DQN, { nextMask, nextCandidates = [] }: Transition): AgentInput | undefined {
  return agent.options.candidates ? nextCandidates : (nextMask as AgentInput | undefined);
}

/** The agent's value of the action that was taken. */
function valueOfChosen(agent: DQN, transition: Transition): number {
  const index = chosenAmong(agent, transition, agent.evaluate(transition.observation, offerTaken(agent, transition)));
  return index < 0 ? agent.nothing : agent.values[index]!;
}

/** The index of that action among the values of what it was chosen from; -1 for nothing of a slate. */
function chosenAmong(agent: DQN, { action, candidates, shown }: Transition, values: ArrayLike<number>): number {
  const isOne = candidates === undefined && agent.options.candidates !== undefined;
  const index = isOne ? 0 : action;
  const [least, most] = [agent.options.slate ? -1 : 0, (shown ?? values.length) - 1];
  if (index === undefined || !(Number.isInteger(index) && index >= least && index <= most)) {
    throw mustBe("action", `an integer in [${least}, ${most}]`, index);
  }
  return index;
}

/** The target network's value of the best next action; 0 where none is available. */
function valueOfNext(agent: DQN, transition: Transition, targetNetwork: TargetNetwork): number {
  const { nextObservation } = transition;
  const available = offerNext(agent, transition);
  const chooser = agent.options.double ? agent : targetNetwork;
  // A view that the next call overwrites.
  const values = chooser.evaluate(nextObservation, available).slice();
  const best = bestOf(agent, transition, values);
  if (best < 0) return 0;
  return chooser === targetNetwork ? values[best]! : targetNetwork.evaluate(nextObservation, available)[best]!;
}

/** The best available action of the next state; -1 where none is. */
function bestOf(agent: DQN, { nextMask }: Transition, values: ArrayLike<number>): number {
  const mask = agent.options.candidates ? undefined : nextMask;
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    if (mask !== undefined && mask[i] === 0) continue;
    if (best < 0 || values[i]! > values[best]!) best = i;
  }
  return best;
}

/** The values of candidates and their weights in the choice, those of nothing first. */
interface ValuedOffer {
  values: Float64Array;
  weights: Float64Array;
}

function offerOf(network: TargetNetwork, { nextObservation, nextCandidates = [] }: Transition): ValuedOffer {
  const values = network.evaluate(nextObservation, nextCandidates);
  const { choices, nothing } = network;
  if (choices === undefined || nothing === undefined) {
    throw new TypeError('"targetNetwork" must have "choices" and "nothing", as the agent has the option "slate"');
  }
  return {
    values: Float64Array.of(nothing, ...values),
    weights: Float64Array.of(1, ...choices.subarray(0, values.length)),
  };
}

/** The target network's value of the best slate of the next state. */
function valueOfNextSlate(agent: DQN, transition: Transition, targetNetwork: TargetNetwork): number {
  const { size } = agent.options.slate!;
  const { nextSlate = size } = transition;
  if (!(Number.isInteger(nextSlate) && nextSlate >= 0 && nextSlate <= size)) {
    throw mustBe("nextSlate", `an integer in [0, ${size}]`, nextSlate);
  }
  const judged = offerOf(targetNetwork, transition);
  const isOwn = !agent.options.double || agent === targetNetwork;
  const slate = greedySlate(isOwn ? judged : offerOf(agent, transition), nextSlate);
  return slateMean(judged, slate);
}

function slateMean({ values, weights }: ValuedOffer, slate: readonly number[]): number {
  let [sum, weight] = [values[0]!, 1];
  for (const i of slate) {
    sum += weights[i]! * values[i]!;
    weight += weights[i]!;
  }
  return sum / weight;
}

/** Places in an offer of the slate found by adding, again and again, the candidate that makes the mean largest. */
function greedySlate(offer: ValuedOffer, size: number): number[] {
  const slate: number[] = [];
  while (slate.length < Math.min(size, offer.values.length - 1)) {
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 1; i < offer.values.length; i++) {
      if (slate.includes(i)) continue;
      const mean = slateMean(offer, [...slate, i]);
      if (best > 0 && mean <= most) continue;
      best = i;
      most = mean;
    }
    slate.push(best);
  }
  return slate;
}

/** Transitions whose states are evaluated at once. */
const CHUNK = 1024;

/** The {@link tdError} of each transition, in order, by many states at once where networks take them: the same bits. */
export function tdErrors(
  agent: DQN,
  transitions: Iterable<Transition>,
  targetNetwork: TargetNetwork = agent,
): Float64Array {
  const errors: number[] = [];
  let chunk: Transition[] = [];
  const flush = () => {
    for (const error of errorsOf(agent, chunk, targetNetwork)) errors.push(error);
    chunk = [];
  };
  for (const transition of transitions) if (chunk.push(transition) === CHUNK) flush();
  flush();
  return Float64Array.from(errors);
}

function errorsOf(agent: DQN, transitions: readonly Transition[], targetNetwork: TargetNetwork): readonly number[] {
  const { slate, sparse, double } = agent.options;
  const singly = () => transitions.map((transition) => tdError(agent, transition, targetNetwork));
  if (slate || sparse || !targetNetwork.evaluateBatch || transitions.length < 2) return singly();
  try {
    const learned = transitions.map((transition) => learnedOf(agent, transition));
    const own = rowsOf(agent, agent, transitions, "observation");
    const followed = transitions.filter((_, i) => learned[i]!.discount !== 0);
    const judged = rowsOf(agent, double ? agent : targetNetwork, followed, "nextObservation");
    const isOne = !double || targetNetwork === agent;
    const valued = isOne ? judged : rowsOf(agent, targetNetwork, followed, "nextObservation");
    let at = 0;
    return transitions.map((transition, i) => {
      const { learned: reward, discount } = learned[i]!;
      const chosen = own[i]![chosenAmong(agent, transition, own[i]!)]!;
      if (discount === 0) return reward - chosen;
      const best = bestOf(agent, transition, judged[at]!);
      const value = best < 0 ? 0 : valued[at]![best]!;
      at++;
      return reward + discount * value - chosen;
    });
  } catch {
    // The first transition that is refused is named as it is alone.
    return singly();
  }
}

/** The values of each transition's state, or next state, by a network. */
function rowsOf(
  agent: DQN,
  network: TargetNetwork,
  transitions: readonly Transition[],
  name: "observation" | "nextObservation",
): Float32Array[] {
  const { observation, candidates, actions } = agent.options;
  const offer = name === "observation" ? offerTaken : offerNext;
  const offers = transitions.map((transition) => offer(agent, transition));
  const observations = new Float32Array(observation * transitions.length);
  for (const [i, transition] of transitions.entries()) {
    const given = transition[name] as ArrayLike<number>;
    if (given.length !== observation) throw mustBe(name, `${observation} numbers`, given);
    observations.set(given, i * observation);
  }
  const isPlain = offers.every((each) => each === undefined);
  const values = network.evaluateBatch!(observations, isPlain ? undefined : offers);
  let at = 0;
  return offers.map((each) => {
    const n = candidates ? rowsIn(each!, candidates) : actions;
    at += n;
    return values.subarray(at - n, at);
  });
}

/** How many candidates an offer has. */
function rowsIn(offer: AgentInput, { features, sparse }: NonNullable<DQN["options"]["candidates"]>): number {
  return "indices" in offer ? offer.indices.length / sparse!.slots : offer.length / features;
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

  get choices(): Float32Array {
    return this.#agent.choices;
  }

  get nothing(): number {
    return this.#agent.nothing;
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
