import { checked, group, nonNegative, oneOf, type Rules } from "../../check/index.js";
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
import { Watches } from "../../recommender/state/index.js";
import { type Figure, groupOf, type ResampleOptions } from "../../statistics/index.js";
import { Broadcasts } from "../broadcasts.js";
import { type OffPolicyEstimateOptions, OffPolicyEstimates, WEIGHT_RULES } from "./estimates.js";
import { RewardModel, type RewardModelOptions } from "./rewards.js";

export interface OffPolicyOptions extends Pick<OffPolicyEstimateOptions, "clip" | "switchAbove" | "minEss"> {
  /**
   * Reward of a stream at its position: 1 for a `click`, or the minutes of a `watch`. Only events that name the
   * decision count. Default `click`.
   */
  reward: "click" | "watch";
  /** Milliseconds; earlier events train the policy, and earlier decisions do not count. Default 0. */
  from: number;
  /** Milliseconds; decisions at or after it do not count. Default without end. */
  until: number;
  /** Options of the regression behind `dm`, `dr`, `sndr` and `switch_dr`. */
  model: Partial<RewardModelOptions>;
}

const { clip, switchAbove, minEss } = new OffPolicyEstimates().options;
const DEFAULTS: OffPolicyOptions = {
  reward: "click",
  from: 0,
  until: Number.MAX_VALUE,
  clip,
  switchAbove,
  minEss,
  model: {},
};
const TABLE: Rules<OffPolicyOptions> = {
  reward: oneOf("click", "watch"),
  from: nonNegative,
  until: nonNegative,
  ...WEIGHT_RULES,
  model: group,
};

/** The newest decided streams that wait for feedback; older ones are forgotten. Set by hand. */
const WAITING = 65_536;

/** One position of a decision, with the model's rows: of the logged stream, and their mean over the target's choice. */
interface Place {
  propensity: number;
  probability: number;
  reward: number;
  row: Float64Array;
  meanRow: Float64Array;
}

/** A user's visits so far. */
interface Taste {
  visits: number;
  streamers: Set<Id>;
  categories: Map<string, number>;
}

/** Features in a row: 1, 1 / (1 + position), log viewers, visited before, share of the category, log visits. */
const SIZE = 6;

/**
 * Estimates what a target policy would earn a decision, from another policy's log: events, and decisions with their
 * propensities. The estimate is the value of one step: the target policy makes a single decision in a context that the
 * logging policy led to. How its own decisions would change users and streams is not in the log: on the simulator with
 * slates of one, most popular earns 17 % fewer minutes a decision where it serves alone.
 *
 * The target policy gets decisions and events in the order of the log. Memory grows with the decisions.
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
  readonly #watches = new Watches();
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
   * @throws EventError for an invalid decision, RangeError for one without propensities; nothing changes then.
   */
  decision(decision: LoggedDecision): void {
    const { id, user, time, slate, propensities } = parseDecision(decision);
    for (const watch of this.#watches.settleRequest(user, time)) this.#visit(watch);
    if (time < this.options.from || time >= this.options.until) return;
    if (propensities === undefined) {
      const must = "must be given: without them no estimate is possible";
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
    this.#target.feedback(event, event.time);
    this.#broadcasts.feedback(event);
    for (const each of this.#watches.settle(event)) {
      if (each.kind === "click" || each.kind === "watch") this.#visit(each);
    }
  }

  /** All estimates so far: {@link OffPolicyEstimates}. More decisions and events may follow. */
  result(options: Partial<ResampleOptions> = {}): Figure[] {
    return this.#fitted().figures(options);
  }

  /**
   * How far an estimate is above what the logging policy earned, or above another policy's on the same decisions:
   * {@link OffPolicyEstimates.above}.
   */
  above(
    metric: string,
    other?: OffPolicyLog,
    options: Partial<ResampleOptions> = {},
  ): ReturnType<OffPolicyEstimates["above"]> {
    const its = other === undefined ? undefined : other.#fitted();
    return this.#fitted().above(metric, its, options);
  }

  #fitted(): OffPolicyEstimates {
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
    return estimates;
  }

  #estimates(positions: number): OffPolicyEstimates {
    const { clip, switchAbove, minEss } = this.options;
    return new OffPolicyEstimates({ positions, clip, switchAbove, minEss });
  }

  /** Credits the event's decision, and updates the user's features for the model. */
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

  /** Writes the rows of one decision for a user; the rows of a stream differ in the position alone. */
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
