import { mean } from "./moments.js";
import { INFERENCE, matrices, type Network, type Offer, type Pass } from "./network.js";

/** A stored transition as the twin sees it. */
export interface Sample {
  state: Offer;
  /** The index of the action taken among the state's actions or candidates. */
  action: number;
  reward: number;
  discount: number;
  next: Offer;
}

/** The options of an update. */
export interface Rules {
  quantiles: number;
  squared: boolean;
  munchausen?: { alpha: number; temperature: number; clip: number };
  cqlAlpha: number;
  isDueling: boolean;
}

/** Huber's loss with its kink at 1, or d^2. */
export function loss(d: number, squared: boolean): number {
  if (squared) return d * d;
  return Math.abs(d) <= 1 ? (d * d) / 2 : Math.abs(d) - 0.5;
}

/** log sum exp of values / temperature, times temperature. */
export function logSumExp(values: number[], temperature: number): number {
  const largest = Math.max(...values);
  return largest + temperature * Math.log(values.reduce((sum, x) => sum + Math.exp((x - largest) / temperature), 0));
}

/** Means over quantiles of what is available, -Infinity elsewhere. */
function expectations(theta: number[][], { mask }: Offer): number[] {
  return theta.map((quantiles, a) => ((mask?.[a] ?? true) ? mean(quantiles) : Number.NEGATIVE_INFINITY));
}

/** r + discount * quantiles of Q(s', a*), a* the best available by `judge`, valued by `frozen`. */
export function targets(judge: Network, frozen: Network, samples: Sample[], { quantiles }: Rules): number[][] {
  const chosen = matrices(judge, nextOf(samples), quantiles).map((theta, b) => {
    const q = expectations(theta, samples[b]!.next);
    const best = q.indexOf(Math.max(...q));
    return q[best] === Number.NEGATIVE_INFINITY ? -1 : best;
  });
  const worth = matrices(frozen, nextOf(samples), quantiles);
  return samples.map(({ reward, discount }, b) => {
    const value = worth[b]![chosen[b]!] ?? new Array<number>(quantiles).fill(0);
    return value.map((x) => (discount === 0 ? reward : reward + discount * x));
  });
}

const nextOf = (samples: Sample[]) => samples.map(({ next }) => next);

/** Munchausen's targets: soft values of s', and the clipped log-probability of the action in s. */
export function softTargets(frozen: Network, samples: Sample[], rules: Rules): number[][] {
  const { alpha, temperature, clip } = rules.munchausen!;
  const now = matrices(
    frozen,
    samples.map(({ state }) => state),
    rules.quantiles,
  );
  return matrices(frozen, nextOf(samples), rules.quantiles).map((theta, b) => {
    const { reward, discount, next, state, action } = samples[b]!;
    const q = expectations(theta, next);
    const own = expectations(now[b]!, state);
    const bonus = alpha * Math.max(clip, Math.min(0, own[action]! - logSumExp(own, temperature)));
    const isThere = q.some((x) => x > Number.NEGATIVE_INFINITY);
    return Array.from({ length: rules.quantiles }, (_, i) => {
      if (discount === 0 || !isThere) return reward + bonus;
      const logSum = logSumExp(q, temperature);
      const value = q.reduce((sum, x, a) => {
        const p = Math.exp((x - logSum) / temperature);
        return p === 0 ? sum : sum + p * (theta[a]![i]! - (x - logSum));
      }, 0);
      return reward + discount * value + bonus;
    });
  });
}

/** The loss of one prediction of quantiles against targets: sum over the current ones, mean over the targets. */
export function quantileLoss(theta: readonly number[], y: readonly number[]): number {
  return theta.reduce((sum, prediction, i) => {
    const midpoint = (i + 0.5) / theta.length;
    return sum + mean(y.map((t) => Math.abs(midpoint - (t < prediction ? 1 : 0)) * loss(t - prediction, false)));
  }, 0);
}

/** Mean weighted loss of a batch, with its conservative term, and the TD errors. */
export function batchLoss(
  online: Network,
  samples: Sample[],
  y: number[][],
  weights: number[],
  rules: Rules,
  pass: Pass = INFERENCE,
): { loss: number; errors: number[] } {
  const { quantiles, cqlAlpha, isDueling, squared } = rules;
  const needsAll = isDueling || cqlAlpha > 0;
  // Only where all are needed are all candidates in the pass: the statistics of a batch and the draws are theirs.
  const states = samples.map(({ state, action }) =>
    needsAll || !state.set ? state : { ...state, set: [state.set[action]!] },
  );
  const theta = matrices(online, states, quantiles, pass);
  const errors: number[] = [];
  const total = samples.reduce((sum, { action, state }, b) => {
    const taken = theta[b]![needsAll || !state.set ? action : 0]!;
    errors.push(mean(taken) - mean(y[b]!));
    let own = quantiles > 1 ? quantileLoss(taken, y[b]!) : loss(taken[0]! - y[b]![0]!, squared);
    if (cqlAlpha > 0) own += cqlAlpha * (logSumExp(expectations(theta[b]!, state), 1) - mean(taken));
    return sum + weights[b]! * own;
  }, 0);
  return { loss: total / samples.length, errors };
}
