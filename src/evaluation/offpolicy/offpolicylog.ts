import { checked, group, oneOf, type Rules, rules } from "../../check/index.js";
import { Latest, pairKey } from "../../collections/index.js";
import { log1p } from "../../numeric/index.js";
import {
  type Click,
  type Id,
  type LiveEvent,
  type LoggedDecision,
  MINUTE,
  parseDecision,
  type TargetPolicy,
  type Watch,
} from "../../protocol/index.js";
import { type Figure, groupOf, type ResampleOptions } from "../../statistics/index.js";
import { Broadcasts } from "../broadcasts.js";
import { type OffPolicyEstimateOptions, OffPolicyEstimates } from "./estimates.js";
import { RewardModel, type RewardModelOptions } from "./rewards.js";

export interface OffPolicyOptions extends Pick<OffPolicyEstimateOptions, "clip" | "switchAbove"> {
  /**
   * What a stream earns at its position: 1 for a `click`, or the minutes of a `watch`, both only where the event names
   * the decision. What the user does later is of later decisions. Default `click`.
   */
  reward: "click" | "watch";
  /** Milliseconds from which decisions count; what comes before only trains. Default 0. */
  from: number;
  /** Milliseconds until which decisions count, exclusive. Default without end. */
  until: number;
  /** Of the regression behind `dm`, `dr`, `sndr` and `switch_dr`. */
  model: Partial<RewardModelOptions>;
}

const { clip, switchAbove } = new OffPolicyEstimates().options;
const DEFAULTS: OffPolicyOptions = { reward: "click", from: 0, until: Number.MAX_VALUE, clip, switchAbove, model: {} };
const TABLE: Rules<OffPolicyOptions> = {
  reward: oneOf("click", "watch"),
  from: rules.nonNegative,
  until: rules.nonNegative,
  clip: rules.positive,
  switchAbove: rules.positive,
  model: group,
};

/** Streams of decisions that may still get feedback, the newest. Set by hand. */
const WAITING = 65_536;

/** One position of a decision, with the rows that the model takes: of the stream there, and the mean of the target's. */
interface Place {
  propensity: number;
  probability: number;
  reward: number;
  row: Float64Array;
  meanRow: Float64Array;
}

/** What a user visited so far. */
interface Taste {
  visits: number;
  streamers: Set<Id>;
  categories: Map<string, number>;
}

/** Numbers in a row: 1, one that falls with the position, viewers, met before, share of the category, visits. */
const SIZE = 6;

/**
 * What a policy would have earned a decision where another one decided, from the log of that one: events, and decisions
 * with their propensities. It is the value of one step: the policy in the contexts that the other one led to, where it
 * decides once and is gone. What its own decisions would make of users and streams is not in the log: on the simulator, one
 * stream at a time, what most people watch earns 17 % fewer minutes a decision where it is all that is ever shown.
 *
 * Each decision is put to the policy when it stands in the log, then the events that follow are told to it. Memory grows
 * with the decisions.
 *
 * ```ts
 * const log = new OffPolicyLog(new PopularPolicy());
 * simulate(new RandomPolicy(1), { slate: 1 }, { onDecision: (one) => log.decision(one), onEvent: (one) => log.feedback(one) });
 * console.table(log.result());
 * ```
 */
export class OffPolicyLog {
  readonly options: Readonly<OffPolicyOptions>;
  readonly #target: TargetPolicy;
  readonly #broadcasts = new Broadcasts();
  readonly #decided: { group: number; places: Place[] }[] = [];
  readonly #open = new Latest<string, Place>(WAITING);
  readonly #tastes = new Map<Id, Taste>();

  /** @throws TypeError or RangeError for unknown or wrong options. */
  constructor(target: TargetPolicy, options: Partial<OffPolicyOptions> = {}) {
    this.options = checked(options, TABLE, DEFAULTS);
    this.#estimates(1);
    new RewardModel(SIZE, this.options.model);
    this.#target = target;
  }

  /** Decisions that count so far. */
  get decisions(): number {
    return this.#decided.length;
  }

  /**
   * Takes a decision, before the events that name it, in order of time.
   * @throws EventError for what is no decision, RangeError where it has no propensities; nothing changes then.
   */
  decision(decision: LoggedDecision): void {
    const { id, user, time, slate, propensities } = parseDecision(decision);
    if (time < this.options.from || time >= this.options.until) return;
    if (propensities === undefined) {
      const must = "must be given, as nothing else says how likely the logging policy chose it";
      throw new RangeError(`"propensities" of decision ${JSON.stringify(id)} ${must}`);
    }
    const request = { user, now: time, k: Math.max(slate.length, 1) };
    const distributions = this.#target.distributions(request, slate);
    const rowOf = this.#rows(user);
    const places = slate.map((stream, position): Place => {
      const meanRow = new Float64Array(SIZE);
      let probability = 0;
      for (const [other, chance] of distributions[position]!) {
        const row = rowOf(other, position);
        for (let i = 0; i < SIZE; i++) meanRow[i]! += chance * row[i]!;
        if (other === stream) probability = Math.min(chance, 1);
      }
      return { propensity: propensities[position]!, probability, reward: 0, row: rowOf(stream, position), meanRow };
    });
    for (const [position, place] of places.entries()) this.#open.set(pairKey(id, slate[position]!), place);
    this.#decided.push({ group: groupOf(user), places });
  }

  /** Takes an event, in order of time. @throws as the policy does. */
  feedback(event: LiveEvent): void {
    this.#target.feedback(event);
    this.#broadcasts.feedback(event);
    if (event.kind === "click" || event.kind === "watch") this.#visit(event);
  }

  /** Every estimate of what is known so far: {@link OffPolicyEstimates}. The log may go on afterwards. */
  result(options: Partial<ResampleOptions> = {}): Figure[] {
    const model = new RewardModel(SIZE, this.options.model);
    let positions = 1;
    for (const { group, places } of this.#decided) {
      positions = Math.max(positions, places.length);
      for (const { row, reward } of places) model.add(group, row, reward);
    }
    const estimates = this.#estimates(positions);
    for (const { group, places } of this.#decided) {
      const choices = places.map(({ propensity, probability, reward, row, meanRow }) => ({
        propensity,
        probability,
        reward,
        predicted: model.predict(group, row),
        expected: model.predict(group, meanRow),
      }));
      estimates.add(group, choices);
    }
    return estimates.figures(options);
  }

  #estimates(positions: number): OffPolicyEstimates {
    const { clip, switchAbove } = this.options;
    return new OffPolicyEstimates({ positions, clip, switchAbove });
  }

  /** Credits the decision that the event names, and keeps what the model needs to know of the user. */
  #visit(event: Click | Watch): void {
    const place = event.decision === undefined ? undefined : this.#open.get(pairKey(event.decision, event.stream));
    if (event.kind === "watch") {
      if (place !== undefined && this.options.reward === "watch") place.reward += event.watchMs / MINUTE;
      return;
    }
    if (place !== undefined && this.options.reward === "click") place.reward = 1;
    let taste = this.#tastes.get(event.user);
    if (taste === undefined) {
      taste = { visits: 0, streamers: new Set(), categories: new Map() };
      this.#tastes.set(event.user, taste);
    }
    const category = this.#broadcasts.traits(event.stream)?.category ?? "";
    taste.visits++;
    taste.streamers.add(this.#broadcasts.streamerOf(event.stream));
    taste.categories.set(category, (taste.categories.get(category) ?? 0) + 1);
  }

  /** What makes the rows of a decision about a user; those of a stream are the same but for the position. */
  #rows(user: Id): (stream: Id, position: number) => Float64Array {
    const taste = this.#tastes.get(user);
    const visits = taste?.visits ?? 0;
    const known = new Map<Id, Float64Array>();
    return (stream, position) => {
      let row = known.get(stream);
      if (row === undefined) {
        const category = this.#broadcasts.traits(stream)?.category ?? "";
        const viewers = log1p(this.#broadcasts.catalog.get(stream)?.viewers ?? 0);
        const met = taste?.streamers.has(this.#broadcasts.streamerOf(stream)) === true ? 1 : 0;
        const share = (taste?.categories.get(category) ?? 0) / Math.max(visits, 1);
        row = Float64Array.of(1, 0, viewers, met, share, log1p(visits));
        known.set(stream, row);
      }
      const own = row.slice();
      own[1] = 1 / (1 + position);
      return own;
    };
  }
}
