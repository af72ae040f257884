import { REWARD_MAX } from "../../../assembly/abi.js";
import { fields, list, mustBe, nonNegativeInteger, numbers, requireShape, word } from "../../check/index.js";
import { Random } from "../../numeric/index.js";
import type { SaveOptions } from "../agent.js";
import { DQN, type Transition } from "../dqn.js";
import type { EngineOptions } from "../instance/instance.js";
import { DEFAULTS, type DQNOptions, type ResolvedOptions } from "../options.js";
import { valueAt } from "../schedule.js";
import type { FileBytes } from "../snapshot/bytes.js";
import { SnapshotError } from "../snapshot/error.js";
import { packSnapshot, unpackSnapshot } from "../snapshot/snapshot.js";
import type { AgentInput } from "../staging.js";
import type { LayerWeights } from "../weights.js";
import { bestOf, bordaPoints, weightedDeviation, weightedMean, weightedQuantile } from "./combine.js";
import { type EnsembleOptions, resolveEnsemble } from "./ensembleoptions.js";

/** What the members of an ensemble think of each action of a state, together. */
export interface Uncertainty {
  /** (n) weighted mean of the members' values. */
  mean: Float32Array;
  /** (n) weighted standard deviation of the members' values: what is not known for want of data. */
  deviation: Float32Array;
  /** A (n) for each of the quantiles asked for: the least value at or below which the members hold that share of weight. */
  quantiles: Float32Array[];
}

const KIND = "ensemble";

/** The options that members must share, so that one transition is right for all or for none. */
const SHARED = [
  ...(["observation", "sparse", "actions", "candidates", "masked", "slate", "environments"] as const),
  ...(["storage", "rewardScale", "rewardClip"] as const),
];

/** What an ensemble keeps beside its members. */
interface Saved {
  steps: number;
  active: number[];
  masks: number[];
  draws: number[];
}

/**
 * Several agents of one task, which learn from different samples of the same experience (bootstrapped DQN, Osband et al.
 * 2016, arXiv:1602.04621). Where they have seen much they agree; where they differ, more is to be learned.
 *
 * ```ts
 * const ensemble = new Ensemble({ observation: 4, actions: 2, seed: 1 }, { members: 5 });
 * const action = ensemble.act(observation); // by one member for the whole episode
 * ensemble.observe({ observation, action, reward, terminated, nextObservation });
 * ensemble.learn();
 * const { mean, deviation } = ensemble.uncertainty(observation);
 * ```
 */
export class Ensemble {
  /** All options of the ensemble, with the defaults that were filled in. */
  readonly options: Readonly<EnsembleOptions>;
  /** The agents. Those who act by them leave the ensemble's own random numbers as they are. */
  readonly members: readonly DQN[];
  /** (n) with `slate`: means of the members' weights in the choice, after `evaluate`. */
  choices: Float32Array = new Float32Array(0);

  readonly #masks: Random;
  readonly #draws: Random;
  /** By environment: the member that acts in its episode. */
  readonly #active: number[];
  #steps = 0;

  /**
   * @param agent - Options of all members; each gets a seed of its own from `seed`.
   * @param options - Options of the ensemble. Default: see there.
   * @param run - How the members run.
   * @throws TypeError or RangeError for options that are unknown, wrong, or need too much memory.
   */
  constructor(agent: DQNOptions, options?: Partial<EnsembleOptions>, run?: EngineOptions);
  /** @internal */
  constructor(agent: DQNOptions | readonly DQN[], options?: Partial<EnsembleOptions>, run?: EngineOptions);
  constructor(agent: DQNOptions | readonly DQN[], options: Partial<EnsembleOptions> = {}, run?: EngineOptions) {
    this.options = isMade(agent)
      ? resolveEnsemble({ ...options, members: agent.length }, { seed: 0, nStep: agent[0]?.options.nStep })
      : resolveEnsemble(options, agent);
    const { members, seed } = this.options;
    this.members = isMade(agent) ? [...agent] : grown(agent, this.options, run);
    if (isMade(agent)) requireAlike(agent);
    this.#masks = Random.named(seed, "ensemble", "mask");
    this.#draws = Random.named(seed, "ensemble", "draw");
    this.#active = Array.from({ length: this.#shape.environments }, () => this.#draws.below(members));
  }

  /**
   * An ensemble of agents that were made, or trained, apart: of other layers, learning rates or seeds, but for one task.
   * It takes them over: `dispose` disposes them.
   *
   * @throws TypeError for agents whose inputs or actions differ; RangeError for another number than [2, 64].
   */
  static of(members: readonly DQN[], options: Partial<Omit<EnsembleOptions, "members">> = {}): Ensemble {
    return new Ensemble(members, options);
  }

  /** Options of the first member: what all share of inputs and actions. */
  get #shape(): Readonly<ResolvedOptions> {
    return this.members[0]!.options;
  }

  /** Transitions observed so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Updates done so far by the member that did fewest. */
  get updates(): number {
    return Math.min(...this.members.map(({ updates }) => updates));
  }

  /** With `slate`: the mean of the members' values of nothing, after `evaluate`. Else NaN. */
  get nothing(): number {
    return this.#meanOf(this.members.map(({ nothing }) => Float32Array.of(nothing)))[0]!;
  }

  /** Index of the member that acts by `thompson` in the current episode of an environment, [0, members - 1]. */
  active(environment = 0): number {
    this.#requireEnvironment(environment);
    return this.#active[environment]!;
  }

  /**
   * Draws the member that acts from now on, each as likely. `observe` does so where an episode ends; call it where a
   * session begins that nothing ended.
   * @returns Its index.
   */
  redraw(environment = 0): number {
    this.#requireEnvironment(environment);
    return (this.#active[environment] = this.#draws.below(this.members.length));
  }

  /**
   * Chooses an action.
   *
   * @param observation - (observation)
   * @param available - As for `DQN.act`.
   * @param epsilon - Probability of a random action, [0, 1], else the best of the mean; 0 is greedy. Default: by the
   *   option `policy`.
   * @param environment - Whose episode it is, for `thompson`. Default 0.
   * @returns The index of the action or candidate, -1 where none is available; the lowest index wins a tie.
   * @throws RangeError or TypeError as `DQN.act`; TypeError with `slate`: a Recommender chooses slates by an ensemble.
   */
  act(observation: AgentInput, available?: AgentInput, epsilon?: number, environment = 0): number {
    const { policy, optimism } = this.options;
    if (this.#shape.slate)
      throw new TypeError('"act" chooses one action: with the option "slate" give it a Recommender');
    if (epsilon !== undefined || policy === "mean") return this.#explore(observation, available, epsilon);
    if (policy === "thompson") return this.members[this.active(environment)]!.act(observation, available, 0);
    const mask = this.#maskOf(available);
    if (policy === "vote") return bestOf(this.vote(observation, available), mask);
    const { mean, deviation } = this.uncertainty(observation, available);
    return bestOf(
      mean.map((value, i) => value + optimism * deviation[i]!),
      mask,
    );
  }

  #explore(observation: AgentInput, available: AgentInput | undefined, epsilon: number | undefined): number {
    const chance = epsilon ?? valueAt(this.#shape.epsilon, this.#steps);
    if (!(chance >= 0 && chance <= 1)) throw mustBe("epsilon", "in [0, 1]", epsilon);
    const values = this.evaluate(observation, available);
    const mask = this.#maskOf(available);
    if (!(chance > 0 && this.#draws.bernoulli(chance))) return bestOf(values, mask);
    const open = Array.from(values.keys()).filter((i) => mask === undefined || mask[i]);
    return open.length === 0 ? -1 : this.#draws.pick(open);
  }

  /** The weighted mean of the members' values: (actions) or (n), a new array. Arguments as for `DQN.evaluate`. */
  evaluate(observation: AgentInput, available?: AgentInput): Float32Array {
    const mean = this.#meanOf(this.evaluateMembers(observation, available));
    if (this.#shape.slate) this.choices = this.#meanOf(this.members.map((each) => each.choices.slice(0, mean.length)));
    return mean;
  }

  /** The values of each member: (members) arrays of (actions) or (n). Arguments as for `DQN.evaluate`. */
  evaluateMembers(observation: AgentInput, available?: AgentInput): Float32Array[] {
    return this.members.map((each) => each.evaluate(observation, available).slice());
  }

  /** The weighted mean of the members' values of many states, as `DQN.evaluateBatch`. */
  evaluateBatch(observations: AgentInput, available?: readonly (AgentInput | undefined)[]): Float32Array {
    return this.#meanOf(this.members.map((each) => each.evaluateBatch(observations, available)));
  }

  /** The weighted mean of the members' parts of values, as `DQN.evaluateParts`. */
  evaluateParts(observation: AgentInput, candidates: AgentInput): Float32Array {
    return this.#meanOf(this.members.map((each) => each.evaluateParts(observation, candidates)));
  }

  /**
   * How far the members agree.
   * @param quantiles - Shares of the members, each in [0, 1]. Default: none.
   * @throws RangeError or TypeError as `DQN.evaluate`, RangeError for quantiles.
   */
  uncertainty(observation: AgentInput, available?: AgentInput, quantiles: readonly number[] = []): Uncertainty {
    for (const [i, share] of quantiles.entries()) {
      if (!(share >= 0 && share <= 1)) throw mustBe(`quantiles[${i}]`, "in [0, 1]", share);
    }
    const sets = this.evaluateMembers(observation, available);
    const mean = this.#meanOf(sets);
    const { weights } = this.options;
    const deviation = weightedDeviation(sets, weights, mean);
    return { mean, deviation, quantiles: quantiles.map((share) => weightedQuantile(sets, weights, share)) };
  }

  /**
   * Points of Borda's count: (actions) or (n). Each member gives an available action its weight for each that it values
   * less, half of it for each other of the same value. Arguments as for `DQN.evaluate`.
   */
  vote(observation: AgentInput, available?: AgentInput): Float32Array {
    return bordaPoints(this.evaluateMembers(observation, available), this.options.weights, this.#maskOf(available));
  }

  /**
   * Stores a transition with the members that its mask is for. Where it ends an episode, the next one's member is drawn.
   * @throws RangeError or TypeError as `DQN.observe`; nothing changes then.
   */
  observe(transition: Transition): void {
    const before = this.#masks.state();
    try {
      for (const member of this.#takers()) {
        member.observe(this.options.rewardNoise > 0 ? this.#perturbed(transition) : transition);
      }
    } catch (error) {
      this.#masks.restore(before);
      throw error;
    }
    this.#steps++;
    const { terminated, truncated, environment } = transition;
    if (terminated || truncated) this.redraw(environment);
  }

  /** The members of a drawn mask, at least one. */
  #takers(): readonly DQN[] {
    const { mask } = this.options;
    if (mask === 1) return this.members;
    for (;;) {
      const takers = this.members.filter(() => this.#masks.bernoulli(mask));
      if (takers.length > 0) return takers;
    }
  }

  /** With noise on the reward; what is no valid reward stays what it is, so that all members refuse it. */
  #perturbed(transition: Transition): Transition {
    const { rewardScale, rewardClip } = this.#shape;
    const { reward, rewards } = transition;
    const most = rewardClip > 0 ? Number.MAX_VALUE : REWARD_MAX / rewardScale;
    const noise = this.options.rewardNoise * this.#masks.normal();
    const noisy = (given: number) => (Math.abs(given) <= most ? Math.max(-most, Math.min(most, given + noise)) : given);
    if (!rewards) return { ...transition, reward: noisy(reward) };
    return { ...transition, rewards: Array.from(rewards, (part, i) => (i === 0 ? noisy(part) : part)) };
  }

  /**
   * Does updates of every member, each on random batches of its own replay.
   * @returns The mean loss of the members that learn; NaN while none does.
   */
  learn(updates = 1): number {
    const losses = this.members.map((each) => each.learn(updates)).filter((loss) => !Number.isNaN(loss));
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }

  /** Drops the last steps that still wait for rewards, as `DQN.abandonEpisode`, and draws the next member. */
  abandonEpisode(environment = 0): void {
    for (const member of this.members) member.abandonEpisode(environment);
    this.redraw(environment);
  }

  /** Copies of the members' parameters, one after the other, for `restoreWeights` of an ensemble with the same options. */
  copyWeights(): Float32Array {
    const all = this.members.map((each) => each.copyWeights());
    const copy = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const weights of all) {
      copy.set(weights, at);
      at += weights.length;
    }
    return copy;
  }

  /** Puts back what `copyWeights` gave. @throws RangeError for another length or a number out of bounds. */
  restoreWeights(weights: Float32Array): void {
    const before = this.members.map((each) => each.copyWeights());
    const length = before.reduce((sum, own) => sum + own.length, 0);
    if (weights.length !== length) throw mustBe("weights", `${length} numbers`, weights.length);
    let at = 0;
    try {
      for (const [m, member] of this.members.entries()) {
        member.restoreWeights(weights.subarray(at, (at += before[m]!.length)));
      }
    } catch (error) {
      for (const [m, member] of this.members.entries()) member.restoreWeights(before[m]!);
      throw error;
    }
  }

  /**
   * The ensemble with its members as a file: continuing from it gives the same bits as never having stopped.
   * @throws SnapshotError as `DQN.save`.
   */
  save(options: SaveOptions = {}): Uint8Array {
    const saved: Saved = {
      steps: this.#steps,
      active: this.#active,
      masks: [...this.#masks.state()],
      draws: [...this.#draws.state()],
    };
    const metadata = { options: JSON.stringify(this.options), state: JSON.stringify(saved) };
    return packSnapshot(KIND, metadata, new Map(this.members.map((each, m) => [nameOf(m), each.save(options)])));
  }

  /**
   * Loads an ensemble that `save` wrote.
   * @throws SnapshotError for a file that is damaged, foreign, newer, or holds other members than it says.
   */
  static load(file: FileBytes, run?: EngineOptions): Ensemble {
    const { metadata, tensors } = unpackSnapshot(KIND, file);
    const members: DQN[] = [];
    try {
      const names = Array.from({ length: tensors.size }, (_, m) => nameOf(m));
      if (String([...tensors.keys()]) !== String(names))
        throw new Error("its members have other names or another order");
      for (const bytes of tensors.values()) members.push(DQN.load(bytes, run));
      const ensemble = new Ensemble(members, JSON.parse(metadata["options"] ?? "") as EnsembleOptions);
      ensemble.#restore(JSON.parse(metadata["state"] ?? "") as Saved);
      return ensemble;
    } catch (cause) {
      for (const member of members) member.dispose();
      if (cause instanceof SnapshotError) throw cause;
      throw new SnapshotError(`the file holds no valid ensemble: ${(cause as Error).message}`, { cause });
    }
  }

  #restore(saved: Saved): void {
    const shape = fields<Saved>({
      steps: nonNegativeInteger,
      active: list([(m) => this.members[m as number] !== undefined, "the index of a member"]),
      masks: numbers(4, word),
      draws: numbers(4, word),
    });
    requireShape(shape, saved, "state");
    if (saved.active.length !== this.#active.length) throw mustBe("state.active", "one an environment", saved.active);
    this.#steps = saved.steps;
    this.#active.splice(0, saved.active.length, ...saved.active);
    this.#masks.restore(Uint32Array.from(saved.masks));
    this.#draws.restore(Uint32Array.from(saved.draws));
  }

  /** Frees the memory of all members; any later call but this throws. */
  dispose(): void {
    for (const member of this.members) member.dispose();
  }

  #meanOf(sets: readonly Float32Array[]): Float32Array {
    return weightedMean(sets, this.options.weights);
  }

  /** The mask of fixed actions; undefined where there is none. */
  #maskOf(available: AgentInput | undefined): ArrayLike<number> | undefined {
    return this.#shape.masked ? (available as ArrayLike<number> | undefined) : undefined;
  }

  #requireEnvironment(environment: number): void {
    if (this.#active[environment] === undefined) {
      throw mustBe("environment", `an integer in [0, ${this.#active.length - 1}]`, environment);
    }
  }
}

function isMade(given: DQNOptions | readonly DQN[]): given is readonly DQN[] {
  return Array.isArray(given);
}

function nameOf(member: number): string {
  return `member-${member}`;
}

/** New members; where one cannot be made, none is left. */
function grown(agent: DQNOptions, options: EnsembleOptions, run: EngineOptions | undefined): DQN[] {
  const { members: count, seed, priorScale, priorUnits } = options;
  const hidden = (agent.hidden ?? DEFAULTS.hidden!).map((width) => width + priorUnits);
  const own = priorScale > 0 ? { ...agent, hidden, frozenUnits: priorUnits } : agent;
  const members: DQN[] = [];
  try {
    for (let m = 0; m < count; m++) {
      const random = Random.named(seed, "ensemble", "member", m);
      const member = new DQN({ ...own, seed: (random.uint32() >>> 11) * 4294967296 + random.uint32() }, run);
      members.push(member);
      const twin = m % 2 === 1 ? members[m - 1]!.weights() : undefined;
      if (priorScale > 0) member.setWeights(withPrior(member, priorScale, twin));
    }
  } catch (error) {
    for (const member of members) member.dispose();
    throw error;
  }
  return members;
}

/**
 * The layers of a new member, in which the frozen units are a network of their own that the head reads with a scale.
 * @param twin - Layers of a member whose prior it takes with the sign turned. Default: a prior of its own.
 */
function withPrior(member: DQN, scale: number, twin?: readonly LayerWeights[]): LayerWeights[] {
  const { frozenUnits: units, slate } = member.options;
  return member.weights().map((layer, l) => {
    const { inputs, outputs } = layer;
    const isHead = layer.name === "head";
    const weight = layer.weight.map((x, at) => {
      const [output, input] = [Math.floor(at / inputs), at % inputs];
      const readsPrior = l > 0 && input >= inputs - units;
      // The last output of a head for slates is no value, but the weight in the choice.
      if (isHead && readsPrior && slate && output === outputs - 1) return 0;
      if (isHead) return readsPrior ? (twin ? -twin[l]!.weight[at]! : x * scale) : x;
      const isPrior = output >= outputs - units;
      if (l > 0 && readsPrior !== isPrior) return 0;
      return isPrior && twin ? twin[l]!.weight[at]! : x;
    });
    const bias = isHead || !twin ? layer.bias : layer.bias.map((x, i) => (i < outputs - units ? x : twin[l]!.bias[i]!));
    return { ...layer, weight, bias };
  });
}

function requireAlike(members: readonly DQN[]): void {
  const [first, ...others] = members.map(({ options }) => options);
  for (const [m, other] of others.entries()) {
    const differs = SHARED.find((name) => JSON.stringify(other[name]) !== JSON.stringify(first![name]));
    if (differs) throw new TypeError(`members[${m + 1}] differs from the first in "${differs}"`);
  }
}
