import { mean } from "./moments.js";
import { INFERENCE, matrices, type Network, type Offer, type Pass } from "./network.js";

/** A stored transition as the twin sees it. */
export interface Sample {
  state: Offer;
  /** The index of the action taken among the state's actions or candidates; -1: nothing of a slate. */
  action: number;
  /** How many of the candidates a slate showed. */
  shown?: number;
  /** The most candidates of the next slate. */
  nextSlate?: number;
  reward: number;
  /** Of the parts behind the first. */
  others?: number[];
  discount: number;
  next: Offer;
}

/** The options of an update. */
export interface Rules {
  /** Of one part. */
  quantiles: number;
  squared: boolean;
  munchausen?: { alpha: number; temperature: number; clip: number };
  cqlAlpha: number;
  slate?: { size: number; choiceWeight: number; features: number; parts: number };
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

/** The state whose candidates begin with nothing: features that are all 0. */
function withNothing(offer: Offer, features: number, most = offer.set!.length): Offer {
  return { ...offer, set: [new Array<number>(features).fill(0), ...offer.set!.slice(0, most)] };
}

/** The indices of the slate that is worth most, found greedily, of candidates behind nothing. */
export function greedySlate(q: readonly number[], v: readonly number[], size: number): number[] {
  const chosen: number[] = [];
  let [top, bottom] = [q[0]!, 1];
  while (chosen.length < Math.min(size, q.length - 1)) {
    const left = q
      .slice(1)
      .map((_, a) => a)
      .filter((a) => !chosen.includes(a));
    const worth = left.map((a) => (top + v[a + 1]! * q[a + 1]!) / (bottom + v[a + 1]!));
    const best = left[worth.indexOf(Math.max(...worth))]!;
    chosen.push(best);
    top += v[best + 1]! * q[best + 1]!;
    bottom += v[best + 1]!;
  }
  return chosen;
}

/** For each quantile the mean over nothing and the chosen ones, weighted by v. */
export function mixture(theta: readonly number[][], v: readonly number[], chosen: readonly number[]): number[] {
  const total = chosen.reduce((sum, a) => sum + v[a + 1]!, 1);
  return theta[0]!.map((nothing, i) => chosen.reduce((sum, a) => sum + v[a + 1]! * theta[a + 1]![i]!, nothing) / total);
}

/** Values and weights of the choice of nothing and the candidates of states. */
export function choicesOf(network: Network, states: Offer[], width: number, features: number) {
  const all = states.map((state) => withNothing(state, features));
  return matrices(network, all, width).map((rows) => ({
    theta: rows.map((row) => row.slice(0, width)),
    v: rows.map((row, i) => (i === 0 ? 1 : Math.exp(Math.max(-20, Math.min(20, row[width]!))))),
  }));
}

/** Values of each part of a row of values. */
const partsOf = (row: readonly number[], quantiles: number): number[][] =>
  Array.from({ length: row.length / quantiles }, (_, p) => row.slice(p * quantiles, (p + 1) * quantiles));

/** The sum of the means of the parts. */
export const sumOf = (row: readonly number[], quantiles: number): number =>
  partsOf(row, quantiles).reduce((sum, part) => sum + mean(part), 0);

/** r + discount * the mixture of the slate that is best by `judge`, valued by `frozen`; of each part its own r. */
export function slateTargets(judge: Network, frozen: Network, samples: Sample[], rules: Rules): number[][] {
  const { quantiles, slate } = rules;
  const { size, features, parts } = slate!;
  const width = quantiles * parts;
  const slates = choicesOf(judge, nextOf(samples), width, features).map(({ theta, v }, b) =>
    greedySlate(
      theta.map((row) => sumOf(row, quantiles)),
      v,
      Math.min(size, samples[b]!.nextSlate ?? size),
    ),
  );
  return choicesOf(frozen, nextOf(samples), width, features).map(({ theta, v }, b) => {
    const { reward, others = [], discount } = samples[b]!;
    const rewards = [reward, ...others];
    return mixture(theta, v, slates[b]!).map((x, i) => rewards[Math.floor(i / quantiles)]! + discount * x);
  });
}

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

/** The conservative term: of the action taken, or of a slate that was shown: the first ones after nothing, in order. */
function conservative(values: number[], taken: number, shown: number | undefined): number {
  if (shown === undefined) return logSumExp(values, 1) - taken;
  const places = Array.from({ length: shown }, (_, i) => values.slice(i + 1));
  return shown === 0 ? 0 : mean(places.map((left) => logSumExp(left, 1) - left[0]!));
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
  const { quantiles, cqlAlpha, squared, slate } = rules;
  const needsAll = cqlAlpha > 0 || slate !== undefined;
  // Only where all are needed are all candidates in the pass: the statistics of a batch and the draws are theirs.
  const states = samples.map(({ state, action, shown }) => {
    if (slate) return withNothing(state, slate.features, cqlAlpha > 0 ? undefined : shown);
    return needsAll || !state.set ? state : { ...state, set: [state.set[action]!] };
  });
  const width = quantiles * (slate?.parts ?? 1);
  const outputs = matrices(online, states, width, pass);
  const theta = slate ? outputs.map((rows) => rows.map((row) => row.slice(0, width))) : outputs;
  const errors: number[] = [];
  const total = samples.reduce((sum, { action, state, shown }, b) => {
    const taken = theta[b]![slate ? action + 1 : needsAll || !state.set ? action : 0]!;
    errors.push(sumOf(taken, quantiles) - sumOf(y[b]!, quantiles));
    const targets = partsOf(y[b]!, quantiles);
    let own = partsOf(taken, quantiles).reduce((sum, part, p) => {
      const lossOfPart = quantiles > 1 ? quantileLoss(part, targets[p]!) : loss(part[0]! - targets[p]![0]!, squared);
      return sum + lossOfPart;
    }, 0);
    const q = slate ? theta[b]!.map((row) => sumOf(row, quantiles)) : expectations(theta[b]!, state);
    if (cqlAlpha > 0) own += cqlAlpha * conservative(q, sumOf(taken, quantiles), slate && shown!);
    if (slate) {
      const u = [0, ...outputs[b]!.slice(1, shown! + 1).map((row) => row[width]!)];
      own += slate.choiceWeight * (logSumExp(u, 1) - u[action + 1]!);
    }
    return sum + weights[b]! * own;
  }, 0);
  return { loss: total / samples.length, errors };
}
