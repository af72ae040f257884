import type { BanditLog } from "../../logs/index.js";
import { type Figure, groupOf, type ResampleOptions } from "../../statistics/index.js";
import { type OffPolicyEstimateOptions, OffPolicyEstimates } from "./estimates.js";
import { RewardModel, type RewardModelOptions } from "./rewards.js";

export interface BanditOptions extends Pick<OffPolicyEstimateOptions, "clip" | "switchAbove" | "minEss"> {
  /** Options of the regression behind `dm`, `dr`, `sndr` and `switch_dr`. */
  model: Partial<RewardModelOptions>;
}

/**
 * The share of each item at each position of a log: an unbiased estimate of the logging policy's probabilities,
 * averaged over the time of the log.
 *
 * @param items - Number of items, at least those of the log.
 * @returns (positions, items), row-major; each row sums to 1, or is 0 where the log has no record at a position.
 */
export function itemShares({ n, positions, action, position }: BanditLog, items: number): Float64Array {
  const counts = new Float64Array(positions * items);
  const totals = new Float64Array(positions);
  for (let i = 0; i < n; i++) {
    counts[position[i]! * items + action[i]!]!++;
    totals[position[i]!]!++;
  }
  return counts.map((count, at) => (count === 0 ? 0 : count / totals[Math.floor(at / items)]!));
}

/**
 * Estimates what a policy would earn a choice, from the logged choices of another policy: {@link OffPolicyEstimates}
 * with one position a choice, as the propensities of such logs are marginal: those of an item at a position.
 *
 * The reward model is linear in position, item and context. Such logs have no user ids: for the intervals, records with
 * the same context count as one user.
 *
 * @param probabilities - For the number of a record, the evaluated policy's probability of each item at the record's
 *   position, (items), summing to 1.
 * @throws RangeError for a probability out of its range.
 */
export function evaluateBandit(
  log: BanditLog,
  probabilities: (record: number) => ArrayLike<number>,
  options: Partial<BanditOptions> = {},
  resample: Partial<ResampleOptions> = {},
): Figure[] {
  const { model: modelOptions = {}, ...rest } = options;
  const { n, positions, featureNames, action, position, reward, propensity } = log;
  const items = log.items.length;
  const estimates = new OffPolicyEstimates(rest);
  const model = new RewardModel(1 + positions + items + featureNames.length, modelOptions);
  const groups = Int32Array.from({ length: n }, (_, i) => groupOf(contextOf(log, i).join()));
  const row = new Float64Array(model.size);
  const write = (i: number, chances: (row: Float64Array) => void) => {
    row.fill(0);
    row[0] = 1;
    row[1 + position[i]!] = 1;
    row.set(contextOf(log, i), 1 + positions + items);
    chances(row.subarray(1 + positions, 1 + positions + items));
    return row;
  };
  const chosen = (i: number) =>
    write(i, (own) => {
      own[action[i]!] = 1;
    });
  for (let i = 0; i < n; i++) model.add(groups[i]!, chosen(i), reward[i]!);
  for (let i = 0; i < n; i++) {
    const chances = probabilities(i);
    const predicted = model.predict(groups[i]!, chosen(i));
    const expected = model.predict(
      groups[i]!,
      write(i, (own) => own.set(chances)),
    );
    const choice = { propensity: propensity[i]!, probability: chances[action[i]!]!, reward: reward[i]! };
    estimates.add(groups[i]!, [{ ...choice, predicted, expected }]);
  }
  return estimates.figures(resample);
}

/** The context of a record. */
function contextOf({ context, featureNames }: BanditLog, record: number): Float32Array {
  return context.subarray(record * featureNames.length, (record + 1) * featureNames.length);
}
